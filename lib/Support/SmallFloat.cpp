//===- SmallFloat.cpp - floats of 16 bits and less ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/SmallFloat.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;

float nn::bfloatToFloat(uint16_t bits) {
  return llvm::bit_cast<float>(uint32_t(bits) << 16);
}

float nn::halfToFloat(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 0x1f, mantissa = bits & 0x3ff;
  if (exponent == 0x1f) // infinity, NaN
    return llvm::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent == 0) { // zero, subnormal: mantissa * 2^-24
    float magnitude = float(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  return llvm::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

/// Rounds to a 16-bit IEEE format, directly from double: going through float would
/// round twice.
static uint16_t encode16(double value, int exponentBits, int mantissaBits) {
  uint64_t bits = llvm::bit_cast<uint64_t>(value);
  uint16_t sign = uint16_t(bits >> 63) << 15;
  uint16_t infinity = ((1u << exponentBits) - 1) << mantissaBits;
  uint64_t mantissa = bits & 0xfffffffffffffull;
  int exponent = int(bits >> 52 & 0x7ff);
  if (exponent == 0x7ff) {
    if (!mantissa)
      return sign | infinity;
    // Quiet NaN with the upper part of the payload.
    return sign | infinity | 1u << (mantissaBits - 1) |
           uint16_t(mantissa >> (52 - mantissaBits));
  }
  if (exponent == 0) // subnormal doubles are far below the smallest result
    return sign;
  mantissa |= 1ull << 52;
  int biased = exponent - 1023 + (1 << (exponentBits - 1)) - 1;
  int shift = 52 - mantissaBits;
  if (biased <= 0) { // the result is subnormal
    shift += 1 - biased;
    biased = 0;
    if (shift > 54)
      return sign;
  }
  uint64_t kept = mantissa >> shift;
  uint64_t rest = mantissa & ((1ull << shift) - 1), half = 1ull << (shift - 1);
  if (rest > half || (rest == half && (kept & 1)))
    ++kept;
  // `kept` includes the leading one, which adds one to the exponent; so does a carry
  // out of the mantissa.
  uint64_t result =
      biased > 0 ? (uint64_t(biased - 1) << mantissaBits) + kept : kept;
  return sign | uint16_t(result >= infinity ? infinity : result);
}

uint16_t nn::doubleToHalf(double value) { return encode16(value, 5, 10); }
uint16_t nn::doubleToBFloat(double value) { return encode16(value, 8, 7); }

//===----------------------------------------------------------------------===//
// Floats of 8 bits or less
//===----------------------------------------------------------------------===//

static const llvm::fltSemantics &getSemantics(DataType type) {
  switch (type) {
#define NN_SMALL_FLOAT_TYPE(number, Enum, name, bits, dlpack, keyword, Class)            \
  case DataType::Enum:                                                                   \
    return llvm::APFloat::Class();
#include "runtime/abi/element_types.def"
  default:
    llvm_unreachable("not a float of 8 bits or less");
  }
}

static uint8_t getBits(const llvm::APFloat &value) {
  return uint8_t(value.bitcastToAPInt().getZExtValue());
}

double nn::decodeSmallFloat(DataType type, uint8_t bits) {
  const llvm::fltSemantics &semantics = getSemantics(type);
  llvm::APFloat value(semantics,
                      llvm::APInt(llvm::APFloat::getSizeInBits(semantics), bits,
                                  /*isSigned=*/false, /*implicitTrunc=*/true));
  if (value.isNaN()) // APFloat does not keep that of every format
    return std::copysign(std::nan(""),
                         type != DataType::Float8E8M0 && bits & 0x80 ? -1.0 : 1.0);
  bool losesInfo;
  value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven,
                &losesInfo);
  return value.convertToDouble();
}

/// ONNX rounds f32, by its bits: numbers below the smallest power of two (2^-127)
/// are rounded up to it, or to 2^-126, only where `roundMode` is up.
static uint8_t encodeScale(double value, bool saturate, llvm::StringRef roundMode) {
  uint32_t bits = llvm::bit_cast<uint32_t>(float(value));
  uint32_t exponent = bits >> 23 & 0xff, fraction = bits & 0x7fffff;
  if (exponent == 0xff) // infinity, NaN
    return 0xff;
  bool isMore = fraction > 0x400000 || (fraction == 0x400000 && exponent > 0);
  bool roundsUp = roundMode == "up"        ? fraction > 0
                  : roundMode == "nearest" ? isMore
                                           : false;
  if (saturate && exponent == 0xfe)
    roundsUp = false;
  return uint8_t(exponent + roundsUp);
}

uint8_t nn::encodeSmallFloat(DataType type, double value, bool saturate,
                             llvm::StringRef roundMode) {
  if (type == DataType::Float8E8M0)
    return encodeScale(value, saturate, roundMode);
  const llvm::fltSemantics &semantics = getSemantics(type);
  bool isFinite = type == DataType::Float4E2M1; // has neither infinity nor NaN
  if (std::isnan(value))
    return isFinite ? (std::signbit(value) ? 0 : 8)
                    : getBits(llvm::APFloat::getQNaN(semantics, std::signbit(value)));
  llvm::APFloat largest = llvm::APFloat::getLargest(semantics, std::signbit(value));
  bool losesInfo;
  llvm::APFloat limit = largest;
  limit.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven,
                &losesInfo);
  if ((saturate || isFinite) && std::fabs(value) >= std::fabs(limit.convertToDouble()))
    return getBits(largest);
  llvm::APFloat converted(value);
  converted.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return getBits(converted);
}
