//===- Trigonometry.h - trigonometric functions -----------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_CONVERSION_NNTOKERNELS_TRIGONOMETRY_H
#define NN_LIB_CONVERSION_NNTOKERNELS_TRIGONOMETRY_H

#include "FloatMath.h"

namespace mlir::nn {

/// The code of trigonometric functions, in terms of what a float type brings: the
/// reduction of arguments, and polynomials on the small interval that is left.
struct Trigonometry : FloatMath {
  using FloatMath::FloatMath;

  Value sin(Value x);
  Value cos(Value x);
  Value tan(Value x);
  Value asin(Value x);
  Value acos(Value x);

protected:
  ~Trigonometry() = default;

  /// An argument brought near 0, and an integer in the low bits of a word.
  struct Reduced {
    Value rest, word;
  };
  /// size = n pi/2 + rest, |rest| <= pi/4, size >= 0. The word is n modulo 4.
  virtual Reduced reduceByHalfPi(Value size) = 0;
  /// Sine and cosine of |x| <= pi/4.
  virtual std::pair<Value, Value> sinAndCos(Value x) = 0;

  struct Constants {
    double halfPiHigh, halfPiLow; // pi/2 as a sum
    /// (asin(y) - y) / y^3 as a polynomial in y^2, |y| <= 1/2.
    ArrayRef<double> asin;
  };
  virtual Constants getConstants() const = 0;

private:
  /// Moves a bit of the word to where an element has its sign.
  Value toSign(Value word, int bit) {
    return shiftLeft(word, getElementTypeOrSelf(type).getIntOrFloatBitWidth() - 1 - bit);
  }

  /// Of y, which is |x| below 1/2 and above sqrt((1 - |x|) / 2): its arcsine as a sum
  /// y + rest.
  struct HalfArcsine {
    Value isSmall, y, rest;
  };
  HalfArcsine halfArcsine(Value x);
};

} // namespace mlir::nn

#endif // NN_LIB_CONVERSION_NNTOKERNELS_TRIGONOMETRY_H
