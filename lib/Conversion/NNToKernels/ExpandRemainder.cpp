//===- ExpandRemainder.cpp - remainders of floats -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "FloatMath.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
/// C's fmod, in f64, which is exact: a long division whose steps subtract up to 2^53
/// times the divisor scaled by a power of two, without a rounding error. Almost always
/// one step is enough. The sign is that of x.
struct ExpandRemainder : OpRewritePattern<arith::RemFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::RemFOp op,
                                PatternRewriter &rewriter) const override {
    Location l = op.getLoc();
    FloatMath narrow(rewriter, l, op.getType());
    FloatMath wide(rewriter, l, narrow.withElement(rewriter.getF64Type()));
    auto widen = [&](Value x) -> Value {
      if (wide.type == narrow.type)
        return x;
      return arith::ExtFOp::create(rewriter, l, wide.type, x);
    };
    Value x = widen(op.getLhs());
    Value size = wide.abs(x), divisor = wide.abs(widen(op.getRhs()));
    Value isFinite = wide.compare(FloatMath::Predicate::OLT, size, FloatMath::infinity);
    Value isDivisor = wide.compare(FloatMath::Predicate::OGT, divisor, 0);
    Value hasRemainder = wide.both(isFinite, isDivisor);

    Value exponent = getExponent(wide, divisor);
    auto loop = scf::WhileOp::create(
        rewriter, l, TypeRange{wide.type}, ValueRange{size},
        [&](OpBuilder &, Location, ValueRange rest) {
          Value goesOn = wide.both(wide.compare(FloatMath::Predicate::OGE, rest[0], divisor),
                                   hasRemainder);
          scf::ConditionOp::create(rewriter, l, any(rewriter, l, goesOn), rest);
        },
        [&](OpBuilder &, Location, ValueRange rest) {
          scf::YieldOp::create(rewriter, l, emitStep(wide, rest[0], divisor, exponent));
        });
    Value rest = wide.select(hasRemainder, loop.getResult(0),
                             wide.number(FloatMath::notANumber));
    // Exact at each step. CPUs convert f64 to 16-bit floats by way of f32 only; LLVM would
    // do so at once with the sign of an f64.
    if (getElementTypeOrSelf(narrow.type).getIntOrFloatBitWidth() < 32)
      rest = arith::TruncFOp::create(rewriter, l, narrow.withElement(rewriter.getF32Type()),
                                     rest);
    if (wide.type != narrow.type)
      rest = arith::TruncFOp::create(rewriter, l, narrow.type, rest);
    rewriter.replaceOp(op, narrow.withSign(rest, op.getLhs()));
    return success();
  }

  static Value any(OpBuilder &b, Location l, Value condition) {
    auto vector = dyn_cast<VectorType>(condition.getType());
    if (!vector)
      return condition;
    return vector::ReductionOp::create(b, l, vector::CombiningKind::OR, condition);
  }

  /// The exponent of a positive number, biased by 1023; of denormal ones, too.
  static Value getExponent(FloatMath &f, Value x) {
    Value isTiny = f.compare(FloatMath::Predicate::OLT, x, 0x1p-1022);
    Value ofTiny = f.shiftRight(f.bits(f.mul(x, f.number(0x1p53))), 52);
    return f.select(isTiny, f.subInt(ofTiny, f.integer(53)), f.shiftRight(f.bits(x), 52));
  }

  /// `rest` modulo divisor * 2^k, where k >= 0 is the least that makes the quotient less
  /// than 2^53. What is less than the divisor stays.
  static Value emitStep(FloatMath &f, Value rest, Value divisor, Value exponent) {
    Value distance = f.subInt(f.shiftRight(f.bits(rest), 52), exponent);
    Value k = f.maxInt(f.subInt(distance, f.integer(52)), f.integer(0));
    // In two factors, since k may be 2046.
    auto powerOfTwo = [&](Value n) {
      return f.fromBits(f.shiftLeft(f.addInt(n, f.integer(1023)), 52));
    };
    Value half = f.shiftRight(k, 1);
    Value scaled = f.mul(divisor, powerOfTwo(half));
    scaled = f.mul(scaled, powerOfTwo(f.subInt(k, half)));
    Value quotient = f.trunc(f.div(rest, scaled));
    Value next = f.fma(f.neg(quotient), scaled, rest);
    // The quotient may have been rounded up to the next integer.
    Value isBelow = f.compare(FloatMath::Predicate::OLT, next, 0);
    next = f.select(isBelow, f.add(next, scaled), next);
    return f.select(f.compare(FloatMath::Predicate::OGE, rest, divisor), next, rest);
  }
};
} // namespace

void nn::populateExpandRemainderPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandRemainder>(patterns.getContext());
}
