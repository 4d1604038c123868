//===- ShapeMath.h - arithmetic of shapes, made of nn operators -*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// For handlers that express an operator by others: numbers that depend on shapes, or on
// lists known only at run time. Known values fold away. After a failure of the node,
// all functions return null values.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_IMPORT_ONNX_SHAPEMATH_H
#define NN_LIB_IMPORT_ONNX_SHAPEMATH_H

#include "NodeBinder.h"

namespace mlir::nn::importer {

/// `axis` counted from the front; reports an error and returns -1 if it is no dimension of
/// the input. `attribute` is where the model says it.
int64_t normalizeAxis(NodeBinder &node, int64_t axis, int64_t rank,
                      llvm::StringRef attribute = "axis");

/// The shape as an i64 list, and one dimension as a list of one and as an i64 scalar.
Value getShapeList(NodeBinder &node, Value tensor);
Value getDimList(NodeBinder &node, Value tensor, int64_t dim);
Value getDimScalar(NodeBinder &node, Value tensor, int64_t dim);
/// The tensor with its dimensions known to have `sizes`, but those that are dynamic there:
/// where the type does not say so, the run checks it, and `getProblem(dim)` says what is
/// wrong there. `fixTrailingDims` takes the sizes of the last dimensions only.
Value fixDims(NodeBinder &node, Value tensor, ArrayRef<int64_t> sizes,
              llvm::function_ref<std::string(int64_t)> getProblem);
Value fixTrailingDims(NodeBinder &node, Value tensor, ArrayRef<int64_t> sizes,
                      llvm::function_ref<std::string(int64_t)> getProblem);
/// Checks at run time that parts of `sizes` (an i64 list) make up `whole` (i64 scalar).
void checkSplit(NodeBinder &node, Value sizes, Value whole);
/// 0, 1, ... below an i64 scalar.
Value makeIota(NodeBinder &node, Value count);
/// 0, 1, ... below dimension `dim` of the tensor, shaped to broadcast along dimension
/// `place` of a tensor with rank `rank`.
Value makeIota(NodeBinder &node, Value tensor, int64_t dim, int64_t place, int64_t rank);
/// Entries [from, to) of the last dimension of a matrix.
Value takeColumns(NodeBinder &node, Value matrix, int64_t from, int64_t to);
/// All elements as a list.
Value flatten(NodeBinder &node, Value tensor);
/// A tensor with the shape given by a list, filled with a number.
Value makeFilled(NodeBinder &node, Value shape, double value, Type elementType);

/// The i64 list `axes` with negative ones counted from `rank`.
Value normalizeAxes(NodeBinder &node, Value axes, int64_t rank);
/// An i64 list with 1 at the positions in the list `axes`, else 0.
Value makeAxesMask(NodeBinder &node, Value axes, int64_t rank);
/// The entries of a list at which `mask` is 0; there are `count`.
Value dropMasked(NodeBinder &node, Value list, Value mask, int64_t count);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_SHAPEMATH_H
