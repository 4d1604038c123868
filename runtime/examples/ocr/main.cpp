//===- main.cpp - Reads the text in a picture -----------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// A product made of three compiled networks: one finds the lines of text in a
// picture, one tells which of them stand on their head, one reads them.
//
//===----------------------------------------------------------------------===//

#include "Classifier.h"
#include "Detector.h"
#include "Recognizer.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

using namespace ocr;

namespace {

struct Options {
  std::string detector, classifier, recognizer, picture, output;
  int threads = 0;
};

const char *usage =
    "Reads the text in a picture (PNG or JPEG) with three compiled models.\n"
    "\n"
    "usage: ocr --detector D.so --classifier C.so --recognizer R.so\n"
    "           [--output BOXES.png] [--threads N] PICTURE\n"
    "\n"
    "  --output   write the picture with a box around each line of text\n"
    "  --threads  threads to compute with; 0, the default, is one per core\n";

Options parse(int argc, char **argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string arg = argv[i];
    auto value = [&]() -> std::string {
      if (i + 1 >= argc)
        throw std::runtime_error(arg + " needs a value\n\n" + usage);
      return argv[++i];
    };
    if (arg == "-h" || arg == "--help") {
      fputs(usage, stdout);
      exit(0);
    } else if (arg == "--detector") {
      options.detector = value();
    } else if (arg == "--classifier") {
      options.classifier = value();
    } else if (arg == "--recognizer") {
      options.recognizer = value();
    } else if (arg == "--output") {
      options.output = value();
    } else if (arg == "--threads") {
      std::string text = value();
      char *end;
      long threads = strtol(text.c_str(), &end, 10);
      if (text.empty() || *end || threads < 0 || threads > 4096)
        throw std::runtime_error("--threads: '" + text +
                                 "' is no number of threads");
      options.threads = int(threads);
    } else if (arg[0] == '-' || !options.picture.empty()) {
      throw std::runtime_error("unexpected argument '" + arg + "'\n\n" + usage);
    } else {
      options.picture = arg;
    }
  }
  if (options.detector.empty() || options.classifier.empty() ||
      options.recognizer.empty() || options.picture.empty())
    throw std::runtime_error(std::string("models or picture missing\n\n") +
                             usage);
  return options;
}

/// Prints a table of stages, with the part of the time that is spent in models.
class Stages {
public:
  void done(const char *name, double inModel = -1) {
    auto now = std::chrono::steady_clock::now();
    double elapsed =
        std::chrono::duration<double, std::milli>(now - last).count();
    last = now;
    char line[128];
    if (inModel < 0)
      snprintf(line, sizeof(line), "%-16s %9.1f\n", name, elapsed);
    else
      snprintf(line, sizeof(line), "%-16s %9.1f %9.1f\n", name, elapsed,
               inModel);
    table += line;
  }
  void print() const {
    printf("%-16s %9s %9s\n%s", "stage", "ms", "of model", table.c_str());
  }

private:
  std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();
  std::string table;
};

/// The detector does not see lines that fill the whole height of a long, thin
/// picture: those get rows above and below.
int rowsToPad(const Image &image) {
  constexpr int lowest = 30, widestRatio = 8;
  if (image.height > lowest && image.width <= widestRatio * image.height)
    return 0;
  return std::abs(2 * std::max(image.width / widestRatio, lowest) -
                  image.height) /
         2;
}

/// Very large pictures are shrunken, tiny ones enlarged.
Image toWorkingSize(const Image &image) {
  constexpr double longest = 2000, shortest = 30;
  double ratio = 1;
  if (std::max(image.width, image.height) > longest)
    ratio = longest / std::max(image.width, image.height);
  else if (std::min(image.width, image.height) < shortest)
    ratio = shortest / std::min(image.width, image.height);
  if (ratio == 1)
    return image;
  return resize(image, std::max(1, int(image.width * ratio)),
                std::max(1, int(image.height * ratio)));
}

void run(const Options &options) {
  Stages stages;
  Model detectorModel("detector", options.detector, options.threads);
  Model classifierModel("classifier", options.classifier, options.threads);
  Model recognizerModel("recognizer", options.recognizer, options.threads);
  Detector detector(detectorModel);
  Classifier classifier(classifierModel);
  Recognizer recognizer(recognizerModel);
  stages.done("load models");

  Image picture = readImage(options.picture);
  Image working = toWorkingSize(picture);
  int padding = rowsToPad(working);
  Point scale = {double(picture.width) / working.width,
                 double(picture.height) / working.height};
  if (padding)
    working = padRows(working, padding, padding);
  stages.done("read picture");

  std::vector<Quad> boxes = detector.detect(working);
  stages.done("find lines", detectorModel.milliseconds());

  std::vector<Image> lines;
  for (const Quad &box : boxes) {
    lines.push_back(straighten(working, box));
    // Text that runs downwards.
    if (lines.back().height >= 1.5 * lines.back().width)
      lines.back() = turnLeft(lines.back());
  }
  stages.done("cut out lines");

  classifier.makeUpright(lines);
  stages.done("turn upright", classifierModel.milliseconds());

  std::vector<Words> words = recognizer.read(lines);
  stages.done("read words", recognizerModel.milliseconds());

  // What the recognizer is not sure of is most likely no text.
  constexpr double minimalConfidence = 0.5;
  size_t found = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].confidence < minimalConfidence)
      continue;
    ++found;
    printf("%.3f ", words[i].confidence);
    for (Point &p : boxes[i]) {
      p = {std::clamp(p.x * scale.x, 0.0, double(picture.width)),
           std::clamp((p.y - padding) * scale.y, 0.0, double(picture.height))};
      printf(" (%.0f,%.0f)", p.x, p.y);
    }
    printf("  %s\n", words[i].text.c_str());
    drawQuad(picture, boxes[i]);
  }
  if (!found)
    printf("No text was found.\n");
  printf("\n");

  if (!options.output.empty()) {
    writePng(picture, options.output);
    stages.done("write picture");
  }
  stages.print();
}

} // namespace

int main(int argc, char **argv) {
  try {
    run(parse(argc, argv));
    return 0;
  } catch (const std::exception &error) {
    fprintf(stderr, "ocr: error: %s\n", error.what());
    return 1;
  }
}
