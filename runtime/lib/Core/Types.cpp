//===- Types.cpp - Element types ------------------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/Types.h"

#include "nnrt/nnrt.h"
#include "nnrt_abi.h"

namespace nnrt {

static constexpr ElementType types[] = {
#define NN_ELEMENT_TYPE(number, Enum, name, bits, dlpack)                                \
  {number, name, {dlpack, bits, 1}},
#define NN_STRING_TYPE(number, Enum, name)                                               \
  {number, name, {kDLOpaqueHandle, 8 * sizeof(nnrt_string), 1}},
#include "element_types.def"
};

// The names that generated code and oneDNN's plugin use.
static constexpr bool isSame(nnrt_abi_type abi, OnnxType type) {
  return static_cast<int32_t>(abi) == static_cast<int32_t>(type);
}
static_assert(isSame(NNRT_ABI_F32, OnnxType::Float32) &&
              isSame(NNRT_ABI_F64, OnnxType::Float64) &&
              isSame(NNRT_ABI_F16, OnnxType::Float16) &&
              isSame(NNRT_ABI_BF16, OnnxType::BFloat16) &&
              isSame(NNRT_ABI_S8, OnnxType::Int8) &&
              isSame(NNRT_ABI_S16, OnnxType::Int16) &&
              isSame(NNRT_ABI_S32, OnnxType::Int32) &&
              isSame(NNRT_ABI_S64, OnnxType::Int64) &&
              isSame(NNRT_ABI_U8, OnnxType::UInt8) &&
              isSame(NNRT_ABI_U16, OnnxType::UInt16) &&
              isSame(NNRT_ABI_U32, OnnxType::UInt32) &&
              isSame(NNRT_ABI_U64, OnnxType::UInt64) &&
              isSame(NNRT_ABI_BOOL, OnnxType::Bool) &&
              isSame(NNRT_ABI_STRING, OnnxType::String));

const ElementType *findType(int32_t onnxType) {
  for (const ElementType &type : types)
    if (type.onnx == onnxType)
      return &type;
  return nullptr;
}

bool operator==(DLDataType a, DLDataType b) {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}

std::string typeName(DLDataType type) {
  for (const ElementType &known : types)
    if (known.dlpack == type)
      return known.name;
  return "DLPack type code " + std::to_string(type.code) + ", " +
         std::to_string(type.bits) + " bits, " + std::to_string(type.lanes) +
         " lanes";
}

std::string shapeText(const int64_t *dims, int rank, const std::string *names) {
  std::string text = "[";
  for (int i = 0; i < rank; ++i) {
    if (i)
      text += ", ";
    if (dims[i] >= 0)
      text += std::to_string(dims[i]);
    else
      text += names && !names[i].empty() ? names[i] : "?";
  }
  return text + "]";
}

void unpack(const ElementType &type, int64_t count, const uint8_t *from,
            uint8_t *to) {
  int bits = type.bits(), perByte = 8 / bits;
  uint8_t sign = type.dlpack.code == kDLInt ? 1 << (bits - 1) : 0;
  for (int64_t i = 0; i < count; ++i) {
    uint8_t element =
        from[i / perByte] >> (i % perByte * bits) & ((1 << bits) - 1);
    to[i] = static_cast<uint8_t>((element ^ sign) - sign);
  }
}

void pack(const ElementType &type, int64_t count, const uint8_t *from,
          uint8_t *to) {
  int bits = type.bits(), perByte = 8 / bits;
  for (int64_t i = 0; i < count; i += perByte) {
    unsigned packed = 0;
    for (int64_t j = 0; j < perByte && i + j < count; ++j)
      packed |= (from[i + j] & ((1u << bits) - 1)) << (j * bits);
    to[i / perByte] = static_cast<uint8_t>(packed);
  }
}

int64_t denseBytes(const int64_t *dims, int rank, int bits) {
  // A tensor without elements is empty even if its other dims are huge.
  for (int i = 0; i < rank; ++i)
    if (dims[i] == 0)
      return 0;
  int64_t total = bits;
  for (int i = 0; i < rank; ++i)
    if (dims[i] < 0 || __builtin_mul_overflow(total, dims[i], &total))
      return -1;
  if (total > INT64_MAX - 7)
    return -1;
  return (total + 7) / 8;
}

} // namespace nnrt
