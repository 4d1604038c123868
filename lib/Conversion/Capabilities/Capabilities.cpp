//===- Capabilities.cpp - what each back end can run ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Conversion/Capabilities.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static std::string print(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

bool TypeSet::contains(Type elementType) const {
  if (isa<StringType>(elementType)) // in a program
    return contains(DataType::Int64);
  std::optional<DataType> type = getDataType(elementType);
  return type && contains(*type);
}

std::string TypeSet::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::ListSeparator separator;
  auto add = [&](DataType type, StringRef keyword) {
    if (contains(type))
      os << separator << keyword;
  };
#define NN_FLOAT_TYPE(number, Enum, name, bits, dlpack, keyword, Class)                  \
  add(DataType::Enum, #keyword);
#define NN_INTEGER_TYPE(number, Enum, name, bits, dlpack, keyword)                       \
  add(DataType::Enum, #keyword);
#include "runtime/abi/element_types.def"
  return text;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

std::string Gap::str() const {
  std::string text = constraint;
  if (!seen.empty())
    text += "; seen: " + seen;
  if (!accepted.empty())
    text += "; accepted: " + accepted;
  return text;
}

std::optional<Gap> nn::findGap(const Capability &row, Operation *op) {
  Value data = row.data < 0 ? Value(op->getResult(0)) : op->getOperand(row.data);
  if (auto type = dyn_cast<RankedTensorType>(data.getType())) {
    if (!row.types.contains(type.getElementType()))
      return Gap{Gap::Type, "the element type is supported",
                 print(type.getElementType()), row.types.str()};
    if (type.getRank() < row.minRank || type.getRank() > row.maxRank) {
      std::string ranks = std::to_string(row.minRank);
      if (row.maxRank == INT64_MAX)
        ranks += " or more";
      else if (row.maxRank != row.minRank)
        ranks += " to " + std::to_string(row.maxRank);
      return Gap{Gap::Rank, "the rank is supported",
                 "rank " + std::to_string(type.getRank()), ranks};
    }
  }
  for (const Condition &condition : row.conditions)
    if (std::optional<std::string> seen = condition.getViolation(op))
      return Gap{Gap::Form, condition.constraint.str(), *seen,
                 condition.accepted.str()};
  return std::nullopt;
}
