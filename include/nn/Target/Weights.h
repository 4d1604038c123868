//===- Weights.h - the weights section --------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TARGET_WEIGHTS_H
#define NN_TARGET_WEIGHTS_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::nn {

/// Bytes that an element of a buffer takes; an index has 64 bits.
int64_t getElementBytes(Type elementType);

/// The bytes of a constant in the weights section; each element takes whole bytes (bool:
/// one).
int64_t getStorageBytes(ShapedType type);

} // namespace mlir::nn

#endif // NN_TARGET_WEIGHTS_H
