//===- SmallFloat.h - floats of 16 bits and less ----------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_SMALLFLOAT_H
#define NN_SUPPORT_SMALLFLOAT_H

#include "nn/Support/DataType.h"
#include <cstdint>

namespace mlir::nn {

/// Exact.
float halfToFloat(uint16_t bits);
float bfloatToFloat(uint16_t bits);
/// Round to nearest even, overflow to infinity, keep NaN.
uint16_t doubleToHalf(double value);
uint16_t doubleToBFloat(double value);

/// The number of a float of 8 bits or less, from its bits.
double decodeSmallFloat(DataType type, uint8_t bits);
/// To such a float, as ONNX's Cast does it: rounded to nearest even; beyond the
/// largest number, and infinity, to the largest number if `saturate`, else to
/// infinity, or to NaN where the type has none. float4e2m1 always saturates, and
/// NaN becomes its -0 (-NaN its 0). float8e8m0 takes the power of two of |value|,
/// rounded as `roundMode` says (up, down, nearest).
uint8_t encodeSmallFloat(DataType type, double value, bool saturate = true,
                         llvm::StringRef roundMode = "up");

/// Storage of a 16-bit float that converts like a number.
struct Half {
  uint16_t bits = 0;
  Half() = default;
  explicit Half(double value) : bits(doubleToHalf(value)) {}
  operator float() const { return halfToFloat(bits); }
};
struct BFloat {
  uint16_t bits = 0;
  BFloat() = default;
  explicit BFloat(double value) : bits(doubleToBFloat(value)) {}
  operator float() const { return bfloatToFloat(bits); }
};
static_assert(sizeof(Half) == 2 && sizeof(BFloat) == 2);

} // namespace mlir::nn

#endif // NN_SUPPORT_SMALLFLOAT_H
