//===- SmallFloat.cpp - f16 and bf16 on the host --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/SmallFloat.h"
#include "llvm/ADT/bit.h"

using namespace mlir;

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

/// Rounds to an IEEE format of 16 bits. Directly from double: going through
/// float would round twice.
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
  // `kept` has the leading one, which counts as one in the exponent's place; a
  // carry out of the mantissa does so too.
  uint64_t result =
      biased > 0 ? (uint64_t(biased - 1) << mantissaBits) + kept : kept;
  return sign | uint16_t(result >= infinity ? infinity : result);
}

uint16_t nn::doubleToHalf(double value) { return encode16(value, 5, 10); }
uint16_t nn::doubleToBFloat(double value) { return encode16(value, 8, 7); }
