//===- FusionGroup.h - makes and splits groups of operators -----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_FUSION_FUSIONGROUP_H
#define NN_FUSION_FUSIONGROUP_H

#include "mlir/IR/IRMapping.h"
#include "nn/Fusion/FusionView.h"

namespace mlir::nn {

/// Makes an nn.fusion of copies of operators, which are given in the order of their block,
/// and leaves the builder behind it. `results`: their values that the fusion yields.
/// `toOuter` gives what the fusion takes for a value from outside. Constants for which
/// `isCopied` holds are copied into the fusion instead. Locations are kept, the caller
/// says which ONNX tensors the results are.
FusionOp outlineFusion(OpBuilder &builder, ArrayRef<Operation *> ops, ValueRange results,
                       function_ref<Value(Value)> toOuter,
                       function_ref<bool(Value)> isCopied);

/// Replaces a fusion (or a single operator) of which a part is claimed: by a fusion of what
/// must run before, by what is made of the part, and by a fusion of the rest.
class FusionSplitter {
public:
  explicit FusionSplitter(const FusionView &view)
      : view(view), builder(view.root) {}

  /// `emit` makes operations of the claimed operators with the members below, and returns
  /// the tensor that `result`, a value of the body, has become. Returns the fusions that
  /// were split off. The view's root is left without uses.
  SmallVector<Operation *> run(const llvm::SetVector<Operation *> &before,
                               const llvm::SetVector<Operation *> &claimed, Value result,
                               function_ref<Value(FusionSplitter &)> emit);

  /// Replaces a fusion by two: of the operators `before`, and of the others. Returns both.
  SmallVector<Operation *> divide(const llvm::SetVector<Operation *> &before);

  OpBuilder &getBuilder() { return builder; }
  /// The value of the function that corresponds to a value of the body.
  Value toOuter(Value value);
  /// A tensor.empty of `type` with the sizes of an operator's first result; dimension i
  /// is dimension `order[i]` of the result, if there is an order.
  Value emitDestination(Location location, Operation *op, RankedTensorType type,
                        ArrayRef<int64_t> order = {});

private:
  FusionOp outline(const llvm::SetVector<Operation *> &ops);
  /// Makes a fusion of the operators that are in neither; adds it to `parts`. The results of
  /// the view's root are replaced.
  void finish(FusionOp fusion, const llvm::SetVector<Operation *> &before,
              const llvm::SetVector<Operation *> &claimed,
              SmallVectorImpl<Operation *> &parts);

  const FusionView &view;
  OpBuilder builder;
  /// From values of the body to those of the function.
  IRMapping outer;
};

/// A transposition that a back end does not take into what it makes of a group, and why.
struct RefusedTranspose {
  Operation *op;
  std::string why;
};

/// A group without the transpositions that a back end refuses, for as long as it tries to
/// compute the others. They become operators of the function.
class TransposeSplitter {
public:
  TransposeSplitter(const FusionView &view, ArrayRef<RefusedTranspose> refused);
  TransposeSplitter(const TransposeSplitter &) = delete;

  /// What the back end is to compute.
  const FusionView &getCore() const { return core ? *core : view; }
  /// After the core was computed: the refused transpositions, with remarks of `backend`.
  SmallVector<Operation *> finish(StringRef backend);
  /// Restores the group as it was.
  void undo();

private:
  const FusionView &view;
  ArrayRef<RefusedTranspose> refused;
  std::optional<FusionView> core;
  /// What was made besides the core.
  SmallVector<Operation *> made;
  /// What replaces the result of the group.
  Value replacement;
};

/// Takes a fusion apart, of which nobody computes all. If it has several anchors, what the
/// last one reads of them becomes a fusion of its own. If it has one: it alone, what comes
/// before and what comes after. Returns these; the view's root is left without uses.
SmallVector<Operation *> splitAtAnchor(const FusionView &view);

} // namespace mlir::nn

#endif // NN_FUSION_FUSIONGROUP_H
