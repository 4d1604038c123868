//===- Inverse.cpp - import of matrix inverses ----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "../ShapeMath.h"
#include "Microsoft.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// Entries [from, to) of a dimension.
static Value slice(NodeBinder &node, Value value, int64_t axis, int64_t from, int64_t to) {
  Value start = node.constantList({from}), end = node.constantList({to});
  return node.create<SliceOp>(value, start, end, ArrayRef<int64_t>{axis},
                              ArrayRef<int64_t>{1});
}

/// A step of Gauss and Jordan's elimination with the largest pivot of column `k`, of
/// matrices B x n x 2*n.
static Value eliminate(NodeBinder &node, Value matrices, Value rows, int64_t k, int64_t n) {
  Type i64 = IntegerType::get(node.getContext(), 64);
  Type type = getElementType(matrices);
  Value candidates = slice(node, slice(node, matrices, 1, k, n), 2, k, k + 1);
  Value largest = node.call("ArgMax", {node.create<AbsOp>(candidates)})
                      .attr("axis", int64_t(1)).get();
  Value row = node.constantScalar(k, i64), zero = node.constantScalar(0, type);
  Value isPivot = node.create<EqualOp>(rows, node.create<AddOp>(largest, row));
  Value selected = node.create<WhereOp>(isPivot, matrices, zero);
  Value pivotRow = node.create<ReduceSumOp>(selected, ArrayRef<int64_t>{1}, /*keepdims=*/true);
  Value unit = node.create<DivOp>(pivotRow, slice(node, pivotRow, 2, k, k + 1));
  // Row k goes to where the pivot was.
  Value swapped = node.create<WhereOp>(isPivot, slice(node, matrices, 1, k, k + 1), matrices);
  Value product = node.create<MulOp>(slice(node, swapped, 2, k, k + 1), unit);
  Value rest = node.create<SubOp>(swapped, product);
  return node.create<WhereOp>(node.create<EqualOp>(rows, row), unit, rest);
}

static LogicalResult importInverse(NodeBinder &node) {
  Value input;
  if (node.operand("X", input).failed())
    return failure();
  auto type = getType(input);
  int64_t rank = type.getRank(), n = rank < 2 ? 0 : getLastSize(input);
  // Each row is a step.
  constexpr int64_t most = 32;
  if (node.require(n >= 1 && n <= most && type.getDimSize(rank - 2) == n,
                   "the input holds square matrices of a small, known size", show(type),
                   "1x1 to " + Twine(most) + "x" + Twine(most), Remedy::ChangeForm).failed())
    return failure();
  Type computed = type.getElementType().isF16() ? Float32Type::get(node.getContext())
                                                : type.getElementType();
  Value shape = getShapeList(node, input), matrixShape = node.constantList({-1, n, n});
  Value matrices = node.create<ReshapeOp>(castTo(node, input, computed), matrixShape,
                                          /*allow_zero=*/false);
  Value rows = node.create<UnsqueezeOp>(
      node.constantList(llvm::to_vector(llvm::seq<int64_t>(0, n))), ArrayRef<int64_t>{1});
  Value columns = node.create<TransposeOp>(rows, ArrayRef<int64_t>{1, 0});
  Value identity = castTo(node, node.create<EqualOp>(rows, columns), computed);
  identity = node.create<ExpandOp>(identity, getShapeList(node, matrices));
  matrices = node.create<ConcatOp>(SmallVector<Value>{matrices, identity}, 2);
  for (int64_t k = 0; k < n && !node.failed(); ++k)
    matrices = eliminate(node, matrices, rows, k, n);
  Value result = castTo(node, slice(node, matrices, 2, n, 2 * n), type.getElementType());
  return node.replaceWith<ReshapeOp>(result, shape, /*allow_zero=*/true);
}

void importer::registerMicrosoftInverse(Registry &r) {
  r.onOp(microsoft, "Inverse", 1, importInverse, "X");
}
