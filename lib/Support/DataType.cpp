//===- DataType.cpp - ONNX's element types --------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/DataType.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
struct TypeRow {
  DataType type;
  const char *name;
  unsigned bits;
};
} // namespace

static constexpr TypeRow typeTable[] = {
    {DataType::Float32, "float32", 32},
    {DataType::UInt8, "uint8", 8},
    {DataType::Int8, "int8", 8},
    {DataType::UInt16, "uint16", 16},
    {DataType::Int16, "int16", 16},
    {DataType::Int32, "int32", 32},
    {DataType::Int64, "int64", 64},
    {DataType::String, "string", 0},
    {DataType::Bool, "bool", 8},
    {DataType::Float16, "float16", 16},
    {DataType::Float64, "float64", 64},
    {DataType::UInt32, "uint32", 32},
    {DataType::UInt64, "uint64", 64},
    {DataType::Complex64, "complex64", 64},
    {DataType::Complex128, "complex128", 128},
    {DataType::BFloat16, "bfloat16", 16},
    {DataType::Float8E4M3FN, "float8e4m3fn", 8},
    {DataType::Float8E4M3FNUZ, "float8e4m3fnuz", 8},
    {DataType::Float8E5M2, "float8e5m2", 8},
    {DataType::Float8E5M2FNUZ, "float8e5m2fnuz", 8},
    {DataType::UInt4, "uint4", 4},
    {DataType::Int4, "int4", 4},
    {DataType::Float4E2M1, "float4e2m1", 4},
    {DataType::Float8E8M0, "float8e8m0", 8},
    {DataType::UInt2, "uint2", 2},
    {DataType::Int2, "int2", 2},
};

bool nn::isKnownDataType(int32_t number) {
  // The table lists the types in the order of their numbers, from 1.
  return number >= 1 && number <= int32_t(std::size(typeTable));
}

static const TypeRow &getRow(DataType type) {
  assert(isKnownDataType(int32_t(type)) && "no such element type");
  return typeTable[int32_t(type) - 1];
}

unsigned nn::getBitWidth(DataType type) { return getRow(type).bits; }

unsigned nn::getByteSize(DataType type) { return (getBitWidth(type) + 7) / 8; }

StringRef nn::getName(DataType type) {
  return type == DataType::Undefined ? "undefined" : getRow(type).name;
}

bool nn::isFloat(DataType type) {
  switch (type) {
  case DataType::Float16:
  case DataType::Float32:
  case DataType::Float64:
  case DataType::BFloat16:
  case DataType::Float8E4M3FN:
  case DataType::Float8E4M3FNUZ:
  case DataType::Float8E5M2:
  case DataType::Float8E5M2FNUZ:
  case DataType::Float4E2M1:
  case DataType::Float8E8M0:
    return true;
  default:
    return false;
  }
}

bool nn::isSignedInteger(DataType type) {
  switch (type) {
  case DataType::Int2:
  case DataType::Int4:
  case DataType::Int8:
  case DataType::Int16:
  case DataType::Int32:
  case DataType::Int64:
    return true;
  default:
    return false;
  }
}

bool nn::isUnsignedInteger(DataType type) {
  switch (type) {
  case DataType::UInt2:
  case DataType::UInt4:
  case DataType::UInt8:
  case DataType::UInt16:
  case DataType::UInt32:
  case DataType::UInt64:
    return true;
  default:
    return false;
  }
}

bool nn::isPacked(DataType type) {
  return getBitWidth(type) > 0 && getBitWidth(type) < 8;
}

uint64_t nn::getPackedBytes(DataType type, uint64_t count) {
  if (!isPacked(type))
    return count * getByteSize(type);
  unsigned perByte = 8 / getBitWidth(type);
  return count / perByte + (count % perByte != 0);
}

bool nn::isSmall(DataType type) {
  return isPacked(type) || (isFloat(type) && getBitWidth(type) == 8);
}

DataType nn::getStorageType(DataType type) {
  if (!isSmall(type))
    return type;
  return isSignedInteger(type) ? DataType::Int8 : DataType::UInt8;
}

Type nn::getStorageOfSmallType(Type elementType) {
  std::optional<DataType> type = getDataType(elementType);
  if (!type || *type == DataType::Undefined || !isSmall(*type))
    return {};
  return getElementType(elementType.getContext(), getStorageType(*type));
}

std::optional<DataType> nn::getDataType(Type type) {
  if (type.isIndex())
    return DataType::Int64;
  if (auto integer = dyn_cast<IntegerType>(type)) {
    switch (integer.getWidth()) {
    case 1:
      return DataType::Bool;
    case 2:
      return integer.isUnsigned() ? DataType::UInt2 : DataType::Int2;
    case 4:
      return integer.isUnsigned() ? DataType::UInt4 : DataType::Int4;
    case 8:
      return integer.isUnsigned() ? DataType::UInt8 : DataType::Int8;
    case 16:
      return integer.isUnsigned() ? DataType::UInt16 : DataType::Int16;
    case 32:
      return integer.isUnsigned() ? DataType::UInt32 : DataType::Int32;
    case 64:
      return integer.isUnsigned() ? DataType::UInt64 : DataType::Int64;
    default:
      return std::nullopt;
    }
  }
  if (auto complex = dyn_cast<ComplexType>(type)) {
    if (complex.getElementType().isF32())
      return DataType::Complex64;
    if (complex.getElementType().isF64())
      return DataType::Complex128;
    return std::nullopt;
  }
  if (isa<Float32Type>(type))
    return DataType::Float32;
  if (isa<Float16Type>(type))
    return DataType::Float16;
  if (isa<Float64Type>(type))
    return DataType::Float64;
  if (isa<BFloat16Type>(type))
    return DataType::BFloat16;
  if (isa<Float8E4M3FNType>(type))
    return DataType::Float8E4M3FN;
  if (isa<Float8E4M3FNUZType>(type))
    return DataType::Float8E4M3FNUZ;
  if (isa<Float8E5M2Type>(type))
    return DataType::Float8E5M2;
  if (isa<Float8E5M2FNUZType>(type))
    return DataType::Float8E5M2FNUZ;
  if (isa<Float4E2M1FNType>(type))
    return DataType::Float4E2M1;
  if (isa<Float8E8M0FNUType>(type))
    return DataType::Float8E8M0;
  return std::nullopt;
}

Type nn::getElementType(MLIRContext *context, DataType type) {
  switch (type) {
  case DataType::Undefined:
  case DataType::String:
    return {};
  case DataType::Float32:
    return Float32Type::get(context);
  case DataType::Float16:
    return Float16Type::get(context);
  case DataType::Float64:
    return Float64Type::get(context);
  case DataType::BFloat16:
    return BFloat16Type::get(context);
  case DataType::Float8E4M3FN:
    return Float8E4M3FNType::get(context);
  case DataType::Float8E4M3FNUZ:
    return Float8E4M3FNUZType::get(context);
  case DataType::Float8E5M2:
    return Float8E5M2Type::get(context);
  case DataType::Float8E5M2FNUZ:
    return Float8E5M2FNUZType::get(context);
  case DataType::Float4E2M1:
    return Float4E2M1FNType::get(context);
  case DataType::Float8E8M0:
    return Float8E8M0FNUType::get(context);
  case DataType::Complex64:
    return ComplexType::get(Float32Type::get(context));
  case DataType::Complex128:
    return ComplexType::get(Float64Type::get(context));
  case DataType::Bool:
    return IntegerType::get(context, 1);
  case DataType::Int2:
    return IntegerType::get(context, 2);
  case DataType::Int4:
    return IntegerType::get(context, 4);
  case DataType::Int8:
    return IntegerType::get(context, 8);
  case DataType::Int16:
    return IntegerType::get(context, 16);
  case DataType::Int32:
    return IntegerType::get(context, 32);
  case DataType::Int64:
    return IntegerType::get(context, 64);
  case DataType::UInt2:
    return IntegerType::get(context, 2, IntegerType::Unsigned);
  case DataType::UInt4:
    return IntegerType::get(context, 4, IntegerType::Unsigned);
  case DataType::UInt8:
    return IntegerType::get(context, 8, IntegerType::Unsigned);
  case DataType::UInt16:
    return IntegerType::get(context, 16, IntegerType::Unsigned);
  case DataType::UInt32:
    return IntegerType::get(context, 32, IntegerType::Unsigned);
  case DataType::UInt64:
    return IntegerType::get(context, 64, IntegerType::Unsigned);
  }
  llvm_unreachable("all types are covered");
}
