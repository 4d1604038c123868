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
};

/// True if `number` is one of the above, other than Undefined.
bool isKnownDataType(int32_t number);

/// Bytes per element on the host, where an element of a 4-bit type takes a byte
/// of its own. 0 for strings.
unsigned getByteSize(DataType type);

/// What users read: "float32", "bfloat16", "bool", ...
llvm::StringRef getName(DataType type);

bool isFloat(DataType type);           // f16 ... f64, bf16, f8, f4
bool isSignedInteger(DataType type);   // int4 ... int64
bool isUnsignedInteger(DataType type); // uint4 ... uint64; not bool

/// The data type of an MLIR element type (`index` counts as Int64); nullopt if
/// ONNX has none for it.
std::optional<DataType> getDataType(Type elementType);

/// The MLIR element type: signless for int8 ... int64 and bool (`i1`), unsigned
/// for uint8 ... uint64. Null for strings and Undefined, which have none.
Type getElementType(MLIRContext *context, DataType type);

} // namespace mlir::nn

#endif // NN_SUPPORT_DATATYPE_H
