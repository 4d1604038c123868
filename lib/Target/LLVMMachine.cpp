//===- LLVMMachine.cpp - LLVM's code generators ---------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "LLVMMachine.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include <mutex>

using namespace mlir;
using namespace mlir::nn;

static std::unique_ptr<llvm::TargetMachine>
createMachine(StringRef tripleText, StringRef processor, StringRef features,
              std::optional<llvm::Reloc::Model> relocation, Location loc) {
  std::string error;
  llvm::Triple triple(tripleText);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) {
    emitError(loc) << "LLVM cannot generate code for " << processor << ": " << error;
    return nullptr;
  }
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, processor, features, options, relocation, std::nullopt,
                                  llvm::CodeGenOptLevel::Aggressive));
}

std::unique_ptr<llvm::TargetMachine> nn::createX86Machine(const CodeVariant &variant,
                                                          Location loc) {
  static std::once_flag initialized;
  std::call_once(initialized, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
  auto [processor, features] = variant.splitFeatures();
  return createMachine("x86_64-unknown-linux-gnu", processor, features, llvm::Reloc::PIC_,
                       loc);
}

std::unique_ptr<llvm::TargetMachine> nn::createGPUMachine(StringRef processor,
                                                          Location loc) {
  static std::once_flag initialized;
  std::call_once(initialized, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  return createMachine("nvptx64-nvidia-cuda", processor, "", std::nullopt, loc);
}

LogicalResult nn::emitCode(llvm::Module &module, llvm::TargetMachine &machine,
                           llvm::CodeGenFileType type, SmallVectorImpl<char> &bytes,
                           Location loc) {
  llvm::raw_svector_ostream os(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, os, nullptr, type))
    return emitError(loc) << "LLVM cannot write code for "
                          << machine.getTargetTriple().str();
  passes.run(module);
  return success();
}

void LLVMAnalyses::registerIn(llvm::PassBuilder &builder) {
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
}
