//===- Provenance.h - which ONNX nodes and tensors ops stand for -*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Locations name ONNX nodes, and `nn.origin` says which ONNX tensor a result is.
// Rewrites must preserve both: use `rewriteGreedily` instead of upstream's driver, or
// a rewriter with a ProvenanceListener.
//
//===----------------------------------------------------------------------===//

#ifndef NN_ANALYSIS_PROVENANCE_H
#define NN_ANALYSIS_PROVENANCE_H

#include "dialects/NN/IR/NN.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::nn {

/// The attribute that holds an array of `#nn.origin`.
constexpr StringLiteral originAttrName = "nn.origin";

/// The origins of a value that is a result of an operation.
SmallVector<OriginAttr> getOrigins(Value value);
/// All origins of an operation.
SmallVector<OriginAttr> getOrigins(Operation *op);
/// Sets the origins of an operation; an empty list removes the attribute.
void setOrigins(Operation *op, ArrayRef<OriginAttr> origins);
/// Adds origins of another value to those of an operation's result.
void addOrigins(Value result, ArrayRef<OriginAttr> origins);

/// To be called when `replacement` replaces the results of `op`: moves the origins, and
/// adds the location of `op` to those of the replacing operations. Constants keep their
/// location and take no origin.
void inheritProvenance(Operation *op, ValueRange replacement);

/// The location for an operation that replaces all of `ops`.
Location fuseLocations(ArrayRef<Operation *> ops);

/// Keeps provenance whenever a rewriter replaces an operation.
class ProvenanceListener : public RewriterBase::Listener {
public:
  void notifyOperationReplaced(Operation *op, Operation *replacement) override {
    inheritProvenance(op, replacement->getResults());
  }
  void notifyOperationReplaced(Operation *op, ValueRange replacement) override {
    inheritProvenance(op, replacement);
  }
};

/// The greedy driver with a ProvenanceListener. Sets `*changed`, if given, when
/// anything was rewritten.
LogicalResult rewriteGreedily(Operation *root,
                              const FrozenRewritePatternSet &patterns,
                              bool *changed = nullptr);

} // namespace mlir::nn

#endif // NN_ANALYSIS_PROVENANCE_H
