//===- MatMulView.cpp - a matrix product as kernels see it ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "MatMulView.h"

using namespace mlir;
using namespace mlir::nn;

/// What a transposition of the last two dimensions read to give `tensor`.
static Value getTurned(Value tensor) {
  auto transpose = tensor ? tensor.getDefiningOp<TransposeOp>() : TransposeOp();
  if (!transpose)
    return {};
  auto order = llvm::to_vector(transpose.getPerm());
  if (order.size() < 2)
    return {};
  std::swap(order[order.size() - 2], order[order.size() - 1]);
  return llvm::is_sorted(order) ? transpose.getInput() : Value();
}

/// The dimension of an rhs that is summed over.
static int64_t getDepthDim(RankedTensorType type, bool isTransposed) {
  return type.getRank() - (isTransposed || type.getRank() == 1 ? 1 : 2);
}

std::optional<MatMulView> MatMulView::get(const FusionView &view) {
  MatMulView self;
  self.op = dyn_cast_or_null<MatMulOp>(view.anchor);
  if (!self.op || self.op.getTransposeLhs())
    return std::nullopt;
  self.lhs = self.op.getLhs();
  self.rhs = self.op.getRhs();
  auto isReadable = [&](Value value) {
    return view.getOuter(value) || view.getConstant(value);
  };
  auto lhs = cast<RankedTensorType>(self.lhs.getType());
  auto rhs = cast<RankedTensorType>(self.rhs.getType());
  self.elementType = dyn_cast<FloatType>(lhs.getElementType());
  self.rank = lhs.getRank();
  if (!isReadable(self.lhs) || !isReadable(self.rhs) || !self.elementType ||
      !(self.elementType.isF32() || self.elementType.isF64()) || self.rank < 2 ||
      rhs.getRank() > self.rank)
    return std::nullopt;

  if (!self.op.getTransposeRhs())
    self.turned = getTurned(view.getOuter(self.rhs));
  self.depth = lhs.getDimSize(self.rank - 1);
  if (ShapedType::isDynamic(self.depth))
    self.depth = rhs.getDimSize(getDepthDim(rhs, self.op.getTransposeRhs()));
  self.columns = rhs.getRank() == 1
                     ? 1
                     : rhs.getDimSize(rhs.getRank() - (self.op.getTransposeRhs() ? 2 : 1));
  self.isBatched = rhs.getRank() > 2;
  if (self.isBatched) {
    if (rhs.getRank() != self.rank)
      return std::nullopt;
    SmallVector<DimUse> left = view.getUses(self.lhs, self.op.getResult()),
                        right = view.getUses(self.rhs, self.op.getResult());
    for (int64_t dim = 0; dim < self.rank - 2; ++dim)
      if (left[dim] != DimUse::Full || right[dim] != DimUse::Full)
        return std::nullopt;
  }
  self.rows = 1;
  for (int64_t dim = self.isBatched ? self.rank - 2 : 0; dim < self.rank - 1; ++dim) {
    int64_t size = lhs.getDimSize(dim);
    self.rows = ShapedType::isDynamic(size) || ShapedType::isDynamic(self.rows)
                    ? ShapedType::kDynamic
                    : self.rows * size;
  }
  if (self.depth == 0 || self.columns == 0)
    return std::nullopt;
  return self;
}

void MatMulView::checkDepth(KernelSite &site, Value value, bool isTransposed) {
  auto outer = [&](Value operand) {
    return operand == turned ? turned : site.view.getOuter(operand);
  };
  auto type = cast<RankedTensorType>(value.getType());
  int64_t dim = getDepthDim(type, isTransposed);
  constexpr StringLiteral message = "the contracted dimensions of a matrix product differ";
  if (cast<RankedTensorType>(lhs.getType()).isDynamicDim(rank - 1))
    site.checkSize(outer(lhs), rank - 1,
                   type.isDynamicDim(dim) ? site.hostSize(outer(value), dim)
                                          : site.hostIndex(type.getDimSize(dim)),
                   message);
  else if (type.isDynamicDim(dim))
    site.checkSize(outer(value), dim, site.hostIndex(depth), message);
}

unsigned MatMulView::addRhs(KernelSite &site, Value value, bool isTransposed) {
  checkDepth(site, value, isTransposed);
  return value == turned ? site.addTensor(turned) : site.addInput(value);
}
