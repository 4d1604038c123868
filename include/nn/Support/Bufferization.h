//===- Bufferization.h - buffers for kernels and primitives -----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_BUFFERIZATION_H
#define NN_SUPPORT_BUFFERIZATION_H

#include "mlir/IR/Builders.h"

namespace mlir::nn {

/// A buffer with the identity layout to use instead of `buffer`, which may be strided:
/// `buffer` itself or a new one, which is a copy if `copyContents` is set. The caller
/// copies results back.
Value getContiguousBuffer(OpBuilder &builder, Location loc, Value buffer,
                          bool copyContents);

} // namespace mlir::nn

#endif // NN_SUPPORT_BUFFERIZATION_H
