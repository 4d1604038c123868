//===- SmallFloat.h - f16 and bf16 on the host ------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_SMALLFLOAT_H
#define NN_SUPPORT_SMALLFLOAT_H

#include <cstdint>

namespace mlir::nn {

/// Exact.
float halfToFloat(uint16_t bits);
float bfloatToFloat(uint16_t bits);
/// Round to nearest even, overflow to infinity, keep NaN.
uint16_t doubleToHalf(double value);
uint16_t doubleToBFloat(double value);

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
