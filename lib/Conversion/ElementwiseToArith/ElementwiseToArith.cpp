//===- ElementwiseToArith.cpp - code of elementwise operators -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Conversion/ElementwiseToArith.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::nn;

Type nn::getSignlessType(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return tensor.clone(getSignlessType(tensor.getElementType()));
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer || integer.isSignless())
    return type;
  return IntegerType::get(type.getContext(), integer.getWidth());
}

Type nn::getComputeType(Type elementType) {
  if (elementType.isF16() || elementType.isBF16())
    return Float32Type::get(elementType.getContext());
  return elementType;
}

/// `elementType`, or vectors of it, as `like` is.
static Type withElementType(Type like, Type elementType) {
  if (auto vector = dyn_cast<VectorType>(like))
    return vector.clone(elementType);
  return elementType;
}

Value nn::emitConstant(OpBuilder &builder, Location location, Type type,
                       double value) {
  Type elementType = getElementTypeOrSelf(type);
  TypedAttr attr;
  if (isa<FloatType>(elementType))
    attr = builder.getFloatAttr(elementType, value);
  else
    attr = builder.getIntegerAttr(elementType, int64_t(value));
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, attr);
  return arith::ConstantOp::create(builder, location, attr);
}

Value nn::emitMax(OpBuilder &builder, Location location, Value lhs, Value rhs,
                  bool isUnsigned) {
  if (isa<FloatType>(getElementTypeOrSelf(lhs)))
    return arith::MaximumFOp::create(builder, location, lhs, rhs);
  if (isUnsigned || getElementTypeOrSelf(lhs).isInteger(1))
    return arith::MaxUIOp::create(builder, location, lhs, rhs);
  return arith::MaxSIOp::create(builder, location, lhs, rhs);
}

Value nn::emitMin(OpBuilder &builder, Location location, Value lhs, Value rhs,
                  bool isUnsigned) {
  if (isa<FloatType>(getElementTypeOrSelf(lhs)))
    return arith::MinimumFOp::create(builder, location, lhs, rhs);
  if (isUnsigned || getElementTypeOrSelf(lhs).isInteger(1))
    return arith::MinUIOp::create(builder, location, lhs, rhs);
  return arith::MinSIOp::create(builder, location, lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

namespace {
/// Short names for what is emitted again and again, at one place.
struct Emitter {
  OpBuilder &builder;
  Location location;

  template <typename OpTy, typename... Args> Value make(Args &&...args) {
    return OpTy::create(builder, location, std::forward<Args>(args)...);
  }
  Value constant(Value like, double value) {
    return emitConstant(builder, location, like.getType(), value);
  }
  Value add(Value l, Value r) { return make<arith::AddFOp>(l, r); }
  Value sub(Value l, Value r) { return make<arith::SubFOp>(l, r); }
  Value mul(Value l, Value r) { return make<arith::MulFOp>(l, r); }
  Value div(Value l, Value r) { return make<arith::DivFOp>(l, r); }
  Value exp(Value x) { return make<math::ExpOp>(x); }
  Value expm1(Value x) { return make<math::ExpM1Op>(x); }
  Value max(Value l, Value r) { return make<arith::MaximumFOp>(l, r); }
  Value min(Value l, Value r) { return make<arith::MinimumFOp>(l, r); }
  Value select(Value c, Value x, Value y) {
    return make<arith::SelectOp>(c, x, y);
  }
  Value compare(arith::CmpFPredicate predicate, Value l, Value r) {
    return make<arith::CmpFOp>(predicate, l, r);
  }
  Value compare(arith::CmpIPredicate predicate, Value l, Value r) {
    return make<arith::CmpIOp>(predicate, l, r);
  }
  Value less(Value l, Value r) {
    return compare(arith::CmpFPredicate::OLT, l, r);
  }
  Value greater(Value l, Value r) {
    return compare(arith::CmpFPredicate::OGT, l, r);
  }
  Value widen(Value x, Type elementType) {
    if (getElementTypeOrSelf(x) == elementType)
      return x;
    return make<arith::ExtFOp>(withElementType(x.getType(), elementType), x);
  }
  /// f64 to f32, inexact results made odd: rounding such a value again, to a
  /// type with two bits less or more, is as rounding once.
  Value roundToOdd(Value x) {
    Type f32 = withElementType(x.getType(), builder.getF32Type());
    Type i32 = withElementType(x.getType(), builder.getI32Type());
    Value rounded = make<arith::TruncFOp>(f32, x);
    Value back = make<arith::ExtFOp>(x.getType(), rounded);
    Value bits = make<arith::BitcastOp>(i32, rounded);
    Value one = constant(bits, 1), zero = constant(bits, 0);
    Value even = compare(arith::CmpIPredicate::eq,
                         make<arith::AndIOp>(bits, one), zero);
    Value inexact = compare(arith::CmpFPredicate::ONE, back, x);
    Value tooLarge = greater(make<math::AbsFOp>(back), make<math::AbsFOp>(x));
    Value odd = select(tooLarge, make<arith::SubIOp>(bits, one),
                       make<arith::AddIOp>(bits, one));
    Value chosen = select(make<arith::AndIOp>(even, inexact), odd, bits);
    return make<arith::BitcastOp>(f32, chosen);
  }
  Value castFloat(Value x, FloatType to) {
    auto from = cast<FloatType>(getElementTypeOrSelf(x));
    if (from == to)
      return x;
    // There are no instructions between f16, bf16 and f64: libraries' functions
    // would be called, which a compiled model does not have.
    if (from.getWidth() == 16) {
      x = widen(x, builder.getF32Type());
      return castFloat(x, to);
    }
    if (to.getWidth() > from.getWidth())
      return widen(x, to);
    if (from.isF64() && to.getWidth() == 16)
      x = roundToOdd(x);
    return make<arith::TruncFOp>(withElementType(x.getType(), to), x);
  }
  Value castToInt(Value x, IntegerType to, bool toUnsigned) {
    x = widen(x, getComputeType(getElementTypeOrSelf(x)));
    if (to.getWidth() == 1)
      return compare(arith::CmpFPredicate::UNE, x, constant(x, 0));
    // Through a wider signed type, so that small excesses wrap.
    unsigned width = to.getWidth();
    if (toUnsigned && width == 64)
      return make<arith::FPToUIOp>(withElementType(x.getType(), to), x);
    unsigned wide = width < 32 ? 32 : (toUnsigned ? 64 : width);
    Value integer = make<arith::FPToSIOp>(
        withElementType(x.getType(), builder.getIntegerType(wide)), x);
    if (wide == width)
      return integer;
    return make<arith::TruncIOp>(withElementType(x.getType(), to), integer);
  }
  Value castFromInt(Value x, FloatType to, bool fromUnsigned) {
    auto from = cast<IntegerType>(getElementTypeOrSelf(x));
    FloatType wide = to;
    if (to.getWidth() == 16)
      wide = from.getWidth() <= 16 ? builder.getF32Type() : builder.getF64Type();
    Type type = withElementType(x.getType(), wide);
    Value real = fromUnsigned || from.getWidth() == 1
                     ? make<arith::UIToFPOp>(type, x)
                     : make<arith::SIToFPOp>(type, x);
    return castFloat(real, to);
  }
  Value castInt(Value x, IntegerType to, bool fromUnsigned) {
    auto from = cast<IntegerType>(getElementTypeOrSelf(x));
    if (from == to)
      return x;
    if (to.getWidth() == 1)
      return compare(arith::CmpIPredicate::ne, x, constant(x, 0));
    Type type = withElementType(x.getType(), to);
    if (to.getWidth() < from.getWidth())
      return make<arith::TruncIOp>(type, x);
    if (fromUnsigned || from.getWidth() == 1)
      return make<arith::ExtUIOp>(type, x);
    return make<arith::ExtSIOp>(type, x);
  }
};
} // namespace

Value nn::emitCast(OpBuilder &builder, Location location, Value value,
                   Type toElementType, bool fromUnsigned, bool toUnsigned) {
  Emitter e{builder, location};
  bool fromFloat = isa<FloatType>(getElementTypeOrSelf(value));
  if (auto to = dyn_cast<FloatType>(toElementType))
    return fromFloat ? e.castFloat(value, to)
                     : e.castFromInt(value, to, fromUnsigned);
  auto to = cast<IntegerType>(toElementType);
  return fromFloat ? e.castToInt(value, to, toUnsigned)
                   : e.castInt(value, to, fromUnsigned);
}

//===----------------------------------------------------------------------===//
// Operators on floats: operands are of the compute type
//===----------------------------------------------------------------------===//

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

/// x^y for integers; exact, and wrapping, as far as y < 128. Negative powers are
/// rounded towards zero.
static Value emitIntegerPow(Emitter &e, Value x, Value y, bool isUnsigned) {
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

static FailureOr<Value> emitFloat(Emitter &e, Operation *op,
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

//===----------------------------------------------------------------------===//
// Operators on integers and bool
//===----------------------------------------------------------------------===//

/// x / y and x % y that do not trap: for y = 0 the quotient is 0 and the rest x,
/// and the smallest integer divided by -1 wraps.
static std::pair<Value, Value> emitDivision(Emitter &e, Value x, Value y,
                                            bool isUnsigned) {
  using Predicate = arith::CmpIPredicate;
  Value zero = e.constant(y, 0), one = e.constant(y, 1);
  Value isZero = e.compare(Predicate::eq, y, zero);
  if (isUnsigned) {
    Value divisor = e.select(isZero, one, y);
    return {e.select(isZero, zero, e.make<arith::DivUIOp>(x, divisor)),
            e.select(isZero, x, e.make<arith::RemUIOp>(x, divisor))};
  }
  Value isMinusOne = e.compare(Predicate::eq, y, e.constant(y, -1));
  Value divisor = e.select(e.make<arith::OrIOp>(isZero, isMinusOne), one, y);
  Value quotient = e.make<arith::DivSIOp>(x, divisor);
  quotient = e.select(isMinusOne, e.make<arith::SubIOp>(zero, x), quotient);
  return {e.select(isZero, zero, quotient),
          e.select(isZero, x, e.make<arith::RemSIOp>(x, divisor))};
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

static FailureOr<Value> emitInteger(Emitter &e, Operation *op,
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

/// The next integer where a power is off by its rounding error only: what is
/// truncated afterwards shall not be one less.
static Value snapToInteger(Emitter &e, Value x) {
  Value rounded = e.make<math::RoundEvenOp>(x);
  Value distance = e.make<math::AbsFOp>(e.sub(x, rounded));
  Value size = e.max(e.make<math::AbsFOp>(x), e.constant(x, 1));
  Value isNear = e.less(distance, e.mul(size, e.constant(x, 1e-12)));
  return e.select(isNear, rounded, x);
}

//===----------------------------------------------------------------------===//
// All
//===----------------------------------------------------------------------===//

/// Bool is a byte that is 0 or 1.
static Value emitBitcast(Emitter &e, Value x, Type to) {
  Type from = getElementTypeOrSelf(x);
  if (from == to)
    return x;
  if (from.isInteger(1))
    return e.make<arith::ExtUIOp>(withElementType(x.getType(), to), x);
  if (to.isInteger(1))
    return e.compare(arith::CmpIPredicate::ne, x, e.constant(x, 0));
  return e.make<arith::BitcastOp>(withElementType(x.getType(), to), x);
}

static bool isUnsignedElement(Type type) {
  return getElementTypeOrSelf(type).isUnsignedInteger();
}

FailureOr<Value> nn::emitElementwise(OpBuilder &builder, Operation *op,
                                     ArrayRef<Value> operands) {
  assert(operands.size() == op->getNumOperands() && "one value an operand");
  Emitter e{builder, op->getLoc()};
  SmallVector<Value> values(operands);
  VectorType vector;
  for (Value value : values)
    if (auto type = dyn_cast<VectorType>(value.getType()))
      vector = type;
  if (vector)
    for (Value &value : values)
      if (!isa<VectorType>(value.getType()))
        value = e.make<vector::BroadcastOp>(vector.clone(value.getType()), value);

  Type from = getElementTypeOrSelf(op->getOperand(0).getType());
  Type to = getElementTypeOrSelf(op->getResult(0).getType());
  if (isa<CastOp>(op))
    return emitCast(builder, op->getLoc(), values[0], getSignlessType(to),
                    from.isUnsignedInteger(), to.isUnsignedInteger());
  if (isa<BitcastOp>(op))
    return emitBitcast(e, values[0], getSignlessType(to));
  if (isa<WhereOp>(op))
    return e.select(values[0], values[1], values[2]);

  // The exponent of a power may be of another type.
  bool integerPow = isa<PowOp>(op) && !isa<FloatType>(from);
  if (integerPow) {
    Type exponent = getElementTypeOrSelf(op->getOperand(1).getType());
    if (!isa<FloatType>(exponent)) {
      Value power = emitIntegerPow(e, values[0], values[1],
                                   exponent.isUnsignedInteger());
      return power;
    }
  }
  if (!isa<FloatType>(from) && !integerPow)
    return emitInteger(e, op, values, from.isUnsignedInteger());
  Type computeType = integerPow ? builder.getF64Type() : getComputeType(from);
  for (auto [value, operand] : llvm::zip(values, op->getOperands()))
    value = emitCast(builder, op->getLoc(), value, computeType,
                     isUnsignedElement(operand.getType()), false);
  FailureOr<Value> result = emitFloat(e, op, values);
  if (failed(result) || to.isInteger(1))
    return result;
  if (integerPow)
    result = snapToInteger(e, *result);
  return emitCast(builder, op->getLoc(), *result, getSignlessType(to), false,
                  to.isUnsignedInteger());
}
