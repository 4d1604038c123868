//===- ErrorFeedback.h - weights that make up for others --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A layer's results are Y = X W, for inputs X that were seen, of which the second moments
// H = X'X are known. If a weight is set to 0 or to a value of a codebook, the other weights of
// its column change so that Y changes least:
//
//   E. Frantar, D. Alistarh: Optimal Brain Compression, NeurIPS 2022;
//   E. Frantar, D. Alistarh: SparseGPT, ICML 2023, algorithm 1.
//
// With inv(H) = U'U, U upper triangular, rows are decided from the first to the last; the error
// e of row i, divided by U[i,i], is taken from the rows j > i, times U[i,j].
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_COMPRESS_ERRORFEEDBACK_H
#define NN_LIB_COMPRESS_ERRORFEEDBACK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "mlir/Support/LLVM.h"
#include <cstdint>
#include <vector>

namespace mlir::nn {

/// A matrix of f64, row-major.
struct Matrix {
  Matrix() = default;
  Matrix(int64_t rows, int64_t columns)
      : rows(rows), columns(columns), elements(rows * columns) {}
  double *operator[](int64_t row) { return &elements[row * columns]; }
  const double *operator[](int64_t row) const { return &elements[row * columns]; }

  int64_t rows = 0, columns = 0;
  std::vector<double> elements;
};

/// a b.
Matrix multiply(const Matrix &a, const Matrix &b);

/// inv(H) of a symmetric H, of which the diagonal is made larger by `damping` times its
/// mean, so that it has an inverse.
class InverseMoments {
public:
  InverseMoments(Matrix moments, double damping);

  /// What was added to the diagonal.
  double getDamping() const { return added; }
  /// The diagonal of inv(H).
  std::vector<double> getDiagonal() const;
  /// inv(H) b.
  Matrix apply(const Matrix &b) const;
  /// `weights` with those rows and columns decided by `decide(row, column, value)`, and the
  /// others making up for it. `begin` is called before each row, with what the weights are by
  /// then.
  Matrix decide(Matrix weights,
                function_ref<double(int64_t row, int64_t column, double value)> decide,
                function_ref<void(int64_t row, const Matrix &weights)> begin = {}) const;

private:
  double added = 0;
  Matrix upper; // U
};

/// The centers of `count` clusters of the numbers, in ascending order: k-means from centers
/// that are equally far apart. Fewer if there are fewer distinct numbers.
std::vector<double> findClusters(std::vector<double> numbers, int64_t count);

/// The one of ascending `centers` that is the nearest.
double findNearest(ArrayRef<double> centers, double number);

} // namespace mlir::nn

#endif // NN_LIB_COMPRESS_ERRORFEEDBACK_H
