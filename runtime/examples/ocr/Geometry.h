//===- Geometry.h - Points, boxes around text -------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef OCR_GEOMETRY_H
#define OCR_GEOMETRY_H

#include <array>
#include <vector>

namespace ocr {

struct Point {
  double x = 0;
  double y = 0;
};

inline Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
inline Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
inline Point operator*(Point a, double s) { return {a.x * s, a.y * s}; }

double length(Point p);

/// Four corners: top left, top right, bottom right, bottom left.
using Quad = std::array<Point, 4>;

/// A rectangle of any direction. `along` and `across` are the unit vectors of
/// its sides.
struct Rectangle {
  Point center;
  Point along, across;
  double width = 0;  ///< along `along`
  double height = 0; ///< along `across`

  double shorterSide() const { return width < height ? width : height; }
  /// The corners in the order that a reader expects.
  Quad corners() const;
  /// Each side moved outwards by `distance`.
  Rectangle grown(double distance) const;
};

/// The rectangle of least area around the points (at least one).
Rectangle minimalRectangle(std::vector<Point> points);

/// Sorts corners: the two on the left, then the two on the right, each by
/// height.
Quad orderCorners(const Quad &corners);

/// Whether `p` lies inside or on the border of a convex quad.
bool contains(const Quad &quad, Point p);

/// The projective map that takes the corners (0,0), (w,0), (w,h), (0,h) to
/// those of `quad`: nine coefficients, the last is 1.
std::array<double, 9> projectionOnto(const Quad &quad, double w, double h);

} // namespace ocr

#endif // OCR_GEOMETRY_H
