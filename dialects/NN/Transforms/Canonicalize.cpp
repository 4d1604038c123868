//===- Canonicalize.cpp - canonicalization that keeps provenance ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/Transforms/Canonicalize.h"
#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "nn/Analysis/Provenance.h"

namespace mlir::nn {
#define GEN_PASS_DEF_CANONICALIZE
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

ArrayRef<std::string> nn::getWrongCanonicalizations() {
  // Gives what a loop carries the static type of its initial value, though ONNX's
  // loops may carry what grows. The name is as Clang and GCC spell it.
  static const std::string names[] = {"(anonymous namespace)::ForOpTensorCastFolder",
                                      "{anonymous}::ForOpTensorCastFolder"};
  return names;
}

namespace {
struct Canonicalize : nn::impl::CanonicalizeBase<Canonicalize> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet all(context);
    for (Dialect *dialect : context->getLoadedDialects())
      dialect->getCanonicalizationPatterns(all);
    for (RegisteredOperationName op : context->getRegisteredOperations())
      op.getCanonicalizationPatterns(all, context);
    patterns = FrozenRewritePatternSet(std::move(all), getWrongCanonicalizations());
    return success();
  }

  void runOnOperation() override {
    bool changed = false;
    // As in upstream's pass, it is not an error if patterns do not converge.
    (void)rewriteGreedily(getOperation(), patterns, &changed);
    if (!changed)
      markAllAnalysesPreserved();
  }

  FrozenRewritePatternSet patterns;
};
} // namespace
