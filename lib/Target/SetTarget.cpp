//===- SetTarget.cpp - say what a module is compiled for ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Target/Passes.h"
#include "nn/Target/Target.h"

namespace mlir::nn {
#define GEN_PASS_DEF_SETTARGET
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
struct SetTargetPass : nn::impl::SetTargetBase<SetTargetPass> {
  using SetTargetBase::SetTargetBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (ifMissing && module->hasAttr("nn.target"))
      return;
    llvm::Expected<TargetAttr> parsed = parseTarget(module.getContext(), target);
    if (!parsed) {
      module.emitError(llvm::toString(parsed.takeError()));
      return signalPassFailure();
    }
    module->setAttr("nn.target", *parsed);
  }
};
} // namespace
