//===- Activations.cpp - code of activation functions ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Written in e^-|x|, which neither overflows nor rounds to 1: where x is very negative,
// results keep their digits until they are denormal.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

using namespace mlir;
using namespace mlir::nn;

Value nn::emitExpOfNotPositive(OpBuilder &builder, Location location, Value x) {
  auto power = math::ExpOp::create(builder, location, x);
  power->setAttr(notPositiveAttrName, builder.getUnitAttr());
  return power;
}

Value Emitter::sigmoid(Value x) {
  Value power = expOfNotPositive(neg(abs(x)));
  Value isNegative = less(x, constant(x, 0));
  return div(select(isNegative, power, constant(x, 1)), add(power, constant(x, 1)));
}

Value Emitter::swish(Value x, Value scaled) {
  // The root of the power: it is not denormal where its product with x is normal.
  Value root = expOfNotPositive(mul(abs(scaled), constant(x, -0.5)));
  Value ofNegative = mul(mul(x, root), root);
  Value numerator = select(less(scaled, constant(x, 0)), ofNegative, x);
  return div(numerator, fma(root, root, constant(x, 1)));
}

Value Emitter::softplus(Value x) {
  Value power = expOfNotPositive(neg(abs(x)));
  return add(max(x, constant(x, 0)), make<math::Log1pOp>(power));
}

/// With p = e^x, tanh(ln(1 + p)) = p (p+2) / (p (p+2) + 2); of positive numbers, both
/// times e^-2x.
Value Emitter::mish(Value x) {
  Value isNegative = less(x, constant(x, 0));
  Value two = constant(x, 2), power = expOfNotPositive(neg(abs(x)));
  Value more = add(power, two);
  Value twice1 = fma(power, two, constant(x, 1));
  Value numerator = mul(x, select(isNegative, mul(power, more), twice1));
  Value ofNegative = fma(power, more, two);
  Value ofPositive = fma(mul(power, two), power, twice1);
  return div(numerator, select(isNegative, ofNegative, ofPositive));
}

// Phi(-a) e^(a^2/2), Phi the normal distribution's, as quotients of polynomials. All
// coefficients are positive, so that nothing cancels. For f32 within 2^-27, minimax for
// 0 <= a <= 14.6; for f64 within 2^-54, interpolated up to 39.
static constexpr double numeratorF32[] = {0.5, 0.4385022521018982, 0.18338896334171295,
                                          0.040685150772333145, 0.004124033730477095};
static constexpr double denominatorF32[] = {1.0,
                                            1.6748894453048706,
                                            1.2031415700912476,
                                            0.469876766204834,
                                            0.10198892652988434,
                                            0.010337301529943943};
static constexpr double numeratorF64[] = {
    0.5,                  0.8106527557732642,    0.6527055819749112,    0.336622051841772,
    0.1219039231150041,   0.032225134814368464,  0.006285652036800923,  0.0008938235487977431,
    8.894056469191476e-05, 5.6238670929937705e-06, 1.7326376627713945e-07};
static constexpr double denominatorF64[] = {
    1.0,                  2.419190072349394,    2.7356455723249704,    1.9123399537632844,
    0.9202230536400609,   0.32088206008037273,  0.08298872421853422,   0.015977865416656693,
    0.002254580324751681, 0.00022337524206490013, 1.4096944268157044e-05,
    4.3430785551890877e-07};

// M = c D - a N, c = 1 / sqrt(2 pi) being its first coefficient, rounded: exactly, from the
// coefficients above.
static constexpr double differenceF32[] = {0.3989422917366028,   0.16818423569202423,
                                           0.041481804102659225, 0.004064750391989946,
                                           2.5453091438976116e-06, -4.696774880130761e-08};
static constexpr double differenceF64[] = {
    0.3989422804014327,     0.4651172041875742,   0.28071192722014193,
    0.1102076800821838,     0.030493831655363783, 0.006109497673369334,
    0.0008825760729791832,  8.8594028467286e-05,  5.62386730689513e-06,
    1.7326376267853757e-07, 3.6706407823656086e-17, -1.7002155603620293e-19};

static Value emitPolynomial(Emitter &e, Value x, ArrayRef<double> coefficients) {
  Value sum = e.constant(x, coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = e.fma(sum, x, e.constant(x, coefficient));
  return sum;
}

/// x Phi(x) = max(x, 0) - t, with t = a Phi(-a) = a N(a) / D(a) e^(-a^2/2) and a = |x|.
///
/// a N / D tends to c = 1 / sqrt(2 pi): from 1 on it is taken as c - M / D, where rounding
/// errors of the quotient count little. Below, with N = 1/2 + a S, a N is a/2 + a^2 S. The
/// rounding error of a^2 counts, too, since its power is taken.
Value Emitter::gelu(Value x) {
  bool isF64 = getElementTypeOrSelf(x).isF64();
  auto numerator = isF64 ? ArrayRef(numeratorF64) : ArrayRef(numeratorF32);
  auto denominator = isF64 ? ArrayRef(denominatorF64) : ArrayRef(denominatorF32);
  auto difference = isF64 ? ArrayRef(differenceF64) : ArrayRef(differenceF32);
  // Beyond, the power is 0. NaN stays.
  Value size = make<arith::MinimumFOp>(abs(x), constant(x, 64));
  Value square = mul(size, size), error = fma(size, size, neg(square));
  // With one constant less, the general function is faster here.
  Value power = exp(mul(square, constant(x, -0.5)));
  power = fma(power, mul(error, constant(x, -0.5)), power);
  Value isSmall = less(size, constant(x, 1));
  Value ofSmall = fma(square, emitPolynomial(*this, size, numerator.drop_front()),
                      mul(size, constant(x, numerator.front())));
  Value dividend = select(isSmall, ofSmall, emitPolynomial(*this, size, difference));
  Value quotient = div(dividend, emitPolynomial(*this, size, denominator));
  Value limit = constant(x, difference.front());
  Value tail = mul(select(isSmall, quotient, sub(limit, quotient)), power);
  // As -inf times 0, the product is NaN.
  Value ofNegative = fma(x, constant(x, 0), neg(tail));
  return select(less(x, constant(x, 0)), ofNegative, sub(x, tail));
}

/// x sigmoid(z), z = x (k0 + k1 x^2), with z as a sum of two, since its power is taken.
Value Emitter::geluTanh(Value x) {
  // k0 = 2 sqrt(2 / pi) and k1 = 0.044715 k0 as sums of two. The first part of k0 has few
  // digits, so that it can be subtracted from the factor without a rounding error.
  constexpr double k0High = 1.595703125, k0Low = 6.599660573071176e-05;
  bool isF64 = getElementTypeOrSelf(x).isF64();
  const double k1High = isF64 ? 0.07135481627260025 : 0.07135481387376785;
  const double k1Low = isF64 ? -6.175149918155315e-19 : 2.3988323959931355e-09;
  Value size = make<arith::MinimumFOp>(abs(x), constant(x, 64));
  Value square = mul(size, size), error = fma(size, size, neg(square));
  Value factor = fma(square, constant(x, k1High), constant(x, k0High));
  Value low = fma(square, constant(x, k1High), sub(constant(x, k0High), factor));
  low = fma(square, constant(x, k1Low), add(low, constant(x, k0Low)));
  low = fma(error, constant(x, k1High), low);
  Value z = mul(size, factor);
  low = fma(size, low, fma(size, factor, neg(z)));
  // Only what z cannot hold is small enough for 1 - low to stand for its power.
  Value sum = add(z, low);
  low = sub(low, sub(sum, z));
  Value power = expOfNotPositive(neg(sum));
  power = fma(power, neg(low), power);
  Value numerator = select(less(x, constant(x, 0)), mul(x, power), x);
  return div(numerator, add(power, constant(x, 1)));
}
