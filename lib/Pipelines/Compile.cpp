//===- Compile.cpp - from a model to a library ----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Pipelines/Compile.h"
#include "mlir/IR/OwningOpRef.h"
#include "nn/Target/Library.h"

using namespace mlir;
using namespace mlir::nn;

/// Runs phases `first` to `last`.
static LogicalResult runPhases(ModuleOp module, Phase first, Phase last,
                               const PipelineOptions &pipelineOptions,
                               const CompileOptions &options) {
  PassManager pm(module.getContext());
  // Fails in programs that did not register the options: they have none.
  (void)applyPassManagerCLOptions(pm);
  if (options.timing)
    pm.enableTiming();
  for (int phase = int(first); phase <= int(last); ++phase)
    buildPhase(pm, Phase(phase), pipelineOptions);
  return pm.run(module);
}

/// Lowers an optimized module for one variant. Lists of weights and kernels go
/// on from `previous`, the module of the variant before, if there is one.
static FailureOr<OwningOpRef<ModuleOp>>
lowerVariant(ModuleOp optimized, ModuleOp previous, const CodeVariant &variant,
             const CompileOptions &options) {
  OwningOpRef<ModuleOp> module(optimized.clone());
  if (previous)
    for (StringRef list : {"nn.weights", "nn.kernels", "nn.needs_onednn"})
      if (Attribute attribute = previous->getAttr(list))
        (*module)->setAttr(list, attribute);
  PipelineOptions pipelineOptions;
  pipelineOptions.variant = variant;
  pipelineOptions.preferOneDNN = options.preferOneDNN;
  if (failed(runPhases(*module, Phase::Place, Phase::LLVM, pipelineOptions, options)))
    return failure();
  return module;
}

LogicalResult nn::compileToLibrary(ModuleOp module, StringRef path,
                                   const CompileOptions &options) {
  if (failed(runPhases(module, Phase::Optimize, Phase::Fuse, {}, options)))
    return failure();
  FailureOr<nnrt::Manifest> manifest = describeModel(module);
  if (failed(manifest))
    return failure();
  std::vector<CompiledVariant> compiled;
  OwningOpRef<ModuleOp> lowered;
  for (const CodeVariant &variant : options.variants) {
    FailureOr<OwningOpRef<ModuleOp>> next =
        lowerVariant(module, lowered ? *lowered : ModuleOp(), variant, options);
    if (failed(next))
      return failure();
    lowered = std::move(*next);
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> llvmModule =
        translateToLLVMIR(*lowered, variant, context);
    if (!llvmModule)
      return failure();
    compiled.push_back(describeVariant(*lowered, variant));
    if (failed(emitObject(*llvmModule, variant, compiled.back().object,
                          module.getLoc())))
      return failure();
  }
  return writeLibrary(*lowered, std::move(*manifest), compiled, path);
}

/// LLVM IR of the first variant.
static std::unique_ptr<llvm::Module>
compileFirstVariant(ModuleOp module, const CompileOptions &options,
                    llvm::LLVMContext &context) {
  if (failed(runPhases(module, Phase::Optimize, Phase::Fuse, {}, options)))
    return nullptr;
  FailureOr<OwningOpRef<ModuleOp>> lowered =
      lowerVariant(module, {}, options.variants.front(), options);
  if (failed(lowered))
    return nullptr;
  return translateToLLVMIR(**lowered, options.variants.front(), context);
}

LogicalResult nn::compileToObject(ModuleOp module, llvm::raw_ostream &os,
                                  const CompileOptions &options) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule =
      compileFirstVariant(module, options, context);
  SmallVector<char, 0> object;
  if (!llvmModule || failed(emitObject(*llvmModule, options.variants.front(),
                                       object, module.getLoc())))
    return failure();
  os.write(object.data(), object.size());
  return success();
}

LogicalResult nn::compileToLLVMIR(ModuleOp module, llvm::raw_ostream &os,
                                  const CompileOptions &options) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule =
      compileFirstVariant(module, options, context);
  if (!llvmModule)
    return failure();
  llvmModule->print(os, nullptr);
  return success();
}
