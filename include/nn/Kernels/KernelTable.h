//===- KernelTable.h - kernels by their code --------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Functions marked by the attribute "nn.kernel", which says their kind, once for
// each code: layers that repeat share them, which is compiled and cached once.
//
//===----------------------------------------------------------------------===//

#ifndef NN_KERNELS_KERNELTABLE_H
#define NN_KERNELS_KERNELTABLE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::nn {

/// The kernels of a module; holds while no others add or erase functions.
class KernelTable {
public:
  explicit KernelTable(ModuleOp module);

  /// Takes a new function of the module: names it `<prefix>_<number>`, or erases
  /// it if there is one of the same code, kind and other attributes. Gives the
  /// kernel to call, and whether it is the new one.
  std::pair<func::FuncOp, bool> add(func::FuncOp kernel, StringRef prefix);

private:
  SymbolTable symbols;
  llvm::StringMap<func::FuncOp> byCode;
  llvm::StringMap<int> next;
};

} // namespace mlir::nn

#endif // NN_KERNELS_KERNELTABLE_H
