//===- Reference.h - Kernels for what is not generated ----------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Operators that sort, that transform, or whose result sizes depend on data. Any memory
// that they need is an argument, see nnrt_abi_kernel; but transforms keep what they
// need again, see Fourier.h.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_LIB_CPU_REFERENCE_REFERENCE_H
#define NNRT_LIB_CPU_REFERENCE_REFERENCE_H

#include "nnrt_abi.h"

#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nnrt {

/// Calls the function for ranges that cover [0, count), which may run in parallel. Ranges
/// are at least `grain` long, except for the last. The function does not throw.
using Loop = std::function<void(nnrt_abi_range_fn fn, void *arg, int64_t count,
                                int64_t grain)>;

class StringTable;

/// What kernels need of the run that calls them.
struct Services {
  Loop loop;
  StringTable *strings = nullptr;
  /// Whether a regular expression matches all of each text. Throws std::runtime_error if
  /// that cannot be said.
  std::function<void(std::string_view pattern, const std::string_view *texts, int64_t count,
                     bool *matches)> match;
  /// The parts that one matches, from the left, if they have `least` characters or more.
  std::function<void(std::string_view pattern, std::string_view text, int64_t least,
                     std::vector<std::string_view> &parts)> find;
  /// Operator number `index` of the model's that a library of the user's computes, or only
  /// the shapes of its results; see nnrt_abi_kernel. False after a failure, which `message`
  /// describes.
  std::function<bool(int64_t index, bool onlyShapes, const int64_t *parameters,
                     const nnrt_abi_tensor *args)> custom;
  std::string message; ///< Of a failure whose text is made.
};

/// Null, or why the arguments are invalid, or that there is no memory.
const char *runReferenceKernel(int32_t kernel, const int64_t *parameters,
                               const nnrt_abi_tensor *args, Services &services) noexcept;

const char *runDFT(const int64_t *parameters, const nnrt_abi_tensor *args,
                   const Loop &loop);
const char *runMapStrings(const int64_t *parameters, const nnrt_abi_tensor *args,
                          Services &services);
const char *runNonMaxSuppression(const int64_t *parameters,
                                 const nnrt_abi_tensor *args);
const char *runNonZero(const int64_t *parameters, const nnrt_abi_tensor *args);
const char *runRoiAlign(const int64_t *parameters, const nnrt_abi_tensor *args);
const char *runSTFT(const nnrt_abi_tensor *args, const Loop &loop);
const char *runTopK(const int64_t *parameters, const nnrt_abi_tensor *args);
const char *runUnique(const int64_t *parameters, const nnrt_abi_tensor *args);

template <typename T> T *getData(const nnrt_abi_tensor &tensor) {
  return static_cast<T *>(tensor.data);
}

/// The product of dimensions [begin, end).
inline int64_t product(const nnrt_abi_tensor &tensor, int64_t begin, int64_t end) {
  int64_t result = 1;
  for (int64_t i = begin; i < end; ++i)
    result *= tensor.dims[i];
  return result;
}

/// 16-bit floats, for comparisons.
struct Half {
  uint16_t bits;
  explicit operator float() const {
    uint32_t sign = uint32_t(bits & 0x8000) << 16, exponent = bits >> 10 & 31,
             fraction = bits & 0x3ff, word;
    if (exponent == 31)
      word = 0x7f800000 | fraction << 13;
    else if (exponent != 0)
      word = (exponent + 112) << 23 | fraction << 13;
    else { // subnormal: fraction * 2^-24
      float value = float(fraction) * 0x1p-24f;
      return sign ? -value : value;
    }
    word |= sign;
    float result;
    std::memcpy(&result, &word, sizeof(result));
    return result;
  }
};
struct BFloat {
  uint16_t bits;
  explicit operator float() const {
    uint32_t word = uint32_t(bits) << 16;
    float result;
    std::memcpy(&result, &word, sizeof(result));
    return result;
  }
};

/// -1, 0, 1; NaN is larger than all numbers.
template <typename T> int compareElements(T x, T y) {
  if (x != x || y != y)
    return int(x != x) - int(y != y);
  return x < y ? -1 : x > y;
}
inline int compareElements(Half x, Half y) {
  return compareElements(float(x), float(y));
}
inline int compareElements(BFloat x, BFloat y) {
  return compareElements(float(x), float(y));
}
template <typename T> bool isZero(T x) { return x == 0; }
inline bool isZero(Half x) { return (x.bits & 0x7fff) == 0; }
inline bool isZero(BFloat x) { return (x.bits & 0x7fff) == 0; }

/// Calls `action` with a null pointer to the C++ type of an element type; false if
/// there is none.
template <typename Action> bool dispatch(int64_t type, Action action) {
  switch (type) {
  case NNRT_ABI_F32: return action(static_cast<float *>(nullptr)), true;
  case NNRT_ABI_F64: return action(static_cast<double *>(nullptr)), true;
  case NNRT_ABI_F16: return action(static_cast<Half *>(nullptr)), true;
  case NNRT_ABI_BF16: return action(static_cast<BFloat *>(nullptr)), true;
  case NNRT_ABI_BOOL:
  case NNRT_ABI_U8: return action(static_cast<uint8_t *>(nullptr)), true;
  case NNRT_ABI_U16: return action(static_cast<uint16_t *>(nullptr)), true;
  case NNRT_ABI_U32: return action(static_cast<uint32_t *>(nullptr)), true;
  case NNRT_ABI_U64: return action(static_cast<uint64_t *>(nullptr)), true;
  case NNRT_ABI_S8: return action(static_cast<int8_t *>(nullptr)), true;
  case NNRT_ABI_S16: return action(static_cast<int16_t *>(nullptr)), true;
  case NNRT_ABI_S32: return action(static_cast<int32_t *>(nullptr)), true;
  case NNRT_ABI_S64: return action(static_cast<int64_t *>(nullptr)), true;
  default: return false;
  }
}

} // namespace nnrt

#endif // NNRT_LIB_CPU_REFERENCE_REFERENCE_H
