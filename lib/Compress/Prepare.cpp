//===- Prepare.cpp - from an imported model to a quantized one ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Pass/PassManager.h"
#include "nn/Compress/Passes.h"
#include "nn/Pipelines/CompileGuard.h"
#include "nn/Pipelines/Pipelines.h"
#include "nn/Support/UserError.h"

using namespace mlir;
using namespace mlir::nn;

LogicalResult nn::prepareForCompression(ModuleOp module) {
  PassManager pm(module.getContext());
  pm.enableVerifier(false);
  buildPreparation(pm);
  return runGuarded(module.getContext(), "the preparation for compression",
                    [&] { return pm.run(module); });
}

LogicalResult nn::carryOutPlan(ModuleOp module, const CompressionPlan &plan, StringRef file) {
  std::vector<std::string> problems = applyPlan(module, plan).problems;
  for (const std::string &problem : problems)
    emitUserError(module.getLoc())
        << "the plan '" << file << "' does not fit the model: " << problem;
  return success(problems.empty());
}

LogicalResult nn::compressByPlan(ModuleOp module, StringRef file) {
  llvm::Expected<CompressionPlan> plan = CompressionPlan::read(file);
  if (!plan) {
    emitUserError(module.getLoc()) << llvm::toString(plan.takeError());
    return failure();
  }
  return success(succeeded(prepareForCompression(module)) &&
                 succeeded(carryOutPlan(module, *plan, file)));
}
