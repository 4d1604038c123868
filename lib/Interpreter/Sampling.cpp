//===- Sampling.cpp - operators that sample at places that are data -------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Elements.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

//===----------------------------------------------------------------------===//
// GridSample
//===----------------------------------------------------------------------===//

/// Keeps coordinates in [low, high], and reflects others into it.
static double reflect(double x, double low, double high) {
  double range = high - low;
  if (range == 0)
    return low;
  double distance = std::fabs(x - low);
  double turns = std::floor(distance / range), rest = distance - turns * range;
  return std::fmod(turns, 2) == 0 ? low + rest : high - rest;
}

/// Weights of the neighbours floor(x) + `first`, ... of a place, in one dimension.
static Doubles getWeights(StringRef mode, double fraction, int64_t &first) {
  first = 0;
  if (mode == "nearest")
    return {1};
  if (mode == "linear")
    return {1 - fraction, fraction};
  first = -1;
  const double a = -0.75;
  auto near = [=](double x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  auto far = [=](double x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  return {far(fraction + 1), near(fraction), near(1 - fraction), far(2 - fraction)};
}

static LogicalResult gridSample(GridSampleOp op, Call &call) {
  const HostTensor &input = call[op.getInput()], &grid = call[op.getGrid()];
  int64_t k = input.getRank() - 2;
  if (grid.getDim(0) != input.getDim(0))
    return call.fail("input and grid have different numbers of batch entries");
  Shape spatial(input.getDims().drop_front(2)), strides = getStrides(spatial);
  Shape points(grid.getDims().drop_front(1).drop_back());
  int64_t numPoints = product(points), area = product(spatial);
  int64_t channels = input.getDim(1);
  StringRef mode = op.getMode(), padding = op.getPaddingMode();
  bool align = op.getAlignCorners(), isNearest = mode == "nearest";
  if (!isNearest && !isFloat(input.getType()))
    return call.fail("mode '" + mode + "' is not defined for integers");
  Doubles image = isNearest ? Doubles() : readDoubles(input);
  Doubles places = readDoubles(grid);
  Shape dims{input.getDim(0), channels};
  dims.append(points);
  Doubles sums(isNearest ? 0 : product(dims));
  HostTensor picked = HostTensor::allocate(input.getType(), dims);
  for (int64_t n = 0; n < grid.getDim(0); ++n)
    for (int64_t p = 0; p < numPoints; ++p) {
      std::vector<Doubles> weights(k);
      Shape firsts(k), counts(k);
      for (int64_t d = 0; d < k; ++d) {
        // The grid has the last dimension first.
        double x = places[(n * numPoints + p) * k + (k - 1 - d)];
        double size = spatial[d];
        if (op.getNormalized())
          x = align ? (x + 1) / 2 * (size - 1) : ((x + 1) * size - 1) / 2;
        if (isNearest)
          x = std::nearbyint(x);
        // Positions outside the image are moved to its border; neighbours of positions
        // inside may still be outside.
        double low = align ? 0 : -0.5, high = align ? size - 1 : size - 0.5;
        if (x < low || x > high) {
          if (padding == "border")
            x = std::clamp(x, 0.0, size - 1);
          else if (padding == "reflection")
            x = reflect(x, low, high);
        }
        double base = std::floor(x);
        int64_t first;
        weights[d] = getWeights(mode, x - base, first);
        counts[d] = weights[d].size();
        // Far outside, all neighbours are.
        firsts[d] = int64_t(std::clamp(base, -1e9, 1e9)) + first;
      }
      for (int64_t c = 0; c < channels; ++c) {
        int64_t plane = (n * channels + c) * area;
        int64_t to = (n * channels + c) * numPoints + p;
        forEachIndex(counts, [&](ArrayRef<int64_t> tap) {
          double weight = 1;
          int64_t offset = 0;
          bool inside = true;
          for (int64_t d = 0; d < k; ++d) {
            weight *= weights[d][tap[d]];
            int64_t at = firsts[d] + tap[d];
            double size = spatial[d];
            if (padding == "border")
              at = std::clamp<int64_t>(at, 0, spatial[d] - 1);
            if (padding == "reflection")
              at = int64_t(align ? reflect(at, 0, size - 1)
                                 : reflect(at, -0.5, size - 0.5));
            inside &= at >= 0 && at < spatial[d];
            offset += at * strides[d];
          }
          if (inside && isNearest)
            copyElement(input, plane + offset, picked, to);
          else if (inside)
            sums[to] += weight * image[plane + offset];
        });
      }
    }
  return call.give(isNearest ? std::move(picked)
                             : makeTensor(call.getResultType(), dims, sums));
}

//===----------------------------------------------------------------------===//
// RoiAlign
//===----------------------------------------------------------------------===//

namespace {
/// The four pixels around a place, with their weights.
struct Taps {
  int64_t offsets[4] = {0, 0, 0, 0};
  double weights[4] = {0, 0, 0, 0};

  Taps(double y, double x, int64_t height, int64_t width) {
    if (y < -1 || y > height || x < -1 || x > width)
      return;
    auto split = [](double at, int64_t size, int64_t &low, int64_t &high) {
      at = std::max(at, 0.0);
      low = int64_t(at);
      if (low >= size - 1) {
        low = high = size - 1;
        return 0.0;
      }
      high = low + 1;
      return at - double(low);
    };
    int64_t top, bottom, left, right;
    double v = split(y, height, top, bottom), h = split(x, width, left, right);
    offsets[0] = top * width + left, weights[0] = (1 - v) * (1 - h);
    offsets[1] = top * width + right, weights[1] = (1 - v) * h;
    offsets[2] = bottom * width + left, weights[2] = v * (1 - h);
    offsets[3] = bottom * width + right, weights[3] = v * h;
  }
};
} // namespace

static LogicalResult roiAlign(RoiAlignOp op, Call &call) {
  const HostTensor &input = call[op.getInput()], &rois = call[op.getRois()];
  const HostTensor &batches = call[op.getBatchIndices()];
  int64_t channels = input.getDim(1), height = input.getDim(2), width = input.getDim(3);
  int64_t rows = op.getOutputHeight(), columns = op.getOutputWidth();
  double scale = op.getSpatialScale().convertToDouble();
  double offset = op.getHalfPixel() ? 0.5 : 0;
  if (rois.getDim(1) != 4 || batches.getDim(0) != rois.getDim(0))
    return call.fail("regions have the shape " + formatDims(rois.getDims()) +
                     ", batch indices " + formatDims(batches.getDims()));
  Doubles image = readDoubles(input), boxes = readDoubles(rois);
  Doubles result;
  for (int64_t r = 0; r < rois.getDim(0); ++r) {
    int64_t batch = batches.getInt(r);
    if (batch < 0 || batch >= input.getDim(0))
      return call.fail("batch index " + Twine(batch) + " is out of bounds");
    double x1 = boxes[r * 4] * scale - offset, y1 = boxes[r * 4 + 1] * scale - offset;
    double w = boxes[r * 4 + 2] * scale - offset - x1;
    double h = boxes[r * 4 + 3] * scale - offset - y1;
    if (!op.getHalfPixel()) { // malformed regions count as one pixel
      w = std::max(w, 1.0);
      h = std::max(h, 1.0);
    }
    double cellHeight = h / double(rows), cellWidth = w / double(columns);
    int64_t samples = op.getSamplingRatio();
    int64_t down = samples > 0 ? samples : int64_t(std::ceil(h / double(rows)));
    int64_t across = samples > 0 ? samples : int64_t(std::ceil(w / double(columns)));
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) {
          const double *plane =
              image.data() + (batch * channels + c) * height * width;
          double sum = 0, best = -std::numeric_limits<double>::infinity();
          for (int64_t v = 0; v < down; ++v)
            for (int64_t u = 0; u < across; ++u) {
              Taps taps(y1 + (i + (v + 0.5) / down) * cellHeight,
                        x1 + (j + (u + 0.5) / across) * cellWidth, height, width);
              for (int t = 0; t < 4; ++t) {
                double value = taps.weights[t] * plane[taps.offsets[t]];
                sum += value;
                best = std::max(best, value);
              }
            }
          int64_t count = std::max<int64_t>(down * across, 1);
          result.push_back(op.getMode() == "max" ? (down * across ? best : 0)
                                                 : sum / double(count));
        }
  }
  return call.give(makeTensor(call.getResultType(),
                              {rois.getDim(0), channels, rows, columns}, result));
}

void interpreter::registerSampling(Registry &registry) {
  registry.add<GridSampleOp>(gridSample);
  registry.add<RoiAlignOp>(roiAlign);
}
