//===- MathF32.h - functions of f32 -----------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_CONVERSION_NNTOKERNELS_MATHF32_H
#define NN_LIB_CONVERSION_NNTOKERNELS_MATHF32_H

#include "Trigonometry.h"

namespace mlir::nn {

/// The code of functions of f32. All are within 4 ulp on the arguments sampled, denormal
/// ones and results included; each says what was measured.
struct MathF32 final : Trigonometry {
  using Trigonometry::Trigonometry;

  // MathF32.cpp
  Value exp(Value x);
  Value expOfNotPositive(Value x);
  /// The sign of a zero is lost.
  Value expm1(Value x);
  Value log(Value x) { return logOfSum(x, {}); }
  /// The sign of a zero is lost.
  Value log1p(Value x);
  Value sinh(Value x) { return sinhOrCosh(x, /*isCosh=*/false); }
  Value cosh(Value x) { return sinhOrCosh(x, /*isCosh=*/true); }
  Value tanh(Value x);
  Value asinh(Value x);
  Value acosh(Value x);
  Value atanh(Value x);
  Value erf(Value x);
  /// As C's pow; exact where the power is an f32.
  Value pow(Value x, Value y);

  // TrigonometryF32.cpp
  Value atan(Value x);

private:
  /// x = n ln(2) + rest, |rest| <= ln(2) / 2. The word is n + bias.
  Reduced reduceByLn2(Value x, int bias);
  /// Of the low bits of `word`: 2^(word - 127).
  Value powerOfTwo(Value word) { return fromBits(shiftLeft(word, 23)); }
  Value sinhOrCosh(Value x, bool isCosh);
  /// log(x + low); `low`, which may be null, is less than an ulp of x, and x then not
  /// denormal.
  Value logOfSum(Value x, Value low);

  // TrigonometryF32.cpp
  Reduced reduceByHalfPi(Value size) override;
  std::pair<Value, Value> sinAndCos(Value x) override;
  Constants getConstants() const override;
  SmallVector<Value> reduceLargeByHalfPi(Value size);
};

} // namespace mlir::nn

#endif // NN_LIB_CONVERSION_NNTOKERNELS_MATHF32_H
