//===- Geometry.cpp - Points, boxes around text ---------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Geometry.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace ocr;

double ocr::length(Point p) { return std::hypot(p.x, p.y); }

static double dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }
static double cross(Point a, Point b) { return a.x * b.y - a.y * b.x; }

Quad ocr::orderCorners(const Quad &corners) {
  Quad q = corners;
  std::stable_sort(q.begin(), q.end(),
                   [](Point a, Point b) { return a.x < b.x; });
  if (q[0].y > q[1].y)
    std::swap(q[0], q[1]);
  if (q[2].y > q[3].y)
    std::swap(q[2], q[3]);
  return {q[0], q[2], q[3], q[1]};
}

Quad Rectangle::corners() const {
  Point a = along * (width / 2), b = across * (height / 2);
  return orderCorners(
      {center - a - b, center + a - b, center + a + b, center - a + b});
}

Rectangle Rectangle::grown(double distance) const {
  Rectangle result = *this;
  result.width += 2 * distance;
  result.height += 2 * distance;
  return result;
}

/// Andrew's monotone chain: counterclockwise, without collinear points.
static std::vector<Point> convexHull(std::vector<Point> points) {
  std::sort(points.begin(), points.end(), [](Point a, Point b) {
    return a.x < b.x || (a.x == b.x && a.y < b.y);
  });
  std::vector<Point> hull;
  auto add = [&hull](Point p, size_t keep) {
    while (hull.size() > keep &&
           cross(hull.back() - hull[hull.size() - 2], p - hull.back()) <= 0)
      hull.pop_back();
    hull.push_back(p);
  };
  for (Point p : points)
    add(p, 1);
  size_t lower = hull.size();
  for (auto it = points.rbegin() + 1; it < points.rend(); ++it)
    add(*it, lower);
  if (hull.size() > 1)
    hull.pop_back(); // The first point, again.
  return hull;
}

Rectangle ocr::minimalRectangle(std::vector<Point> points) {
  std::vector<Point> hull = convexHull(std::move(points));
  // One side of the least rectangle lies on a side of the hull. Hulls have some
  // dozens of points, so that all of them are tried against all.
  Rectangle best;
  double bestArea = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < hull.size(); ++i) {
    Point side = hull[(i + 1) % hull.size()] - hull[i];
    double size = length(side);
    Point along = size > 0 ? side * (1 / size) : Point{1, 0};
    Point across = {-along.y, along.x};
    double lowA = dot(hull[i], along), highA = lowA;
    double lowB = dot(hull[i], across), highB = lowB;
    for (Point p : hull) {
      lowA = std::min(lowA, dot(p, along));
      highA = std::max(highA, dot(p, along));
      lowB = std::min(lowB, dot(p, across));
      highB = std::max(highB, dot(p, across));
    }
    double area = (highA - lowA) * (highB - lowB);
    if (area >= bestArea)
      continue;
    bestArea = area;
    best.along = along;
    best.across = across;
    best.width = highA - lowA;
    best.height = highB - lowB;
    best.center = along * ((lowA + highA) / 2) + across * ((lowB + highB) / 2);
  }
  return best;
}

bool ocr::contains(const Quad &quad, Point p) {
  // All on one side of the four edges, whichever way round they go.
  bool left = true, right = true;
  for (size_t i = 0; i < quad.size(); ++i) {
    Point edge = quad[(i + 1) % quad.size()] - quad[i];
    double side = cross(edge, p - quad[i]);
    left &= side >= -1e-9;
    right &= side <= 1e-9;
  }
  return left || right;
}

std::array<double, 9> ocr::projectionOnto(const Quad &quad, double w,
                                          double h) {
  // From the unit square (Heckbert, "Fundamentals of Texture Mapping", 2.2.3),
  // then scaled.
  const auto &[p0, p1, p2, p3] = quad;
  Point d1 = p1 - p2, d2 = p3 - p2, s = p0 - p1 + p2 - p3;
  double det = cross(d1, d2);
  double g = det != 0 ? cross(s, d2) / det : 0;
  double k = det != 0 ? cross(d1, s) / det : 0;
  return {(p1.x - p0.x + g * p1.x) / w,
          (p3.x - p0.x + k * p3.x) / h,
          p0.x,
          (p1.y - p0.y + g * p1.y) / w,
          (p3.y - p0.y + k * p3.y) / h,
          p0.y,
          g / w,
          k / h,
          1};
}
