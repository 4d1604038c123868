//===- KernelTable.cpp - kernels by their code ----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Kernels/KernelTable.h"
#include "mlir/IR/AsmState.h"

using namespace mlir;
using namespace mlir::nn;

/// The function without its name and without locations.
static std::string print(func::FuncOp kernel) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << kernel.getFunctionType();
  for (NamedAttribute attribute : kernel->getDiscardableAttrs())
    stream << attribute.getName() << attribute.getValue();
  // Without a state of its own, printing a block numbers the values of the whole module.
  AsmState state(kernel, OpPrintingFlags().useLocalScope());
  for (Block &block : kernel.getBody())
    block.print(stream, state);
  return text;
}

KernelTable::KernelTable(ModuleOp module) : symbols(module) {
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr("nn.kernel"))
      byCode.try_emplace(print(function), function);
}

std::pair<func::FuncOp, bool> KernelTable::add(func::FuncOp kernel,
                                               StringRef prefix) {
  auto [entry, isNew] = byCode.try_emplace(print(kernel), kernel);
  if (!isNew) {
    kernel.erase();
    return {entry->second, false};
  }
  std::string name;
  do
    name = (prefix + "_" + Twine(next[prefix]++)).str();
  while (symbols.lookup(name));
  kernel.setSymName(name);
  symbols.insert(kernel);
  return {kernel, true};
}
