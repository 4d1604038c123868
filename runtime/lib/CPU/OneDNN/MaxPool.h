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

/// oneDNN starts maxima from the lowest finite number, which it therefore returns for a
/// window of -infinity only. Called after the primitive, this reads the result once and
/// replaces such elements by -infinity. Does nothing for other sites.
void restoreInfinities(const nnrt_abi_onednn_site &site,
                       const nnrt_abi_tensor *args);

} // namespace onednn
} // namespace nnrt

#endif // NNRT_CPU_ONEDNN_MAXPOOL_H
