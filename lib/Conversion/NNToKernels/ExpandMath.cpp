//===- ExpandMath.cpp - nn-expand-math ------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "MathF32.h"
#include "MathF64.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "nn/Conversion/ElementwiseToArith.h"
#include "nn/Conversion/Passes.h"

namespace mlir::nn {
#define GEN_PASS_DEF_EXPANDMATH
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

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

/// A function becomes the arithmetic of MathF32 or MathF64.
template <typename OpTy, typename... Values> struct ExpandFunction : OpRewritePattern<OpTy> {
  using OfF32 = Value (MathF32::*)(Values...);
  using OfF64 = Value (MathF64::*)(Values...);

  ExpandFunction(MLIRContext *context, OfF32 ofF32, OfF64 ofF64)
      : OpRewritePattern<OpTy>(context), ofF32(ofF32), ofF64(ofF64) {}

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    Type element = getElementTypeOrSelf(op.getType());
    auto expand = [&](auto math, auto function) {
      return std::apply([&](auto... operands) { return (math.*function)(operands...); },
                        getOperands(op, std::index_sequence_for<Values...>()));
    };
    if (element.isF32())
      rewriter.replaceOp(op, expand(MathF32(rewriter, op.getLoc(), op.getType()), ofF32));
    else if (element.isF64())
      rewriter.replaceOp(op, expand(MathF64(rewriter, op.getLoc(), op.getType()), ofF64));
    else
      return failure();
    return success();
  }

  template <size_t... I> static auto getOperands(OpTy op, std::index_sequence<I...>) {
    return std::make_tuple(op->getOperand(I)...);
  }

  OfF32 ofF32;
  OfF64 ofF64;
};

struct ExpandExpOfNotPositive : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    if (!op->hasAttr(notPositiveAttrName) || !getElementTypeOrSelf(op.getType()).isF32())
      return failure();
    MathF32 math(rewriter, op.getLoc(), op.getType());
    rewriter.replaceOp(op, math.expOfNotPositive(op.getOperand()));
    return success();
  }
};

class ExpandMath : public nn::impl::ExpandMathBase<ExpandMath> {
public:
  using ExpandMathBase::ExpandMathBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    // f16 and bf16 are computed in f32.
    populateMathF32ExpansionPatterns(patterns, [](StringRef name) {
      return llvm::is_contained(
          {"math.acos", "math.acosh", "math.asin", "math.asinh", "math.atan", "math.atanh",
           "math.cos", "math.cosh", "math.erf", "math.exp", "math.expm1", "math.log",
           "math.log1p", "math.powf", "math.sin", "math.sinh", "math.tan", "math.tanh"},
          name);
    });
    patterns.add<ExpandFunction<math::AcosOp, Value>>(context, &MathF32::acos, &MathF64::acos);
    patterns.add<ExpandFunction<math::AcoshOp, Value>>(context, &MathF32::acosh, &MathF64::acosh);
    patterns.add<ExpandFunction<math::AsinOp, Value>>(context, &MathF32::asin, &MathF64::asin);
    patterns.add<ExpandFunction<math::AsinhOp, Value>>(context, &MathF32::asinh, &MathF64::asinh);
    patterns.add<ExpandFunction<math::AtanOp, Value>>(context, &MathF32::atan, &MathF64::atan);
    patterns.add<ExpandFunction<math::AtanhOp, Value>>(context, &MathF32::atanh, &MathF64::atanh);
    patterns.add<ExpandFunction<math::CosOp, Value>>(context, &MathF32::cos, &MathF64::cos);
    patterns.add<ExpandFunction<math::CoshOp, Value>>(context, &MathF32::cosh, &MathF64::cosh);
    patterns.add<ExpandFunction<math::ErfOp, Value>>(context, &MathF32::erf, &MathF64::erf);
    patterns.add<ExpandFunction<math::ExpOp, Value>>(context, &MathF32::exp, &MathF64::exp);
    patterns.add<ExpandFunction<math::ExpM1Op, Value>>(context, &MathF32::expm1, &MathF64::expm1);
    patterns.add<ExpandFunction<math::LogOp, Value>>(context, &MathF32::log, &MathF64::log);
    patterns.add<ExpandFunction<math::Log1pOp, Value>>(context, &MathF32::log1p, &MathF64::log1p);
    patterns.add<ExpandFunction<math::PowFOp, Value, Value>>(context, &MathF32::pow, &MathF64::pow);
    patterns.add<ExpandFunction<math::SinOp, Value>>(context, &MathF32::sin, &MathF64::sin);
    patterns.add<ExpandFunction<math::SinhOp, Value>>(context, &MathF32::sinh, &MathF64::sinh);
    patterns.add<ExpandFunction<math::TanOp, Value>>(context, &MathF32::tan, &MathF64::tan);
    patterns.add<ExpandFunction<math::TanhOp, Value>>(context, &MathF32::tanh, &MathF64::tanh);
    patterns.add<ExpandExpOfNotPositive>(context, /*benefit=*/2);
    populateExpandRemainderPatterns(patterns);
    // Without AVX512_BF16, LLVM would call a library to narrow to bf16.
    arith::populateExpandBFloat16Patterns(patterns);
    patterns.add<ExpandIntToBF16<arith::SIToFPOp>, ExpandIntToBF16<arith::UIToFPOp>>(context);
    // Sizes of results are floors and ceilings of quotients.
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
