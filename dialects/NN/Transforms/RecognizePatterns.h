//===- RecognizePatterns.h - operators that exporters took apart -*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The patterns of nn-recognize-patterns, by subject.
//
//===----------------------------------------------------------------------===//

#ifndef NN_TRANSFORMS_RECOGNIZEPATTERNS_H
#define NN_TRANSFORMS_RECOGNIZEPATTERNS_H

#include "dialects/NN/IR/NN.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::nn {

/// Gelu, swish, hard_swish, hard_sigmoid.
void populateRecognizeActivations(RewritePatternSet &patterns);
/// Layer normalization, and its bias.
void populateRecognizeLayerNorm(RewritePatternSet &patterns);

/// Whether patterns may become operators. Attributes are f32 and some constants are
/// recognized by six digits, which would show in f64.
inline bool hasPatterns(RankedTensorType type) {
  return isa<FloatType>(type.getElementType()) && !type.getElementType().isF64();
}

} // namespace mlir::nn

#endif // NN_TRANSFORMS_RECOGNIZEPATTERNS_H
