//===- Convert.h - Element conversions that oneDNN may lack -----*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_ONEDNN_CONVERT_H
#define NNRT_CPU_ONEDNN_CONVERT_H

#include "CPU/OneDNN/Operand.h"

namespace nnrt {
namespace onednn {

/// Copies `from` to `to`, of the same shape and any strides, and converts the
/// elements. oneDNN 3.2 reorders f16 only on CPUs with AVX512_FP16.
/// Floats round to nearest even, integers saturate.
void convert(const Operand &fromType, const void *from, const Operand &toType,
             void *to);

float halfToFloat(uint16_t half);
uint16_t floatToHalf(float value);

} // namespace onednn
} // namespace nnrt

#endif // NNRT_CPU_ONEDNN_CONVERT_H
