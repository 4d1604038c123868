//===- RecognizeLayerNorm.cpp - layer normalizations that were taken apart ===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "RecognizePatterns.h"
#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "nn/Analysis/Provenance.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
/// The input and first axis of a mean over trailing dimensions that stay.
Value matchTrailingMean(Value value, int64_t &axis) {
  auto mean = value.getDefiningOp<ReduceMeanOp>();
  if (!mean || !mean.getKeepdims() || mean.getAxes().empty())
    return {};
  int64_t rank = cast<RankedTensorType>(mean.getInput().getType()).getRank();
  SmallVector<int64_t> axes;
  for (int64_t a : mean.getAxes())
    axes.push_back(shapes::normalizeAxis(a, rank));
  llvm::sort(axes);
  for (auto [index, a] : llvm::enumerate(axes))
    if (a != rank - int64_t(axes.size()) + int64_t(index))
      return {};
  axis = axes.front() - rank;
  return mean.getInput();
}

/// y = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon), times scale.
struct RecognizeLayerNorm : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp root,
                                PatternRewriter &rewriter) const override {
    if (!hasPatterns(root.getType()))
      return failure();
    for (bool swapped : {false, true}) {
      auto div = (swapped ? root.getRhs() : root.getLhs()).getDefiningOp<DivOp>();
      Value scale = swapped ? root.getLhs() : root.getRhs();
      if (!div || root.getType() != div.getType())
        continue;
      auto centered = div.getLhs().getDefiningOp<SubOp>();
      auto root2 = div.getRhs().getDefiningOp<SqrtOp>();
      Value variance;
      double epsilon;
      if (!centered || !root2 ||
          !matchWithSplat<AddOp>(root2.getInput(), variance, epsilon))
        continue;
      int64_t axis, axis2;
      Value square = matchTrailingMean(variance, axis2);
      if (!square || !isSquareOf(square, centered) ||
          matchTrailingMean(centered.getRhs(), axis) != centered.getLhs() ||
          axis != axis2 || centered.getType() != div.getType() ||
          centered.getLhs().getType() != div.getType())
        continue;
      auto scaleType = cast<RankedTensorType>(scale.getType());
      if (scaleType.getRank() > -axis)
        return rewriter.notifyMatchFailure(root, "scale of outer dimensions");
      Location location = fuseLocations(
          {centered.getRhs().getDefiningOp(), centered, square.getDefiningOp(),
           variance.getDefiningOp(), root2.getInput().getDefiningOp(), root2,
           div, root});
      auto made = LayerNormOp::create(
          rewriter, location, centered.getLhs(), scale, /*bias=*/Value(),
          axis, APFloat(float(epsilon)));
      rewriter.replaceOp(root, made);
      return success();
    }
    return failure();
  }

  static bool isSquareOf(Value value, Value x) {
    if (auto mul = value.getDefiningOp<MulOp>())
      return mul.getLhs() == x && mul.getRhs() == x;
    auto power = value.getDefiningOp<PowOp>();
    return power && power.getLhs() == x && getSplat(power.getRhs()) == 2.0;
  }
};

/// layer_norm(x) without bias, plus one.
struct AddLayerNormBias : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp root,
                                PatternRewriter &rewriter) const override {
    for (bool swapped : {false, true}) {
      auto norm =
          (swapped ? root.getRhs() : root.getLhs()).getDefiningOp<LayerNormOp>();
      Value bias = swapped ? root.getLhs() : root.getRhs();
      if (!norm || norm.getBias() || !norm->hasOneUse() ||
          norm.getType() != root.getType() || !isConstantExpression(bias))
        continue;
      int64_t rank = norm.getType().getRank();
      int64_t axis = norm.getAxis();
      if (cast<RankedTensorType>(bias.getType()).getRank() >
          (axis < 0 ? -axis : rank - axis))
        continue;
      auto made = LayerNormOp::create(rewriter, fuseLocations({norm, root}),
                                      norm.getInput(), norm.getScale(), bias,
                                      axis, norm.getEpsilon());
      rewriter.replaceOp(root, made);
      return success();
    }
    return failure();
  }
};
} // namespace

void nn::populateRecognizeLayerNorm(RewritePatternSet &patterns) {
  patterns.add<RecognizeLayerNorm, AddLayerNormBias>(patterns.getContext(),
                                                     /*benefit=*/3);
}
