//===- KernelTable.h - kernels by their code --------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Deduplicates kernels by body, so that repeated layers share one kernel, which is
// compiled once and stays in the instruction cache. Kernels are functions with the
// attribute "nn.kernel", which names their kind.
//
//===----------------------------------------------------------------------===//

#ifndef NN_KERNELS_KERNELTABLE_H
#define NN_KERNELS_KERNELTABLE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include <unordered_map>

namespace mlir::nn {

/// The kernels of a module; valid as long as nobody else adds or erases functions.
class KernelTable {
public:
  explicit KernelTable(ModuleOp module);

  /// Adds a new function of the module: names it `<prefix>_<number>`, or erases it if
  /// there is one with the same body, kind and other attributes. Returns the kernel to
  /// call, and whether it is the new one.
  std::pair<func::FuncOp, bool> add(func::FuncOp kernel, StringRef prefix);

private:
  SymbolTable symbols;
  /// Those whose bodies have the same hash.
  std::unordered_map<size_t, SmallVector<func::FuncOp, 1>> byBody;
  llvm::StringMap<int> next;
};

} // namespace mlir::nn

#endif // NN_KERNELS_KERNELTABLE_H
