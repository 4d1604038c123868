//===- FuseLoops.cpp - elementwise operations on linalg as one ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Conversion/Passes.h"
#include "nn/Target/Target.h"

namespace mlir::nn {
#define GEN_PASS_DEF_FUSELOOPS
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

static bool isParallel(linalg::GenericOp op) {
  return op.getNumParallelLoops() == op.getNumLoops();
}

/// Whether the operation that computes an operand can be computed in the one that uses it,
/// once for each of its elements.
static bool isFusable(OpOperand &operand) {
  auto consumer = cast<linalg::GenericOp>(operand.getOwner());
  auto producer = operand.get().getDefiningOp<linalg::GenericOp>();
  return producer && producer->hasOneUse() && producer->getBlock() == consumer->getBlock() &&
         isParallel(producer) && isParallel(consumer) && consumer.isDpsInput(&operand) &&
         consumer.getMatchingIndexingMap(&operand).isPermutation() &&
         linalg::areElementwiseOpsFusable(&operand);
}

namespace {
struct FuseLoops : nn::impl::FuseLoopsBase<FuseLoops> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (getTarget(function->getParentOfType<ModuleOp>()).getKind() == TargetKind::CPU ||
        function->hasAttr("nn.kernel"))
      return;
    SmallVector<linalg::GenericOp> operations;
    function.walk([&](linalg::GenericOp op) { operations.push_back(op); });
    IRRewriter rewriter(&getContext());
    // Producers come first, so that each has taken in its own when its turn comes.
    for (linalg::GenericOp op : operations)
      for (bool changed = true; changed;) {
        changed = false;
        for (OpOperand &operand : op->getOpOperands())
          if (isFusable(operand)) {
            if (FailureOr<linalg::GenericOp> both = fuse(operand, rewriter);
                succeeded(both)) {
              op = *both;
              ++numFused;
              changed = true;
            }
            break;
          }
      }
  }

  FailureOr<linalg::GenericOp> fuse(OpOperand &operand, RewriterBase &rewriter) {
    Operation *consumer = operand.getOwner(), *producer = operand.get().getDefiningOp();
    Location location = fuseLocations({producer, consumer});
    rewriter.setInsertionPoint(consumer);
    FailureOr<linalg::ElementwiseOpFusionResult> result =
        linalg::fuseElementwiseOps(rewriter, &operand);
    if (failed(result))
      return failure();
    SmallVector<Value> replacements;
    for (Value old : consumer->getResults())
      replacements.push_back(result->replacements.lookup(old));
    inheritProvenance(consumer, replacements);
    rewriter.replaceOp(consumer, replacements);
    rewriter.eraseOp(producer);
    result->fusedOp->setLoc(location);
    return cast<linalg::GenericOp>(result->fusedOp);
  }
};
} // namespace
