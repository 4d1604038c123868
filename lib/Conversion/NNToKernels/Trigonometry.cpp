//===- Trigonometry.cpp - trigonometric functions -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Trigonometry.h"

using namespace mlir;
using namespace mlir::nn;

Value Trigonometry::sin(Value x) {
  Reduced reduced = reduceByHalfPi(abs(x));
  auto [sine, cosine] = sinAndCos(reduced.rest);
  Value result = select(isSet(reduced.word, 1), cosine, sine);
  return flipSign(result, xorInt(toSign(reduced.word, 1), bits(x)));
}

Value Trigonometry::cos(Value x) {
  Reduced reduced = reduceByHalfPi(abs(x));
  auto [sine, cosine] = sinAndCos(reduced.rest);
  Value result = select(isSet(reduced.word, 1), sine, cosine);
  return flipSign(result, toSign(addInt(reduced.word, integer(1)), 1));
}

Value Trigonometry::tan(Value x) {
  Reduced reduced = reduceByHalfPi(abs(x));
  auto [sine, cosine] = sinAndCos(reduced.rest);
  Value isOdd = isSet(reduced.word, 1);
  Value result = div(select(isOdd, cosine, sine), select(isOdd, sine, cosine));
  return flipSign(result, xorInt(toSign(reduced.word, 0), bits(x)));
}

Trigonometry::HalfArcsine Trigonometry::halfArcsine(Value x) {
  Value size = abs(x);
  Value isSmall = compare(Predicate::OLT, size, 0.5);
  // The root of what is negative makes NaN of numbers beyond 1.
  Value square = select(isSmall, mul(size, size), fma(size, number(-0.5), number(0.5)));
  Value y = select(isSmall, size, sqrt(square));
  Value rest = mul(mul(y, square), polynomial(square, getConstants().asin));
  return {isSmall, y, rest};
}

/// From 1/2 on by asin(x) = pi/2 - 2 asin(sqrt((1-x) / 2)).
Value Trigonometry::asin(Value x) {
  Constants constants = getConstants();
  HalfArcsine half = halfArcsine(x);
  Value sum = add(half.y, half.rest);
  Value large = add(fma(sum, number(-2), number(constants.halfPiHigh)),
                    number(constants.halfPiLow));
  return withSign(select(half.isSmall, sum, large), x);
}

/// From 1/2 on by acos(x) = 2 asin(sqrt((1-x) / 2)), else by pi/2 - asin(x).
Value Trigonometry::acos(Value x) {
  Constants constants = getConstants();
  HalfArcsine half = halfArcsine(x);
  Value high = number(constants.halfPiHigh), low = number(constants.halfPiLow);
  Value small = sub(high, sub(withSign(half.y, x), sub(low, withSign(half.rest, x))));
  Value positive = mul(number(2), add(half.y, half.rest));
  Value negative = fma(add(half.y, sub(half.rest, low)), number(-2),
                       number(2 * constants.halfPiHigh));
  Value large = select(compare(Predicate::OLT, x, 0), negative, positive);
  return select(half.isSmall, small, large);
}
