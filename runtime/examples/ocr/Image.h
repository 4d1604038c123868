//===- Image.h - Pictures: files, resampling, drawing -----------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef OCR_IMAGE_H
#define OCR_IMAGE_H

#include "Geometry.h"
#include <cstdint>
#include <string>
#include <vector>

namespace ocr {

/// A picture of 8-bit RGB pixels, row by row from the top.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;

  Image() = default;
  Image(int width, int height)
      : width(width), height(height), rgb(size_t(width) * height * 3) {}

  uint8_t *at(int x, int y) { return &rgb[(size_t(y) * width + x) * 3]; }
  const uint8_t *at(int x, int y) const {
    return &rgb[(size_t(y) * width + x) * 3];
  }
};

/// Reads a PNG or JPEG file, told apart by content. Transparent parts become
/// white. Throws std::runtime_error with the reason.
Image readImage(const std::string &path);

/// Throws std::runtime_error with the reason.
void writePng(const Image &image, const std::string &path);

/// Bilinear, without smoothing before it shrinks, as the models were trained.
Image resize(const Image &image, int width, int height);

/// Adds black rows above and below.
Image padRows(const Image &image, int above, int below);

/// The part of the picture inside `quad`, straightened to an upright rectangle
/// of its size (bicubic; beyond the border the border's pixels repeat).
Image straighten(const Image &image, const Quad &quad);

/// Turned by 90 degrees counterclockwise.
Image turnLeft(const Image &image);
/// Turned by 180 degrees.
Image turnAround(const Image &image);

void drawQuad(Image &image, const Quad &quad);

/// Writes the picture as the models want it: planes blue, green, red, scaled
/// to -1..1, into `planes` of planeWidth x image.height each. Columns beyond
/// the picture are left as they are.
void toPlanes(const Image &image, float *planes, int planeWidth);

} // namespace ocr

#endif // OCR_IMAGE_H
