//===- RoiAlign.cpp - Regions of an image, pooled to one size -------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Reference/Reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace nnrt;

/// The position of `at` between two pixels, with the weight of the upper one.
static float split(float at, int64_t size, int64_t &low, int64_t &high) {
  at = std::max(at, 0.0f);
  low = int64_t(at);
  if (low >= size - 1) {
    low = high = size - 1;
    return 0;
  }
  high = low + 1;
  return at - float(low);
}

namespace {
/// Sum and maximum of weighted pixels.
struct Cell {
  float sum = 0, best = -std::numeric_limits<float>::infinity();

  void add(float value) {
    sum += value;
    best = std::max(best, value);
  }
  void sample(const float *plane, float y, float x, int64_t height, int64_t width) {
    if (y < -1 || y > float(height) || x < -1 || x > float(width)) {
      add(0);
      return;
    }
    int64_t top, bottom, left, right;
    float v = split(y, height, top, bottom), h = split(x, width, left, right);
    add((1 - v) * (1 - h) * plane[top * width + left]);
    add((1 - v) * h * plane[top * width + right]);
    add(v * (1 - h) * plane[bottom * width + left]);
    add(v * h * plane[bottom * width + right]);
  }
};
} // namespace

const char *nnrt::runRoiAlign(const int64_t *parameters, const nnrt_abi_tensor *args) {
  const nnrt_abi_tensor &input = args[0], &result = args[3];
  bool halfPixel = parameters[0], isMax = parameters[1];
  double scaleBits;
  std::memcpy(&scaleBits, &parameters[3], sizeof(scaleBits));
  float scale = float(scaleBits), offset = halfPixel ? 0.5f : 0.0f;
  int64_t channels = input.dims[1], height = input.dims[2], width = input.dims[3];
  int64_t rows = result.dims[2], columns = result.dims[3];
  float *out = getData<float>(result);
  if (args[1].dims[1] != 4)
    return "a region does not have 4 coordinates";
  if (args[2].dims[0] != args[1].dims[0])
    return "the numbers of regions and batch indices differ";
  for (int64_t r = 0; r < result.dims[0]; ++r) {
    int64_t batch = getData<int64_t>(args[2])[r];
    if (batch < 0 || batch >= input.dims[0])
      return "a batch index is out of bounds";
    const float *roi = getData<float>(args[1]) + r * 4;
    float x1 = roi[0] * scale - offset, y1 = roi[1] * scale - offset;
    float w = roi[2] * scale - offset - x1, h = roi[3] * scale - offset - y1;
    if (!halfPixel) { // malformed regions count as one pixel
      w = std::max(w, 1.0f);
      h = std::max(h, 1.0f);
    }
    float cellHeight = h / float(rows), cellWidth = w / float(columns);
    int64_t samples = parameters[2];
    int64_t down = samples > 0 ? samples : int64_t(std::ceil(h / float(rows)));
    int64_t across = samples > 0 ? samples : int64_t(std::ceil(w / float(columns)));
    for (int64_t c = 0; c < channels; ++c) {
      const float *plane =
          getData<float>(input) + (batch * channels + c) * height * width;
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) {
          Cell cell;
          for (int64_t v = 0; v < down; ++v)
            for (int64_t u = 0; u < across; ++u)
              cell.sample(
                  plane, y1 + (float(i) + (float(v) + 0.5f) / float(down)) * cellHeight,
                  x1 + (float(j) + (float(u) + 0.5f) / float(across)) * cellWidth,
                  height, width);
          int64_t count = std::max<int64_t>(down * across, 1);
          *out++ = !isMax ? cell.sum / float(count) : down * across > 0 ? cell.best : 0;
        }
    }
  }
  return nullptr;
}
