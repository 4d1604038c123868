//===- DataType.h - ONNX's element types ------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_DATATYPE_H
#define NN_SUPPORT_DATATYPE_H

#include "mlir/IR/Types.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace mlir::nn {

/// Element types, with the numbers of ONNX's TensorProto.DataType.
enum class DataType : int32_t {
  Undefined = 0,
  Float32 = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Float64 = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  UInt4 = 21,
  Int4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  UInt2 = 25,
  Int2 = 26,
};

/// True if `number` is one of the above, other than Undefined.
bool isKnownDataType(int32_t number);

/// Bytes per element on the host, where an element of less than 8 bits takes a
/// byte of its own. 0 for strings.
unsigned getByteSize(DataType type);
/// Bits per element in files and in tensors of nnrt.h. 0 for strings.
unsigned getBitWidth(DataType type);
/// Whether several elements share a byte there, the first in the lowest bits.
bool isPacked(DataType type);
/// The bytes of `count` elements there; not for strings.
uint64_t getPackedBytes(DataType type, uint64_t count);

/// What users read: "float32", "bfloat16", "bool", ...
llvm::StringRef getName(DataType type);

bool isFloat(DataType type);           // f16 ... f64, bf16, f8, f4
bool isSignedInteger(DataType type);   // int2 ... int64
bool isUnsignedInteger(DataType type); // uint2 ... uint64; not bool

/// True for floats of 8 bits or less and integers of 4 or 2: numbers are stored
/// in them, but never computed with.
bool isSmall(DataType type);
/// The type of the bytes that hold a small type on the host and in compiled
/// code: int8 for signed integers (the same numbers), uint8 for unsigned ones and
/// for the bits of floats. Any other type itself.
DataType getStorageType(DataType type);

/// The data type of an MLIR element type (`index` counts as Int64); nullopt if
/// ONNX has none for it.
std::optional<DataType> getDataType(Type elementType);

/// The MLIR element type: signless for int8 ... int64 and bool (`i1`), unsigned
/// for uint8 ... uint64. Null for strings and Undefined, which have none.
Type getElementType(MLIRContext *context, DataType type);

/// getStorageType of MLIR's element types; null if the type is not small.
Type getStorageOfSmallType(Type elementType);

} // namespace mlir::nn

#endif // NN_SUPPORT_DATATYPE_H
