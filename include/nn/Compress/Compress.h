//===- Compress.h - plans by measurement ------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_COMPRESS_COMPRESS_H
#define NN_COMPRESS_COMPRESS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "nn/Compress/Plan.h"
#include "nn/Compress/RangeObserver.h"
#include "nn/Compress/Samples.h"
#include "nn/Compress/Weights.h"

namespace mlir::nn {

/// How far a compressed model's outputs are from the model's, over all samples.
struct Accuracy {
  /// The root of the sum of squared differences, relative to that of the outputs.
  double error = 0;
  double cosine = 1;
  /// In how many rows the largest element of the last dimension is the same one; of no
  /// rows if no output has such a dimension.
  size_t rows = 0, agreeing = 0;

  double getAgreement() const { return rows ? double(agreeing) / rows : 1; }
};

struct CompressionOptions {
  CalibrationMethod method = CalibrationMethod::MSE;
  double percentile = 99.99;
  /// What regions are computed in unless the budget says no. Float: nothing is quantized.
  Precision precision = Precision::Int8;
  /// What is done to the weights before that.
  WeightOptions weights;
  /// How much of the difference between the channels of a product's input goes into its
  /// weights, from 0 for nothing to 1 for all. Each is tried, and none; the one with the smallest
  /// error of the outputs is taken. (Scales.cpp says which inputs.)
  std::vector<double> smoothing = {0.5, 0.65, 0.8};
  /// The most that `Accuracy::error` may be; without one, all regions are quantized.
  std::optional<double> maxError;
  /// Find out what each region does to the outputs, for the report. With a budget this is
  /// found out if it is exceeded.
  bool sensitivity = false;
  /// Threads of the models that are measured; 0: one per core.
  int threads = 1;
  /// Measure times, and where 8 bits turn out slower than float, use them for weights only.
  bool timing = true;
};

/// What was found out.
struct CompressionReport {
  CompressionPlan plan;
  Accuracy accuracy;
  size_t samples = 0;
  /// Milliseconds of a run, medians of interleaved runs; 0: not measured.
  double floatMs = 0, compressedMs = 0;
  std::string calibration;
  /// Of the regions, if weights were changed.
  std::vector<WeightStatistics> weights;
};

/// Changes weights, if the options say so, calibrates, decides and measures. Nothing else
/// of the prepared module is changed. Errors are reported through the context's diagnostics
/// or returned.
llvm::Expected<CompressionReport> makePlan(ModuleOp module, Samples &samples,
                                           const CompressionOptions &options);

/// Measures a plan that is given: accuracy and time.
llvm::Expected<CompressionReport> measurePlan(ModuleOp module, Samples &samples,
                                              const CompressionPlan &plan,
                                              const CompressionOptions &options);

/// The report as Markdown, or as a page of HTML with plots. `sizes`: the bytes of the
/// model before and after.
std::string formatReport(const CompressionReport &report, StringRef model,
                         std::pair<uint64_t, uint64_t> sizes, bool html);

} // namespace mlir::nn

#endif // NN_COMPRESS_COMPRESS_H
