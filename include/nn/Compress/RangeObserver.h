//===- RangeObserver.h - the ranges of tensors ------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_COMPRESS_RANGEOBSERVER_H
#define NN_COMPRESS_RANGEOBSERVER_H

#include "nn/Support/HostTensor.h"

namespace mlir::nn {

/// How the range that 8 bits cover is found.
enum class CalibrationMethod {
  MinMax,     ///< all that was seen
  Percentile, ///< all but the outermost parts
  MSE,        ///< the least mean squared error of quantization
  Entropy     ///< the least Kullback-Leibler divergence of the histograms
};

/// The range, and a histogram in bounded memory, of all elements that a tensor of f32 had.
class RangeObserver {
public:
  /// `channelAxis`: the dimension about whose entries more is wanted; -1: none.
  explicit RangeObserver(int64_t channelAxis = -1) : channelAxis(channelAxis) {}

  /// False if there is a NaN or an infinity, which no range covers.
  bool observe(const HostTensor &tensor);

  bool isEmpty() const { return count == 0; }
  std::vector<double> getMeans() const;
  /// The largest absolute value of each channel.
  const std::vector<double> &getLargest() const { return largest; }

  /// The range for 8 bits, which has 0 in it. `percentile`: of the elements that Percentile
  /// covers, e.g. 99.99.
  std::pair<double, double> getRange(CalibrationMethod method, double percentile) const;

private:
  static constexpr int64_t kBins = 4096;

  void growTo(double size);
  double getCenter(int64_t bin) const { return (bin + 0.5) * width() - limit; }
  double width() const { return 2 * limit / kBins; }
  std::pair<double, double> findPercentile(double percentile) const;
  std::pair<double, double> shrink(function_ref<double(double, double)> getCost) const;
  double getSquaredError(double low, double high) const;
  double getDivergence(double low, double high) const;

  int64_t channelAxis;
  double low = 0, high = 0;
  /// The bins cover [-limit, limit]; a power of two, 0 for no bins.
  double limit = 0;
  std::vector<double> bins;
  int64_t count = 0;
  std::vector<double> sums, largest;
  int64_t perChannel = 0;
};

} // namespace mlir::nn

#endif // NN_COMPRESS_RANGEOBSERVER_H
