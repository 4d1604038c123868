//===- MatMulView.h - a matrix product as kernels see it --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_KERNELS_MATMULVIEW_H
#define NN_LIB_KERNELS_MATMULVIEW_H

#include "nn/Kernels/KernelSite.h"

namespace mlir::nn {

/// An operand of a matrix product: batches of matrices of rows x depth (lhs) or of depth x
/// columns (rhs), which a kernel finds in a tensor through a permutation.
struct MatMulOperand {
  /// Sees through a transposition in the body and, if the operator `swapsLast` two
  /// dimensions, through that.
  static MatMulOperand get(const FusionView &view, Value value, bool swapsLast);

  /// Of the body.
  Value tensor;
  /// Dimension i of the operand is dimension `order[i]` of the tensor.
  SmallVector<int64_t> order;
  /// The tensor lies as the operand does.
  bool isPlain() const { return llvm::is_sorted(order); }
  /// Whether the elements along a dimension of the operand, counted from the end, are
  /// neighbours.
  bool isContiguous(int64_t fromEnd) const;
  /// The tensor's dimension that is the depth of an lhs, or of an rhs, which may be a vector.
  int64_t getDepthDim(bool isLhs) const {
    return isLhs || order.size() == 1 ? order.back() : order[order.size() - 2];
  }
  bool isDepthContiguous(bool isLhs) const {
    return isContiguous(isLhs || order.size() == 1 ? 1 : 2);
  }
};

/// A product of floats whose lhs is not transposed by the operator. Sizes may be kDynamic.
struct MatMulView {
  /// Nothing for other operators and for batches that are broadcast.
  static std::optional<MatMulView> get(const FusionView &view);

  /// Has the run end where the depth of the rhs is not that of the lhs.
  void checkDepth(KernelSite &site) const;
  /// Makes an operand an input; returns its number. That of the rhs checks its depth.
  unsigned addLhs(KernelSite &site) { return add(site, lhs); }
  unsigned addRhs(KernelSite &site);
  /// Columns of the rhs that are not neighbours are copied, if they can be: as many as a
  /// tile has, of all rows.
  bool copiesPanels() const { return rhs.order.size() > 1 && !rhs.isContiguous(1); }
  bool canCopyPanels(const CostModel &costs) const;
  /// The most vectors of columns of a tile.
  int64_t getMaxTileVectors(const CostModel &costs) const;
  /// For estimates.
  int64_t getLikelyDepth() const { return ShapedType::isDynamic(depth) ? 64 : depth; }

  MatMulOp op;
  MatMulOperand lhs, rhs;
  /// What the elementwise operators compute, if it is stored permuted; else null.
  TransposeOp stored;
  FloatType elementType;
  /// Of the lhs, and at least 2.
  int64_t rank = 0;
  /// Of either operand, if it is known of one.
  int64_t depth = 0;
  /// Of the result; a vector as the rhs is one column.
  int64_t columns = 0;
  /// Rows of each product; all rows of a shared rhs are one product.
  int64_t rows = 0;
  /// These are rows of several batches.
  bool areRowsFlat() const { return !isBatched && rank > 2; }
  /// The rhs has a matrix for each one of the lhs.
  bool isBatched = false;

private:
  static unsigned add(KernelSite &site, const MatMulOperand &operand);
};

/// The dimension of a result stored permuted by `stored`, which may be null, that is `dim` of
/// the computed one.
int64_t getStoredDim(TransposeOp stored, int64_t dim);

/// What a run says that ends because sizes of operands differ.
constexpr StringLiteral kDepthsDiffer =
    "the contracted dimensions of a matrix product differ";

/// Where the matrices of a tensor lie that is read or stored through a permutation.
class MatrixAddress {
public:
  /// Dimension i of the matrices is dimension `order[i]` of the memref.
  MatrixAddress(KernelEmitter &emitter, Value memref, ArrayRef<int64_t> order);

  /// The offset of the first element of a matrix.
  Value getStart(Value batch) const;
  /// The distance of rows and that of columns.
  Value getRowStride() const { return strides[strides.size() - 2]; }
  Value getColumnStride() const { return strides.back(); }

private:
  KernelEmitter &e;
  /// Of the dimensions in their order.
  SmallVector<Value> sizes, strides;
};

} // namespace mlir::nn

#endif // NN_LIB_KERNELS_MATMULVIEW_H
