//===- Target.cpp - what a model is compiled for --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Target/Target.h"
#include "nn/Target/GPU.h"

using namespace mlir;
using namespace mlir::nn;

/// Checks the name of a processor, and returns it in full.
static llvm::Expected<std::string> checkProcessor(TargetKind kind, StringRef name) {
  if (kind == TargetKind::CUDA) {
    if (llvm::Error error = checkGPU(name))
      return std::move(error);
    return name.str();
  }
  llvm::Expected<CodeVariant> variant = getVariant(name);
  if (!variant)
    return variant.takeError();
  return variant->cpu;
}

llvm::Expected<TargetAttr> nn::parseTarget(MLIRContext *context, StringRef text) {
  auto [name, list] = text.split(':');
  std::optional<TargetKind> kind = symbolizeTargetKind(name);
  if (!kind)
    return llvm::createStringError("unknown target '" + name + "'; there are cpu and cuda");
  TargetAttr target =
      *kind == TargetKind::CUDA ? getAnyGPU(context) : getPortableTarget(context);
  if (!text.contains(':'))
    return target;
  SmallVector<StringAttr> processors;
  for (StringRef part : llvm::split(list, ',')) {
    llvm::Expected<std::string> known = checkProcessor(*kind, part);
    if (!known)
      return known.takeError();
    auto processor = StringAttr::get(context, *known);
    if (llvm::is_contained(processors, processor))
      return llvm::createStringError("target '" + text + "' has the processor '" + *known +
                                     "' twice");
    processors.push_back(processor);
  }
  return TargetAttr::get(context, *kind, processors, target.getLibraries());
}

TargetAttr nn::getTarget(ModuleOp module) {
  auto target = module->getAttrOfType<TargetAttr>("nn.target");
  return target ? target : getPortableTarget(module.getContext());
}

FailureOr<CodeVariant> nn::getVariant(ModuleOp module) {
  llvm::Expected<std::vector<CodeVariant>> variants = getVariants(getTarget(module));
  if (!variants)
    return module.emitError(llvm::toString(variants.takeError()));
  return variants->front();
}
