//===- NNToLinalg.h - the general lowering, to linalg -----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_CONVERSION_NNTOLINALG_H
#define NN_CONVERSION_NNTOLINALG_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::nn {

/// Lets one-shot bufferization take `tensor.bitcast` between unsigned and
/// signless elements, which upstream cannot: the buffer is the same, and its
/// types meet in a `builtin.unrealized_conversion_cast` from memref to memref,
/// which disappears on the way to LLVM, where both types are one. Passes that
/// follow aliases of buffers must look through it.
void registerBitcastBufferization(DialectRegistry &registry);

} // namespace mlir::nn

#endif // NN_CONVERSION_NNTOLINALG_H
