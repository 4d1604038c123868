//===- MathF64.h - functions of f64 -----------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_CONVERSION_NNTOKERNELS_MATHF64_H
#define NN_LIB_CONVERSION_NNTOKERNELS_MATHF64_H

#include "FloatMath.h"

namespace mlir::nn {

/// The code of functions of f64, for models that ask for its digits: within 8 ulp for
/// every argument, without tables.
struct MathF64 : FloatMath {
  using FloatMath::FloatMath;

  // MathF64.cpp
  Value exp(Value x);
  Value expm1(Value x);
  Value log(Value x);
  Value log1p(Value x);
  Value sinh(Value x);
  Value cosh(Value x);
  Value tanh(Value x);
  Value asinh(Value x);
  Value acosh(Value x);
  Value atanh(Value x);
  Value erf(Value x);
  /// As C's pow.
  Value pow(Value x, Value y);

  // TrigonometryF64.cpp
  Value sin(Value x);
  Value cos(Value x);
  Value tan(Value x);
  Value asin(Value x);
  Value acos(Value x);
  Value atan(Value x);

private:
  std::pair<Value, Value> preciseLog(Value x);
  Value round(Value x) { return math::RoundEvenOp::create(b, l, x); }
  Value toInteger(Value x) { return arith::FPToSIOp::create(b, l, integers, x); }
  /// 2^n of integers -1022 ... 1023.
  Value powerOfTwo(Value n) { return fromBits(shiftLeft(addInt(n, integer(1023)), 52)); }

  /// What arcsine and arccosine are made of: of y, which is |x| below 1/2 and above
  /// sqrt((1 - |x|) / 2), the arcsine as a sum y + rest.
  struct HalfArcsine {
    Value isSmall, y, rest;
  };
  HalfArcsine halfArcsine(Value x);

  /// size = n pi/2 + rest, |rest| <= pi/4, size >= 0. The word is n modulo 4.
  struct Reduced {
    Value rest, word;
  };
  Reduced reduceByHalfPi(Value size);
  SmallVector<Value> reduceLargeByHalfPi(Value size);
  Reduced reduceScalarByHalfPi(Value x);
  std::pair<Value, Value> sinAndCos(Value x);
};

} // namespace mlir::nn

#endif // NN_LIB_CONVERSION_NNTOKERNELS_MATHF64_H
