//===- AttentionView.cpp - which groups are attention ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Attention.h"
#include "nn/Kernels/Templates.h"

using namespace mlir;
using namespace mlir::nn;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

std::optional<AttentionView> AttentionView::get(const FusionView &view) {
  AttentionView self;
  if (view.anchors.size() != 3 || view.results.size() != 1)
    return std::nullopt;
  self.scores = dyn_cast<MatMulOp>(view.anchors[0]);
  self.softmax = dyn_cast<SoftmaxOp>(view.anchors[1]);
  self.product = dyn_cast<MatMulOp>(view.anchors[2]);
  if (!self.scores || !self.softmax || !self.product || self.scores.getTransposeLhs() ||
      self.product.getTransposeLhs() || self.product.getLhs() != self.softmax.getResult() ||
      !self.softmax->hasOneUse())
    return std::nullopt;
  // Nobody else reads scores.
  llvm::SetVector<Operation *> before;
  view.collectProducers(self.softmax.getInput(), before);
  for (Operation *op : before)
    for (Operation *user : op->getUsers())
      if (user != self.softmax && !before.contains(user))
        return std::nullopt;
  self.query = MatMulOperand::get(view, self.scores.getLhs(), /*swapsLast=*/false);
  self.key =
      MatMulOperand::get(view, self.scores.getRhs(), self.scores.getTransposeRhs());
  self.value =
      MatMulOperand::get(view, self.product.getRhs(), self.product.getTransposeRhs());
  self.stored = view.getTranspose(view.results.front());
  return self.readsAll(view) ? std::optional(self) : std::nullopt;
}

bool AttentionView::readsAll(const FusionView &view) {
  RankedTensorType type = typeOf(scores.getResult());
  rank = type.getRank();
  auto isReadable = [&](const MatMulOperand &operand) {
    return int64_t(operand.order.size()) == rank &&
           typeOf(operand.tensor).getElementType().isF32() &&
           (view.getOuter(operand.tensor) || view.getConstant(operand.tensor));
  };
  if (rank < 3 || !type.getElementType().isF32() || !isReadable(query) ||
      !isReadable(key) || !isReadable(value) ||
      (softmax.getAxis() != -1 && softmax.getAxis() != rank - 1))
    return false;
  // All batches have operands of their own.
  for (auto [operand, result] : {std::pair{scores.getLhs(), scores.getResult()},
                                 {scores.getRhs(), scores.getResult()},
                                 {product.getRhs(), product.getResult()}}) {
    SmallVector<DimUse> uses = view.getUses(operand, result);
    if (llvm::any_of(ArrayRef(uses).drop_back(2),
                     [](DimUse use) { return use != DimUse::Full; }))
      return false;
  }
  auto getSize = [&](const MatMulOperand &operand, int64_t fromEnd) {
    return typeOf(operand.tensor).getDimSize(operand.order[rank - fromEnd]);
  };
  queries = getSize(query, 2);
  depth = getSize(query, 1);
  keys = ShapedType::isDynamic(getSize(key, 1)) ? getSize(value, 2) : getSize(key, 1);
  columns = getSize(value, 1);
  if (ShapedType::isDynamic(depth) || ShapedType::isDynamic(columns) || depth == 0 ||
      columns == 0 || keys == 0)
    return false;

  FailureOr<llvm::SetVector<Value>> read = view.getLeaves({softmax.getInput()});
  if (failed(read))
    return false;
  for (Value leaf : *read) {
    if (typeOf(leaf).getRank() > rank)
      return false;
    SmallVector<DimUse> uses = view.getUses(leaf, scores.getResult());
    if (llvm::is_contained(uses, DimUse::Unknown))
      return false;
    leaves[leaf] = uses;
  }
  return view.haveSameShape(softmax.getInput(), scores.getResult());
}

LogicalResult nn::emitAttentionKernel(KernelSite &site) {
  std::optional<AttentionView> attention = AttentionView::get(site.view);
  if (!attention || !attention->query.isContiguous(1) || !attention->value.isContiguous(1))
    return failure();
  return AttentionKernel(site, *attention).emit();
}

std::optional<double> nn::getAttentionShare(const FusionView &view, const CostModel &costs) {
  std::optional<AttentionView> attention = AttentionView::get(view);
  if (!attention)
    return std::nullopt;
  // Vectors along queries would be mostly empty.
  if (!ShapedType::isDynamic(attention->queries) &&
      attention->queries < costs.getThresholds().attentionFewestQueries)
    return std::nullopt;
  return 1;
}

void nn::refuseTransposesOfAttention(const FusionView &view, const CostModel &costs,
                                     SmallVectorImpl<RefusedTranspose> &refused) {
  std::optional<AttentionView> attention = AttentionView::get(view);
  if (!attention)
    return nn::refuseTransposes(view, costs, refused);
  for (TransposeOp transpose : view.transposes) {
    auto refuse = [&](StringRef why) { refused.push_back({transpose, why.str()}); };
    if (transpose == attention->stored &&
        transpose.getPerm().back() != attention->rank - 1)
      refuse("columns of the stored result would not be neighbours");
    else if (transpose == view.getTranspose(attention->scores.getLhs()) &&
             !attention->query.isContiguous(1))
      refuse("elements of a query would not be neighbours");
    else if (transpose == view.getTranspose(attention->product.getRhs()) &&
             !attention->value.isContiguous(1))
      refuse("columns of the values would not be neighbours");
  }
}
