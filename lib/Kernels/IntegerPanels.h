//===- IntegerPanels.h - packed weights of few bits -------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_KERNELS_INTEGERPANELS_H
#define NN_LIB_KERNELS_INTEGERPANELS_H

#include "MatMulView.h"

namespace mlir::nn {

/// The rhs of a matrix product that is `#nn.dequantized`, with scales and zero points for
/// each column, or for blocks of rows of each column.
struct IntegerMatrix {
  /// Nothing for other products.
  static std::optional<IntegerMatrix> get(const FusionView &view);

  MatMulView product;
  DequantizedAttr elements;
  /// Rows of a block, of which the last may be shorter; all rows if there is only one.
  int64_t blockRows = 0;

  int64_t countBlocks() const { return llvm::divideCeil(product.depth, blockRows); }
};

/// Its weights as panels x steps x columns of a panel: a step is a row in a byte, or two in
/// the halves of one, the earlier in the lower half. Panels are the same for all lengths of
/// vectors. Columns behind the last are zero.
struct IntegerPanels {
  /// Failure if a blob was released.
  static FailureOr<IntegerPanels> pack(const IntegerMatrix &matrix);

  int64_t columns = 0, count = 0;
  /// Rows of a step, 1 or 2, and steps of a panel.
  int64_t rowsOfStep = 1, steps = 0;
  /// Of int8.
  HostTensor values;
  /// Panels x blocks x columns: f32, and int16 less the integer of a stored 0. Zeros are not
  /// valid if all are `zero`.
  HostTensor scales, zeros;
  int64_t zero = 0;
};

} // namespace mlir::nn

#endif // NN_LIB_KERNELS_INTEGERPANELS_H
