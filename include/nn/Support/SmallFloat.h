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
/// Round to nearest even, overflow to infinity, preserve NaN.
uint16_t doubleToHalf(double value);
uint16_t doubleToBFloat(double value);

/// The value of a float of 8 bits or less, from its bits.
double decodeSmallFloat(DataType type, uint8_t bits);
/// Converts to such a float like ONNX's Cast: rounds to nearest even. Infinity, and values
/// beyond the largest number, become the largest number if `saturate`, else infinity, or
/// NaN if the type has no infinity. float4e2m1 always saturates, and NaN becomes -0 (-NaN
/// becomes 0). float8e8m0 stores |value| as a power of two, rounded according to
/// `roundMode` (up, down, nearest).
uint8_t encodeSmallFloat(DataType type, double value, bool saturate = true,
                         llvm::StringRef roundMode = "up");

/// Storage for a 16-bit float, with conversions like a number's.
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
