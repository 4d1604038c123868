//===- CodeGen.h - from the LLVM dialect to machine code --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TARGET_CODEGEN_H
#define NN_TARGET_CODEGEN_H

#include "mlir/IR/BuiltinOps.h"
#include "nn/Target/CPU.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace mlir::nn {

/// Translates a module of the LLVM dialect and optimizes it for the variant.
/// Null after an error, which was reported.
std::unique_ptr<llvm::Module> translateToLLVMIR(ModuleOp module,
                                                const CodeVariant &variant,
                                                llvm::LLVMContext &context);

/// Writes an object file. Fails with a message if the code needs a symbol that
/// libc does not have.
LogicalResult emitObject(llvm::Module &llvmModule, const CodeVariant &variant,
                         llvm::SmallVectorImpl<char> &object, Location loc);

/// Links object files to a shared library, in this process.
LogicalResult linkSharedLibrary(ArrayRef<std::string> objectFiles,
                                StringRef output, Location loc);

} // namespace mlir::nn

#endif // NN_TARGET_CODEGEN_H
