//===- Implementations.h - What they are good for ---------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// oneDNN uses the first of its implementations that can handle a problem. These functions
// recognize, by name, implementations that were observed to be bad.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_ONEDNN_IMPLEMENTATIONS_H
#define NNRT_CPU_ONEDNN_IMPLEMENTATIONS_H

#include "CPU/OneDNN/Problem.h"

namespace nnrt {
namespace onednn {

/// oneDNN's name, e.g. "brgconv:avx512_core".
std::string implementationOf(const_dnnl_primitive_desc_t desc);

/// Plain loops, about a hundred times slower than others.
bool isReference(const PrimitiveDesc &desc);

/// Whether the instructions that add products of 8-bit integers do so in 32 bits.
bool hasExactIntegerProducts();

/// Convolutions of channels-first data by im2col: measured 2 (3x3) to 20 (depthwise) times
/// slower than others with reorders before and after. Pointwise ones need no im2col.
bool isIm2Col(const Problem &problem, const PrimitiveDesc &desc);

/// Implementations of convolutions whose code oneDNN never frees: before 3.4 it keeps the
/// BRGEMM kernels of all shapes in a process-wide set, and those with post-ops once per
/// primitive (16 to 36 KB, observed in 3.2).
bool keepsMemory(const Problem &problem, const PrimitiveDesc &desc);

/// How many post-ops the primitive may apply itself. Pools on channels-first data read
/// operands with spatial sizes at wrong addresses (observed in 3.2, avx512_core).
int countTrustedPostOps(const Problem &problem);

} // namespace onednn
} // namespace nnrt

#endif // NNRT_CPU_ONEDNN_IMPLEMENTATIONS_H
