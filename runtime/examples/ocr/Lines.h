//===- Lines.h - Batches of lines of text -----------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef OCR_LINES_H
#define OCR_LINES_H

#include "Image.h"
#include "Model.h"
#include <functional>

namespace ocr {

/// What the networks for single lines are given.
constexpr int lineHeight = 48;
constexpr int maxBatch = 6;

/// Runs `model` over all lines, in batches of similar width: each line is
/// scaled to lineHeight and padded on the right with zeros to `width(ratio)`
/// pixels, where `ratio` is the largest width / height in the batch. Calls
/// `take(line, row, dims)` with the result of each line: `row` holds the
/// numbers of dims[1] x dims[2] ... .
void forEachLine(
    Model &model, const std::vector<Image> &lines,
    const std::function<int(double ratio)> &width,
    const std::function<void(size_t line, const float *row,
                             const std::vector<int64_t> &dims)> &take);

} // namespace ocr

#endif // OCR_LINES_H
