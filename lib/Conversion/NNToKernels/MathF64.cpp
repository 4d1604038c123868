//===- MathF64.cpp - exponential functions of f64 -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Polynomials without a source interpolate at the Chebyshev nodes of their intervals;
// they were computed with 60 digits and then rounded.
//
//===----------------------------------------------------------------------===//

#include "MathF64.h"

using namespace mlir;
using namespace mlir::nn;

// ln(2) as a sum whose first part has zeros behind it.
static constexpr double ln2High = 6.93147180369123816490e-01;
static constexpr double ln2Low = 1.90821492927058770002e-10;

/// exp(x) = 2^n * exp(r), |r| <= ln(2) / 2: a Taylor polynomial.
Value MathF64::exp(Value x) {
  // Beyond these, the result is 0 or infinity whatever the number. NaN stays.
  Value clamped = select(compare(Predicate::OGT, x, 720), number(720), x);
  clamped = select(compare(Predicate::OLT, clamped, -760), number(-760), clamped);
  Value n = round(mul(clamped, number(1.4426950408889634)));
  Value r = fma(n, number(-ln2High), clamped);
  r = fma(n, number(-ln2Low), r);
  SmallVector<double> coefficients{1};
  for (int i = 1; i < 15; ++i)
    coefficients.push_back(coefficients.back() / i);
  Value p = polynomial(r, coefficients);
  // In two steps, so that subnormal results and large ones are reached.
  Value isNumber = arith::CmpFOp::create(b, l, Predicate::ORD, x, x);
  Value exponent = toInteger(select(isNumber, n, number(0)));
  Value half = arith::ShRSIOp::create(b, l, exponent, integer(1));
  p = mul(p, powerOfTwo(half));
  return mul(p, powerOfTwo(subInt(exponent, half)));
}

/// exp(x) - 1, by Kahan's correction of the rounding error of exp.
Value MathF64::expm1(Value x) {
  Value u = exp(x);
  Value corrected = div(mul(sub(u, number(1)), x), log(u));
  Value result = select(compare(Predicate::OEQ, u, 1), x, corrected);
  // Where exp is 0 or infinite there is nothing to correct.
  Value isLarge = compare(Predicate::OGT, x, 40);
  result = select(isLarge, u, result);
  return select(compare(Predicate::OLT, x, -40), number(-1), result);
}

/// log(x) = e * ln(2) + log(m), m in [sqrt(1/2), sqrt(2)): the series of atanh.
Value MathF64::log(Value x) {
  Value isSmall = compare(Predicate::OLT, x, 0x1p-1022);
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
  result = select(compare(Predicate::OEQ, x, infinity), x, result);
  result = select(compare(Predicate::OEQ, x, 0), number(-infinity), result);
  return select(compare(Predicate::ULT, x, 0),
                number(notANumber), result);
}

/// log(1 + x), the error of the sum corrected.
Value MathF64::log1p(Value x) {
  Value u = add(x, number(1));
  Value corrected = div(mul(log(u), x), sub(u, number(1)));
  Value result = select(compare(Predicate::OEQ, u, 1), x, corrected);
  return select(compare(Predicate::OEQ, x, infinity), x, result);
}

Value MathF64::tanh(Value x) {
  Value clamped = select(compare(Predicate::OGT, x, 20), number(20), x);
  clamped = select(compare(Predicate::OLT, clamped, -20), number(-20), clamped);
  Value e = expm1(mul(clamped, number(2)));
  return div(e, add(e, number(2)));
}

// What MLIR makes of these loses the digits of results near 0.

/// With u = e^|x| - 1: (u + u / (u+1)) / 2. Where u could overflow, e^|x| / 2. Within 5
/// ulp.
Value MathF64::sinh(Value x) {
  Value size = abs(x), one = number(1);
  Value isLarge = compare(Predicate::OGT, size, 700);
  Value u = expm1(select(isLarge, mul(size, number(0.5)), size));
  Value small = mul(mul(u, number(0.5)), add(div(one, add(u, one)), one));
  Value large = mul(mul(u, number(0.5)), u);
  return withSign(select(isLarge, large, small), x);
}

/// log(|x| + sqrt(x^2 + 1)); where 1 counts nothing, log(2 |x|). Within 5 ulp.
Value MathF64::asinh(Value x) {
  Value size = abs(x), one = number(1), square = mul(x, x);
  Value root = sqrt(add(square, one));
  Value small = log1p(add(size, div(square, add(root, one))));
  Value large = add(log(size), number(ln2High + ln2Low));
  Value isLarge = compare(Predicate::OGT, size, 0x1p28);
  return withSign(select(isLarge, large, small), x);
}

/// log(x + sqrt(x^2 - 1)); where 1 counts nothing, log(2 x). Within 6 ulp.
Value MathF64::acosh(Value x) {
  Value t = sub(x, number(1));
  Value small = log1p(add(t, sqrt(mul(t, add(t, number(2))))));
  Value large = add(log(x), number(ln2High + ln2Low));
  Value result = select(compare(Predicate::OGT, x, 0x1p28), large, small);
  return select(compare(Predicate::OLT, x, 1), number(notANumber), result);
}

/// log((1 + x) / (1 - x)) / 2. Within 5 ulp.
Value MathF64::atanh(Value x) {
  Value size = abs(x);
  Value ratio = div(add(size, size), sub(number(1), size));
  return withSign(mul(log1p(ratio), number(0.5)), x);
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
Value MathF64::erf(Value x) {
  Value size = abs(x), square = mul(size, size);
  Value small = fma(size, polynomial(square, erfCoefficients), size);
  // From 6 on it is 1. NaN stays.
  Value clamped = select(compare(Predicate::OGT, size, 6), number(6), size);
  Value t = div(sub(clamped, number(3)), add(clamped, number(3)));
  Value power = exp(neg(mul(clamped, clamped)));
  Value large = sub(number(1), mul(power, polynomial(t, erfcCoefficients)));
  Value isSmall = compare(Predicate::OLT, size, 1);
  return withSign(select(isSmall, small, large), x);
}

/// (e^x + e^-x) / 2; where e^x could overflow, from its root. Within 3 ulp.
Value MathF64::cosh(Value x) {
  Value size = abs(x);
  Value isLarge = compare(Predicate::OGT, size, 700);
  Value u = exp(select(isLarge, mul(size, number(0.5)), size));
  Value half = mul(u, number(0.5));
  return select(isLarge, mul(half, u), add(half, div(number(0.5), u)));
}

/// log(x) as a sum of two, with 10 bits more than an f64 has: the logarithm's error is
/// multiplied in a power. x > 0.
std::pair<Value, Value> MathF64::preciseLog(Value x) {
  Value isTiny = compare(Predicate::OLT, x, 0x1p-1022);
  Value word = bits(select(isTiny, mul(x, number(0x1p54)), x));
  Value exponent =
      shiftRightSigned(subInt(word, integer(0x3fe6a09e667f3bcd)), 52); // sqrt(1/2)
  Value m = fromBits(subInt(word, shiftLeft(exponent, 52)));
  Value e = fromInteger(exponent);
  e = select(isTiny, sub(e, number(54)), e);

  // s + sLow = (m-1) / (m+1); log(m) = 2 s + s (2/3 s^2 + ...).
  Value one = number(1), numerator = sub(m, one), denominator = add(m, one);
  Value denominatorLow = sub(m, sub(denominator, one));
  Value s = div(numerator, denominator);
  Value left = fma(neg(s), denominator, numerator);
  Value sLow = div(fma(neg(s), denominatorLow, left), denominator);
  Value z = mul(s, s);
  Value zLow = fma(mul(s, number(2)), sLow, fma(s, s, neg(z)));
  SmallVector<double> coefficients;
  for (int i = 1; i < 13; ++i)
    coefficients.push_back(2.0 / (2 * i + 3));
  Value rest = mul(z, polynomial(z, coefficients));
  Value twoThirds = number(0x1.5555555555555p-1);
  Value p = add(twoThirds, rest);
  Value pLow = add(add(sub(twoThirds, p), rest), number(0x1.5555555555555p-55));
  Value t = mul(z, p);
  Value tLow = fma(z, pLow, fma(zLow, p, fma(z, p, neg(t))));
  Value cubic = mul(s, t);
  Value cubicLow = fma(s, tLow, fma(sLow, t, fma(s, t, neg(cubic))));
  // The terms, largest first; each sum keeps what it rounds off.
  Value twice = add(s, s), large = mul(e, number(ln2High));
  Value high = add(large, twice);
  Value low = sub(twice, sub(high, large));
  Value sum = add(high, cubic);
  Value sumLow = add(sub(high, sum), cubic);
  low = add(add(low, sumLow), add(cubicLow, fma(e, number(ln2Low), add(sLow, sLow))));
  Value result = add(sum, low);
  return {result, sub(low, sub(result, sum))};
}

/// e^(y log |x|). Within 3 ulp.
Value MathF64::pow(Value x, Value y) {
  Value size = abs(x);
  auto [logarithm, low] = preciseLog(size);
  Value isNumber = both(compare(Predicate::OGT, size, 0), compare(Predicate::OLT, size, infinity));
  Value ofOthers = select(compare(Predicate::OEQ, size, 0), number(-infinity), size);
  logarithm = select(isNumber, logarithm, ofOthers);
  Value product = mul(y, logarithm);
  Value productLow = fma(y, low, fma(y, logarithm, neg(product)));
  // Beyond, the power is 0 or infinity.
  Value isUsual = compare(Predicate::OLT, abs(product), 800);
  productLow = select(isUsual, productLow, number(0));
  // x^0 and 1^y are 1, whatever x and y.
  Value isOne = either(compare(Predicate::OEQ, y, 0), compare(Predicate::OEQ, size, 1));
  Value power = exp(select(isOne, number(0), product));
  Value corrected = fma(power, select(isOne, number(0), productLow), power);
  power = select(compare(Predicate::OEQ, power, infinity), power, corrected);
  return powerOfSigned(power, x, y);
}
