//===- Convert.cpp - Element conversions that oneDNN may lack -------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/OneDNN/Convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nnrt {
namespace onednn {

static float fromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

static uint32_t toBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

float halfToFloat(uint16_t half) {
  uint32_t sign = uint32_t(half & 0x8000) << 16;
  uint32_t magnitude = half & 0x7FFF;
  if (magnitude >= 0x7C00) // Inf and NaN
    return fromBits(sign | 0x7F800000 | (magnitude & 0x3FF) << 13);
  if (magnitude < 0x400) // denormal: magnitude * 2^-24
    return fromBits(sign | toBits(float(magnitude) * 0x1p-24f));
  return fromBits(sign | ((magnitude << 13) + (uint32_t(127 - 15) << 23)));
}

uint16_t floatToHalf(float value) {
  uint32_t bits = toBits(value);
  uint16_t sign = bits >> 16 & 0x8000;
  uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) // NaN stays NaN
    return sign | 0x7E00 | (magnitude >> 13 & 0x1FF);
  if (magnitude >= 0x477FF000) // from halfway beyond the largest: Inf
    return sign | 0x7C00;
  if (magnitude < 0x38800000) // denormal: the addition rounds to 2^-24
    return sign | (toBits(fromBits(magnitude) + 0.5f) - toBits(0.5f));
  uint32_t odd = magnitude >> 13 & 1;
  return sign | ((magnitude - (uint32_t(127 - 15) << 23) + 0xFFF + odd) >> 13);
}

static uint16_t floatToBFloat(float value) {
  uint32_t bits = toBits(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000)
    return (bits >> 16) | 0x40;
  return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}

template <typename T> static T saturate(double value) {
  if (value != value)
    return 0;
  double low = std::numeric_limits<T>::min();
  double high = std::numeric_limits<T>::max();
  return static_cast<T>(std::nearbyint(std::clamp(value, low, high)));
}

namespace {

// How elements of each type are read and written. All go through double, which
// holds each s32 and each f32.
struct F32 {
  using Storage = float;
  static double load(float v) { return v; }
  static float store(double v) { return static_cast<float>(v); }
};
struct F16 {
  using Storage = uint16_t;
  static double load(uint16_t v) { return halfToFloat(v); }
  static uint16_t store(double v) { return floatToHalf(static_cast<float>(v)); }
};
struct BF16 {
  using Storage = uint16_t;
  static double load(uint16_t v) { return fromBits(uint32_t(v) << 16); }
  static uint16_t store(double v) {
    return floatToBFloat(static_cast<float>(v));
  }
};
template <typename T> struct Integer {
  using Storage = T;
  static double load(T v) { return v; }
  static T store(double v) { return saturate<T>(v); }
};

} // namespace

#if defined(__x86_64__)
__attribute__((target("avx,f16c"))) static void
convertHalfRow(const uint16_t *from, float *to, int64_t size) {
  int64_t i = 0;
  for (; i + 8 <= size; i += 8)
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(
                                 reinterpret_cast<const __m128i *>(from + i))));
  for (; i < size; ++i)
    to[i] = halfToFloat(from[i]);
}
#endif

template <typename From, typename To>
static void convertRow(const typename From::Storage *from, int64_t fromStride,
                       typename To::Storage *to, int64_t toStride,
                       int64_t size) {
#if defined(__x86_64__)
  if constexpr (std::is_same_v<From, F16> && std::is_same_v<To, F32>) {
    // The weights of whole models are converted here.
    static const bool hasF16C = __builtin_cpu_supports("f16c");
    if (hasF16C && fromStride == 1 && toStride == 1)
      return convertHalfRow(from, to, size);
  }
#endif
  for (int64_t i = 0; i < size; ++i)
    to[i * toStride] = To::store(From::load(from[i * fromStride]));
}

template <typename From, typename To>
static void
convertDim(const Operand &fromType, const typename From::Storage *from,
           const Operand &toType, typename To::Storage *to, int dim) {
  if (dim == fromType.rank) {
    *to = To::store(From::load(*from));
  } else if (dim == fromType.rank - 1) {
    convertRow<From, To>(from, fromType.strides[dim], to, toType.strides[dim],
                         fromType.dims[dim]);
  } else {
    for (int64_t i = 0; i < fromType.dims[dim]; ++i)
      convertDim<From, To>(fromType, from + i * fromType.strides[dim], toType,
                           to + i * toType.strides[dim], dim + 1);
  }
}

/// Calls `visit` with the way to read and write that type.
template <typename Visit> static void dispatch(int32_t type, Visit visit) {
  switch (type) {
  case NNRT_ABI_F32:
    return visit(F32());
  case NNRT_ABI_F16:
    return visit(F16());
  case NNRT_ABI_BF16:
    return visit(BF16());
  case NNRT_ABI_S32:
    return visit(Integer<int32_t>());
  case NNRT_ABI_S8:
    return visit(Integer<int8_t>());
  case NNRT_ABI_U8:
  case NNRT_ABI_BOOL:
    return visit(Integer<uint8_t>());
  default:
    throw Failure{NNRT_INTERNAL,
                  "no conversion for ONNX's type " + std::to_string(type)};
  }
}

void convert(const Operand &fromType, const void *from, const Operand &toType,
             void *to) {
  dispatch(fromType.type, [&](auto fromTag) {
    dispatch(toType.type, [&](auto toTag) {
      using From = decltype(fromTag);
      using To = decltype(toTag);
      convertDim<From, To>(fromType,
                           static_cast<const typename From::Storage *>(from),
                           toType, static_cast<typename To::Storage *>(to), 0);
    });
  });
}

} // namespace onednn
} // namespace nnrt
