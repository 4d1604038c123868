//===- Types.h - Element types ----------------------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_TYPES_H
#define NNRT_CORE_TYPES_H

#include "nnrt/dlpack.h"

#include <cstdint>
#include <string>

namespace nnrt {

/// The numbers of ONNX's TensorProto.DataType.
enum class OnnxType : int32_t {
#define NN_ELEMENT_TYPE(number, Enum, name, bits, dlpack) Enum = number,
#define NN_STRING_TYPE(number, Enum, name) Enum = number,
#include "element_types.def"
};

struct ElementType {
  int32_t onnx; // an OnnxType
  const char *name;
  DLDataType dlpack;

  int bits() const { return dlpack.bits; }
  /// Several elements share a byte in tensors of the C API, the first in the lowest bits.
  /// Generated code uses a byte for each.
  bool isPacked() const { return bits() < 8; }
  /// Tensors of the C API have nnrt_string, generated code has int64 numbers.
  bool isString() const { return onnx == static_cast<int32_t>(OnnxType::String); }
};

/// Null for types that the C API does not have.
const ElementType *findType(int32_t onnxType);

bool operator==(DLDataType a, DLDataType b);

/// "float32", "bool", ...; for types without a name, code and bits.
std::string typeName(DLDataType type);

/// "[N, 3, 224, 224]"; `names` may be null, unnamed unknown dims print as "?".
std::string shapeText(const int64_t *dims, int rank,
                      const std::string *names = nullptr);

/// Unpacks `count` elements of a packed type at `from` into as many bytes, sign-extended.
void unpack(const ElementType &type, int64_t count, const uint8_t *from, uint8_t *to);
/// The inverse; bits after the last element become 0.
void pack(const ElementType &type, int64_t count, const uint8_t *from, uint8_t *to);

/// The bytes of a dense tensor; -1 if they overflow or a dimension is negative.
int64_t denseBytes(const int64_t *dims, int rank, int bits);

} // namespace nnrt

#endif // NNRT_CORE_TYPES_H
