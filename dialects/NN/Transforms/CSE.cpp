//===- CSE.cpp - common subexpressions, keeping provenance ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "nn/Analysis/Provenance.h"

namespace mlir::nn {
#define GEN_PASS_DEF_CSE
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
/// Merges the provenance of the two operations. Their origins are removed during CSE,
/// because different attributes would keep the operations apart.
struct MergeListener : RewriterBase::Listener {
  void notifyOperationReplaced(Operation *op, Operation *by) override {
    ++numReplaced;
    if (op->hasTrait<OpTrait::ConstantLike>())
      return;
    by->setLoc(fuseLocations({by, op}));
    SmallVector<OriginAttr> moved = origins.lookup(op);
    for (OriginAttr origin : moved)
      if (!llvm::is_contained(origins[by], origin))
        origins[by].push_back(origin);
  }
  void notifyOperationErased(Operation *op) override { origins.erase(op); }

  DenseMap<Operation *, SmallVector<OriginAttr>> origins;
  int64_t numReplaced = 0;
};

struct CSE : nn::impl::CSEBase<CSE> {
  void runOnOperation() override {
    MergeListener listener;
    getOperation()->walk([&](Operation *op) {
      SmallVector<OriginAttr> origins = getOrigins(op);
      if (origins.empty())
        return;
      listener.origins[op] = origins;
      op->removeAttr(originAttrName);
    });
    IRRewriter rewriter(&getContext(), &listener);
    bool changed = false;
    eliminateCommonSubExpressions(rewriter, getAnalysis<DominanceInfo>(),
                                  getOperation(), &changed);
    for (auto &[op, origins] : listener.origins)
      setOrigins(op, origins);
    numRemoved += listener.numReplaced;
    if (!changed)
      markAllAnalysesPreserved();
  }
};
} // namespace
