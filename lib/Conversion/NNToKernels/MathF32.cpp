//===- MathF32.cpp - exponential functions of f32 -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Polynomials without a source are minimax, computed for the relative error of the
// function with floats as coefficients. The errors were sampled, on every
// 8,191st bit pattern: functions.test has the limits that are checked.
//
//===----------------------------------------------------------------------===//

#include "MathF32.h"

using namespace mlir;
using namespace mlir::nn;

/// In two parts of ln(2), the first of which has zeros behind it.
MathF32::Reduced MathF32::reduceByLn2(Value x, int bias) {
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  Value magic = number(0x1.8p23 + bias);
  Value shifted = fma(x, number(1.44269504), magic);
  Value n = sub(shifted, magic);
  Value rest = fma(n, number(-0.693359375), x);
  rest = fma(n, number(2.12194440e-4), rest);
  return {rest, bits(shifted)};
}

static constexpr double expCoefficients[] = {
    1, 1, 0x1.fffffcp-2, 0x1.555490p-3, 0x1.5558f4p-5, 0x1.123a6cp-7, 0x1.6a2350p-10};

/// 2^n e^r. Two factors make 2^n, since alone it would overflow before the result
/// does, and could not make denormal results. Within 0.9 ulp.
Value MathF32::exp(Value x) {
  Reduced reduced = reduceByLn2(atMost(atLeast(x, -104), 88.8), 2 * 127);
  Value result = polynomial(reduced.rest, expCoefficients);
  Value half = shiftRight(reduced.word, 1);
  result = mul(result, powerOfTwo(half));
  return mul(result, powerOfTwo(subInt(reduced.word, half)));
}

/// Of 0 and less, two other factors make 2^n: one with 64 added to its exponent, so that it
/// is not denormal, and 2^-64.
Value MathF32::expOfNotPositive(Value x) {
  Reduced reduced = reduceByLn2(atLeast(x, -104), 127 + 64);
  Value result = polynomial(reduced.rest, expCoefficients);
  return mul(mul(result, powerOfTwo(reduced.word)), number(0x1p-64));
}

/// (e^r - 1 - r) / r^2.
static constexpr double expm1Coefficients[] = {0.5, 0x1.5554b6p-3, 0x1.5555b2p-5,
                                               0x1.122428p-7, 0x1.6c5e6ep-10};

/// 2^n - 1 + 2^n (e^r - 1), by halves. Within 1.5 ulp.
Value MathF32::expm1(Value x) {
  Reduced reduced = reduceByLn2(atMost(atLeast(x, -25), 88.8), 126);
  Value r = reduced.rest;
  Value p = fma(mul(r, r), polynomial(r, expm1Coefficients), r);
  Value half = powerOfTwo(reduced.word);
  Value result = fma(p, half, sub(half, number(0.5)));
  return add(result, result);
}

/// (e^2|x| - 1) / (e^2|x| + 1). Within 2.5 ulp.
Value MathF32::tanh(Value x) {
  Value size = atMost(abs(x), 10);
  Reduced reduced = reduceByLn2(add(size, size), 126);
  Value r = reduced.rest;
  Value p = fma(mul(r, r), polynomial(r, expm1Coefficients), r);
  Value half = powerOfTwo(reduced.word);
  Value result = fma(p, half, sub(half, number(0.5)));
  return withSign(div(result, add(result, number(1))), x);
}

/// sinh(r) / r and (cosh(r) - 1) / r^2 as polynomials in r^2.
static constexpr double sinhCoefficients[] = {1, 0x1.555556p-3, 0x1.110fbep-7,
                                              0x1.a2e308p-13};
static constexpr double coshCoefficients[] = {0.5, 0x1.5554e2p-5, 0x1.6d54cep-10};

/// With e^|x| = 2^n e^r, in terms of sinh(r) and cosh(r), so that nothing cancels.
/// 2^(n-2) stays finite as long as the result does. Within 2.3 ulp.
Value MathF32::sinhOrCosh(Value x, bool isCosh) {
  constexpr int64_t magic = 0x4b400000; // The bits of 1.5 * 2^23.
  Reduced reduced = reduceByLn2(atMost(abs(x), 89.6), 125);
  Value up = powerOfTwo(reduced.word);
  Value down = powerOfTwo(maxInt(subInt(integer(2 * (magic + 125)), reduced.word),
                                 integer(magic)));
  Value square = mul(reduced.rest, reduced.rest);
  Value sinh = mul(reduced.rest, polynomial(square, sinhCoefficients));
  Value coshLess1 = mul(square, polynomial(square, coshCoefficients));
  Value sum = add(up, down), difference = sub(up, down);
  Value result = isCosh ? add(sum, fma(difference, sinh, mul(sum, coshLess1)))
                        : add(difference, fma(sum, sinh, mul(difference, coshLess1)));
  result = add(result, result);
  return isCosh ? result : withSign(result, x);
}

/// (log(1 + t) - t + t^2/2) / t^3, from logf.c of Cephes (S. L. Moshier,
/// netlib.org/cephes).
static constexpr double logCoefficients[] = {
    3.3333331174e-1,  -2.4999993993e-1, 2.0000714765e-1, -1.6668057665e-1, 1.4249322787e-1,
    -1.2420140846e-1, 1.1676998740e-1,  -1.1514610310e-1, 7.0376836292e-2};

/// e ln(2) + log(m), m in [sqrt(1/2), sqrt(2)). The logarithm is within 0.9 ulp.
Value MathF32::logOfSum(Value x, Value low) {
  Value isTiny, scaled = x;
  if (!low) {
    isTiny = compare(Predicate::OLT, x, 0x1p-126);
    scaled = select(isTiny, mul(x, number(0x1p23)), x);
  }
  Value word = bits(scaled);
  // Less the bits of sqrt(1/2): the exponent of m is 0 or -1.
  Value exponent = shiftRightSigned(subInt(word, integer(0x3f3504f3)), 23);
  Value m = fromBits(subInt(word, shiftLeft(exponent, 23)));
  Value e = fromInteger(exponent);
  Value t = sub(m, number(1));
  if (low) {
    // 0 of the largest numbers, whose low parts count nothing.
    Value inverse = maxInt(subInt(integer(127), exponent), integer(0));
    t = fma(low, powerOfTwo(inverse), t);
  } else {
    e = select(isTiny, sub(e, number(23)), e);
  }
  Value square = mul(t, t);
  Value result = mul(mul(square, t), polynomial(t, logCoefficients));
  result = fma(e, number(-2.12194440e-4), result);
  result = add(t, fma(square, number(-0.5), result));
  result = fma(e, number(0.693359375), result);
  Value noNumber = select(compare(Predicate::OEQ, x, 0), number(-infinity), number(notANumber));
  result = select(compare(Predicate::OGT, x, 0), result, noNumber);
  return select(compare(Predicate::OEQ, x, infinity), x, result);
}

/// Within 1.5 ulp.
Value MathF32::log1p(Value x) {
  // The rounding error of the sum, whichever part is larger (D. E. Knuth, The Art of
  // Computer Programming 2, 4.2.2).
  Value one = number(1), sum = add(x, one), part = sub(sum, one);
  Value low = add(sub(x, part), sub(one, sub(sum, part)));
  return logOfSum(sum, low);
}

/// log(|x| + sqrt(x^2 + 1)); where 1 counts nothing, log(2 |x|). Within 2 ulp.
Value MathF32::asinh(Value x) {
  Value size = abs(x), one = number(1), square = mul(x, x);
  Value isLarge = compare(Predicate::OGT, size, 0x1p30);
  Value less1 = add(size, div(square, add(sqrt(add(square, one)), one)));
  Value result = log1p(select(isLarge, size, less1));
  result = add(result, select(isLarge, number(0.693147181), number(0)));
  return withSign(result, x);
}

/// log(x + sqrt(x^2 - 1)); where 1 counts nothing, log(2 x). Within 1.5 ulp.
Value MathF32::acosh(Value x) {
  Value t = sub(x, number(1));
  Value isLarge = compare(Predicate::OGT, x, 0x1p30);
  Value less1 = add(t, sqrt(mul(t, add(t, number(2)))));
  Value result = log1p(select(isLarge, x, less1));
  result = add(result, select(isLarge, number(0.693147181), number(0)));
  return select(compare(Predicate::OLT, x, 1), number(notANumber), result);
}

/// log((1 + x) / (1 - x)) / 2. Within 2.2 ulp.
Value MathF32::atanh(Value x) {
  Value size = abs(x);
  Value ratio = div(add(size, size), sub(number(1), size));
  return withSign(mul(log1p(ratio), number(0.5)), x);
}

/// erf(x) / x - 1 as a polynomial in x^2, |x| <= 0.93, after N. Juffa's erff
/// (stackoverflow.com/questions/35148198).
static constexpr double erfCoefficients[] = {1.28379166e-1,  -3.76125336e-1, 1.12819925e-1,
                                             -2.67681349e-2, 4.99119423e-3,  -5.96761703e-4};
/// (1 - erf(x))^(1/8) from 0.92 to 4, for the absolute error of the power.
static constexpr double rootOfErfcCoefficients[] = {
    0x1.002b0cp+0,  -0x1.27a75cp-3, -0x1.002ddcp-4, -0x1.562aaep-7,
    0x1.999580p-7, -0x1.366798p-9, 0x1.25a830p-13};

/// Within 2.8 ulp.
Value MathF32::erf(Value x) {
  Value size = abs(x);
  Value small = fma(polynomial(mul(x, x), erfCoefficients), x, x);
  // From 4 on it is 1.
  Value root = polynomial(atMost(size, 4), rootOfErfcCoefficients);
  root = mul(root, root);
  root = mul(root, root);
  Value large = withSign(fma(neg(root), root, number(1)), x);
  return select(compare(Predicate::OGT, size, 0.927734375), large, small);
}

/// log2(1 + t) / t, and 2^t, of f64.
static constexpr double log2Coefficients[] = {
    0x1.71547652a1e8ep+0, -0x1.715476565d1fap-1, 0x1.ec709ebb957cap-2, -0x1.71547097b72edp-2,
    0x1.277651fc0c26bp-2, -0x1.ec72b58def1c9p-3, 0x1.a63f44631924dp-3, -0x1.71417180efe35p-3,
    0x1.452919b2e12f2p-3, -0x1.252f330d347cfp-3, 0x1.2871ddfaa80fdp-3, -0x1.2488fd3cf746bp-3,
    0x1.3ce8d0dc28034p-4};
static constexpr double exp2Coefficients[] = {
    1, 0x1.62e42ff0e1938p-1, 0x1.ebfbe07787af7p-3, 0x1.c6b08ac06843ep-5,
    0x1.3b29f39cec32dp-7, 0x1.5d8a86026f382p-10, 0x1.445c8443062b2p-13,
    0x1.fde5f96423de0p-17};

/// 2^(y log2 |x|) in f64, where no f32 is denormal, with an error of 2^-29 that leaves
/// exact powers exact. Within 0.52 ulp.
Value MathF32::pow(Value x, Value y) {
  FloatMath wide(b, l, withElement(b.getF64Type()));
  auto widen = [&](Value value) -> Value {
    return arith::ExtFOp::create(b, l, wide.type, value);
  };
  Value size = widen(abs(x)), exponent = widen(y);

  // |x| = 2^e m, m in [sqrt(1/2), sqrt(2)). Shifts that keep the sign, and conversions
  // from integers, would be slow before AVX-512.
  constexpr int64_t bias = int64_t(1024) << 52;
  Value word = wide.bits(size);
  Value biased = wide.subInt(word, wide.integer(0x3fe6a09e667f3bcd - bias));
  Value field = wide.andInt(biased, wide.integer(int64_t(0xfff0000000000000)));
  Value m = wide.fromBits(wide.addInt(wide.subInt(word, field), wide.integer(bias)));
  Value e = wide.fromBits(
      wide.orInt(wide.shiftRight(biased, 52), wide.integer(0x4330000000000000)));
  e = wide.sub(e, wide.number(0x1p52 + 1024));
  Value t = wide.sub(m, wide.number(1));
  Value logarithm = wide.fma(t, wide.polynomial(t, log2Coefficients), e);
  Value isNumber = wide.both(wide.compare(Predicate::OGT, size, 0),
                             wide.compare(Predicate::OLT, size, infinity));
  Value ofOthers =
      wide.select(wide.compare(Predicate::OEQ, size, 0), wide.number(-infinity), size);
  logarithm = wide.select(isNumber, logarithm, ofOthers);

  // x^0 and 1^y are 1, whatever x and y.
  Value product = wide.mul(exponent, logarithm);
  Value isOne = wide.either(wide.compare(Predicate::OEQ, exponent, 0),
                            wide.compare(Predicate::OEQ, logarithm, 0));
  product = wide.select(isOne, wide.number(0), product);
  product = wide.atMost(wide.atLeast(product, -200), 200);
  Value magic = wide.number(0x1.8p52 + 1023);
  Value shifted = wide.add(product, magic);
  Value fraction = wide.sub(product, wide.sub(shifted, magic));
  Value scale = wide.fromBits(wide.shiftLeft(wide.bits(shifted), 52));
  Value power = arith::TruncFOp::create(
      b, l, type, wide.mul(wide.polynomial(fraction, exp2Coefficients), scale));
  return powerOfSigned(power, x, y);
}
