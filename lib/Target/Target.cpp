//===- Target.cpp - what a model is compiled for --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Target/Target.h"

using namespace mlir;
using namespace mlir::nn;

llvm::Expected<TargetAttr> nn::parseTarget(MLIRContext *context, StringRef text) {
  auto [kind, list] = text.split(':');
  if (!symbolizeTargetKind(kind))
    return llvm::createStringError("unknown target '" + kind + "'; there is cpu");
  TargetAttr target = getPortableTarget(context);
  if (text.contains(':')) {
    SmallVector<StringAttr> processors;
    for (StringRef name : llvm::split(list, ',')) {
      llvm::Expected<CodeVariant> variant = getVariant(name);
      if (!variant)
        return variant.takeError();
      auto processor = StringAttr::get(context, variant->cpu);
      if (llvm::is_contained(processors, processor))
        return llvm::createStringError("target '" + text + "' has the processor '" +
                                       variant->cpu + "' twice");
      processors.push_back(processor);
    }
    target = TargetAttr::get(context, target.getKind(), processors, target.getLibraries());
  }
  return target;
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
