//===- ExpandMathF64.cpp - functions of f64 -------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// MLIR has polynomials for f32 only. These are for models that ask for f64: right
// to some units in the last place, of scalars and vectors, without tables.
//
//===----------------------------------------------------------------------===//

#include "ExpandMathF64.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/PatternMatch.h"
#include <cmath>
#include <limits>

using namespace mlir;

namespace {
/// Emits f64 (and i64) arithmetic of the shape of a value.
struct F64 {
  OpBuilder &b;
  Location l;
  Type type; // f64, or vectors of it

  F64(OpBuilder &b, Location l, Value like) : b(b), l(l), type(like.getType()) {}

  Type integers() const {
    auto vector = dyn_cast<VectorType>(type);
    Type i64 = IntegerType::get(type.getContext(), 64);
    return vector ? Type(vector.clone(i64)) : i64;
  }
  Value number(double value) {
    return splat(type, FloatAttr::get(Float64Type::get(type.getContext()), value));
  }
  Value integer(int64_t value) {
    return splat(integers(), IntegerAttr::get(IntegerType::get(type.getContext(), 64),
                                              value));
  }
  Value splat(Type of, TypedAttr value) {
    if (auto vector = dyn_cast<VectorType>(of))
      value = DenseElementsAttr::get(vector, Attribute(value));
    return arith::ConstantOp::create(b, l, value);
  }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, l, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, l, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, l, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, l, x, y); }
  Value fma(Value x, Value y, Value z) { return math::FmaOp::create(b, l, x, y, z); }
  Value select(Value c, Value x, Value y) {
    return arith::SelectOp::create(b, l, c, x, y);
  }
  Value compare(arith::CmpFPredicate predicate, Value x, double y) {
    return arith::CmpFOp::create(b, l, predicate, x, number(y));
  }
  Value round(Value x) { return math::RoundEvenOp::create(b, l, x); }
  Value abs(Value x) { return math::AbsFOp::create(b, l, x); }
  Value sqrt(Value x) { return math::SqrtOp::create(b, l, x); }
  Value withSign(Value x, Value sign) { return math::CopySignOp::create(b, l, x, sign); }
  Value bits(Value x) { return arith::BitcastOp::create(b, l, integers(), x); }
  Value fromBits(Value x) { return arith::BitcastOp::create(b, l, type, x); }
  Value toInteger(Value x) { return arith::FPToSIOp::create(b, l, integers(), x); }
  Value fromInteger(Value x) { return arith::SIToFPOp::create(b, l, type, x); }
  Value addInt(Value x, Value y) { return arith::AddIOp::create(b, l, x, y); }
  Value subInt(Value x, Value y) { return arith::SubIOp::create(b, l, x, y); }
  Value andInt(Value x, Value y) { return arith::AndIOp::create(b, l, x, y); }

  /// Sum of coefficients[i] * x^i.
  Value polynomial(Value x, ArrayRef<double> coefficients) {
    Value sum = number(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back()))
      sum = fma(sum, x, number(coefficient));
    return sum;
  }
  /// 2^n of integers -1022 ... 1023.
  Value powerOfTwo(Value n) {
    return fromBits(arith::ShLIOp::create(b, l, addInt(n, integer(1023)), integer(52)));
  }

  Value exp(Value x);
  Value expm1(Value x);
  Value log(Value x);
  Value log1p(Value x);
  Value tanh(Value x);
  Value sinh(Value x);
  Value asinh(Value x);
  Value acosh(Value x);
  Value atanh(Value x);
  Value sinOrCos(Value x, bool isCos);
  Value sin(Value x) { return sinOrCos(x, false); }
  Value cos(Value x) { return sinOrCos(x, true); }
  Value atan(Value x);
  Value asin(Value x);
  Value acos(Value x);
  Value erf(Value x);

  /// What arcsine and arccosine are made of: of y, which is |x| below 1/2 and above
  /// sqrt((1 - |x|) / 2), the arcsine as a sum y + rest.
  struct HalfArcsine {
    Value isSmall, y, rest;
  };
  HalfArcsine halfArcsine(Value x);
};
} // namespace

// ln(2) as a sum whose first part has zeros behind it.
static constexpr double ln2High = 6.93147180369123816490e-01;
static constexpr double ln2Low = 1.90821492927058770002e-10;

/// exp(x) = 2^n * exp(r), |r| <= ln(2) / 2: a Taylor polynomial.
Value F64::exp(Value x) {
  // Beyond these, the result is 0 or infinity whatever the number. NaN stays.
  Value clamped = select(compare(arith::CmpFPredicate::OGT, x, 720), number(720), x);
  clamped = select(compare(arith::CmpFPredicate::OLT, clamped, -760), number(-760), clamped);
  Value n = round(mul(clamped, number(1.4426950408889634)));
  Value r = fma(n, number(-ln2High), clamped);
  r = fma(n, number(-ln2Low), r);
  SmallVector<double> coefficients{1};
  for (int i = 1; i < 15; ++i)
    coefficients.push_back(coefficients.back() / i);
  Value p = polynomial(r, coefficients);
  // In two steps, so that subnormal results and large ones are reached.
  Value isNumber = arith::CmpFOp::create(b, l, arith::CmpFPredicate::ORD, x, x);
  Value exponent = toInteger(select(isNumber, n, number(0)));
  Value half = arith::ShRSIOp::create(b, l, exponent, integer(1));
  p = mul(p, powerOfTwo(half));
  return mul(p, powerOfTwo(subInt(exponent, half)));
}

/// exp(x) - 1, by Kahan's correction of the rounding error of exp.
Value F64::expm1(Value x) {
  Value u = exp(x);
  Value corrected = div(mul(sub(u, number(1)), x), log(u));
  Value result = select(compare(arith::CmpFPredicate::OEQ, u, 1), x, corrected);
  // Where exp is 0 or infinite there is nothing to correct.
  Value isLarge = compare(arith::CmpFPredicate::OGT, x, 40);
  result = select(isLarge, u, result);
  return select(compare(arith::CmpFPredicate::OLT, x, -40), number(-1), result);
}

/// log(x) = e * ln(2) + log(m), m in [sqrt(1/2), sqrt(2)): the series of atanh.
Value F64::log(Value x) {
  Value isSmall = compare(arith::CmpFPredicate::OLT, x, 0x1p-1022);
  Value scaled = select(isSmall, mul(x, number(0x1p54)), x);
  Value word = bits(scaled);
  // The exponent of m is 0 or -1.
  Value offset = integer(0x3fe6a09e667f3bcd); // sqrt(1/2)
  Value exponent = arith::ShRSIOp::create(b, l, subInt(word, offset), integer(52));
  Value m = fromBits(subInt(word, arith::ShLIOp::create(b, l, exponent, integer(52))));
  Value e = fromInteger(exponent);
  e = select(isSmall, sub(e, number(54)), e);
  Value s = div(sub(m, number(1)), add(m, number(1)));
  SmallVector<double> coefficients;
  for (int i = 0; i < 12; ++i)
    coefficients.push_back(2.0 / (2 * i + 3));
  Value square = mul(s, s);
  Value rest = mul(mul(s, square), polynomial(square, coefficients));
  Value result = fma(e, number(ln2Low), rest);
  result = add(mul(s, number(2)), result);
  result = fma(e, number(ln2High), result);
  double infinity = std::numeric_limits<double>::infinity();
  result = select(compare(arith::CmpFPredicate::OEQ, x, infinity), x, result);
  result = select(compare(arith::CmpFPredicate::OEQ, x, 0), number(-infinity), result);
  return select(compare(arith::CmpFPredicate::ULT, x, 0),
                number(std::numeric_limits<double>::quiet_NaN()), result);
}

/// log(1 + x), the error of the sum corrected.
Value F64::log1p(Value x) {
  Value u = add(x, number(1));
  Value corrected = div(mul(log(u), x), sub(u, number(1)));
  Value result = select(compare(arith::CmpFPredicate::OEQ, u, 1), x, corrected);
  double infinity = std::numeric_limits<double>::infinity();
  return select(compare(arith::CmpFPredicate::OEQ, x, infinity), x, result);
}

Value F64::tanh(Value x) {
  Value clamped = select(compare(arith::CmpFPredicate::OGT, x, 20), number(20), x);
  clamped = select(compare(arith::CmpFPredicate::OLT, clamped, -20), number(-20), clamped);
  Value e = expm1(mul(clamped, number(2)));
  return div(e, add(e, number(2)));
}

// What MLIR makes of these loses the digits of results near 0.

/// With u = e^|x| - 1: (u + u / (u+1)) / 2. Within 5 ulp.
Value F64::sinh(Value x) {
  Value u = expm1(abs(x)), one = number(1);
  Value sum = add(div(one, add(u, one)), one);
  return withSign(mul(mul(u, number(0.5)), sum), x);
}

/// log(|x| + sqrt(x^2 + 1)); where 1 counts nothing, log(2 |x|). Within 5 ulp.
Value F64::asinh(Value x) {
  Value size = abs(x), one = number(1), square = mul(x, x);
  Value root = sqrt(add(square, one));
  Value small = log1p(add(size, div(square, add(root, one))));
  Value large = add(log(size), number(ln2High + ln2Low));
  Value isLarge = compare(arith::CmpFPredicate::OGT, size, 0x1p28);
  return withSign(select(isLarge, large, small), x);
}

/// log(x + sqrt(x^2 - 1)); where 1 counts nothing, log(2 x). Within 6 ulp.
Value F64::acosh(Value x) {
  Value t = sub(x, number(1));
  Value small = log1p(add(t, sqrt(mul(t, add(t, number(2))))));
  Value large = add(log(x), number(ln2High + ln2Low));
  return select(compare(arith::CmpFPredicate::OGT, x, 0x1p28), large, small);
}

/// log((1 + x) / (1 - x)) / 2. Within 5 ulp.
Value F64::atanh(Value x) {
  Value size = abs(x);
  Value ratio = div(add(size, size), sub(number(1), size));
  return withSign(mul(log1p(ratio), number(0.5)), x);
}

/// x = n * pi/2 + r, |r| <= pi/4: Taylor polynomials. pi/2 in three parts, which is
/// exact enough for |x| < 2^30.
Value F64::sinOrCos(Value x, bool isCos) {
  Value n = round(mul(x, number(0.63661977236758134308)));
  Value r = fma(n, number(-1.57079632679489655800e+00), x);
  r = fma(n, number(-6.12323399573676603587e-17), r);
  r = fma(n, number(1.49738490485916983294e-33), r);
  SmallVector<double> sinCoefficients{1}, cosCoefficients{1};
  for (int i = 1; i < 10; ++i) {
    sinCoefficients.push_back(-sinCoefficients.back() / (2.0 * i * (2 * i + 1)));
    cosCoefficients.push_back(-cosCoefficients.back() / (2.0 * i * (2 * i - 1)));
  }
  Value square = mul(r, r);
  Value sine = mul(r, polynomial(square, sinCoefficients));
  Value cosine = polynomial(square, cosCoefficients);
  double infinity = std::numeric_limits<double>::infinity();
  Value isFinite = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OLT,
                                         abs(x), number(infinity));
  Value quadrant = toInteger(select(isFinite, n, number(0)));
  if (isCos)
    quadrant = addInt(quadrant, integer(1));
  auto isSet = [&](int64_t mask) -> Value {
    return arith::CmpIOp::create(b, l, arith::CmpIPredicate::ne,
                                 andInt(quadrant, integer(mask)), integer(0));
  };
  Value result = select(isSet(1), cosine, sine);
  result = select(isSet(2), arith::NegFOp::create(b, l, result), result);
  return select(isFinite, result, number(std::numeric_limits<double>::quiet_NaN()));
}

//===----------------------------------------------------------------------===//
// Arc functions and erf
//
// Each polynomial interpolates at the Chebyshev nodes of its interval, was computed
// with 60 digits and then rounded. The errors were measured on 10 million numbers,
// the ends and 0 among them, against functions of 80-bit floats.
//===----------------------------------------------------------------------===//

// pi/2 as a sum.
static constexpr double halfPiHigh = 1.57079632679489655800e+00;
static constexpr double halfPiLow = 6.12323399573676603587e-17;

/// (atan(t) - t) / t^3 as a polynomial in t^2, |t| <= tan(pi/8).
static constexpr double atanCoefficients[] = {
    -0.3333333333333333, 0.19999999999995516, -0.14285714284665682,
    0.11111111015187018, -0.0909090457530649, 0.07692183125376892,
    -0.06664510525508936, 0.05858140904866328, -0.050854078345894844,
    0.03923044778479309, -0.019175404711104935};

/// Beyond tan(pi/8) by atan(x) = pi/4 + atan((x-1) / (x+1)), beyond tan(3 pi/8) by
/// atan(x) = pi/2 - atan(1/x). Within 2 ulp.
Value F64::atan(Value x) {
  Value size = abs(x), one = number(1), zero = number(0);
  Value isMiddle = compare(arith::CmpFPredicate::OGT, size, 0.41421356237309503);
  Value isLarge = compare(arith::CmpFPredicate::OGT, size, 2.414213562373095);
  auto choose = [&](Value large, Value middle, Value small) {
    return select(isLarge, large, select(isMiddle, middle, small));
  };
  Value t = div(choose(number(-1), sub(size, one), size),
                choose(size, add(size, one), one));
  Value high = choose(number(halfPiHigh), number(halfPiHigh / 2), zero);
  Value low = choose(number(halfPiLow), number(halfPiLow / 2), zero);
  Value square = mul(t, t);
  Value rest = fma(mul(t, square), polynomial(square, atanCoefficients), low);
  return withSign(add(high, add(t, rest)), x);
}

/// (asin(y) - y) / y^3 as a polynomial in y^2, |y| <= 1/2.
static constexpr double asinCoefficients[] = {
    0.16666666666666669, 0.07499999999998433, 0.04464285714635543,
    0.030381944138531247, 0.02237217294214989, 0.017352392720869973,
    0.013971212973552933, 0.011479177415184906, 0.01032281435018578,
    0.005457506718640358, 0.01740087944269402, -0.014851887071247204,
    0.028757851367421566};

F64::HalfArcsine F64::halfArcsine(Value x) {
  Value size = abs(x);
  Value isSmall = compare(arith::CmpFPredicate::OLT, size, 0.5);
  // The root of what is negative makes NaN of numbers beyond 1.
  Value square = select(isSmall, mul(size, size), fma(size, number(-0.5), number(0.5)));
  Value y = select(isSmall, size, sqrt(square));
  Value rest = mul(mul(y, square), polynomial(square, asinCoefficients));
  return {isSmall, y, rest};
}

/// From 1/2 on by asin(x) = pi/2 - 2 asin(sqrt((1-x) / 2)). Within 2.1 ulp.
Value F64::asin(Value x) {
  HalfArcsine half = halfArcsine(x);
  Value sum = add(half.y, half.rest);
  Value large = add(fma(sum, number(-2), number(halfPiHigh)), number(halfPiLow));
  return withSign(select(half.isSmall, sum, large), x);
}

/// From 1/2 on by acos(x) = 2 asin(sqrt((1-x) / 2)), else by pi/2 - asin(x). Within
/// 1.2 ulp.
Value F64::acos(Value x) {
  HalfArcsine half = halfArcsine(x);
  Value low = number(halfPiLow);
  Value small = sub(number(halfPiHigh), sub(withSign(half.y, x),
                                            sub(low, withSign(half.rest, x))));
  Value positive = mul(number(2), add(half.y, half.rest));
  Value negative = fma(add(half.y, sub(half.rest, low)), number(-2),
                       number(2 * halfPiHigh));
  Value large = select(compare(arith::CmpFPredicate::OLT, x, 0), negative, positive);
  return select(half.isSmall, small, large);
}

/// erf(x) / x - 1 as a polynomial in x^2, |x| <= 1.
static constexpr double erfCoefficients[] = {
    0.1283791670955126, -0.3761263890318375, 0.11283791670954879,
    -0.026866170645076792, 0.0052239776248180145, -0.000854832698083379,
    0.0001205533111164271, -1.4925595266831182e-05, 1.6461000484121368e-06,
    -1.6350312701054695e-07, 1.4659775274047436e-08, -1.1372848856791674e-09,
    5.957176147748911e-11};

/// (1 - erf(x)) e^(x^2) as a polynomial in (x-3) / (x+3), 1 <= x <= 6.
static constexpr double erfcCoefficients[] = {
    0.17900115118138996, -0.3262335600430372, 0.24560380171233487,
    -0.15011593650077898, 0.07166583719747308, -0.024392499318915004,
    0.004269136356961225, 0.0007077464666941425, -0.0005970624964924544,
    4.525434558991009e-05, 6.406279226046039e-05, -1.2845780030775907e-05,
    -8.00978093907608e-06, 2.0135111426447427e-06, 1.2755818949624478e-06,
    3.381355142042904e-09};

/// Within 1.2 ulp.
Value F64::erf(Value x) {
  Value size = abs(x), square = mul(size, size);
  Value small = fma(size, polynomial(square, erfCoefficients), size);
  // From 6 on it is 1. NaN stays.
  Value clamped = select(compare(arith::CmpFPredicate::OGT, size, 6), number(6), size);
  Value t = div(sub(clamped, number(3)), add(clamped, number(3)));
  Value power = exp(arith::NegFOp::create(b, l, mul(clamped, clamped)));
  Value large = sub(number(1), mul(power, polynomial(t, erfcCoefficients)));
  Value isSmall = compare(arith::CmpFPredicate::OLT, size, 1);
  return withSign(select(isSmall, small, large), x);
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {
template <typename OpTy> struct ExpandF64 : OpRewritePattern<OpTy> {
  using Expansion = Value (F64::*)(Value);
  ExpandF64(MLIRContext *context, Expansion expand)
      : OpRewritePattern<OpTy>(context, /*benefit=*/2), expand(expand) {}

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF64())
      return failure();
    F64 f64(rewriter, op.getLoc(), op.getOperand());
    rewriter.replaceOp(op, (f64.*expand)(op.getOperand()));
    return success();
  }

  Expansion expand;
};

/// The remainder of a division, exactly: LLVM would call fmod. Each step takes off
/// the quotient's 53 leading bits, which leaves no rounding error; f32 is computed in
/// f64. The sign is that of x.
struct ExpandRemainder : OpRewritePattern<arith::RemFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::RemFOp op,
                                PatternRewriter &rewriter) const override {
    Location l = op.getLoc();
    Type type = op.getType(), wide = Float64Type::get(getContext());
    if (auto vector = dyn_cast<VectorType>(type))
      wide = vector.clone(wide);
    bool isWide = type == wide;
    Value x = op.getLhs(), y = op.getRhs();
    if (!isWide) {
      x = arith::ExtFOp::create(rewriter, l, wide, x);
      y = arith::ExtFOp::create(rewriter, l, wide, y);
    }
    F64 f(rewriter, l, x);
    Value size = math::AbsFOp::create(rewriter, l, x);
    Value divisor = math::AbsFOp::create(rewriter, l, y);
    Value r = size;
    // Quotients of f32 have up to 277 bits; of those of f64, the same are reduced.
    for (int step = 0; step < 6; ++step) {
      Value q = f.div(r, divisor);
      q = math::TruncOp::create(rewriter, l, q);
      r = f.fma(arith::NegFOp::create(rewriter, l, q), divisor, r);
      // The quotient may have been rounded up to the next integer.
      Value isBelow = f.compare(arith::CmpFPredicate::OLT, r, 0);
      r = f.select(isBelow, f.add(r, divisor), r);
    }
    double infinity = std::numeric_limits<double>::infinity();
    Value isWhole = arith::AndIOp::create(
        rewriter, l, f.compare(arith::CmpFPredicate::OEQ, divisor, infinity),
        f.compare(arith::CmpFPredicate::OLT, size, infinity));
    r = f.select(isWhole, size, r);
    Value result = math::CopySignOp::create(rewriter, l, r, x);
    if (!isWide)
      result = arith::TruncFOp::create(rewriter, l, type, result);
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

void nn::populateExpandF64Patterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ExpandF64<math::ExpOp>>(context, &F64::exp);
  patterns.add<ExpandF64<math::ExpM1Op>>(context, &F64::expm1);
  patterns.add<ExpandF64<math::LogOp>>(context, &F64::log);
  patterns.add<ExpandF64<math::Log1pOp>>(context, &F64::log1p);
  patterns.add<ExpandF64<math::TanhOp>>(context, &F64::tanh);
  patterns.add<ExpandF64<math::SinhOp>>(context, &F64::sinh);
  patterns.add<ExpandF64<math::AsinhOp>>(context, &F64::asinh);
  patterns.add<ExpandF64<math::AcoshOp>>(context, &F64::acosh);
  patterns.add<ExpandF64<math::AtanhOp>>(context, &F64::atanh);
  patterns.add<ExpandF64<math::SinOp>>(context, &F64::sin);
  patterns.add<ExpandF64<math::CosOp>>(context, &F64::cos);
  patterns.add<ExpandF64<math::AtanOp>>(context, &F64::atan);
  patterns.add<ExpandF64<math::AsinOp>>(context, &F64::asin);
  patterns.add<ExpandF64<math::AcosOp>>(context, &F64::acos);
  patterns.add<ExpandF64<math::ErfOp>>(context, &F64::erf);
  patterns.add<ExpandRemainder>(context);
}
