//===- ExpandMath.cpp - nn-expand-math ------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ExpandMathF64.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "nn/Conversion/ElementwiseToArith.h"
#include "nn/Conversion/Passes.h"

namespace mlir::nn {
#define GEN_PASS_DEF_EXPANDMATH
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;

namespace {
/// Integers to bf16: what upstream canonicalization makes of emitCast's steps.
template <typename OpTy> struct ExpandIntToBF16 : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isBF16())
      return failure();
    constexpr bool isUnsigned = std::is_same_v<OpTy, arith::UIToFPOp>;
    rewriter.replaceOp(op, nn::emitCast(rewriter, op.getLoc(), op.getIn(),
                                        rewriter.getBF16Type(), isUnsigned,
                                        /*toUnsigned=*/false));
    return success();
  }
};

class ExpandMath : public nn::impl::ExpandMathBase<ExpandMath> {
public:
  using ExpandMathBase::ExpandMathBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    // Functions by others, of any float type.
    math::populateExpansionPatterns(patterns, {"sinh", "cosh", "tan", "asinh",
                                               "acosh", "atanh", "powf", "exp2"});
    // MLIR has polynomials for f32, in which narrower types are computed. What has
    // an instruction stays, and so does rsqrt, whose polynomial needs AVX2.
    auto hasPolynomial = [](StringRef name) {
      return llvm::is_contained({"math.atan", "math.atan2", "math.tanh",
                                 "math.log", "math.log2", "math.log1p",
                                 "math.erf", "math.erfc", "math.asin",
                                 "math.acos", "math.exp", "math.expm1",
                                 "math.cbrt", "math.sin", "math.cos"},
                                name);
    };
    nn::populateExpandF64Patterns(patterns);
    // Without AVX512_BF16, LLVM would call a library to narrow to bf16.
    arith::populateExpandBFloat16Patterns(patterns);
    patterns.add<ExpandIntToBF16<arith::SIToFPOp>, ExpandIntToBF16<arith::UIToFPOp>>(
        &getContext());
    // Sizes of results are floors and ceilings of quotients.
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    populateMathF32ExpansionPatterns(patterns, hasPolynomial);
    populateMathPolynomialApproximationPatterns(patterns, hasPolynomial);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
