//===- Anchors.h - nn operators as oneDNN primitives ------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Private to this folder.
//
//===----------------------------------------------------------------------===//

#ifndef NN_CONVERSION_NNTOONEDNN_ANCHORS_H
#define NN_CONVERSION_NNTOONEDNN_ANCHORS_H

#include "PostOps.h"

namespace mlir::nn {

/// The row of the primitive that computes `anchor`; null for an operator that is
/// no primitive.
const Capability *getPrimitive(Operation *anchor, bool claimSoftmax);

/// Whether the anchor multiplies 8-bit integers. Its sums are i32 in nn; the primitive
/// applies its post-ops to them in f32.
bool isInt8Product(Operation *anchor);

/// What oneDNN does not support in the window of a convolution or pool.
std::optional<std::string> violatesSupportedWindow(Operation *anchor);

/// Which dimension of the anchor's result are the channels, along which a bias
/// and per-channel operands lie.
int64_t getChannelDim(Operation *anchor);

/// Whether the anchor takes a bias beside those operands that it has already.
bool takesBias(Operation *anchor);

/// What the primitive is given beside the anchor's own attributes.
struct PrimitiveOperands {
  /// The anchor's operands, as tensors of the function (a missing one is null).
  SmallVector<Value> operands;
  /// Where the anchor has none of its own: rank 1, of constant elements.
  Value bias;
  /// Of dst's rank.
  SmallVector<Value> postOpArgs;
  SmallVector<Attribute> postOps;
  Value dst;
};

/// Creates the primitive for a claimed anchor, and gives its result.
Value createPrimitive(OpBuilder &builder, Location location, Operation *anchor,
                      const PrimitiveOperands &primitive);

/// Whether the value is a constant of the model, maybe under another shape.
bool isConstantTensor(Value value);

/// The tensor with ones put before its shape to make it of rank `rank`; a
/// constant stays a constant.
Value expandRank(OpBuilder &builder, Location location, Value value,
                 int64_t rank);

/// A constant's elements as a tensor of rank 1.
Value flattenConstant(OpBuilder &builder, Location location, Value value);

} // namespace mlir::nn

#endif // NN_CONVERSION_NNTOONEDNN_ANCHORS_H
