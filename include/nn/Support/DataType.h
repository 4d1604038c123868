//===- DataType.h - ONNX's element types ------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_DATATYPE_H
#define NN_SUPPORT_DATATYPE_H

#include "mlir/IR/Types.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace mlir::nn {

/// Element types, with the numbers of ONNX's TensorProto.DataType.
enum class DataType : int32_t {
  Undefined = 0,
#define NN_ELEMENT_TYPE(number, Enum, name, bits, dlpack) Enum = number,
#define NN_STRING_TYPE(number, Enum, name) Enum = number,
#include "runtime/abi/element_types.def"
};

/// All of them but Undefined, in the order in which lists of types are printed.
ArrayRef<DataType> getAllDataTypes();

/// True if `number` is one of the above, other than Undefined.
bool isKnownDataType(int32_t number);

/// Bytes per element on the host, where elements of less than 8 bits take a byte each. 0
/// for strings.
unsigned getByteSize(DataType type);
/// Bits per element in files and in tensors of nnrt.h. 0 for strings.
unsigned getBitWidth(DataType type);
/// Whether several elements share a byte in files and in tensors of nnrt.h, the first in
/// the lowest bits.
bool isPacked(DataType type);
/// The bytes of `count` elements in files and in tensors of nnrt.h; not for strings.
uint64_t getPackedBytes(DataType type, uint64_t count);

/// What users read: "float32", "bfloat16", "bool", ...
llvm::StringRef getName(DataType type);

bool isFloat(DataType type);           // f16 ... f64, bf16, f8, f4
bool isSignedInteger(DataType type);   // int2 ... int64
bool isUnsignedInteger(DataType type); // uint2 ... uint64; not bool
bool isComplex(DataType type);

/// True for small types, floats of 8 bits or less and 4-bit and 2-bit integers: numbers
/// are stored in them, but not computed with.
bool isSmall(DataType type);
/// The type in which a small type is stored on the host and in compiled code: int8 for
/// signed integers (the same numbers), uint8 for unsigned ones and for the bits of floats.
/// Other types are stored as themselves.
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
