//===- LLVMMachine.h - LLVM's code generators -------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Private to this folder.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_TARGET_LLVMMACHINE_H
#define NN_LIB_TARGET_LLVMMACHINE_H

#include "nn/Target/CPU.h"
#include "mlir/IR/Location.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/IR/PassManager.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"

namespace mlir::nn {

/// The generator of code for a processor, as LLVM calls it. Null if there is none, which is
/// reported. Products and sums may be fused.
std::unique_ptr<llvm::TargetMachine> createX86Machine(const CodeVariant &variant,
                                                      Location loc);
std::unique_ptr<llvm::TargetMachine> createGPUMachine(StringRef processor, Location loc);

/// Appends machine code or assembly text.
LogicalResult emitCode(llvm::Module &module, llvm::TargetMachine &machine,
                       llvm::CodeGenFileType type, SmallVectorImpl<char> &bytes,
                       Location loc);

/// What LLVM's passes ask; all of it is registered.
struct LLVMAnalyses {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;

  void registerIn(llvm::PassBuilder &builder);
};

} // namespace mlir::nn

#endif // NN_LIB_TARGET_LLVMMACHINE_H
