//===- FusionView.h - what is computed as one -------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A uniform view of a single nn operator or an nn.fusion. Values "of the body" are the
// results and block arguments inside a fusion, or the operator's own operands and results.
//
//===----------------------------------------------------------------------===//

#ifndef NN_FUSION_FUSIONVIEW_H
#define NN_FUSION_FUSIONVIEW_H

#include "dialects/NN/IR/NN.h"
#include "nn/Analysis/SymbolicDims.h"
#include "nn/Support/HostTensor.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::nn {

/// How a dimension of an operand relates to that of the tensor it is broadcast to.
enum class DimUse {
  Full,     // equal sizes
  Broadcast, // size 1
  Unknown   // one of the two; known only at run time
};

class FusionView {
public:
  FusionView(Operation *root, SymbolicDims &dims);

  Operation *root;
  SymbolicDims &dims;
  /// The operators that are not elementwise, in their order. Transpositions count only if
  /// there is no other. Attention has three, other groups at most one.
  SmallVector<Operation *, 3> anchors;
  /// The last of them; null if there is none.
  Operation *anchor = nullptr;
  /// The transpositions in the body besides the anchors: of operands, or of the only result.
  SmallVector<TransposeOp> transposes;
  /// The values of the body that are root's results.
  SmallVector<Value> results;

  /// Calls `visit` with each operator but constants: the members of a fusion in their
  /// order, or the root itself.
  void forEachOperator(function_ref<void(Operation *)> visit) const;
  /// Adds the members of the fusion that compute `value`, but no constants.
  void collectProducers(Value value, llvm::SetVector<Operation *> &ops) const;

  /// The tensor of the function that a value of the body is; null if the body
  /// computes it or it is a constant of the body.
  Value getOuter(Value value) const;
  /// The elements of a constant, of the body or of the function; null for
  /// anything else.
  ElementsAttr getConstant(Value value) const;
  /// A copy of them; failure for anything else.
  FailureOr<HostTensor> readConstant(Value value) const;
  /// The constant, if all its elements are equal.
  DenseElementsAttr getSplat(Value value) const;
  /// Its element, if that is an f32.
  std::optional<float> getSplatF32(Value value) const;
  /// Whether it is a result of one of the anchors.
  bool isAnchorResult(Value value) const;
  /// The transposition in the body, besides the anchors, that makes a value; null if
  /// something else does.
  TransposeOp getTranspose(Value value) const;
  /// What the elementwise operators compute of a result: itself, or what is transposed last.
  Value getUntransposed(Value result) const;

  /// The values that the elementwise operators between `values` and results of anchors
  /// read: tensors of the function, or constants other than splats. Failure if there are
  /// other operators in between.
  FailureOr<llvm::SetVector<Value>> getLeaves(ValueRange values) const;

  /// The use of each dimension of `reference` (a value of the body) by a leaf,
  /// whose missing leading dimensions are broadcast. Dimensions in which the
  /// reference has size 1 are Full.
  SmallVector<DimUse> getUses(Value leaf, Value reference) const;
  /// Like getUses, for ranges of dimensions that a kernel treats as one: [0, ends[0]),
  /// [ends[0], ends[1]), .... Failure if only some dimensions of a range are used.
  FailureOr<SmallVector<DimUse>> getGroupUses(Value leaf, Value reference,
                                              ArrayRef<int64_t> ends) const;
  /// True if a dimension is known to be 1.
  bool isOne(Value value, int64_t dim) const;
  /// True if both have provably the same shape.
  bool haveSameShape(Value lhs, Value rhs) const;

  /// A rough number of instructions per element of the elementwise operators between
  /// `values` and the leaves.
  int64_t estimateCost(ValueRange values) const;
  /// The same for one operator.
  static int64_t estimateInstructions(Operation *op);

private:
  Dims getDims(Value value) const;
};

} // namespace mlir::nn

#endif // NN_FUSION_FUSIONVIEW_H
