//===- TrigonometryF32.cpp - trigonometric functions of f32 ---------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Coefficients: sine and cosine are those of sinf.c and cosf.c of Cephes
// (S. L. Moshier, netlib.org/cephes), arcsine and arctangent those of asinf_u35 and
// atanf_u35 of SLEEF 3.8 (sleef.org). The errors were sampled, on every
// 8,191st bit pattern: sine and cosine are within 1.6 ulp, the tangent within 3.4, the
// arcsine within 1.7, the arccosine within 1.2.
//
//===----------------------------------------------------------------------===//

#include "MathF32.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;

// pi/2 as a sum of three floats.
static constexpr double halfPi1 = 0x1.921fb6p+0;
static constexpr double halfPi2 = -0x1.777a5cp-25;
static constexpr double halfPi3 = -0x1.ee59dap-50;

/// By the three parts of pi/2 (Cody and Waite, Software Manual for the Elementary
/// Functions, 1980). n * halfPi1 is subtracted without a rounding error as long as n
/// has at most 21 bits.
MathF32::Reduced MathF32::reduceByHalfPi(Value size) {
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  Value magic = number(0x1.8p23);
  Value shifted = fma(size, number(0.636619772), magic);
  Value n = sub(shifted, magic);
  Value rest = fma(n, number(-halfPi1), size);
  rest = fma(n, number(-halfPi2), rest);
  rest = fma(n, number(-halfPi3), rest);
  // Infinities and NaN too.
  Value isLarge = compare(Predicate::UGE, size, 0x1p20);
  SmallVector<Value> results =
      unlessRare(isLarge, {rest, bits(shifted)}, [&] { return reduceLargeByHalfPi(size); });
  return {results[0], results[1]};
}

/// By the fraction of x * 2/pi (Payne and Hanek, Radian Reduction for Trigonometric
/// Functions, 1983), in f64. A float x from 2^(24 i + 23) on is an integer times
/// 2^(24 i); so of 2^(24 i) * 2/pi multiples of 4 can be left out, and 106 bits of the
/// remainder are enough: no float is nearer to a multiple of pi/2 than 2^-30.
SmallVector<Value> MathF32::reduceLargeByHalfPi(Value size) {
  static constexpr double twoOverPi[][2] = {
      {0x1.45f306dc9c883p-1, -0x1.6b01ec5417056p-55},
      {-0x1.236377d5ac07bp-1, -0x1.505c1596447e5p-57},
      {0x1.529fc2757d1f5p-4, 0x1.a6ee06db14acdp-59},
      {0x1.3abe8fa9a6ee0p-3, 0x1.b6c52b3278872p-57},
      {0x1.f534ddc0db629p+0, 0x1.664f10e4107f9p-54}};
  FloatMath wide(b, l, withElement(b.getF64Type()));
  Value x = arith::ExtFOp::create(b, l, wide.type, size);
  Value scale = wide.number(1);
  Value high = wide.number(twoOverPi[0][0]), low = wide.number(twoOverPi[0][1]);
  for (int i = 1; i < 5; ++i) {
    Value isBeyond = wide.compare(Predicate::OGE, x, std::ldexp(1.0, 24 * i + 23));
    scale = wide.select(isBeyond, wide.number(std::ldexp(1.0, -24 * i)), scale);
    high = wide.select(isBeyond, wide.number(twoOverPi[i][0]), high);
    low = wide.select(isBeyond, wide.number(twoOverPi[i][1]), low);
  }
  x = wide.mul(x, scale);
  Value magic = wide.number(0x1.8p52);
  Value shifted = wide.fma(x, high, magic);
  Value fraction = wide.fma(x, high, wide.sub(magic, shifted));
  fraction = wide.fma(x, low, fraction);
  Value rest = wide.mul(fraction, wide.number(1.57079632679489655800e+00));
  return {arith::TruncFOp::create(b, l, type, rest),
          arith::TruncIOp::create(b, l, integers, wide.bits(shifted))};
}

static constexpr double sinCoefficients[] = {-1.6666654611e-1, 8.3321608736e-3,
                                             -1.9515295891e-4};
static constexpr double cosCoefficients[] = {
    4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5};

std::pair<Value, Value> MathF32::sinAndCos(Value x) {
  Value square = mul(x, x);
  Value sine = fma(mul(x, square), polynomial(square, sinCoefficients), x);
  Value cosine = fma(square, number(-0.5), number(1));
  cosine = fma(mul(square, square), polynomial(square, cosCoefficients), cosine);
  return {sine, cosine};
}

/// (atan(t) - t) / t^3 as a polynomial in t^2, |t| <= 1.
static constexpr double atanCoefficients[] = {
    -0.333331018686294555664062, 0.199926957488059997558594,
    -0.142027363181114196777344, 0.106347933411598205566406,
    -0.0748900920152664184570312, 0.0425049886107444763183594,
    -0.0159569028764963150024414, 0.00282363896258175373077393};

/// Beyond 1 by atan(x) = pi/2 - atan(1/x). Within 1.7 ulp.
Value MathF32::atan(Value x) {
  Value size = abs(x), zero = number(0);
  Value isLarge = compare(Predicate::OGT, size, 1);
  Value t = div(select(isLarge, number(-1), size), select(isLarge, size, number(1)));
  Value square = mul(t, t);
  Value rest = fma(mul(t, square), polynomial(square, atanCoefficients),
                   select(isLarge, number(halfPi2), zero));
  return withSign(add(select(isLarge, number(halfPi1), zero), add(t, rest)), x);
}

/// (asin(y) - y) / y^3 as a polynomial in y^2, |y| <= 1/2.
static constexpr double asinCoefficients[] = {0.1666677296, 0.07495029271, 0.04547423869,
                                              0.02424046025, 0.04197454825};

Trigonometry::Constants MathF32::getConstants() const {
  return {halfPi1, halfPi2, asinCoefficients};
}
