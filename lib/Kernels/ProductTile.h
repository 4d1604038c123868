//===- ProductTile.h - what kernels of products share -----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_KERNELS_PRODUCTTILE_H
#define NN_LIB_KERNELS_PRODUCTTILE_H

#include "nn/Kernels/KernelEmitter.h"

namespace mlir::nn {

/// A tile of a product of floats, which is computed in registers: some rows of some vectors
/// along the columns.
struct ProductTile {
  int64_t rows, vectors;
  /// Of the vectors.
  Type type;

  /// initial[row, vector] + sum over k < depth of lhs(row, k) * rhs(k, vector), row by row.
  /// `loadLhs` returns an element in all lanes. Without `initial`, sums begin with 0. A tile
  /// of few sums computes several steps of k at once, each with its own set, to hide latency.
  SmallVector<Value> multiply(KernelEmitter &e, Value depth,
                              function_ref<Value(int64_t row, Value k)> loadLhs,
                              function_ref<Value(Value k, int64_t vector)> loadRhs,
                              ArrayRef<Value> initial = {}) const;
};

/// Copies columns of a matrix whose elements are neighbours, so that rows are: element k of
/// column `first + i`, for i < count, is then number `k * width + i` of `copy`. Columns from
/// `end` on repeat the last one before it. `getStart` returns the offset of a column; `count`
/// is a multiple of twice the elements of 128 bits.
void copyColumns(KernelEmitter &e, const Array &source,
                 function_ref<Value(Value column)> getStart, Value depth, Value first,
                 Value end, Value count, const Array &copy, int64_t width);

/// Covers [first, end) by parts of the sizes that are given: by as many as fit of the first
/// size, the rest by the next one, of which the last leaves nothing.
void forParts(KernelEmitter &e, Value first, Value end, ArrayRef<int64_t> sizes,
              function_ref<void(Value first, int64_t size)> emit);

} // namespace mlir::nn

#endif // NN_LIB_KERNELS_PRODUCTTILE_H
