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

/// Computes a matrix product with oneDNN's sgemm if that takes less time than making a
/// primitive: f32, shapes that vary from run to run, no bias, no constant weights and no
/// post-ops but a factor. Returns false, and does nothing, for other products. Uses one
/// thread, since the rounding of sgemm depends on their number.
bool multiplySmall(const nnrt_abi_onednn_site &site, const nnrt_abi_tensor *args,
                   Threads &threads);

} // namespace onednn
} // namespace nnrt

#endif // NNRT_CPU_ONEDNN_SMALLPRODUCTS_H
