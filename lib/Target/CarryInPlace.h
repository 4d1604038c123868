//===- CarryInPlace.h - one buffer for each value of a loop -----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_TARGET_CARRYINPLACE_H
#define NN_LIB_TARGET_CARRYINPLACE_H

#include "mlir/IR/Builders.h"

namespace mlir::nn {

/// Has each tensor of static shape that a loop carries stay in one buffer: what the
/// body yields is copied there at its end, unless it was written there already.
/// Without this, each iteration would allocate a buffer that lives until the run
/// ends. Tensors of dynamic shape are left to bufferization.
///
/// `carried` are the body's arguments, in the order of what its terminator yields; null
/// for what is found in none.
void carryInPlace(Block &body, ArrayRef<Value> carried, OpBuilder &builder);

} // namespace mlir::nn

#endif // NN_LIB_TARGET_CARRYINPLACE_H
