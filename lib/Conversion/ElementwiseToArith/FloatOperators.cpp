//===- FloatOperators.cpp - code of operators on floats -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Emitter.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::nn;

/// ln(1 + exp(x)) without overflow.
static Value emitSoftplus(Emitter &e, Value x) {
  Value small = e.exp(e.make<arith::NegFOp>(e.make<math::AbsFOp>(x)));
  return e.add(e.max(x, e.constant(x, 0)), e.make<math::Log1pOp>(small));
}

static Value emitGelu(Emitter &e, GeluOp op, Value x) {
  Value inner;
  if (op.getApproximate() == "tanh") {
    Value cube = e.mul(e.mul(x, x), x);
    Value sum = e.add(x, e.mul(cube, e.constant(x, 0.044715)));
    inner = e.make<math::TanhOp>(
        e.mul(sum, e.constant(x, 0.7978845608028653559))); // sqrt(2 / pi)
  } else {
    inner = e.make<math::ErfOp>(
        e.mul(x, e.constant(x, 0.7071067811865475244))); // sqrt(1 / 2)
  }
  Value half = e.mul(x, e.constant(x, 0.5));
  return e.mul(half, e.add(inner, e.constant(x, 1)));
}

/// x^y; an exponent that is a constant of few multiplications becomes them.
static Value emitPow(Emitter &e, Operation *op, Value x, Value y) {
  DenseElementsAttr exponent;
  if (matchPattern(op->getOperand(1), m_Constant(&exponent)) &&
      exponent.isSplat() && isa<FloatType>(exponent.getElementType())) {
    double value = exponent.getSplatValue<APFloat>().convertToDouble();
    if (value == 1)
      return x;
    if (value == 2)
      return e.mul(x, x);
    if (value == 3)
      return e.mul(e.mul(x, x), x);
    if (value == -1)
      return e.div(e.constant(x, 1), x);
  }
  if (getElementTypeOrSelf(x).isF64())
    return e.make<math::PowFOp>(x, y);
  // |x|^y, and its sign: a negative base has powers of integers only.
  using Predicate = arith::CmpFPredicate;
  Value magnitude = e.make<math::AbsFOp>(x);
  Value power = e.exp(e.mul(y, e.make<math::LogOp>(magnitude)));
  Value half = e.mul(y, e.constant(y, 0.5));
  Value isInteger = e.compare(Predicate::OEQ, e.make<math::FloorOp>(y), y);
  Value isEven = e.compare(Predicate::OEQ, e.make<math::FloorOp>(half), half);
  Value ofNegative = e.select(isEven, power, e.make<arith::NegFOp>(power));
  ofNegative = e.select(isInteger, ofNegative,
                        e.constant(x, std::numeric_limits<double>::quiet_NaN()));
  Value zero = e.constant(x, 0), one = e.constant(x, 1);
  power = e.select(e.less(x, zero), ofNegative, power);
  // 0^0 and 1^inf.
  Value isOne = e.make<arith::OrIOp>(e.compare(Predicate::OEQ, y, zero),
                                     e.compare(Predicate::OEQ, x, one));
  return e.select(isOne, one, power);
}

/// C's fmod, exact where |x / y| < 2^52. (LLVM would call a library.)
static Value emitFmod(Emitter &e, Value x, Value y) {
  Type type = x.getType();
  Value a = e.widen(x, e.builder.getF64Type());
  Value b = e.widen(y, e.builder.getF64Type());
  Value magnitude = e.make<math::AbsFOp>(b);
  Value quotient = e.make<math::TruncOp>(e.div(a, b));
  Value rest = e.make<math::FmaOp>(e.make<arith::NegFOp>(quotient), b, a);
  // The quotient may have been rounded up to an integer.
  Value step = e.make<math::CopySignOp>(magnitude, a);
  Value opposite = e.less(e.mul(rest, step), e.constant(a, 0));
  rest = e.select(opposite, e.add(rest, step), rest);
  rest = e.select(e.less(e.make<math::AbsFOp>(a), magnitude), a, rest);
  return type == rest.getType() ? rest : e.make<arith::TruncFOp>(type, rest);
}

/// The sign of the result is that of y.
static Value emitFloorMod(Emitter &e, Value x, Value y) {
  Value zero = e.constant(x, 0);
  Value rest = emitFmod(e, x, y);
  Value differs = e.make<arith::XOrIOp>(e.less(rest, zero), e.less(y, zero));
  Value nonzero = e.compare(arith::CmpFPredicate::ONE, rest, zero);
  Value adjust = e.make<arith::AndIOp>(differs, nonzero);
  return e.select(adjust, e.add(rest, y), rest);
}

FailureOr<Value> nn::emitFloat(Emitter &e, Operation *op,
                                  ArrayRef<Value> operands) {
  Value x = operands[0];
  Value y = operands.size() > 1 ? operands[1] : Value();
  auto constant = [&](double value) { return e.constant(x, value); };
  auto number = [&](const APFloat &value) {
    return e.constant(x, value.convertToDouble());
  };
  auto compare = [&](arith::CmpFPredicate predicate) {
    return e.compare(predicate, x, y);
  };
  using Predicate = arith::CmpFPredicate;
  using Result = FailureOr<Value>;
  return TypeSwitch<Operation *, Result>(op)
      .Case([&](AbsOp) { return e.make<math::AbsFOp>(x); })
      .Case([&](AcosOp) { return e.make<math::AcosOp>(x); })
      .Case([&](AcoshOp) { return e.make<math::AcoshOp>(x); })
      .Case([&](AsinOp) { return e.make<math::AsinOp>(x); })
      .Case([&](AsinhOp) { return e.make<math::AsinhOp>(x); })
      .Case([&](AtanOp) { return e.make<math::AtanOp>(x); })
      .Case([&](AtanhOp) { return e.make<math::AtanhOp>(x); })
      .Case([&](CeilOp) { return e.make<math::CeilOp>(x); })
      .Case([&](CosOp) { return e.make<math::CosOp>(x); })
      .Case([&](CoshOp) { return e.make<math::CoshOp>(x); })
      .Case([&](ErfOp) { return e.make<math::ErfOp>(x); })
      .Case([&](ExpOp) { return e.exp(x); })
      .Case([&](FloorOp) { return e.make<math::FloorOp>(x); })
      .Case([&](LogOp) { return e.make<math::LogOp>(x); })
      .Case([&](NegOp) { return e.make<arith::NegFOp>(x); })
      .Case([&](RoundOp) { return e.make<math::RoundEvenOp>(x); })
      .Case([&](SinOp) { return e.make<math::SinOp>(x); })
      .Case([&](SinhOp) { return e.make<math::SinhOp>(x); })
      .Case([&](SqrtOp) { return e.make<math::SqrtOp>(x); })
      .Case([&](TanOp) { return e.make<math::TanOp>(x); })
      .Case([&](TanhOp) { return e.make<math::TanhOp>(x); })
      .Case([&](SoftplusOp) { return emitSoftplus(e, x); })
      .Case([&](GeluOp gelu) { return emitGelu(e, gelu, x); })
      .Case([&](ReluOp) { return e.max(x, constant(0)); })
      .Case([&](ReciprocalOp) { return e.div(constant(1), x); })
      .Case([&](HardSwishOp) {
        Value ramp = e.add(e.mul(x, constant(1.0 / 6)), constant(0.5));
        return e.mul(x, e.max(constant(0), e.min(constant(1), ramp)));
      })
      .Case([&](HardSigmoidOp op) {
        Value ramp = e.add(e.mul(x, number(op.getAlpha())), number(op.getBeta()));
        return e.max(constant(0), e.min(constant(1), ramp));
      })
      .Case([&](MishOp) {
        return e.mul(x, e.make<math::TanhOp>(emitSoftplus(e, x)));
      })
      .Case([&](SigmoidOp) {
        Value power = e.exp(e.make<arith::NegFOp>(x));
        return e.div(constant(1), e.add(constant(1), power));
      })
      .Case([&](SwishOp op) {
        Value scaled = op.getAlpha().isExactlyValue(1)
                           ? x
                           : e.mul(x, number(op.getAlpha()));
        Value power = e.exp(e.make<arith::NegFOp>(scaled));
        return e.div(x, e.add(constant(1), power));
      })
      .Case([&](SignOp) {
        // Zero and NaN are what remains, and stay.
        Value negative = e.select(e.less(x, constant(0)), constant(-1), x);
        return e.select(e.greater(x, constant(0)), constant(1), negative);
      })
      .Case([&](SoftsignOp) {
        return e.div(x, e.add(constant(1), e.make<math::AbsFOp>(x)));
      })
      .Case([&](IsNaNOp) { return e.compare(Predicate::UNO, x, x); })
      .Case([&](IsInfOp op) -> Value {
        double infinity = std::numeric_limits<double>::infinity();
        Value positive = e.compare(Predicate::OEQ, x, constant(infinity));
        Value negative = e.compare(Predicate::OEQ, x, constant(-infinity));
        if (op.getDetectPositive() && op.getDetectNegative())
          return e.make<arith::OrIOp>(positive, negative);
        if (op.getDetectPositive() || op.getDetectNegative())
          return op.getDetectPositive() ? positive : negative;
        return e.constant(positive, 0);
      })
      .Case([&](CeluOp op) {
        Value alpha = number(op.getAlpha());
        Value below = e.mul(alpha, e.expm1(e.div(x, alpha)));
        return e.add(e.max(constant(0), x), e.min(constant(0), below));
      })
      .Case([&](EluOp op) {
        Value below = e.mul(number(op.getAlpha()), e.expm1(x));
        return e.select(e.less(x, constant(0)), below, x);
      })
      .Case([&](LeakyReluOp op) {
        return e.select(e.less(x, constant(0)),
                        e.mul(x, number(op.getAlpha())), x);
      })
      .Case([&](SeluOp op) {
        Value below = e.mul(number(op.getAlpha()), e.expm1(x));
        Value inner = e.select(e.greater(x, constant(0)), x, below);
        return e.mul(number(op.getGamma()), inner);
      })
      .Case([&](ThresholdedReluOp op) {
        return e.select(e.greater(x, number(op.getAlpha())), x, constant(0));
      })
      .Case([&](ClipOp op) {
        Value result = x;
        unsigned next = 1;
        if (op.getMin())
          result = e.max(result, operands[next++]);
        if (op.getMax())
          result = e.min(result, operands[next++]);
        return result;
      })
      .Case([&](AddOp) { return e.add(x, y); })
      .Case([&](SubOp) { return e.sub(x, y); })
      .Case([&](MulOp) { return e.mul(x, y); })
      .Case([&](DivOp) { return e.div(x, y); })
      .Case([&](MaxOp) { return e.max(x, y); })
      .Case([&](MinOp) { return e.min(x, y); })
      .Case([&](PReluOp) {
        return e.select(e.less(x, constant(0)), e.mul(y, x), x);
      })
      .Case([&](ModOp op) {
        return op.getFmod() ? emitFmod(e, x, y)
                            : emitFloorMod(e, x, y);
      })
      .Case([&](PowOp) { return emitPow(e, op, x, y); })
      .Case([&](EqualOp) { return compare(Predicate::OEQ); })
      .Case([&](GreaterOp) { return compare(Predicate::OGT); })
      .Case([&](GreaterOrEqualOp) { return compare(Predicate::OGE); })
      .Case([&](LessOp) { return compare(Predicate::OLT); })
      .Case([&](LessOrEqualOp) { return compare(Predicate::OLE); })
      .Default([&](Operation *) -> Result {
        return op->emitOpError("has no code for floating-point elements");
      });
}
