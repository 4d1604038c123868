//===- Image.cpp - Resampling and drawing ---------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Image.h"
#include <algorithm>
#include <array>
#include <cmath>

using namespace ocr;

static uint8_t toByte(float value) {
  return uint8_t(std::clamp(std::nearbyint(value), 0.0f, 255.0f));
}

Image ocr::resize(const Image &image, int width, int height) {
  // Where each new column or row lies between two old ones: pixel centres are
  // at half coordinates in both pictures.
  struct Tap {
    int first, second;
    float weight;
  };
  auto taps = [](int from, int to) {
    std::vector<Tap> result(to);
    for (int i = 0; i < to; ++i) {
      float at = (i + 0.5f) * (float(from) / to) - 0.5f;
      at = std::clamp(at, 0.0f, float(from - 1));
      int first = int(at);
      result[i] = {first, std::min(first + 1, from - 1), at - first};
    }
    return result;
  };
  std::vector<Tap> columns = taps(image.width, width);
  std::vector<Tap> rows = taps(image.height, height);

  Image result(width, height);
  for (int y = 0; y < height; ++y) {
    const Tap &row = rows[y];
    for (int x = 0; x < width; ++x) {
      const Tap &column = columns[x];
      for (int c = 0; c < 3; ++c) {
        auto mix = [&](int line) {
          float a = image.at(column.first, line)[c];
          float b = image.at(column.second, line)[c];
          return a + (b - a) * column.weight;
        };
        float above = mix(row.first), below = mix(row.second);
        result.at(x, y)[c] = toByte(above + (below - above) * row.weight);
      }
    }
  }
  return result;
}

Image ocr::padRows(const Image &image, int above, int below) {
  Image result(image.width, image.height + above + below);
  std::copy(image.rgb.begin(), image.rgb.end(), result.at(0, above));
  return result;
}

/// The weights of four neighbours at distance `t` (0 to 1) after the second:
/// the cubic convolution kernel with a = -0.75.
static std::array<float, 4> cubicWeights(float t) {
  const float a = -0.75f;
  auto near = [a](float d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  auto far = [a](float d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  return {far(1 + t), near(t), near(1 - t), far(2 - t)};
}

Image ocr::straighten(const Image &image, const Quad &quad) {
  int width =
      int(std::max(length(quad[0] - quad[1]), length(quad[2] - quad[3])));
  int height =
      int(std::max(length(quad[0] - quad[3]), length(quad[1] - quad[2])));
  width = std::max(width, 1);
  height = std::max(height, 1);
  std::array<double, 9> m = projectionOnto(quad, width, height);

  Image result(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      double scale = 1 / (m[6] * x + m[7] * y + m[8]);
      double fromX = (m[0] * x + m[1] * y + m[2]) * scale;
      double fromY = (m[3] * x + m[4] * y + m[5]) * scale;
      int left = int(std::floor(fromX)), top = int(std::floor(fromY));
      std::array<float, 4> wx = cubicWeights(float(fromX - left));
      std::array<float, 4> wy = cubicWeights(float(fromY - top));
      float sum[3] = {};
      for (int j = 0; j < 4; ++j) {
        int line = std::clamp(top - 1 + j, 0, image.height - 1);
        for (int i = 0; i < 4; ++i) {
          const uint8_t *pixel =
              image.at(std::clamp(left - 1 + i, 0, image.width - 1), line);
          for (int c = 0; c < 3; ++c)
            sum[c] += wy[j] * wx[i] * pixel[c];
        }
      }
      for (int c = 0; c < 3; ++c)
        result.at(x, y)[c] = toByte(sum[c]);
    }
  }
  return result;
}

Image ocr::turnLeft(const Image &image) {
  Image result(image.height, image.width);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x)
      std::copy_n(image.at(x, y), 3, result.at(y, image.width - 1 - x));
  return result;
}

Image ocr::turnAround(const Image &image) {
  Image result(image.width, image.height);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x)
      std::copy_n(image.at(x, y), 3,
                  result.at(image.width - 1 - x, image.height - 1 - y));
  return result;
}

void ocr::drawQuad(Image &image, const Quad &quad) {
  const uint8_t red[3] = {220, 30, 30};
  // Thin boxes would vanish when a large picture is shown small.
  int thickness = std::max(2, std::max(image.width, image.height) / 600);
  for (size_t i = 0; i < quad.size(); ++i) {
    Point from = quad[i], step = quad[(i + 1) % quad.size()] - from;
    int count = std::max(1, int(std::ceil(length(step))));
    for (int n = 0; n <= count; ++n) {
      Point p = from + step * (double(n) / count);
      for (int dy = 0; dy < thickness; ++dy) {
        for (int dx = 0; dx < thickness; ++dx) {
          int x = int(std::lround(p.x)) + dx - thickness / 2;
          int y = int(std::lround(p.y)) + dy - thickness / 2;
          if (x >= 0 && y >= 0 && x < image.width && y < image.height)
            std::copy_n(red, 3, image.at(x, y));
        }
      }
    }
  }
}

void ocr::toPlanes(const Image &image, float *planes, int planeWidth) {
  for (int c = 0; c < 3; ++c) {
    float *plane = planes + size_t(c) * planeWidth * image.height;
    for (int y = 0; y < image.height; ++y)
      for (int x = 0; x < image.width; ++x)
        plane[size_t(y) * planeWidth + x] =
            image.at(x, y)[2 - c] / 127.5f - 1.0f;
  }
}
