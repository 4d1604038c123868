//===- MathF64.h - functions of f64 -----------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_CONVERSION_NNTOKERNELS_MATHF64_H
#define NN_LIB_CONVERSION_NNTOKERNELS_MATHF64_H

#include "Trigonometry.h"

namespace mlir::nn {

/// The code of functions of f64, for models that ask for its digits: within 8 ulp for
/// every argument, without tables.
struct MathF64 final : Trigonometry {
  using Trigonometry::Trigonometry;

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
  Value atan(Value x);

private:
  std::pair<Value, Value> preciseLog(Value x);
  Value round(Value x) { return math::RoundEvenOp::create(b, l, x); }
  Value toInteger(Value x) { return arith::FPToSIOp::create(b, l, integers, x); }
  /// 2^n of integers -1022 ... 1023.
  Value powerOfTwo(Value n) { return fromBits(shiftLeft(addInt(n, integer(1023)), 52)); }

  // TrigonometryF64.cpp
  Reduced reduceByHalfPi(Value size) override;
  std::pair<Value, Value> sinAndCos(Value x) override;
  Constants getConstants() const override;
  SmallVector<Value> reduceLargeByHalfPi(Value size);
  Reduced reduceScalarByHalfPi(Value x);
};

} // namespace mlir::nn

#endif // NN_LIB_CONVERSION_NNTOKERNELS_MATHF64_H
