//===- Recognizer.cpp - Reads a line of text ------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Recognizer.h"
#include "Lines.h"
#include <algorithm>
#include <sstream>

using namespace ocr;

/// The network sees at least this width, in units of the height.
static constexpr double minimalRatio = 320.0 / lineHeight;

Recognizer::Recognizer(Model &model) : model(model) {
  const char *list = model.metadata("character");
  if (!list)
    model.fail("the metadata lacks the key 'character', the list of characters "
               "that the model knows");
  characters.push_back("");
  std::istringstream lines(list);
  for (std::string line; std::getline(lines, line);)
    characters.push_back(line);
  characters.push_back(" ");
}

std::vector<Words> Recognizer::read(const std::vector<Image> &lines) {
  std::vector<Words> result(lines.size());
  forEachLine(
      model, lines,
      [](double ratio) {
        return int(lineHeight * std::max(ratio, minimalRatio));
      },
      [&](size_t line, const float *row, const std::vector<int64_t> &dims) {
        if (dims.size() != 3 || dims[2] != int64_t(characters.size()))
          model.fail("the result does not fit a list of " +
                     std::to_string(characters.size()) + " characters");
        result[line] = decode(row, dims[1]);
      });
  return result;
}

/// The most probable class at each place, repetitions and blanks dropped.
Words Recognizer::decode(const float *probabilities, int64_t places) const {
  Words words;
  size_t last = 0, count = 0;
  for (int64_t place = 0; place < places; ++place) {
    const float *row = probabilities + place * characters.size();
    size_t best = std::max_element(row, row + characters.size()) - row;
    if (best != 0 && best != last) {
      words.text += characters[best];
      words.confidence += row[best];
      ++count;
    }
    last = best;
  }
  if (count)
    words.confidence /= count;
  return words;
}
