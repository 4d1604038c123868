//===- NonMaxSuppression.cpp - Boxes that overlap no better one -----------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Reference/Reference.h"

#include <algorithm>

using namespace nnrt;

namespace {
struct Box {
  float y1, x1, y2, x2;

  Box(const float *numbers, bool isCenterPoint) {
    if (isCenterPoint) {
      float x = numbers[0], y = numbers[1], w = numbers[2] / 2, h = numbers[3] / 2;
      y1 = y - h, x1 = x - w, y2 = y + h, x2 = x + w;
      return;
    }
    y1 = std::min(numbers[0], numbers[2]), x1 = std::min(numbers[1], numbers[3]);
    y2 = std::max(numbers[0], numbers[2]), x2 = std::max(numbers[1], numbers[3]);
  }
  float area() const { return (y2 - y1) * (x2 - x1); }
};
} // namespace

/// Whether the intersection over union exceeds `limit`.
static bool overlaps(const Box &a, const Box &b, float limit) {
  float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (height <= 0 || width <= 0)
    return 0 > limit;
  float common = height * width;
  return common / (a.area() + b.area() - common) > limit;
}

const char *nnrt::runNonMaxSuppression(const int64_t *parameters,
                                       const nnrt_abi_tensor *args) {
  const nnrt_abi_tensor &boxes = args[0], &scores = args[1], &selected = args[5];
  bool isCenterPoint = parameters[0];
  float minScore = *getData<float>(args[4]);
  float maxOverlap = parameters[2] ? *getData<float>(args[3]) : 0.0f;
  int64_t most = parameters[3] ? *getData<int64_t>(args[2]) : 0;
  int64_t batches = scores.dims[0], classes = scores.dims[1], size = scores.dims[2];
  if (boxes.dims[0] != batches || boxes.dims[1] != size || boxes.dims[2] != 4)
    return "the shapes of boxes and scores do not agree";
  int64_t *out = getData<int64_t>(selected), &count = *getData<int64_t>(args[6]);
  int64_t *order = getData<int64_t>(args[7]);
  count = 0;
  for (int64_t b = 0; b < batches; ++b) {
    const float *corners = getData<float>(boxes) + b * size * 4;
    for (int64_t c = 0; c < classes; ++c) {
      const float *own = getData<float>(scores) + (b * classes + c) * size;
      int64_t candidates = 0;
      for (int64_t i = 0; i < size; ++i)
        if (!parameters[1] || own[i] > minScore)
          order[candidates++] = i;
      std::sort(order, order + candidates, [&](int64_t x, int64_t y) {
        int compared = compareElements(own[x], own[y]);
        return compared ? compared > 0 : x < y;
      });
      int64_t first = count;
      for (int64_t i = 0; i < candidates && count - first < most; ++i) {
        Box candidate(corners + order[i] * 4, isCenterPoint);
        bool isFree = true;
        for (int64_t j = first; j < count && isFree; ++j)
          isFree = !overlaps(candidate, Box(corners + out[j * 3 + 2] * 4, isCenterPoint),
                             maxOverlap);
        if (!isFree)
          continue;
        if (count == selected.dims[0])
          return "more boxes than there is room for";
        out[count * 3] = b, out[count * 3 + 1] = c, out[count * 3 + 2] = order[i];
        ++count;
      }
    }
  }
  return nullptr;
}
