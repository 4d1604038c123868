//===- LayoutRules.h - operators in channels-last layout --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// How each operator is computed on tensors N x spatial x C instead of N x C x spatial.
// Private to nn-assign-layout.
//
//===----------------------------------------------------------------------===//

#ifndef NN_DIALECTS_NN_TRANSFORMS_LAYOUTRULES_H
#define NN_DIALECTS_NN_TRANSFORMS_LAYOUTRULES_H

#include "dialects/NN/IR/NN.h"
#include "nn/Analysis/SymbolicDims.h"

namespace mlir::nn::layout {

/// How `op` can be computed. Depends only on types and attributes.
LayoutRule getRule(SymbolicDims &env, Operation *op);

/// What to do with an operand of an operator that is computed channels-last.
enum class Role {
  Keep,      // a list, a weight, a number: the same in both orders
  Convert,   // a data tensor
  Broadcast, // a data tensor of lower rank: reshape to the result's, then convert
};
Role getRole(Operation *op, unsigned operand);

/// The last of three operators that shuffle channels (reshape, transpose,
/// reshape, each used once), which are computed as one.
struct ChannelShuffle {
  ReshapeOp split;
  TransposeOp transpose;
  ReshapeOp merge;
};
std::optional<ChannelShuffle> matchChannelShuffle(SymbolicDims &env,
                                                  Operation *merge);

/// Creates `op` on channels-last operands (already converted by their roles).
/// The results are channels-last (Flexible), or in ONNX's order (Absorbs).
SmallVector<Value> buildChannelsLast(OpBuilder &builder, SymbolicDims &env,
                                     Operation *op, ValueRange operands);
/// The same for a channel shuffle, given its input.
Value buildChannelShuffle(OpBuilder &builder, SymbolicDims &env,
                          const ChannelShuffle &shuffle, Value input);

/// nn.reshape of `value`, whose sizes are `source`, to the sizes `target`; null
/// if no constant shape expresses it.
Value buildReshape(OpBuilder &builder, SymbolicDims &env, Location location,
                   Value value, ArrayRef<Dim> source, ArrayRef<Dim> target,
                   RankedTensorType type);

} // namespace mlir::nn::layout

#endif // NN_DIALECTS_NN_TRANSFORMS_LAYOUTRULES_H
