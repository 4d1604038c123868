//===- MatMulView.h - a matrix product as kernels see it --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_KERNELS_MATMULVIEW_H
#define NN_LIB_KERNELS_MATMULVIEW_H

#include "nn/Kernels/KernelSite.h"

namespace mlir::nn {

/// A product of floats whose lhs is not transposed. Sizes may be kDynamic.
struct MatMulView {
  /// Nothing for other operators and for batches that are broadcast.
  static std::optional<MatMulView> get(const FusionView &view);

  /// Has the run end where the depth of the rhs, or of what stands for it, is not that of
  /// the lhs.
  void checkDepth(KernelSite &site, Value value, bool isTransposed);

  /// Makes an operand an input; returns its number. That of the rhs checks its depth; it may
  /// be `turned`.
  unsigned addLhs(KernelSite &site) { return site.addInput(lhs); }
  unsigned addRhs(KernelSite &site) { return addRhs(site, rhs, op.getTransposeRhs()); }
  unsigned addTransposedRhs(KernelSite &site) { return addRhs(site, turned ? turned : rhs, true); }
  /// For estimates.
  int64_t getLikelyDepth() const { return ShapedType::isDynamic(depth) ? 64 : depth; }

  /// Rows of the rhs, or of `turned`, are columns of the product.
  bool isTransposed() { return turned || op.getTransposeRhs(); }

  MatMulOp op;
  Value lhs, rhs;
  /// The tensor of the function whose last two dimensions were swapped to give the rhs, if
  /// there is one; a kernel may read it instead.
  Value turned;
  FloatType elementType;
  /// Of the lhs, and at least 2.
  int64_t rank = 0;
  /// Of either operand, if it is known of one.
  int64_t depth = 0;
  /// Of the result; a vector as the rhs is one column.
  int64_t columns = 0;
  /// Rows of each product; all rows of a shared rhs are one product.
  int64_t rows = 0;
  /// The rhs has a matrix for each one of the lhs.
  bool isBatched = false;

private:
  unsigned addRhs(KernelSite &site, Value value, bool isTransposed);
};

} // namespace mlir::nn

#endif // NN_LIB_KERNELS_MATMULVIEW_H
