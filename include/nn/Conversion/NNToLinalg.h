//===- NNToLinalg.h - the general lowering, to linalg -----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_CONVERSION_NNTOLINALG_H
#define NN_CONVERSION_NNTOLINALG_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::nn {

/// Teaches one-shot bufferization `tensor.bitcast` between unsigned and signless
/// elements, which upstream does not support. Both share a buffer; a
/// `builtin.unrealized_conversion_cast` converts between the memref types, and
/// disappears in the lowering to LLVM, where both types are the same. Passes that
/// follow aliases of buffers must look through it.
void registerBitcastBufferization(DialectRegistry &registry);

} // namespace mlir::nn

#endif // NN_CONVERSION_NNTOLINALG_H
