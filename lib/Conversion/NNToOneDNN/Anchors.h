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

/// The row of the primitive that computes `anchor`; null if there is none.
const OneDNNCapability *getPrimitive(Operation *anchor);

/// Whether the anchor multiplies 8-bit integers. Its sums are i32 in nn; the primitive
/// applies its post-ops to them in f32.
bool isInt8Product(Operation *anchor);

/// What oneDNN does not support in the window of a convolution or pool.
std::optional<std::string> violatesSupportedWindow(Operation *anchor);

/// Why the primitive cannot read the anchor's operand, or store its result, through a
/// transposition of the group; nothing if it can.
std::optional<StringRef> refuseTranspose(const FusionView &group, TransposeOp transpose);

/// The channel dimension of the anchor's result, which a bias and per-channel operands
/// have.
int64_t getChannelDim(Operation *anchor);

/// Whether the anchor can take a bias in addition to the operands that it has.
bool takesBias(Operation *anchor);

/// The operands and attributes of the primitive besides the anchor's own attributes.
struct PrimitiveOperands {
  /// The anchor's operands, as tensors of the function (null if missing).
  SmallVector<Value> operands;
  /// Of each: dimension i is dimension `permutation[i]` of the tensor; empty: the same.
  SmallVector<ArrayRef<int64_t>> permutations;
  /// The same for dst.
  ArrayRef<int64_t> dstPermutation;
  /// A bias for an anchor that has none: constant, of rank 1.
  Value bias;
  /// Of dst's rank.
  SmallVector<Value> postOpArgs;
  SmallVector<Attribute> postOps;
  Value dst;
};

/// Creates the primitive for a claimed anchor, and returns its result.
Value createPrimitive(OpBuilder &builder, Location location, Operation *anchor,
                      const PrimitiveOperands &primitive);

/// Whether the value is a constant of the model, possibly reshaped.
bool isConstantTensor(Value value);

/// The tensor with leading dimensions of size 1 added up to rank `rank`; a constant
/// stays a constant.
Value expandRank(OpBuilder &builder, Location location, Value value,
                 int64_t rank);

/// A constant's elements as a tensor of rank 1.
Value flattenConstant(OpBuilder &builder, Location location, Value value);

} // namespace mlir::nn

#endif // NN_CONVERSION_NNTOONEDNN_ANCHORS_H
