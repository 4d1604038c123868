//===- Classifier.cpp - Turns lines of text upright -----------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Classifier.h"
#include "Lines.h"

using namespace ocr;

/// The network was trained on lines of this width.
static constexpr int lineWidth = 192;
/// A line is turned only if the network is as sure as this.
static constexpr float turnThreshold = 0.9f;

void Classifier::makeUpright(std::vector<Image> &lines) {
  std::vector<bool> turned(lines.size());
  forEachLine(
      model, lines, [](double) { return lineWidth; },
      [&](size_t line, const float *row, const std::vector<int64_t> &dims) {
        // The probabilities of 0 and 180 degrees.
        if (dims.size() != 2 || dims[1] != 2)
          model.fail("the result is not two probabilities per line");
        turned[line] = row[1] > turnThreshold;
      });
  for (size_t i = 0; i < lines.size(); ++i)
    if (turned[i])
      lines[i] = turnAround(lines[i]);
}
