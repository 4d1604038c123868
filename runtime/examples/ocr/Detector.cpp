//===- Detector.cpp - Finds the lines of text in a picture ----------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Detector.h"
#include <algorithm>
#include <cmath>
#include <optional>

using namespace ocr;

namespace {

/// The network sees pictures whose shorter side has at least this many pixels.
constexpr int shorterSide = 736;
/// A pixel is text above this probability.
constexpr float pixelThreshold = 0.3f;
/// A box is kept with at least this mean probability.
constexpr double boxThreshold = 0.5;
/// Boxes grow by area / perimeter times this: the network finds lines shrunken.
constexpr double unclipRatio = 1.6;
/// Boxes thinner than this, in pixels of the probability map, are specks.
constexpr double minimalSide = 3;
constexpr size_t maxBoxes = 1000;

struct ProbabilityMap {
  int width, height;
  const float *data;
  float at(int x, int y) const { return data[size_t(y) * width + x]; }
};

int multipleOf32(int size) {
  return std::max(32, int(std::nearbyint(size / 32.0)) * 32);
}

/// Which pixels are text, each spread to its right and lower neighbours: this
/// closes gaps of one pixel.
std::vector<uint8_t> binarize(const ProbabilityMap &map) {
  std::vector<uint8_t> mask(size_t(map.width) * map.height);
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      if (!(map.at(x, y) > pixelThreshold))
        continue;
      for (int toY = y; toY <= std::min(y + 1, map.height - 1); ++toY)
        for (int toX = x; toX <= std::min(x + 1, map.width - 1); ++toX)
          mask[size_t(toY) * map.width + toX] = 1;
    }
  }
  return mask;
}

/// Takes the 8-connected component that contains (x, y) out of the mask;
/// returns the ends of its rows, which is enough for its hull.
std::vector<Point> takeComponent(std::vector<uint8_t> &mask, int width,
                                 int height, int x, int y) {
  std::vector<Point> ends;
  std::vector<std::pair<int, int>> open = {{x, y}};
  auto isSet = [&](int x, int y) {
    return x >= 0 && y >= 0 && x < width && y < height &&
           mask[size_t(y) * width + x];
  };
  while (!open.empty()) {
    auto [seedX, row] = open.back();
    open.pop_back();
    if (!isSet(seedX, row))
      continue;
    int left = seedX, right = seedX;
    while (isSet(left - 1, row))
      --left;
    while (isSet(right + 1, row))
      ++right;
    std::fill(&mask[size_t(row) * width + left],
              &mask[size_t(row) * width + right] + 1, 0);
    ends.push_back({double(left), double(row)});
    ends.push_back({double(right), double(row)});
    for (int next : {row - 1, row + 1})
      for (int at = left - 1; at <= right + 1; ++at)
        // Once per run of pixels.
        if (isSet(at, next) && (at == left - 1 || !isSet(at - 1, next)))
          open.push_back({at, next});
  }
  return ends;
}

/// The mean probability inside the box.
double score(const ProbabilityMap &map, const Quad &box) {
  Quad corners = box;
  int left = map.width - 1, right = 0, top = map.height - 1, bottom = 0;
  for (Point &p : corners) {
    left = std::min(left, int(std::floor(p.x)));
    right = std::max(right, int(std::ceil(p.x)));
    top = std::min(top, int(std::floor(p.y)));
    bottom = std::max(bottom, int(std::ceil(p.y)));
    p = {std::trunc(p.x), std::trunc(p.y)};
  }
  left = std::max(left, 0);
  top = std::max(top, 0);
  right = std::min(right, map.width - 1);
  bottom = std::min(bottom, map.height - 1);

  double sum = 0;
  int64_t count = 0;
  for (int y = top; y <= bottom; ++y) {
    for (int x = left; x <= right; ++x) {
      if (!contains(corners, {double(x), double(y)}))
        continue;
      sum += map.at(x, y);
      ++count;
    }
  }
  return count ? sum / count : 0;
}

/// The box around a component, in pixels of the map; none if it is no text.
std::optional<Quad> boxAround(const ProbabilityMap &map,
                              std::vector<Point> component) {
  Rectangle rectangle = minimalRectangle(std::move(component));
  if (rectangle.shorterSide() < minimalSide ||
      score(map, rectangle.corners()) < boxThreshold)
    return std::nullopt;
  double area = rectangle.width * rectangle.height;
  double perimeter = 2 * (rectangle.width + rectangle.height);
  // The outline moved outwards has rounded corners; the least rectangle around
  // it is this one.
  rectangle = rectangle.grown(area * unclipRatio / perimeter);
  // binarize() has spread the pixels to one side only.
  rectangle.center = rectangle.center - Point{0.5, 0.5};
  if (rectangle.shorterSide() < minimalSide + 2)
    return std::nullopt;
  return rectangle.corners();
}

/// From top to bottom; boxes on about the same height from left to right.
void sortForReading(std::vector<Quad> &boxes) {
  std::stable_sort(
      boxes.begin(), boxes.end(), [](const Quad &a, const Quad &b) {
        return a[0].y < b[0].y || (a[0].y == b[0].y && a[0].x < b[0].x);
      });
  for (size_t i = 1; i < boxes.size(); ++i)
    for (size_t j = i;
         j > 0 && std::abs(boxes[j][0].y - boxes[j - 1][0].y) < 10 &&
         boxes[j][0].x < boxes[j - 1][0].x;
         --j)
      std::swap(boxes[j], boxes[j - 1]);
}

} // namespace

std::vector<Quad> Detector::detect(const Image &image) {
  double ratio =
      std::max(1.0, double(shorterSide) / std::min(image.width, image.height));
  int width = multipleOf32(int(image.width * ratio));
  int height = multipleOf32(int(image.height * ratio));
  std::vector<float> input(size_t(3) * width * height);
  toPlanes(resize(image, width, height), input.data(), width);

  TensorView output = model.run({1, 3, height, width}, input);
  if (output.shape != std::vector<int64_t>{1, 1, height, width})
    model.fail("the result is not one probability per pixel");
  ProbabilityMap map = {width, height, output.data};

  std::vector<uint8_t> mask = binarize(map);
  std::vector<Quad> boxes;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width && boxes.size() < maxBoxes; ++x) {
      if (!mask[size_t(y) * width + x])
        continue;
      std::optional<Quad> box =
          boxAround(map, takeComponent(mask, width, height, x, y));
      if (!box)
        continue;
      for (Point &p : *box) {
        p.x = std::round(p.x / width * image.width);
        p.y = std::round(p.y / height * image.height);
        p.x = std::clamp(p.x, 0.0, image.width - 1.0);
        p.y = std::clamp(p.y, 0.0, image.height - 1.0);
      }
      *box = orderCorners(*box);
      if (length((*box)[0] - (*box)[1]) > 3 &&
          length((*box)[0] - (*box)[3]) > 3)
        boxes.push_back(*box);
    }
  }
  sortForReading(boxes);
  return boxes;
}
