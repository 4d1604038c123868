//===- DataType.cpp - ONNX's element types --------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/DataType.h"
#include "mlir/IR/BuiltinTypes.h"
#include "runtime/include/nnrt/dlpack.h"
#include "llvm/ADT/STLExtras.h"
#include <array>

using namespace mlir;
using namespace mlir::nn;

namespace {
enum class Kind { Float, Signed, Unsigned, Bool, Complex, String };

struct TypeRow {
  DataType type;
  const char *name;
  unsigned bits;
  Kind kind;
};

constexpr Kind getIntegerKind(DLDataTypeCode code) {
  return code == kDLInt ? Kind::Signed : code == kDLUInt ? Kind::Unsigned : Kind::Bool;
}
} // namespace

static constexpr TypeRow typeTable[] = {
#define NN_FLOAT_TYPE(number, Enum, name, bits, dlpack, keyword, Class)                  \
  {DataType::Enum, name, bits, Kind::Float},
#define NN_INTEGER_TYPE(number, Enum, name, bits, dlpack, keyword)                       \
  {DataType::Enum, name, bits, getIntegerKind(dlpack)},
#define NN_STRING_TYPE(number, Enum, name) {DataType::Enum, name, 0, Kind::String},
#define NN_ELEMENT_TYPE(number, Enum, name, bits, dlpack)                                \
  {DataType::Enum, name, bits, Kind::Complex},
#include "runtime/abi/element_types.def"
};

static const TypeRow *findRow(int32_t number) {
  static const auto rows = [] {
    std::array<const TypeRow *, std::size(typeTable) + 1> byNumber = {};
    for (const TypeRow &row : typeTable)
      byNumber[int32_t(row.type)] = &row;
    return byNumber;
  }();
  return number >= 0 && size_t(number) < rows.size() ? rows[number] : nullptr;
}

bool nn::isKnownDataType(int32_t number) { return findRow(number); }

static const TypeRow &getRow(DataType type) {
  const TypeRow *row = findRow(int32_t(type));
  assert(row && "no such element type");
  return *row;
}

static bool isOfKind(DataType type, Kind kind) {
  const TypeRow *row = findRow(int32_t(type));
  return row && row->kind == kind;
}

ArrayRef<DataType> nn::getAllDataTypes() {
  static const auto types = [] {
    std::array<DataType, std::size(typeTable)> types;
    llvm::transform(typeTable, types.begin(), [](const TypeRow &row) { return row.type; });
    return types;
  }();
  return types;
}

unsigned nn::getBitWidth(DataType type) { return getRow(type).bits; }

unsigned nn::getByteSize(DataType type) { return (getBitWidth(type) + 7) / 8; }

StringRef nn::getName(DataType type) {
  return type == DataType::Undefined ? "undefined" : getRow(type).name;
}

bool nn::isFloat(DataType type) { return isOfKind(type, Kind::Float); }
bool nn::isSignedInteger(DataType type) { return isOfKind(type, Kind::Signed); }
bool nn::isUnsignedInteger(DataType type) { return isOfKind(type, Kind::Unsigned); }
bool nn::isComplex(DataType type) { return isOfKind(type, Kind::Complex); }

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
    Kind kind = integer.isUnsigned() ? Kind::Unsigned : Kind::Signed;
    if (integer.getWidth() == 1)
      return DataType::Bool;
    for (const TypeRow &row : typeTable)
      if (row.kind == kind && row.bits == integer.getWidth())
        return row.type;
    return std::nullopt;
  }
  if (auto complex = dyn_cast<ComplexType>(type)) {
    if (complex.getElementType().isF32())
      return DataType::Complex64;
    if (complex.getElementType().isF64())
      return DataType::Complex128;
    return std::nullopt;
  }
#define NN_FLOAT_TYPE(number, Enum, name, bits, dlpack, keyword, Class)                  \
  if (isa<Class##Type>(type))                                                            \
    return DataType::Enum;
#include "runtime/abi/element_types.def"
  return std::nullopt;
}

Type nn::getElementType(MLIRContext *context, DataType type) {
  switch (type) {
#define NN_FLOAT_TYPE(number, Enum, name, bits, dlpack, keyword, Class)                  \
  case DataType::Enum:                                                                   \
    return Class##Type::get(context);
#include "runtime/abi/element_types.def"
  case DataType::Complex64:
    return ComplexType::get(Float32Type::get(context));
  case DataType::Complex128:
    return ComplexType::get(Float64Type::get(context));
  case DataType::Bool:
    return IntegerType::get(context, 1);
  case DataType::Undefined:
  case DataType::String:
    return {};
  default: // integers
    return IntegerType::get(context, getBitWidth(type),
                            isUnsignedInteger(type) ? IntegerType::Unsigned
                                                    : IntegerType::Signless);
  }
}
