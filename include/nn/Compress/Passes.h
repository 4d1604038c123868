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
void applyScales(ModuleOp module, const CompressionPlan &plan);

/// What nn-apply-plan does. The module is as `simplify` leaves it, with normalizations
/// folded (Compress.h).
AppliedPlan applyPlan(ModuleOp module, const CompressionPlan &plan);

} // namespace mlir::nn

#endif // NN_COMPRESS_PASSES_H
