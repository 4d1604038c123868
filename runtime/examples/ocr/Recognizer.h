//===- Recognizer.h - Reads a line of text ----------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef OCR_RECOGNIZER_H
#define OCR_RECOGNIZER_H

#include "Image.h"
#include "Model.h"

namespace ocr {

struct Words {
  std::string text; ///< UTF-8
  /// The mean probability of the characters, 0 to 1.
  double confidence = 0;
};

/// A network that gives, for each place along a line, the probability of each
/// character or of none ("blank"): connectionist temporal classification.
class Recognizer {
public:
  /// The characters are in the metadata of the model. Throws std::runtime_error
  /// if they are not.
  explicit Recognizer(Model &model);

  /// One result per line.
  std::vector<Words> read(const std::vector<Image> &lines);

private:
  Words decode(const float *probabilities, int64_t places) const;

  Model &model;
  /// By class: blank, the model's characters, space.
  std::vector<std::string> characters;
};

} // namespace ocr

#endif // OCR_RECOGNIZER_H
