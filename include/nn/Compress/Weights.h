//===- Weights.h - fewer and fewer distinct weights -------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_COMPRESS_WEIGHTS_H
#define NN_COMPRESS_WEIGHTS_H

#include "mlir/Support/LLVM.h"
#include <cstdint>
#include <string>
#include <vector>

namespace mlir::nn {

/// Which weights become 0 together.
enum class SparsityPattern {
  Elements, ///< each on its own: the smallest file
  Blocks,   ///< those of 16 result channels for one input channel and tap: also faster
  FourBlocks, ///< those of 16 result channels for four of an input: faster in 8 bits, too
  Channels, ///< all that read a channel, which is then removed: smaller and faster anywhere
  TwoOfFour ///< two of four input channels: for processors that have products of such weights
};

/// What is done to the weights of products and convolutions (those without groups).
struct WeightOptions {
  /// The part of all these weights that becomes 0, from 0 to below 1. Which ones, in which
  /// layers, is decided by what the layers' results lose. A half, for TwoOfFour.
  double sparsity = 0;
  SparsityPattern pattern = SparsityPattern::Elements;
  /// A tensor has up to 2^clusterBits distinct values, with 0; 0: any. At most 8.
  int clusterBits = 0;
  /// Weights are rounded to so many bits, 8 or 4, such that they make up for each other's errors
  /// (Rounding.h); 0: they are not, and the plan rounds each to the nearest number.
  int roundingBits = 0;

  bool changeWeights() const { return sparsity > 0 || clusterBits > 0 || roundingBits > 0; }
};

/// What the weights of a region are.
struct WeightStatistics {
  std::string tensor; ///< The region's name.
  int64_t weights = 0, kept = 0, values = 0;
  /// Of a weight, if it is coded by the frequencies of the values (entropy); 32 where there
  /// are more values than a codebook has.
  double bits = 32;
};

} // namespace mlir::nn

#endif // NN_COMPRESS_WEIGHTS_H
