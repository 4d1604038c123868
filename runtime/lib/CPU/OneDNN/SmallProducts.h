//===- SmallProducts.h - Products without a primitive -----------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_ONEDNN_SMALLPRODUCTS_H
#define NNRT_CPU_ONEDNN_SMALLPRODUCTS_H

#include "CPU/Threads.h"

namespace nnrt {
namespace onednn {

/// Computes a matrix product whose shape varies from run to run, and which takes less
/// time than making a primitive for it, with oneDNN's function for products of any
/// shape. False, and nothing is done, if it is no such product: f32 without bias,
/// constant weights or post-ops but a factor. One thread computes it: how that function
/// rounds depends on how many it sees.
bool multiplySmall(const nnrt_abi_onednn_site &site, const nnrt_abi_tensor *args,
                   Threads &threads);

} // namespace onednn
} // namespace nnrt

#endif // NNRT_CPU_ONEDNN_SMALLPRODUCTS_H
