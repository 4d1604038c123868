//===- Detector.h - Finds the lines of text in a picture --------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef OCR_DETECTOR_H
#define OCR_DETECTOR_H

#include "Image.h"
#include "Model.h"

namespace ocr {

/// A "differentiable binarization" network (Liao et al., 2020) and what makes
/// boxes of its answer: a probability per pixel that it lies in the shrunken
/// core of a line of text.
class Detector {
public:
  explicit Detector(Model &model) : model(model) {}

  /// Boxes in pixels of `image`, from top to bottom, then left to right.
  std::vector<Quad> detect(const Image &image);

private:
  Model &model;
};

} // namespace ocr

#endif // OCR_DETECTOR_H
