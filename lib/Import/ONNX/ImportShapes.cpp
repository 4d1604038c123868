//===- ImportShapes.cpp - shapes while a model is imported ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ImportShapes.h"
#include "dialects/NN/IR/ShapeRanges.h"
#include "nn/Interpreter/Interpreter.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

Dims ImportShapes::getDims(Value tensor) {
  auto it = dims.find(tensor);
  return it != dims.end() ? it->second : ShapeEnv::getDims(tensor);
}

Contents ImportShapes::getKnownContents(Value tensor) {
  auto it = contents.find(tensor);
  return it != contents.end() ? Contents(it->second)
                              : ShapeEnv::getContents(tensor);
}

static bool areConstant(const Dims &contents) {
  return llvm::all_of(contents, [](Dim dim) { return getConstant(dim).has_value(); });
}

Contents ImportShapes::getContents(Value tensor) {
  Contents known = getKnownContents(tensor);
  if (!known || areConstant(*known))
    return known;
  std::optional<HostTensor> value = evaluate(tensor);
  if (!value)
    return known;
  Dims elements;
  for (int64_t element : value->toInts())
    elements.push_back(constant(element));
  return elements;
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

/// Larger tensors are data.
static constexpr int64_t maxEvaluated = 64;
/// What is computed in more steps from what is known is not followed. Values that were
/// asked for before count as known.
static constexpr unsigned maxDepth = 100;

std::optional<HostTensor> ImportShapes::evaluate(Value tensor) {
  return evaluate(tensor, maxDepth);
}

std::optional<HostTensor> ImportShapes::evaluate(Value tensor, unsigned depth) {
  auto it = evaluated.find(tensor);
  if (it != evaluated.end())
    return it->second;
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() > maxEvaluated)
    return std::nullopt;
  std::optional<HostTensor> value = interpret(tensor, depth);
  evaluated[tensor] = value;
  return value;
}

std::optional<HostTensor> ImportShapes::interpret(Value tensor, unsigned depth) {
  auto type = cast<RankedTensorType>(tensor.getType());
  Operation *op = tensor.getDefiningOp();
  if (auto constant = dyn_cast_or_null<ConstantOp>(op)) {
    FailureOr<HostTensor> value = toHostTensor(constant.getValue());
    return succeeded(value) ? std::optional(*value) : std::nullopt;
  }
  std::optional<DataType> dataType = getDataType(type.getElementType());
  Contents known = getKnownContents(tensor);
  if (dataType && known && areConstant(*known)) {
    HostTensor value = HostTensor::allocate(*dataType, type.getShape());
    bool isBool = type.getElementType().isInteger(1);
    for (auto [index, element] : llvm::enumerate(*known)) {
      int64_t number = *getConstant(element);
      value.setInt(index, isBool ? number != 0 : number);
    }
    return value;
  }
  if (!op || depth == 0 || !canInterpret(op) || !isPure(op))
    return std::nullopt;
  HostTensors operands, results;
  for (Value operand : op->getOperands()) {
    std::optional<HostTensor> value = evaluate(operand, depth - 1);
    if (!value)
      return std::nullopt;
    operands.push_back(*value);
  }
  std::string error;
  if (failed(interpretOp(op, operands, results, error)))
    return std::nullopt;
  return results[cast<OpResult>(tensor).getResultNumber()];
}

//===----------------------------------------------------------------------===//
// Names and results
//===----------------------------------------------------------------------===//

void ImportShapes::nameDims(Value argument, ArrayRef<std::string> dimNames) {
  Dims named = ShapeEnv::getDims(argument);
  for (auto [dim, name] : llvm::zip(named, dimNames)) {
    if (name.empty())
      continue;
    auto [it, inserted] = symbols.try_emplace(name, dim);
    if (inserted)
      names[dim] = it->getKey();
    dim = it->getValue();
  }
  dims[argument] = std::move(named);
}

StringRef ImportShapes::getDimName(Value tensor, int64_t index) {
  return names.lookup(getDims(tensor)[index]);
}

void ImportShapes::setDims(Value tensor, Dims newDims) {
  for (auto [index, dim] : llvm::enumerate(newDims))
    if (getSize(dim) >= limit)
      dim = getSymbol({Symbol::Dimension, tensor, int64_t(index), {}, {}, {}});
  dims[tensor] = std::move(newDims);
}

void ImportShapes::setContents(Value tensor, Contents newContents) {
  newContents = wrapContents(*this, tensor, newContents);
  if (!newContents)
    return;
  for (auto [index, dim] : llvm::enumerate(*newContents))
    if (getSize(dim) >= limit)
      dim = getSymbol({Symbol::Element, tensor, int64_t(index), {}, {}, {}});
  contents[tensor] = std::move(*newContents);
}

unsigned ImportShapes::getSize(Dim dim) {
  auto it = sizes.find(dim);
  if (it != sizes.end())
    return it->second;
  unsigned size = 1;
  // The sizes of parts are already limited, so the recursion is not deep.
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(dim)) {
    size += getSize(binary.getLHS()) + getSize(binary.getRHS());
  } else if (auto symbol = dyn_cast<AffineSymbolExpr>(dim)) {
    const Symbol definition = getDefinition(symbol.getPosition());
    for (Dim part : {definition.a, definition.b, definition.c})
      if (part)
        size += getSize(part);
  }
  size = std::min(size, limit);
  sizes[dim] = size;
  return size;
}
