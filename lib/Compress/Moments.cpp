//===- Moments.cpp - what products read, on the average -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Moments.h"
#include "dialects/NN/IR/SpatialShapes.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;

void Moments::add(const float *x, const float *t) {
  int64_t depth = own.rows;
  ++rows;
  for (int64_t i = 0; i < depth; ++i) {
    double value = x[i];
    mean[i] += value;
    teacherMean[i] += t[i];
    if (value == 0)
      continue;
    double *ownRow = own[i], *crossRow = cross[i];
    for (int64_t k = i; k < depth; ++k)
      ownRow[k] += value * x[k];
    for (int64_t k = 0; k < depth; ++k)
      crossRow[k] += value * t[k];
  }
}

bool Moments::finish(bool centers) {
  int64_t depth = own.rows;
  double scale = 1.0 / std::max<int64_t>(rows, 1);
  for (int64_t i = 0; i < depth; ++i) {
    mean[i] *= scale;
    teacherMean[i] *= scale;
  }
  for (int64_t i = 0; i < depth; ++i)
    for (int64_t k = 0; k < depth; ++k) {
      if (k >= i)
        own[i][k] = own[i][k] * scale - (centers ? mean[i] * mean[k] : 0);
      cross[i][k] = cross[i][k] * scale - (centers ? mean[i] * teacherMean[k] : 0);
    }
  for (int64_t i = 0; i < depth; ++i)
    for (int64_t k = 0; k < i; ++k)
      own[i][k] = own[k][i];
  return llvm::all_of(llvm::seq(depth), [&](int64_t i) {
    return std::isfinite(own[i][i]) && std::isfinite(cross[i][i]);
  });
}

void nn::forEachRow(const ProductRegion &region, int64_t depth, const HostTensor &x,
                    const HostTensor &t, function_ref<bool(const float *, const float *)> add) {
  ArrayRef<float> own = x.get<float>(), teacher = t.get<float>();
  auto conv = dyn_cast<ConvOp>(region.anchor);
  if (!conv) {
    for (int64_t row = 0; row + depth <= int64_t(own.size()); row += depth)
      if (!add(&own[row], &teacher[row]))
        return;
    return;
  }
  ArrayRef<int64_t> dims = x.getDims();
  int64_t spatial = dims.size() - 2, channels = dims[1], taps = depth / channels;
  Window window(spatial, conv.getStrides(), conv.getDilations(), conv.getPads());
  ArrayRef<int64_t> kernel = conv.getWeight().getType().getShape().drop_front(2);
  SmallVector<int64_t> counts;
  int64_t outputs = 1, pixels = 1;
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t reach = (kernel[i] - 1) * window.dilations[i] + 1;
    int64_t padded = dims[2 + i] + window.pads[i] + window.pads[spatial + i];
    counts.push_back(padded < reach ? 0 : (padded - reach) / window.strides[i] + 1);
    outputs *= counts.back();
    pixels *= dims[2 + i];
  }
  std::vector<float> row(depth), teacherRow(depth);
  for (int64_t image = 0; image < dims[0]; ++image)
    for (int64_t output = 0; output < outputs; ++output) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        // From the last dimension to the first.
        int64_t pixel = 0, step = 1, place = output, number = tap;
        bool isInside = true;
        for (int64_t i = spatial - 1; i >= 0; --i) {
          int64_t at = place % counts[i] * window.strides[i] - window.pads[i] +
                       number % kernel[i] * window.dilations[i];
          isInside &= at >= 0 && at < dims[2 + i];
          pixel += at * step;
          step *= dims[2 + i];
          place /= counts[i];
          number /= kernel[i];
        }
        for (int64_t c = 0; c < channels; ++c) {
          int64_t from = (image * channels + c) * pixels + pixel;
          row[c * taps + tap] = isInside ? own[from] : 0;
          teacherRow[c * taps + tap] = isInside ? teacher[from] : 0;
        }
      }
      if (!add(row.data(), teacherRow.data()))
        return;
    }
}
