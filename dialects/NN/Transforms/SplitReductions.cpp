//===- SplitReductions.cpp - reductions over dimensions that are not neighbours ----===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "nn/Analysis/Provenance.h"

namespace mlir::nn {
#define GEN_PASS_DEF_SPLITREDUCTIONS
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

/// The reduced dimensions behind the last kept one that has reduced ones before it; none if
/// all reduced ones are neighbours. Dimensions of size 1 are neighbours of any.
static SmallVector<int64_t> getLastGroup(ArrayRef<int64_t> reduced, RankedTensorType type) {
  SmallVector<int64_t> group;
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    bool isOne = type.getDimSize(dim) == 1;
    if (llvm::is_contained(reduced, dim)) {
      if (!isOne)
        group.push_back(dim);
    } else if (!isOne && !group.empty()) {
      bool isMore = llvm::any_of(reduced, [&](int64_t other) {
        return other < dim && type.getDimSize(other) != 1;
      });
      return isMore ? group : SmallVector<int64_t>();
    }
  }
  return {};
}

namespace {
template <typename ReduceOp> struct Split : OpRewritePattern<ReduceOp> {
  using OpRewritePattern<ReduceOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getInput().getType();
    // Means of means would round integers twice.
    if (isa<ReduceMeanOp>(op.getOperation()) && !isa<FloatType>(type.getElementType()))
      return failure();
    SmallVector<int64_t> last = getLastGroup(op.getReducedDims(), type);
    if (last.empty())
      return failure();
    llvm::sort(last);
    auto partial = ReduceOp::create(rewriter, op.getLoc(), op.getInput(), last,
                                    /*keepdims=*/true);
    rewriter.modifyOpInPlace(op, [&] { op.getInputMutable().assign(partial); });
    return success();
  }
};

struct SplitReductions : nn::impl::SplitReductionsBase<SplitReductions> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<Split<ReduceMaxOp>, Split<ReduceMeanOp>, Split<ReduceMinOp>,
                 Split<ReduceProdOp>, Split<ReduceSumOp>>(&getContext());
    if (failed(rewriteGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
