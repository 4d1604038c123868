//===- TrigonometryF64.cpp - trigonometric functions of f64 ---------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The polynomials of the arc functions interpolate at the Chebyshev nodes of their
// intervals; they were computed with 60 digits and then rounded.
//
//===----------------------------------------------------------------------===//

#include "MathF64.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::nn;

// pi/2 as a sum.
static constexpr double halfPiHigh = 1.57079632679489655800e+00;
static constexpr double halfPiLow = 6.12323399573676603587e-17;
static constexpr double halfPiLast = -1.49738490485916983294e-33;

// 2/pi * 2^1280.
static constexpr StringLiteral twoOverPi =
    "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561"
    "b7246e3a424dd2e006492eea09d1921cfe1deb1cb129a73ee88235f52ebb4484"
    "e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980f"
    "ef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d7527bac7ebe5f17b"
    "3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6babf0cfbc209af4361d";

/// By the three parts of pi/2, which n of up to 30 bits are multiplied with exactly
/// enough.
MathF64::Reduced MathF64::reduceByHalfPi(Value size) {
  Value magic = number(0x1.8p52);
  Value shifted = fma(size, number(0.63661977236758134308), magic);
  Value n = sub(shifted, magic);
  Value rest = fma(n, number(-halfPiHigh), size);
  rest = fma(n, number(-halfPiLow), rest);
  rest = fma(n, number(-halfPiLast), rest);
  Value isLarge = compare(Predicate::UGE, size, 0x1p30);
  SmallVector<Value> results =
      unlessRare(isLarge, {rest, bits(shifted)}, [&] { return reduceLargeByHalfPi(size); });
  return {results[0], results[1]};
}

/// Element by element: such arguments are rare, and code of wide integers is large.
SmallVector<Value> MathF64::reduceLargeByHalfPi(Value size) {
  auto vector = dyn_cast<VectorType>(type);
  if (!vector || vector.getRank() != 1) {
    // No kernel has vectors of other ranks.
    auto [rest, word] = MathF64(b, l, b.getF64Type()).reduceScalarByHalfPi(size);
    return {rest, word};
  }
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, l, value);
  };
  auto loop = scf::ForOp::create(
      b, l, index(0), index(vector.getNumElements()), index(1),
      ValueRange{number(0), integer(0)},
      [&](OpBuilder &, Location, Value lane, ValueRange results) {
        Value x = vector::ExtractOp::create(b, l, size, lane);
        auto [rest, word] = MathF64(b, l, b.getF64Type()).reduceScalarByHalfPi(x);
        scf::YieldOp::create(
            b, l,
            ValueRange{vector::InsertOp::create(b, l, rest, results[0], lane),
                       vector::InsertOp::create(b, l, word, results[1], lane)});
      });
  return {loop.getResult(0), loop.getResult(1)};
}

/// By the fraction of x * 2/pi (Payne and Hanek, Radian Reduction for Trigonometric
/// Functions, 1983). x is an integer m of 53 bits times 2^e; so of 2/pi the 256 bits
/// from 2^(1-e) on are enough: what stands before them only adds multiples of 4.
MathF64::Reduced MathF64::reduceScalarByHalfPi(Value x) {
  auto constant = [&](unsigned width, const APInt &value) -> Value {
    return arith::ConstantOp::create(b, l, b.getIntegerAttr(b.getIntegerType(width), value));
  };
  auto shift = [&](Value value, unsigned count) -> Value {
    unsigned width = value.getType().getIntOrFloatBitWidth();
    return arith::ShRUIOp::create(b, l, value, constant(width, APInt(width, count)));
  };
  Type i1280 = b.getIntegerType(1280), i256 = b.getIntegerType(256);
  Value word = bits(x);
  // e is field - 1075; of infinities and NaN, the shift stays in bounds as well.
  Value field = shiftRight(word, 52);
  Value implicit = integer(int64_t(1) << 52);
  Value m = orInt(andInt(word, subInt(implicit, integer(1))), implicit);
  Value count = subInt(integer(1280 - 254 + 1075), field);
  Value window = arith::ShRUIOp::create(b, l, constant(1280, APInt(1280, twoOverPi, 16)),
                                        arith::ExtUIOp::create(b, l, i1280, count));
  window = arith::TruncIOp::create(b, l, i256, window);
  // In units of 2^-254; the two bits before are the quadrant.
  Value product =
      arith::MulIOp::create(b, l, window, arith::ExtUIOp::create(b, l, i256, m));
  Value rounded = arith::AddIOp::create(b, l, product, constant(256, APInt::getOneBitSet(256, 253)));
  Value quadrant = arith::TruncIOp::create(b, l, integers, shift(rounded, 254));
  // The fraction, from -1/2 to 1/2, is the signed number in the other bits.
  Value high = arith::TruncIOp::create(b, l, integers, shift(product, 190));
  Value low = arith::TruncIOp::create(b, l, integers, shift(product, 126));
  Value fraction = mul(fromInteger(high), number(0x1p-64));
  fraction = fma(arith::UIToFPOp::create(b, l, type, low), number(0x1p-128), fraction);
  Value rest = mul(fraction, number(halfPiHigh));
  // NaN of infinity and NaN.
  rest = add(rest, sub(x, x));
  return {rest, quadrant};
}

/// Sine and cosine of |x| <= pi/4: Taylor polynomials.
std::pair<Value, Value> MathF64::sinAndCos(Value x) {
  SmallVector<double> sine{1}, cosine{1};
  for (int i = 1; i < 10; ++i) {
    sine.push_back(-sine.back() / (2.0 * i * (2 * i + 1)));
    cosine.push_back(-cosine.back() / (2.0 * i * (2 * i - 1)));
  }
  Value square = mul(x, x);
  return {mul(x, polynomial(square, sine)), polynomial(square, cosine)};
}

//===----------------------------------------------------------------------===//
// Arc functions
//
// Each polynomial interpolates at the Chebyshev nodes of its interval, was computed
// with 60 digits and then rounded. The errors were measured on 10 million numbers,
// the ends and 0 among them, against functions of 80-bit floats: the arcsine is within
// 2.1 ulp, the arccosine within 1.2.
//===----------------------------------------------------------------------===//

/// (atan(t) - t) / t^3 as a polynomial in t^2, |t| <= tan(pi/8).
static constexpr double atanCoefficients[] = {
    -0.3333333333333333, 0.19999999999995516, -0.14285714284665682,
    0.11111111015187018, -0.0909090457530649, 0.07692183125376892,
    -0.06664510525508936, 0.05858140904866328, -0.050854078345894844,
    0.03923044778479309, -0.019175404711104935};

/// Beyond tan(pi/8) by atan(x) = pi/4 + atan((x-1) / (x+1)), beyond tan(3 pi/8) by
/// atan(x) = pi/2 - atan(1/x). Within 2 ulp.
Value MathF64::atan(Value x) {
  Value size = abs(x), one = number(1), zero = number(0);
  Value isMiddle = compare(Predicate::OGT, size, 0.41421356237309503);
  Value isLarge = compare(Predicate::OGT, size, 2.414213562373095);
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

Trigonometry::Constants MathF64::getConstants() const {
  return {halfPiHigh, halfPiLow, asinCoefficients};
}
