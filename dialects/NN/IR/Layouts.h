//===- Layouts.h - the orders of dimensions ---------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Tensors N x C x spatial, in ONNX's order, and N x spatial x C, channels-last.
//
//===----------------------------------------------------------------------===//

#ifndef NN_DIALECTS_NN_IR_LAYOUTS_H
#define NN_DIALECTS_NN_IR_LAYOUTS_H

#include "mlir/IR/BuiltinTypes.h"

namespace mlir::nn {

/// In which orders an operator can be computed.
struct LayoutRule {
  enum Kind {
    /// Only in ONNX's order.
    Pinned,
    /// In either order; results are in the order of the operands.
    Flexible,
    /// Operands in either order; results are in ONNX's.
    Absorbs,
    /// Operands in ONNX's order; results in either.
    Emits,
  } kind = Pinned;
  /// How much more the operator costs in ONNX's order than channels-last, in moved
  /// elements.
  int64_t preference = 0;
};

namespace layout {

/// Dimension i of a channels-last tensor is dimension `result[i]` in ONNX's
/// order: 0, 2, ..., rank-1, 1.
SmallVector<int64_t> getChannelsLast(int64_t rank);
/// The same for a tensor that may be permuted.
SmallVector<int64_t> invert(ArrayRef<int64_t> perm);

template <typename T>
SmallVector<T> applyPermutation(ArrayRef<T> list, ArrayRef<int64_t> perm) {
  SmallVector<T> result;
  for (int64_t dim : perm)
    result.push_back(list[dim]);
  return result;
}
RankedTensorType permute(RankedTensorType type, ArrayRef<int64_t> perm);

/// True if the permutation moves no data: only dimensions of size 1 change positions.
bool movesOnlyUnitDims(RankedTensorType type, ArrayRef<int64_t> perm);
/// True if all dimensions are 1, so that it broadcasts in either layout.
bool isAllOnes(RankedTensorType type);

/// How an operator that drops dimensions of a tensor of this rank can be computed.
LayoutRule getRuleWithoutDims(int64_t rank, ArrayRef<int64_t> dropped);

/// The places in channels-last tensors of dimensions of tensors of `rank`, which may be
/// counted from the end.
SmallVector<int64_t> getPlaces(ArrayRef<int64_t> dims, int64_t rank);

} // namespace layout
} // namespace mlir::nn

#endif // NN_DIALECTS_NN_IR_LAYOUTS_H
