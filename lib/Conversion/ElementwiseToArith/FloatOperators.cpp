//===- FloatOperators.cpp - code of operators on floats -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Emitter.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include <limits>

using namespace mlir;
using namespace mlir::nn;

/// x^y. Powers of few multiplications become them: 3 roundings are within 3 ulp, and
/// none rounds where the result is a float.
static Value emitPow(Emitter &e, Operation *op, Value x, Value y) {
  DenseElementsAttr exponent;
  if (!matchPattern(op->getOperand(1), m_Constant(&exponent)) || !exponent.isSplat() ||
      !isa<FloatType>(exponent.getElementType()))
    return e.make<math::PowFOp>(x, y);
  double value = exponent.getSplatValue<APFloat>().convertToDouble();
  if (value == 1)
    return x;
  if (value == -1)
    return e.div(e.constant(x, 1), x);
  if (value == 0.5) {
    // Unlike the root, the power of -0 is 0, and that of -infinity infinity.
    double infinity = std::numeric_limits<double>::infinity();
    Value root = e.make<math::SqrtOp>(e.add(x, e.constant(x, 0)));
    Value isInfinite =
        e.compare(arith::CmpFPredicate::OEQ, x, e.constant(x, -infinity));
    return e.select(isInfinite, e.constant(x, infinity), root);
  }
  if (value != 2 && value != 3 && value != 4)
    return e.make<math::PowFOp>(x, y);
  Value square = e.mul(x, x);
  return value == 2 ? square : e.mul(square, value == 3 ? x : square);
}

/// The sign of the result is that of y.
static Value emitFloorMod(Emitter &e, Value x, Value y) {
  Value zero = e.constant(x, 0);
  Value rest = e.make<arith::RemFOp>(x, y);
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
      .Case([&](SoftplusOp) { return e.softplus(x); })
      .Case([&](GeluOp gelu) {
        return gelu.getApproximate() == "tanh" ? e.geluTanh(x) : e.gelu(x);
      })
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
      .Case([&](MishOp) { return e.mish(x); })
      .Case([&](SigmoidOp) { return e.sigmoid(x); })
      .Case([&](SwishOp op) {
        bool isUnscaled = op.getAlpha().isExactlyValue(1);
        return e.swish(x, isUnscaled ? x : e.mul(x, number(op.getAlpha())));
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
        Value inner = e.select(e.less(x, constant(0)), below, x);
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
        return op.getFmod() ? e.make<arith::RemFOp>(x, y) : emitFloorMod(e, x, y);
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
