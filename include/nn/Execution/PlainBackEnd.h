//===- PlainBackEnd.h - executes upstream IR, to judge with -----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Compiles pieces of IR in this process with a fixed pipeline of upstream's lowerings to
// loops. It uses none of our passes and no optimization, so that it can judge what our
// passes make. Memory that the code allocates is filled with poison.
//
//===----------------------------------------------------------------------===//

#ifndef NN_EXECUTION_PLAINBACKEND_H
#define NN_EXECUTION_PLAINBACKEND_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "nn/Execution/Buffer.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace mlir::nn {

class PlainBackEnd {
public:
  PlainBackEnd();
  ~PlainBackEnd();

  /// Calls a function of upstream's dialects. Tensors and scalars are passed by
  /// value, memrefs by reference; memrefs that it returns keep their memory.
  llvm::Expected<SmallVector<Datum>> call(func::FuncOp function,
                                          ArrayRef<Datum> arguments);

  /// Executes one operation of upstream's dialects, with or without regions.
  /// `getValue` returns the datum of a value that is defined outside.
  llvm::Expected<SmallVector<Datum>>
  execute(Operation *op, llvm::function_ref<Datum(Value)> getValue);

private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation;
};

} // namespace mlir::nn

#endif // NN_EXECUTION_PLAINBACKEND_H
