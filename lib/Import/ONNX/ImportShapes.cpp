//===- ImportShapes.cpp - shapes while a model is imported ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ImportShapes.h"
#include "dialects/NN/IR/ShapeRanges.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

Dims ImportShapes::getDims(Value tensor) {
  auto it = dims.find(tensor);
  return it != dims.end() ? it->second : ShapeEnv::getDims(tensor);
}

Contents ImportShapes::getContents(Value tensor) {
  auto it = contents.find(tensor);
  return it != contents.end() ? Contents(it->second)
                              : ShapeEnv::getContents(tensor);
}

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
  // Parts are limited already when they are made, so this is not deep.
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
