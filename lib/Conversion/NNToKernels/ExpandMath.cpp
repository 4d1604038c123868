//===- ExpandMath.cpp - nn-expand-math ------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "nn/Conversion/Passes.h"

namespace mlir::nn {
#define GEN_PASS_DEF_EXPANDMATH
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;

namespace {
class ExpandMath : public nn::impl::ExpandMathBase<ExpandMath> {
public:
  using ExpandMathBase::ExpandMathBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    // Functions by others, of any float type.
    math::populateExpansionPatterns(patterns, {"sinh", "cosh", "tan", "asinh",
                                               "acosh", "atanh", "powf", "exp2"});
    // MLIR has polynomials for f32, in which narrower types are computed. What has
    // an instruction stays, and so does rsqrt, whose polynomial needs AVX2.
    auto hasPolynomial = [](StringRef name) {
      return llvm::is_contained({"math.atan", "math.atan2", "math.tanh",
                                 "math.log", "math.log2", "math.log1p",
                                 "math.erf", "math.erfc", "math.asin",
                                 "math.acos", "math.exp", "math.expm1",
                                 "math.cbrt", "math.sin", "math.cos"},
                                name);
    };
    // Without AVX512_BF16, LLVM would call a library to narrow to bf16.
    arith::populateExpandBFloat16Patterns(patterns);
    populateMathF32ExpansionPatterns(patterns, hasPolynomial);
    populateMathPolynomialApproximationPatterns(patterns, hasPolynomial);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
