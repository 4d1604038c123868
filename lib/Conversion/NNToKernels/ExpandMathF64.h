//===- ExpandMathF64.h - functions of f64 -----------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_CONVERSION_NNTOKERNELS_EXPANDMATHF64_H
#define NN_LIB_CONVERSION_NNTOKERNELS_EXPANDMATHF64_H

namespace mlir {
class RewritePatternSet;
}

namespace mlir::nn {

/// exp, expm1, log, log1p, sinh, tanh, asinh, acosh, atanh, sin, cos, atan, asin, acos
/// and erf of f64, and remainders of all floats, as arithmetic.
void populateExpandF64Patterns(RewritePatternSet &patterns);

} // namespace mlir::nn

#endif // NN_LIB_CONVERSION_NNTOKERNELS_EXPANDMATHF64_H
