//===- Lines.cpp - Batches of lines of text -------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Lines.h"
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace ocr;

void ocr::forEachLine(
    Model &model, const std::vector<Image> &lines,
    const std::function<int(double ratio)> &width,
    const std::function<void(size_t line, const float *row,
                             const std::vector<int64_t> &dims)> &take) {
  auto ratio = [&lines](size_t line) {
    return double(lines[line].width) / lines[line].height;
  };
  // Lines of similar width together waste little on padding.
  std::vector<size_t> order(lines.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return ratio(a) < ratio(b); });

  for (size_t begin = 0; begin < order.size(); begin += maxBatch) {
    size_t size = std::min(order.size() - begin, size_t(maxBatch));
    int batchWidth = width(ratio(order[begin + size - 1]));
    size_t lineSize = size_t(3) * lineHeight * batchWidth;
    std::vector<float> input(size * lineSize);
    for (size_t i = 0; i < size; ++i) {
      const Image &line = lines[order[begin + i]];
      int scaled = int(std::ceil(lineHeight * ratio(order[begin + i])));
      scaled = std::clamp(scaled, 1, batchWidth);
      toPlanes(resize(line, scaled, lineHeight), &input[i * lineSize],
               batchWidth);
    }

    TensorView output =
        model.run({int64_t(size), 3, lineHeight, batchWidth}, input);
    if (output.shape.empty() || output.shape[0] != int64_t(size))
      model.fail("the result does not hold one row per line");
    int64_t rowSize =
        std::accumulate(output.shape.begin() + 1, output.shape.end(),
                        int64_t(1), std::multiplies<int64_t>());
    for (size_t i = 0; i < size; ++i)
      take(order[begin + i], output.data + i * rowSize, output.shape);
  }
}
