//===- KernelTable.cpp - kernels by their code ----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Kernels/KernelTable.h"
#include "llvm/ADT/Hashing.h"

using namespace mlir;
using namespace mlir::nn;

/// What kernels with the same body have alike: operations, and which values and blocks, by
/// their order, they refer to.
static size_t hashBody(func::FuncOp kernel) {
  llvm::hash_code hash = hash_value(kernel.getFunctionType());
  DenseMap<const void *, size_t> numbers;
  auto numberOf = [&](const void *object) {
    return numbers.try_emplace(object, numbers.size()).first->second;
  };
  kernel.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
    hash = llvm::hash_combine(hash, op->getName().getAsOpaquePointer(),
                              op->getDiscardableAttrDictionary(), op->hashProperties());
    for (Value operand : op->getOperands())
      hash = llvm::hash_combine(hash, numberOf(operand.getAsOpaquePointer()));
    for (Value result : op->getResults())
      hash = llvm::hash_combine(hash, numberOf(result.getAsOpaquePointer()),
                                result.getType());
    for (Block *successor : op->getSuccessors())
      hash = llvm::hash_combine(hash, numberOf(successor));
  });
  return hash;
}

/// Equal but for names and locations.
static bool areEqual(func::FuncOp a, func::FuncOp b) {
  return a.getFunctionType() == b.getFunctionType() &&
         a->getDiscardableAttrDictionary() == b->getDiscardableAttrDictionary() &&
         OperationEquivalence::isRegionEquivalentTo(&a.getBody(), &b.getBody(),
                                                    OperationEquivalence::IgnoreLocations);
}

KernelTable::KernelTable(ModuleOp module) : symbols(module) {
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr("nn.kernel"))
      byBody[hashBody(function)].push_back(function);
}

std::pair<func::FuncOp, bool> KernelTable::add(func::FuncOp kernel,
                                               StringRef prefix) {
  SmallVectorImpl<func::FuncOp> &alike = byBody[hashBody(kernel)];
  for (func::FuncOp other : alike)
    if (areEqual(kernel, other)) {
      kernel.erase();
      return {other, false};
    }
  alike.push_back(kernel);
  std::string name;
  do
    name = (prefix + "_" + Twine(next[prefix]++)).str();
  while (symbols.lookup(name));
  kernel.setSymName(name);
  symbols.insert(kernel);
  return {kernel, true};
}
