//===- Classifier.h - Turns lines of text upright ---------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef OCR_CLASSIFIER_H
#define OCR_CLASSIFIER_H

#include "Image.h"
#include "Model.h"

namespace ocr {

/// A network that tells lines that stand on their head.
class Classifier {
public:
  explicit Classifier(Model &model) : model(model) {}

  /// Turns those lines around.
  void makeUpright(std::vector<Image> &lines);

private:
  Model &model;
};

} // namespace ocr

#endif // OCR_CLASSIFIER_H
