//===- PlainCode.h - code that is compiled in this process ------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_EXECUTION_PLAINCODE_H
#define NN_LIB_EXECUTION_PLAINCODE_H

#include "mlir/IR/TypeRange.h"
#include "nn/Execution/Buffer.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/Error.h"

namespace mlir::nn {

/// The function of a module that is called.
constexpr llvm::StringLiteral kPlainFunction = "f";
/// Functions whose names start with this receive a result: its number (index) and an
/// unranked memref. They have C wrappers.
constexpr llvm::StringLiteral kPlainGive = "nn_give";

/// The type of a result.
struct PlainResult {
  DataType type;
  bool isMemRef; ///< keeps its memory
};

/// Compiles LLVM IR with little optimization, and calls it.
class PlainCode {
public:
  /// Calls the function with the values that the pointers point to.
  using Entry = void (*)(void **);

  llvm::Expected<Entry> compile(std::unique_ptr<llvm::Module> module,
                                std::unique_ptr<llvm::LLVMContext> context);

  /// Calls compiled code. Memory that it allocates is filled with poison. A failed
  /// assertion is an error.
  static llvm::Expected<SmallVector<Datum>>
  call(Entry entry, TypeRange argumentTypes, ArrayRef<Datum> arguments,
       ArrayRef<PlainResult> results);

private:
  llvm::Error initialize();

  std::unique_ptr<llvm::orc::LLJIT> jit;
  unsigned numModules = 0;
};

} // namespace mlir::nn

#endif // NN_LIB_EXECUTION_PLAINCODE_H
