//===- MaxPool.h - Maxima of windows of infinities --------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_ONEDNN_MAXPOOL_H
#define NNRT_CPU_ONEDNN_MAXPOOL_H

#include "nnrt_abi.h"

namespace nnrt {
namespace onednn {

/// oneDNN's maxima begin with the least finite number, which is what it gives for a
/// window of nothing but -infinity. To be called after the primitive: reads the
/// result once, and makes such elements -infinity. Does nothing for other sites.
void restoreInfinities(const nnrt_abi_onednn_site &site,
                       const nnrt_abi_tensor *args);

} // namespace onednn
} // namespace nnrt

#endif // NNRT_CPU_ONEDNN_MAXPOOL_H
