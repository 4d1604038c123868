//===- Backends.h - the back ends that there are ----------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_PIPELINES_BACKENDS_H
#define NN_PIPELINES_BACKENDS_H

#include "nn/Target/Backend.h"

namespace mlir::nn {

/// All back ends. Of those of one target, the last takes the most.
ArrayRef<const Backend *> getBackends();

} // namespace mlir::nn

#endif // NN_PIPELINES_BACKENDS_H
