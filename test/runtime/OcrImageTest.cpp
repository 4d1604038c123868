//===- OcrImageTest.cpp - boxes and pictures of the OCR example
//------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.

#include "../../runtime/examples/ocr/Image.h"
#include <cmath>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <stdexcept>

using namespace ocr;

static void expectNear(const Quad &got, const Quad &want) {
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i].x, want[i].x, 1e-6) << "corner " << i;
    EXPECT_NEAR(got[i].y, want[i].y, 1e-6) << "corner " << i;
  }
}

TEST(OcrGeometry, MinimalRectangleOfRotatedPoints) {
  // A rectangle of 10 x 2 around (5, 5), turned by 30 degrees, and points in
  // it.
  double c = std::cos(M_PI / 6), s = std::sin(M_PI / 6);
  auto place = [&](double x, double y) {
    return Point{5 + c * x - s * y, 5 + s * x + c * y};
  };
  std::vector<Point> points = {place(5, 1),  place(-5, -1),    place(0, 0),
                               place(-5, 1), place(2.5, -0.5), place(5, -1)};
  Rectangle rectangle = minimalRectangle(points);
  EXPECT_NEAR(rectangle.shorterSide(), 2, 1e-6);
  expectNear(rectangle.corners(),
             {place(-5, -1), place(5, -1), place(5, 1), place(-5, 1)});
  expectNear(rectangle.grown(1).corners(),
             {place(-6, -2), place(6, -2), place(6, 2), place(-6, 2)});
}

TEST(OcrGeometry, MinimalRectangleOfOnePointAndOfALine) {
  EXPECT_EQ(minimalRectangle({{3, 4}}).shorterSide(), 0);
  Rectangle line = minimalRectangle({{0, 0}, {1, 1}, {2, 2}});
  EXPECT_NEAR(std::max(line.width, line.height), std::sqrt(8), 1e-6);
  EXPECT_NEAR(line.shorterSide(), 0, 1e-6);
}

TEST(OcrGeometry, ProjectionTakesCornersToTheQuad) {
  Quad quad = {Point{10, 20}, Point{110, 30}, Point{105, 80}, Point{5, 60}};
  std::array<double, 9> m = projectionOnto(quad, 100, 40);
  const Point corners[] = {{0, 0}, {100, 0}, {100, 40}, {0, 40}};
  for (size_t i = 0; i < quad.size(); ++i) {
    Point p = corners[i];
    double scale = m[6] * p.x + m[7] * p.y + m[8];
    EXPECT_NEAR((m[0] * p.x + m[1] * p.y + m[2]) / scale, quad[i].x, 1e-6);
    EXPECT_NEAR((m[3] * p.x + m[4] * p.y + m[5]) / scale, quad[i].y, 1e-6);
  }
}

/// Each pixel another colour.
static Image gradient(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      image.at(x, y)[0] = uint8_t(10 * x);
      image.at(x, y)[1] = uint8_t(10 * y);
      image.at(x, y)[2] = 7;
    }
  return image;
}

TEST(OcrImage, StraightenCutsOutAnUprightPart) {
  Image image = gradient(20, 10);
  Image part =
      straighten(image, {Point{4, 2}, Point{10, 2}, Point{10, 5}, Point{4, 5}});
  ASSERT_EQ(part.width, 6);
  ASSERT_EQ(part.height, 3);
  for (int y = 0; y < 3; ++y)
    for (int x = 0; x < 6; ++x) {
      EXPECT_EQ(part.at(x, y)[0], 10 * (x + 4));
      EXPECT_EQ(part.at(x, y)[1], 10 * (y + 2));
    }
}

TEST(OcrImage, Turns) {
  Image image = gradient(5, 3);
  Image left = turnLeft(image), around = turnAround(image);
  ASSERT_EQ(left.width, 3);
  ASSERT_EQ(left.height, 5);
  EXPECT_EQ(left.at(0, 0)[0], 40); // The right upper corner.
  EXPECT_EQ(left.at(0, 0)[1], 0);
  EXPECT_EQ(around.at(0, 0)[0], 40); // The right lower corner.
  EXPECT_EQ(around.at(0, 0)[1], 20);
}

TEST(OcrImage, ResizeTakesPixelCentres) {
  Image image = gradient(4, 2);
  Image small = resize(image, 2, 1);
  EXPECT_EQ(small.at(0, 0)[0], 5); // Between 0 and 10.
  EXPECT_EQ(small.at(1, 0)[0], 25);
  EXPECT_EQ(small.at(0, 0)[1], 5);
}

TEST(OcrImage, PlanesAreBlueGreenRed) {
  Image image(1, 1);
  image.at(0, 0)[0] = 255;
  float planes[6] = {9, 9, 9, 9, 9, 9};
  toPlanes(image, planes, 2);
  EXPECT_EQ(planes[0], -1);
  EXPECT_EQ(planes[2], -1);
  EXPECT_EQ(planes[4], 1);
  EXPECT_EQ(planes[1], 9); // Beyond the picture.
}

TEST(OcrImage, PngComesBackAndDamageIsReported) {
  std::string path = testing::TempDir() + "ocr-image-test.png";
  Image image = gradient(16, 9);
  writePng(image, path);
  Image again = readImage(path);
  EXPECT_EQ(again.width, 16);
  EXPECT_EQ(again.rgb, image.rgb);

  std::ifstream file(path, std::ios::binary);
  std::string bytes(60, 0); // The header and a bit.
  file.read(&bytes[0], bytes.size());
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_THROW(readImage(path), std::runtime_error);
  std::ofstream(path, std::ios::binary) << "\xff\xd8\xff garbage";
  EXPECT_THROW(readImage(path), std::runtime_error);
  std::ofstream(path, std::ios::binary) << "text";
  EXPECT_THROW(readImage(path), std::runtime_error);
  remove(path.c_str());
  EXPECT_THROW(readImage(path), std::runtime_error);
}
