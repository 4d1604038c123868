//===- Plan.h - what a compressed model computes in -------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_COMPRESS_PLAN_H
#define NN_COMPRESS_PLAN_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mlir::nn {

/// What a region of the model is computed in.
enum class Precision {
  Float,       ///< "float": as in the model
  Int8,        ///< "int8": weights and activations of 8 bits, sums of 32
  Int8Weights, ///< "int8-weights": weights of 8 bits, computed in float
  Int4Weights  ///< "int4-weights": weights of 4 bits, with scales for blocks; in float
};
StringRef getName(Precision precision);

/// What calibration saw of a tensor.
struct TensorStatistics {
  /// The range that 8 bits cover; what lies outside is clamped.
  double min = 0, max = 0;
  /// The mean of each channel, for tensors that products read; else empty.
  std::vector<double> means;
};

struct RegionPlan {
  /// The ONNX tensor that the product, or the lookup in a table, gives.
  std::string tensor;
  Precision precision = Precision::Float;
  /// Evidence, for readers: the error of the model's outputs if this region alone is
  /// computed in 8 bits, relative to their size; and why the precision was chosen.
  std::optional<double> error = std::nullopt;
  /// Microseconds of a run that the region takes in the model in float, in the one that is all
  /// in 8 bits, and in the one whose weights are.
  std::optional<double> floatUs = std::nullopt, int8Us = std::nullopt,
                        weightsUs = std::nullopt;
  std::string why = {};
};

/// Decisions for the regions of a model (Regions.h), and what is needed to carry them
/// out. A text file in JSON:
///
///     {"version": 1,
///      "regions": [{"tensor": "conv1_out", "precision": "int8", "error": 0.01,
///                   "why": "..."}],
///      "scales": {"layer_norm_out": [1.5, 0.7]},
///      "tensors": {"images": {"min": -1.0, "max": 1.0, "means": [0.1, 0.0, -0.1]}}}
///
/// Regions that it does not name stay in float. Equal plans give equal bytes.
struct CompressionPlan {
  std::vector<RegionPlan> regions;
  /// What the channels of products' inputs are divided by, and their weights multiplied
  /// with, before they are quantized (Scales.cpp). The tensor that is read then has the
  /// name of the input and ".scaled".
  std::map<std::string, std::vector<double>> scales;
  std::map<std::string, TensorStatistics> tensors;

  /// Errors name the file and what is wrong in it.
  static llvm::Expected<CompressionPlan> read(StringRef path);
  llvm::Error write(StringRef path) const;

  Precision getPrecision(StringRef tensor) const;
};

} // namespace mlir::nn

#endif // NN_COMPRESS_PLAN_H
