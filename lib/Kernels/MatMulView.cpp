//===- MatMulView.cpp - a matrix product as kernels see it ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "MatMulView.h"
#include "nn/Kernels/Templates.h"

using namespace mlir;
using namespace mlir::nn;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// MatMulOperand
//===----------------------------------------------------------------------===//

MatMulOperand MatMulOperand::get(const FusionView &view, Value value, bool swapsLast) {
  MatMulOperand self{value, llvm::to_vector(llvm::seq<int64_t>(0, typeOf(value).getRank()))};
  if (swapsLast)
    std::swap(self.order[self.order.size() - 1], self.order[self.order.size() - 2]);
  TransposeOp transpose = view.getTranspose(value);
  if (!transpose)
    return self;
  self.tensor = transpose.getInput();
  for (int64_t &dim : self.order)
    dim = transpose.getPerm()[dim];
  return self;
}

bool MatMulOperand::isContiguous(int64_t fromEnd) const {
  int64_t dim = order[order.size() - fromEnd];
  ArrayRef<int64_t> behind = typeOf(tensor).getShape().drop_front(dim + 1);
  return llvm::all_of(behind, [](int64_t size) { return size == 1; });
}

//===----------------------------------------------------------------------===//
// MatMulView
//===----------------------------------------------------------------------===//

std::optional<MatMulView> MatMulView::get(const FusionView &view) {
  MatMulView self;
  self.op = dyn_cast_or_null<MatMulOp>(view.anchor);
  if (!self.op || self.op.getTransposeLhs())
    return std::nullopt;
  auto lhs = typeOf(self.op.getLhs()), rhs = typeOf(self.op.getRhs());
  self.lhs = MatMulOperand::get(view, self.op.getLhs(), /*swapsLast=*/false);
  self.rhs = MatMulOperand::get(view, self.op.getRhs(), self.op.getTransposeRhs());
  self.stored = view.getTranspose(view.results.front());
  auto isReadable = [&](Value value) {
    return view.getOuter(value) || view.getConstant(value);
  };
  self.elementType = dyn_cast<FloatType>(lhs.getElementType());
  self.rank = lhs.getRank();
  if (!isReadable(self.lhs.tensor) || !isReadable(self.rhs.tensor) || !self.elementType ||
      !(self.elementType.isF32() || self.elementType.isF64()) || self.rank < 2 ||
      rhs.getRank() > self.rank)
    return std::nullopt;

  self.depth = lhs.getDimSize(self.rank - 1);
  if (ShapedType::isDynamic(self.depth))
    self.depth = typeOf(self.rhs.tensor).getDimSize(self.rhs.getDepthDim(/*isLhs=*/false));
  self.columns = rhs.getRank() == 1
                     ? 1
                     : rhs.getDimSize(rhs.getRank() - (self.op.getTransposeRhs() ? 2 : 1));
  self.isBatched = rhs.getRank() > 2;
  if (self.isBatched) {
    if (rhs.getRank() != self.rank)
      return std::nullopt;
    SmallVector<DimUse> left = view.getUses(self.op.getLhs(), self.op.getResult()),
                        right = view.getUses(self.op.getRhs(), self.op.getResult());
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

int64_t MatMulView::getMaxTileVectors(const CostModel &costs) const {
  int64_t most = rows == 1                       ? kMinIndependentAccumulators
                 : costs.getVectorBits() == 512 ? 4
                                                 : 2;
  if (!copiesPanels() || ShapedType::isDynamic(depth))
    return most;
  return std::min(most, costs.getThresholds().panelBytes * 8 / (depth * costs.getVectorBits()));
}

bool MatMulView::canCopyPanels(const CostModel &costs) const {
  constexpr int64_t fewest = 2; // with fewer, loads of the lhs take as long as products
  return copiesPanels() && rhs.isContiguous(2) && !ShapedType::isDynamic(depth) &&
         getMaxTileVectors(costs) >= fewest;
}

//===----------------------------------------------------------------------===//
// Transpositions that kernels cannot do without
//===----------------------------------------------------------------------===//

static constexpr StringLiteral notAView =
    "the kernel multiplies floats, and of all batches or with one matrix";
static constexpr StringLiteral flatRows = "the rows of all batches are one dimension";

/// Calls `findReason` for each transposition; it returns nothing for one that is fine.
static void refuse(const FusionView &view, SmallVectorImpl<RefusedTranspose> &refused,
                   function_ref<StringRef(TransposeOp)> findReason) {
  for (TransposeOp transpose : view.transposes)
    if (StringRef why = findReason(transpose); !why.empty())
      refused.push_back({transpose, why.str()});
}

void nn::refuseTransposesOfMatMul(const FusionView &view, const CostModel &costs,
                                  SmallVectorImpl<RefusedTranspose> &refused) {
  std::optional<MatMulView> product = MatMulView::get(view);
  refuse(view, refused, [&](TransposeOp transpose) -> StringRef {
    if (!product)
      return notAView;
    MatMulOp op = product->op;
    bool isLhs = transpose == view.getTranspose(op.getLhs()),
         isRhs = transpose == view.getTranspose(op.getRhs());
    if ((isLhs || transpose == product->stored) && product->areRowsFlat())
      return flatRows;
    if (transpose == product->stored && transpose.getPerm().back() != product->rank - 1)
      return "columns of the stored result would not be neighbours";
    if (!isRhs || !product->copiesPanels() || product->canCopyPanels(costs))
      return "";
    return "neither are columns of the rhs neighbours, nor is there a copy of a panel of them "
           "that fits the stack";
  });
}

void nn::refuseTransposesOfDotProducts(const FusionView &view, const CostModel &costs,
                                       SmallVectorImpl<RefusedTranspose> &refused) {
  std::optional<MatMulView> product = MatMulView::get(view);
  refuse(view, refused, [&](TransposeOp transpose) -> StringRef {
    if (!product)
      return notAView;
    if (transpose == product->stored)
      return "results lie as they are computed";
    bool isLhs = transpose == view.getTranspose(product->op.getLhs());
    if (isLhs && product->areRowsFlat())
      return flatRows;
    if (!(isLhs ? product->lhs : product->rhs).isDepthContiguous(isLhs))
      return "the elements of a dot product would not be neighbours";
    return "";
  });
}

void nn::refuseTransposes(const FusionView &view, const CostModel &costs,
                          SmallVectorImpl<RefusedTranspose> &refused) {
  refuse(view, refused, [](TransposeOp) -> StringRef {
    return "the kernel reads and stores tensors as they lie";
  });
}

unsigned MatMulView::add(KernelSite &site, const MatMulOperand &operand) {
  return site.addInput(operand.tensor);
}

void MatMulView::checkDepth(KernelSite &site) const {
  auto type = typeOf(rhs.tensor);
  int64_t dim = rhs.getDepthDim(/*isLhs=*/false);
  if (typeOf(lhs.tensor).isDynamicDim(lhs.order.back()))
    site.checkSize(site.view.getOuter(lhs.tensor), lhs.order.back(),
                   type.isDynamicDim(dim) ? site.hostSize(site.view.getOuter(rhs.tensor), dim)
                                          : site.hostIndex(type.getDimSize(dim)),
                   kDepthsDiffer);
  else if (type.isDynamicDim(dim))
    site.checkSize(site.view.getOuter(rhs.tensor), dim, site.hostIndex(depth), kDepthsDiffer);
}

unsigned MatMulView::addRhs(KernelSite &site) {
  checkDepth(site);
  return add(site, rhs);
}

int64_t nn::getStoredDim(TransposeOp stored, int64_t dim) {
  return stored ? llvm::find(stored.getPerm(), dim) - stored.getPerm().begin() : dim;
}

//===----------------------------------------------------------------------===//
// MatrixAddress
//===----------------------------------------------------------------------===//

MatrixAddress::MatrixAddress(KernelEmitter &emitter, Value memref, ArrayRef<int64_t> order)
    : e(emitter) {
  SmallVector<Value> distances(order.size());
  Value distance = e.index(1);
  for (int64_t dim = order.size(); dim-- > 0;) {
    distances[dim] = distance;
    distance = e.mul(distance, e.size(memref, dim));
  }
  for (int64_t dim : order) {
    sizes.push_back(e.size(memref, dim));
    strides.push_back(distances[dim]);
  }
}

Value MatrixAddress::getStart(Value batch) const {
  Value start = e.index(0);
  ArrayRef<Value> batches = ArrayRef(sizes).drop_back(2);
  for (auto [index, stride] : llvm::zip_first(e.delinearize(batch, batches), strides))
    start = e.add(start, e.mul(index, stride));
  return start;
}
