//===- IntegerOperators.cpp - code of operators on integers and bool ------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Emitter.h"
#include "dialects/NN/IR/NN.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::nn;

Value nn::emitIntegerPow(Emitter &e, Value x, Value y, bool isUnsigned) {
  using Predicate = arith::CmpIPredicate;
  Value zero = e.constant(x, 0), one = e.constant(x, 1);
  Value last = e.make<arith::AndIOp>(y, e.constant(y, 1));
  Value bound = e.constant(y, 126);
  Value isLarge =
      e.compare(isUnsigned ? Predicate::ugt : Predicate::sgt, y, bound);
  Value exponent = e.select(isLarge, e.make<arith::OrIOp>(bound, last), y);
  Value isNegative;
  if (!isUnsigned) {
    isNegative = e.compare(Predicate::slt, y, e.constant(y, 0));
    exponent = e.select(isNegative, last, exponent);
  }
  Value power = one, factor = x;
  for (int64_t bit = 1; bit < 128; bit *= 2) {
    Value isSet = e.compare(
        Predicate::ne, e.make<arith::AndIOp>(exponent, e.constant(y, bit)),
        e.constant(y, 0));
    power = e.select(isSet, e.make<arith::MulIOp>(power, factor), power);
    factor = e.make<arith::MulIOp>(factor, factor);
  }
  if (isUnsigned)
    return power;
  Value isUnit = e.make<arith::OrIOp>(e.compare(Predicate::eq, x, one),
                                      e.compare(Predicate::eq, x, e.constant(x, -1)));
  return e.select(isNegative, e.select(isUnit, power, zero), power);
}

/// Quotient and remainder of a divisor that is neither 0 nor, if signed, -1.
///
/// Vectors have no division but that of floats with twice as many digits: it is exact, since
/// a quotient that is no integer is at least 1/|x| of itself away from one.
static std::pair<Value, Value> emitSafeDivision(Emitter &e, Value x, Value y,
                                                bool isUnsigned, bool isConstant) {
  unsigned width = getElementTypeOrSelf(x).getIntOrFloatBitWidth();
  // LLVM multiplies instead of dividing by constants.
  if (isConstant || !isa<VectorType>(x.getType()) || width > (isUnsigned ? 16 : 32)) {
    if (isUnsigned)
      return {e.make<arith::DivUIOp>(x, y), e.make<arith::RemUIOp>(x, y)};
    return {e.make<arith::DivSIOp>(x, y), e.make<arith::RemSIOp>(x, y)};
  }
  Builder &b = e.builder;
  auto type = cast<VectorType>(x.getType());
  VectorType floats = type.clone(width > 16 ? b.getF64Type() : b.getF32Type());
  auto convert = [&](Value value) -> Value {
    return isUnsigned ? e.make<arith::UIToFPOp>(floats, value)
                      : e.make<arith::SIToFPOp>(floats, value);
  };
  Value quotient = e.div(convert(x), convert(y));
  quotient = isUnsigned ? e.make<arith::FPToUIOp>(type, quotient)
                        : e.make<arith::FPToSIOp>(type, quotient);
  return {quotient, e.make<arith::SubIOp>(x, e.make<arith::MulIOp>(quotient, y))};
}

/// x / y and x % y that do not trap: for y = 0 the quotient is 0 and the remainder x,
/// and the smallest integer divided by -1 wraps.
static std::pair<Value, Value> emitDivision(Emitter &e, Value x, Value y,
                                            bool isUnsigned) {
  using Predicate = arith::CmpIPredicate;
  Value zero = e.constant(y, 0), one = e.constant(y, 1);
  Value isZero = e.compare(Predicate::eq, y, zero);
  bool isConstant = matchPattern(y, m_Constant());
  if (isUnsigned) {
    Value divisor = e.select(isZero, one, y);
    auto [quotient, rest] = emitSafeDivision(e, x, divisor, isUnsigned, isConstant);
    return {e.select(isZero, zero, quotient), e.select(isZero, x, rest)};
  }
  Value isMinusOne = e.compare(Predicate::eq, y, e.constant(y, -1));
  Value divisor = e.select(e.make<arith::OrIOp>(isZero, isMinusOne), one, y);
  auto [quotient, rest] = emitSafeDivision(e, x, divisor, isUnsigned, isConstant);
  quotient = e.select(isMinusOne, e.make<arith::SubIOp>(zero, x), quotient);
  return {e.select(isZero, zero, quotient), e.select(isZero, x, rest)};
}

static Value emitIntMod(Emitter &e, ModOp op, Value x, Value y,
                        bool isUnsigned) {
  using Predicate = arith::CmpIPredicate;
  Value rest = emitDivision(e, x, y, isUnsigned).second;
  if (op.getFmod() || isUnsigned)
    return rest;
  Value zero = e.constant(x, 0);
  Value differs =
      e.make<arith::XOrIOp>(e.compare(Predicate::slt, rest, zero),
                            e.compare(Predicate::slt, y, zero));
  Value adjust = e.make<arith::AndIOp>(
      differs, e.compare(Predicate::ne, rest, zero));
  return e.select(adjust, e.make<arith::AddIOp>(rest, y), rest);
}

FailureOr<Value> nn::emitInteger(Emitter &e, Operation *op,
                                    ArrayRef<Value> operands, bool isUnsigned) {
  Value x = operands[0];
  Value y = operands.size() > 1 ? operands[1] : Value();
  auto constant = [&](int64_t value) { return e.constant(x, value); };
  using Predicate = arith::CmpIPredicate;
  auto compare = [&](Predicate whenSigned, Predicate whenUnsigned) {
    return e.compare(isUnsigned ? whenUnsigned : whenSigned, x, y);
  };
  auto max = [&](Value l, Value r) {
    return emitMax(e.builder, e.location, l, r, isUnsigned);
  };
  auto min = [&](Value l, Value r) {
    return emitMin(e.builder, e.location, l, r, isUnsigned);
  };
  using Result = FailureOr<Value>;
  return TypeSwitch<Operation *, Result>(op)
      .Case([&](AbsOp) {
        return isUnsigned ? x : e.make<math::AbsIOp>(x);
      })
      .Case([&](NegOp) { return e.make<arith::SubIOp>(constant(0), x); })
      .Case([&](NotOp) { return e.make<arith::XOrIOp>(x, constant(1)); })
      .Case([&](BitwiseNotOp) { return e.make<arith::XOrIOp>(x, constant(-1)); })
      .Case([&](ReluOp) { return isUnsigned ? x : max(x, constant(0)); })
      .Case([&](SignOp) {
        if (isUnsigned)
          return min(x, constant(1));
        return max(min(x, constant(1)), constant(-1));
      })
      .Case([&](ClipOp op) {
        Value result = x;
        unsigned next = 1;
        if (op.getMin())
          result = max(result, operands[next++]);
        if (op.getMax())
          result = min(result, operands[next++]);
        return result;
      })
      .Case([&](AddOp) { return e.make<arith::AddIOp>(x, y); })
      .Case([&](SubOp) { return e.make<arith::SubIOp>(x, y); })
      .Case([&](MulOp) { return e.make<arith::MulIOp>(x, y); })
      .Case([&](DivOp) { return emitDivision(e, x, y, isUnsigned).first; })
      .Case([&](ModOp op) { return emitIntMod(e, op, x, y, isUnsigned); })
      .Case([&](MaxOp) { return max(x, y); })
      .Case([&](MinOp) { return min(x, y); })
      .Case<AndOp, BitwiseAndOp>(
          [&](auto) { return e.make<arith::AndIOp>(x, y); })
      .Case<OrOp, BitwiseOrOp>([&](auto) { return e.make<arith::OrIOp>(x, y); })
      .Case<XorOp, BitwiseXorOp>(
          [&](auto) { return e.make<arith::XOrIOp>(x, y); })
      .Case([&](BitShiftOp op) {
        // Counts that are too large would give any value; negative ones are
        // large as unsigned numbers.
        Value last = constant(getElementTypeOrSelf(x).getIntOrFloatBitWidth() - 1);
        Value fits = e.compare(Predicate::ule, y, last);
        if (!op.getLeft() && !isUnsigned)
          return e.make<arith::ShRSIOp>(x, e.select(fits, y, last));
        Value count = e.select(fits, y, constant(0));
        Value shifted = op.getLeft() ? e.make<arith::ShLIOp>(x, count)
                                     : e.make<arith::ShRUIOp>(x, count);
        return e.select(fits, shifted, constant(0));
      })
      .Case([&](PReluOp) {
        if (isUnsigned)
          return x;
        return e.select(e.compare(Predicate::slt, x, constant(0)),
                        e.make<arith::MulIOp>(x, y), x);
      })
      .Case([&](EqualOp) { return compare(Predicate::eq, Predicate::eq); })
      .Case([&](GreaterOp) { return compare(Predicate::sgt, Predicate::ugt); })
      .Case([&](GreaterOrEqualOp) {
        return compare(Predicate::sge, Predicate::uge);
      })
      .Case([&](LessOp) { return compare(Predicate::slt, Predicate::ult); })
      .Case([&](LessOrEqualOp) {
        return compare(Predicate::sle, Predicate::ule);
      })
      .Default([&](Operation *) -> Result {
        return op->emitOpError("has no code for integer elements");
      });
}
