//===- Rounding.h - weights of few bits -------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_COMPRESS_ROUNDING_H
#define NN_LIB_COMPRESS_ROUNDING_H

#include "ErrorFeedback.h"
#include "nn/Compress/Regions.h"

namespace mlir::nn {

/// Integers and their scales, for a matrix of depth x columns.
struct RoundedWeights {
  int bits = 8;
  Matrix integers;
  /// One row for all rows of `integers`, or one for `block` of them.
  Matrix scales;
  int64_t block = 0;

  bool isInt4() const { return bits == 4; }
  double getScale(int64_t row, int64_t column) const {
    return scales[block ? row / block : 0][column];
  }
  Matrix getValues() const;
};

/// Each to the nearest number of 8 bits with a scale for the column, or of 4 with one for
/// `kInt4Block` rows of it.
RoundedWeights roundToNearest(const Matrix &weights, int bits);

/// Each weight makes up for the errors of those before it (GPTQ: E. Frantar et al., ICLR 2023),
/// unless the nearest numbers turn out better: judged by what the product of inputs with these
/// second moments loses.
RoundedWeights roundWeights(const Matrix &weights, int bits, const Matrix &moments,
                            const InverseMoments &inverse);

/// The weights in f32, of `region.weight`, a constant of the integers, which is depth x columns
/// where scales are for blocks.
Value dequantize(OpBuilder &builder, Location loc, const ProductRegion &region,
                 const RoundedWeights &rounded);

} // namespace mlir::nn

#endif // NN_LIB_COMPRESS_ROUNDING_H
