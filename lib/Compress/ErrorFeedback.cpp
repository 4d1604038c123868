//===- ErrorFeedback.cpp - weights that make up for others ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ErrorFeedback.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::nn;

/// to += factor * from, for elements [begin, end).
static void addScaled(double *to, const double *from, double factor, int64_t begin,
                      int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    to[i] += factor * from[i];
}

Matrix nn::multiply(const Matrix &a, const Matrix &b) {
  Matrix result(a.rows, b.columns);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t k = 0; k < a.columns; ++k)
      addScaled(result[i], b[k], a[i][k], 0, b.columns);
  return result;
}

InverseMoments::InverseMoments(Matrix moments, double damping) {
  int64_t size = moments.rows;
  double trace = 0;
  for (int64_t i = 0; i < size; ++i)
    trace += moments[i][i];
  // Inputs that are all 0 leave weights as they are.
  added = trace > 0 ? damping * trace / size : 1;
  for (int64_t i = 0; i < size; ++i)
    moments[i][i] += added;
  // H = R R', R upper triangular, from the last row to the first; row k of `moments` becomes
  // column k of R.
  for (int64_t k = size - 1; k >= 0; --k) {
    double *row = moments[k];
    row[k] = std::sqrt(std::max(row[k], added * 1e-6));
    for (int64_t i = 0; i < k; ++i)
      row[i] /= row[k];
    for (int64_t i = 0; i < k; ++i)
      addScaled(moments[i], row, -row[i], 0, i + 1);
  }
  // U = inv(R), row by row: U R = 1.
  Matrix r(size, size);
  for (int64_t i = 0; i < size; ++i)
    for (int64_t k = i; k < size; ++k)
      r[i][k] = moments[k][i];
  upper = Matrix(size, size);
  for (int64_t i = 0; i < size; ++i) {
    double *row = upper[i];
    row[i] = 1;
    for (int64_t k = i; k < size; ++k) {
      row[k] /= r[k][k];
      addScaled(row, r[k], -row[k], k + 1, size);
    }
  }
}

std::vector<double> InverseMoments::getDiagonal() const {
  std::vector<double> diagonal(upper.rows, 0.0);
  for (int64_t i = 0; i < upper.rows; ++i)
    for (int64_t k = i; k < upper.rows; ++k)
      diagonal[k] += upper[i][k] * upper[i][k];
  return diagonal;
}

Matrix InverseMoments::apply(const Matrix &b) const {
  int64_t size = upper.rows;
  Matrix half(size, b.columns), result(size, b.columns);
  for (int64_t i = 0; i < size; ++i)
    for (int64_t k = i; k < size; ++k)
      addScaled(half[i], b[k], upper[i][k], 0, b.columns);
  for (int64_t i = 0; i < size; ++i)
    for (int64_t k = i; k < size; ++k)
      addScaled(result[k], half[i], upper[i][k], 0, b.columns);
  return result;
}

Matrix InverseMoments::decide(
    Matrix weights, function_ref<double(int64_t, int64_t, double)> decide,
    function_ref<void(int64_t, const Matrix &)> begin) const {
  std::vector<double> errors(weights.columns);
  for (int64_t i = 0; i < weights.rows; ++i) {
    if (begin)
      begin(i, weights);
    bool isExact = true;
    for (int64_t n = 0; n < weights.columns; ++n) {
      double value = weights[i][n], decided = decide(i, n, value);
      errors[n] = (value - decided) / upper[i][i];
      isExact &= errors[n] == 0;
      weights[i][n] = decided;
    }
    if (isExact)
      continue;
    for (int64_t k = i + 1; k < weights.rows; ++k)
      addScaled(weights[k], errors.data(), -upper[i][k], 0, weights.columns);
  }
  return weights;
}

double nn::findNearest(ArrayRef<double> centers, double number) {
  const double *above = llvm::lower_bound(centers, number);
  if (above == centers.begin())
    return centers.front();
  if (above == centers.end() || number - above[-1] <= above[0] - number)
    return above[-1];
  return above[0];
}

std::vector<double> nn::findClusters(std::vector<double> numbers, int64_t count) {
  constexpr int kIterations = 50;
  llvm::sort(numbers);
  std::vector<double> distinct(numbers);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  if (int64_t(distinct.size()) <= count)
    return distinct;
  std::vector<double> sums{0}; // of the first i numbers
  for (double number : numbers)
    sums.push_back(sums.back() + number);
  std::vector<double> centers;
  double low = numbers.front(), high = numbers.back();
  for (int64_t i = 0; i < count; ++i)
    centers.push_back(low + (high - low) * (i + 0.5) / count);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    std::vector<double> next;
    size_t begin = 0;
    for (size_t i = 0; i < centers.size(); ++i) {
      size_t end = numbers.size();
      if (i + 1 < centers.size())
        end = llvm::upper_bound(numbers, (centers[i] + centers[i + 1]) / 2) - numbers.begin();
      // A center without numbers stays; it costs nothing.
      next.push_back(end > begin ? (sums[end] - sums[begin]) / double(end - begin)
                                 : centers[i]);
      begin = std::max(begin, end);
    }
    if (next == centers)
      break;
    centers = std::move(next);
  }
  return centers;
}
