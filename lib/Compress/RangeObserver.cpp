//===- RangeObserver.cpp - the ranges of tensors --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Compress/RangeObserver.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::nn;

/// The steps of 8 bits.
static constexpr int64_t kSteps = 255;

//===----------------------------------------------------------------------===//
// Observation
//===----------------------------------------------------------------------===//

/// Doubles the range of the bins until it covers `size`. Pairs of bins become one, so
/// that nothing is counted twice or lost.
void RangeObserver::growTo(double size) {
  if (limit == 0) {
    limit = std::exp2(std::ceil(std::log2(size)));
    bins.assign(kBins, 0);
  }
  while (limit < size) {
    std::vector<double> wider(kBins, 0);
    for (int64_t i = 0; i < kBins; ++i)
      wider[kBins / 4 + i / 2] += bins[i];
    bins = std::move(wider);
    limit *= 2;
  }
}

bool RangeObserver::observe(const HostTensor &tensor) {
  ArrayRef<float> elements = tensor.get<float>();
  float least = 0, greatest = 0;
  bool isFinite = true;
  for (float x : elements) {
    isFinite &= std::isfinite(x);
    least = std::min(least, x);
    greatest = std::max(greatest, x);
  }
  if (!isFinite)
    return false;
  low = std::min<double>(low, least);
  high = std::max<double>(high, greatest);
  count += elements.size();
  if (double size = std::max(-low, high); size > std::numeric_limits<float>::min()) {
    growTo(size);
    double scale = 1 / width();
    for (float x : elements)
      ++bins[std::clamp<int64_t>((x + limit) * scale, 0, kBins - 1)];
  }
  if (channelAxis >= 0) {
    int64_t channels = tensor.getDim(channelAxis), inner = 1;
    for (int64_t dim : tensor.getDims().drop_front(channelAxis + 1))
      inner *= dim;
    sums.resize(channels, 0.0);
    largest.resize(channels, 0.0);
    for (size_t i = 0; i < elements.size(); ++i) {
      int64_t channel = i / inner % channels;
      sums[channel] += elements[i];
      largest[channel] = std::max<double>(largest[channel], std::fabs(elements[i]));
    }
    perChannel += channels ? elements.size() / channels : 0;
  }
  return true;
}

std::vector<double> RangeObserver::getMeans() const {
  std::vector<double> means = sums;
  for (double &mean : means)
    mean /= std::max<int64_t>(perChannel, 1);
  return means;
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

std::pair<double, double> RangeObserver::getRange(CalibrationMethod method,
                                                  double percentile) const {
  if (limit == 0 || method == CalibrationMethod::MinMax)
    return {low, high};
  if (method == CalibrationMethod::Percentile)
    return findPercentile(percentile);
  return shrink([&](double low, double high) {
    return method == CalibrationMethod::MSE ? getSquaredError(low, high)
                                            : getDivergence(low, high);
  });
}

std::pair<double, double> RangeObserver::findPercentile(double percentile) const {
  double total = 0;
  for (double bin : bins)
    total += bin;
  double tail = total * (1 - percentile / 100) / 2;
  int64_t first = 0, last = kBins - 1;
  for (double sum = bins[first]; sum <= tail && first < kBins - 1; sum += bins[++first])
    ;
  for (double sum = bins[last]; sum <= tail && last > 0; sum += bins[--last])
    ;
  return {std::min(0.0, std::max(low, getCenter(first) - width() / 2)),
          std::max(0.0, std::min(high, getCenter(last) + width() / 2))};
}

/// The range of least cost among those that are the whole range made smaller, first on both
/// sides and then on either.
std::pair<double, double>
RangeObserver::shrink(function_ref<double(double, double)> getCost) const {
  constexpr int64_t kTrials = 64;
  std::pair<double, double> best = {low, high};
  double least = getCost(low, high);
  auto attempt = [&](double newLow, double newHigh) {
    double cost = getCost(newLow, newHigh);
    if (cost < least) {
      least = cost;
      best = {newLow, newHigh};
    }
  };
  for (int64_t i = 1; i < kTrials; ++i)
    attempt(low * i / kTrials, high * i / kTrials);
  if (low < 0 && high > 0) {
    auto [start, end] = best;
    for (int64_t i = 1; i < kTrials; ++i)
      attempt(low * i / kTrials, end);
    start = best.first;
    for (int64_t i = 1; i < kTrials; ++i)
      attempt(start, high * i / kTrials);
  }
  return best;
}

/// Rounding errs by up to half a step, evenly; clamping by the distance to the range.
double RangeObserver::getSquaredError(double low, double high) const {
  double step = (high - low) / kSteps, error = 0;
  for (int64_t i = 0; i < kBins; ++i) {
    if (bins[i] == 0)
      continue;
    double x = getCenter(i), outside = std::max({low - x, x - high, 0.0});
    error += bins[i] * (outside > 0 ? outside * outside : step * step / 12);
  }
  return error;
}

/// The divergence of the histogram after quantization from that before. As in TensorRT's
/// calibration (S. Migacz, 8-bit inference with TensorRT, GTC 2017): outliers are counted
/// at the ends of the range, and what falls on a step is spread over its bins in use.
double RangeObserver::getDivergence(double low, double high) const {
  auto getBin = [&](double x) {
    return std::clamp<int64_t>((x + limit) / width(), 0, kBins - 1);
  };
  int64_t first = getBin(low), last = getBin(high), size = last - first + 1;
  if (size <= kSteps)
    return std::numeric_limits<double>::infinity();
  std::vector<double> before(bins.begin() + first, bins.begin() + last + 1);
  double total = 0;
  for (int64_t i = 0; i < kBins; ++i) {
    total += bins[i];
    if (i < first)
      before.front() += bins[i];
    else if (i > last)
      before.back() += bins[i];
  }
  double divergence = 0, kept = 0;
  for (int64_t i = first; i <= last; ++i)
    kept += bins[i];
  for (int64_t step = 0; step <= kSteps; ++step) {
    int64_t begin = step * size / (kSteps + 1), end = (step + 1) * size / (kSteps + 1);
    double sum = 0;
    int64_t used = 0;
    for (int64_t i = begin; i < end; ++i) {
      sum += bins[first + i];
      used += bins[first + i] != 0;
    }
    for (int64_t i = begin; i < end; ++i) {
      double p = before[i] / total;
      if (p == 0)
        continue;
      double q = bins[first + i] != 0 ? sum / used / kept : 0;
      divergence += p * std::log(p / std::max(q, 1e-12));
    }
  }
  return divergence;
}
