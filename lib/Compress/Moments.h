//===- Moments.h - what products read, on the average -----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_COMPRESS_MOMENTS_H
#define NN_LIB_COMPRESS_MOMENTS_H

#include "ErrorFeedback.h"
#include "nn/Compress/Regions.h"

namespace mlir::nn {

/// Sums of the inputs of a layer in the student, x, and in the teacher, t.
class Moments {
public:
  explicit Moments(int64_t depth)
      : own(depth, depth), cross(depth, depth), mean(depth), teacherMean(depth) {}

  /// Rows of a layer's input that are enough for its moments, as a multiple of their length.
  static constexpr int64_t kRowsOfDepth = 32;

  bool isEnough() const { return rows >= kRowsOfDepth * own.rows; }
  void add(const float *x, const float *t);
  /// Divides by the number of rows. `centers`: means are subtracted, since a bias makes up
  /// for them. False if a row has NaN or an infinity.
  bool finish(bool centers);

  Matrix own, cross; // x x', x t'
  std::vector<double> mean, teacherMean;

private:
  int64_t rows = 0;
};

/// Calls `add` with the inputs of each element of a layer's result, until it returns false: the
/// rows of a matrix, or the windows of a convolution, of the tensors x and t.
void forEachRow(const ProductRegion &region, int64_t depth, const HostTensor &x,
                const HostTensor &t, function_ref<bool(const float *, const float *)> add);

} // namespace mlir::nn

#endif // NN_LIB_COMPRESS_MOMENTS_H
