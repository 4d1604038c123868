//===- RecognizePatterns.cpp - operators that exporters took apart --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "RecognizePatterns.h"
#include "dialects/NN/IR/SpatialShapes.h"
#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "dialects/NN/Transforms/Passes.h"
#include "nn/Analysis/Provenance.h"

namespace mlir::nn {
#define GEN_PASS_DEF_RECOGNIZEPATTERNS
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
/// Powers with dedicated operators.
struct SimplifyPow : OpRewritePattern<PowOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PowOp op,
                                PatternRewriter &rewriter) const override {
    Value x = op.getLhs();
    std::optional<double> exponent = getSplat(op.getRhs());
    if (!exponent || x.getType() != op.getType() ||
        !isa<FloatType>(op.getType().getElementType()))
      return failure();
    Location location = op.getLoc();
    if (*exponent == 1)
      rewriter.replaceOp(op, x);
    else if (*exponent == 2)
      rewriter.replaceOp(op, MulOp::create(rewriter, location, x, x));
    else if (*exponent == -1)
      rewriter.replaceOp(op, ReciprocalOp::create(rewriter, location, x));
    else
      return failure();
    return success();
  }
};

/// x / c = x * (1 / c) if that is exact: c is a power of two.
struct DivToMul : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DivOp op,
                                PatternRewriter &rewriter) const override {
    DenseFPElementsAttr elements;
    auto constant = op.getRhs().getDefiningOp<ConstantOp>();
    if (!constant ||
        !(elements = dyn_cast<DenseFPElementsAttr>(constant.getValue())) ||
        !elements.isSplat())
      return failure();
    APFloat inverse = elements.getSplatValue<APFloat>();
    if (!elements.getSplatValue<APFloat>().getExactInverse(&inverse))
      return rewriter.notifyMatchFailure(op, "the reciprocal is not exact");
    Value factor = ConstantOp::create(
        rewriter, constant.getLoc(),
        DenseElementsAttr::get(constant.getType(), inverse));
    auto mul = MulOp::create(rewriter, op.getLoc(), op.getType(), op.getLhs(),
                             factor);
    rewriter.replaceOp(op, mul);
    return success();
  }
};

/// A pool with a single window over the whole input is a reduction.
template <typename PoolOp, typename ReduceOp>
struct PoolToReduction : OpRewritePattern<PoolOp> {
  using OpRewritePattern<PoolOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(PoolOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getInput().getType());
    SpatialDims where(op.getLayout(), type.getRank());
    SmallVector<int64_t> axes;
    for (int64_t i = 0; i < where.count; ++i) {
      int64_t dim = where.firstSpatial + i;
      if (type.getDimSize(dim) != op.getKernelShape()[i] ||
          op.getType().getDimSize(dim) != 1)
        return failure();
      axes.push_back(dim);
    }
    auto isNot = [](int64_t expected) {
      return [=](int64_t value) { return value != expected; };
    };
    if (llvm::any_of(op.getPads(), isNot(0)) ||
        llvm::any_of(op.getDilations(), isNot(1)))
      return failure();
    auto reduce = ReduceOp::create(rewriter, op.getLoc(), op.getType(),
                                   op.getInput(), axes, true);
    rewriter.replaceOp(op, reduce);
    return success();
  }
};

struct RecognizePatterns : nn::impl::RecognizePatternsBase<RecognizePatterns> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet all(context);
    populateRecognizeActivations(all);
    populateRecognizeLayerNorm(all);
    all.add<SimplifyPow, DivToMul, PoolToReduction<AveragePoolOp, ReduceMeanOp>,
            PoolToReduction<MaxPoolOp, ReduceMaxOp>>(context);
    patterns = std::move(all);
    return success();
  }

  void runOnOperation() override {
    if (failed(rewriteGreedily(getOperation(), patterns)))
      signalPassFailure();
  }

  FrozenRewritePatternSet patterns;
};
} // namespace
