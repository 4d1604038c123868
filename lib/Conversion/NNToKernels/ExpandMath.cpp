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

/// e^x as 2^n e^r, with |r| <= ln(2) / 2 and a polynomial for e^r that is within 1
/// ulp: 15 instructions, where upstream's expansion takes 20. Results below
/// 1.7e-38, which are denormal or almost, become 0.
struct ExpandExpF32 : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern<math::ExpOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &b) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return failure();
    Location loc = op.getLoc();
    auto number = [&](double value) { return nn::emitConstant(b, loc, type, value); };
    auto fma = [&](Value x, Value y, Value z) -> Value {
      return math::FmaOp::create(b, loc, x, y, z);
    };
    // NaN stays, because a comparison with it is false.
    auto clamp = [&](Value x, arith::CmpFPredicate beyond, double limit) -> Value {
      Value is = arith::CmpFOp::create(b, loc, beyond, number(limit), x);
      return arith::SelectOp::create(b, loc, is, number(limit), x);
    };
    Value x = clamp(op.getOperand(), arith::CmpFPredicate::OGT, -87.4);
    x = clamp(x, arith::CmpFPredicate::OLT, 88.8);
    // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
    Value magic = number(0x1.8p23);
    Value shifted = fma(x, number(1.44269504), magic);
    Value n = arith::SubFOp::create(b, loc, shifted, magic);
    Value r = fma(n, number(-0.693359375), x);
    r = fma(n, number(2.12194440e-4), r);
    // 2 e^r, since 2^n itself overflows before the result does; minimax, computed
    // for the relative error.
    Value result = number(2 * 0x1.6a2350p-10);
    for (double coefficient : {0x1.123a6cp-7, 0x1.5558f4p-5, 0x1.555490p-3,
                               0x1.fffffcp-2, 1.0, 1.0})
      result = fma(result, r, number(2 * coefficient));
    // Times 2^(n-1), whose exponent is n + 126.
    Type bits = b.getI32Type();
    if (auto vector = dyn_cast<VectorType>(type))
      bits = vector.clone(bits);
    Value power = arith::BitcastOp::create(b, loc, bits, shifted);
    power = arith::AddIOp::create(b, loc, power, nn::emitConstant(b, loc, bits, 126));
    power = arith::ShLIOp::create(b, loc, power, nn::emitConstant(b, loc, bits, 23));
    power = arith::BitcastOp::create(b, loc, type, power);
    b.replaceOpWithNewOp<arith::MulFOp>(op, result, power);
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
    patterns.add<ExpandExpF32>(&getContext(), /*benefit=*/2);
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
