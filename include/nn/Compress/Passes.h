//===- Passes.h - compression -----------------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_COMPRESS_PASSES_H
#define NN_COMPRESS_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "nn/Compress/Plan.h"

namespace mlir::nn {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "nn/Compress/Passes.h.inc"

/// How many regions and activations a plan quantized.
struct AppliedPlan {
  unsigned regions = 0, activations = 0;
  /// What of the plan could not be carried out, a sentence each.
  std::vector<std::string> problems;
};

/// Divides the channels of inputs as the plan says, for the products that it quantizes.
/// Returns what could not be done, a sentence each.
std::vector<std::string> applyScales(ModuleOp module, const CompressionPlan &plan);

/// Brings an imported model into the form that plans are about: simplified, with
/// normalizations folded into products. `nn-prepare-compression` in nn-opt.
LogicalResult prepareForCompression(ModuleOp module);

/// What nn-apply-plan does, on a prepared module.
AppliedPlan applyPlan(ModuleOp module, const CompressionPlan &plan);

/// Prepares the model and carries out the plan of a file. A plan that does not fit the model is
/// an error, and errors are reported through the context's diagnostics.
LogicalResult compressByPlan(ModuleOp module, StringRef file);
/// The same with a plan that was read, and a prepared module; `file` is for messages.
LogicalResult carryOutPlan(ModuleOp module, const CompressionPlan &plan, StringRef file);

} // namespace mlir::nn

#endif // NN_COMPRESS_PASSES_H
