//===- FusionView.cpp - what is computed as one ---------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Fusion/FusionView.h"

using namespace mlir;
using namespace mlir::nn;

FusionView::FusionView(Operation *root, SymbolicDims &dims)
    : root(root), dims(dims) {
  auto fusion = dyn_cast<FusionOp>(root);
  if (!fusion) {
    if (!isa<ElementwiseOpInterface>(root)) {
      anchor = root;
      anchors.push_back(root);
    }
    llvm::append_range(results, root->getResults());
    return;
  }
  for (Operation &op : fusion.getBody().front()) {
    if (isa<ElementwiseOpInterface, ConstantOp, YieldOp>(op))
      continue;
    if (auto transpose = dyn_cast<TransposeOp>(op))
      transposes.push_back(transpose);
    else
      anchors.push_back(&op);
  }
  if (anchors.empty()) {
    anchors.assign(transposes.begin(), transposes.end());
    transposes.clear();
  }
  if (!anchors.empty())
    anchor = anchors.back();
  llvm::append_range(results,
                     fusion.getBody().front().getTerminator()->getOperands());
}

void FusionView::forEachOperator(function_ref<void(Operation *)> visit) const {
  auto fusion = dyn_cast<FusionOp>(root);
  if (!fusion)
    return visit(root);
  for (Operation &op : fusion.getBody().front().without_terminator())
    if (!isa<ConstantOp>(op))
      visit(&op);
}

void FusionView::collectProducers(Value value, llvm::SetVector<Operation *> &ops) const {
  SmallVector<Value> pending{value};
  while (!pending.empty()) {
    Operation *op = pending.pop_back_val().getDefiningOp();
    if (op && op->getParentOp() == root && !isa<ConstantOp>(op) && ops.insert(op))
      llvm::append_range(pending, op->getOperands());
  }
}

Value FusionView::getOuter(Value value) const {
  auto fusion = dyn_cast<FusionOp>(root);
  if (!fusion)
    return value.getDefiningOp() == root ? Value() : value;
  auto argument = dyn_cast<BlockArgument>(value);
  return argument ? fusion.getInputs()[argument.getArgNumber()] : Value();
}

ElementsAttr FusionView::getConstant(Value value) const {
  Value outer = getOuter(value);
  auto constant = (outer ? outer : value).getDefiningOp<ConstantOp>();
  return constant ? constant.getValue() : ElementsAttr();
}

FailureOr<HostTensor> FusionView::readConstant(Value value) const {
  ElementsAttr constant = getConstant(value);
  if (!constant)
    return failure();
  return toHostTensor(constant);
}

DenseElementsAttr FusionView::getSplat(Value value) const {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(getConstant(value));
  return dense && dense.isSplat() ? dense : DenseElementsAttr();
}

std::optional<float> FusionView::getSplatF32(Value value) const {
  DenseElementsAttr splat = getSplat(value);
  if (!splat || !splat.getElementType().isF32())
    return std::nullopt;
  return splat.getSplatValue<float>();
}

bool FusionView::isAnchorResult(Value value) const {
  return llvm::is_contained(anchors, value.getDefiningOp());
}

TransposeOp FusionView::getTranspose(Value value) const {
  auto transpose = value.getDefiningOp<TransposeOp>();
  return llvm::is_contained(transposes, transpose) ? transpose : TransposeOp();
}

Value FusionView::getUntransposed(Value result) const {
  TransposeOp transpose = getTranspose(result);
  return transpose ? transpose.getInput() : result;
}

FailureOr<llvm::SetVector<Value>>
FusionView::getLeaves(ValueRange values) const {
  llvm::SetVector<Value> leaves;
  llvm::SmallDenseSet<Value> seen;
  SmallVector<Value> pending(values);
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    if (!seen.insert(value).second || isAnchorResult(value) || getSplat(value))
      continue;
    if (getOuter(value) || getConstant(value)) {
      leaves.insert(value);
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (!op || !isa<ElementwiseOpInterface>(op))
      return failure();
    // Reversed, so that leaves come in the order of operands.
    llvm::append_range(pending, llvm::reverse(op->getOperands()));
  }
  return leaves;
}

Dims FusionView::getDims(Value value) const {
  Value outer = getOuter(value);
  if (!outer && !isa<FusionOp>(root))
    outer = value;
  // Results of the root are known by the name that they have outside.
  for (auto [index, result] : llvm::enumerate(results))
    if (result == value)
      outer = root->getResult(index);
  return dims.getDims(outer ? outer : value);
}

SmallVector<DimUse> FusionView::getUses(Value leaf, Value reference) const {
  Dims own = getDims(leaf), wanted = getDims(reference);
  SmallVector<DimUse> uses(wanted.size(), DimUse::Broadcast);
  size_t missing = wanted.size() - std::min(own.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (dims.isConstant(wanted[i], 1)) {
      uses[i] = DimUse::Full;
    } else if (i >= missing) {
      Dim dim = own[i - missing];
      uses[i] = dims.isConstant(dim, 1)           ? DimUse::Broadcast
                : dims.proveEqual(dim, wanted[i]) ? DimUse::Full
                                                  : DimUse::Unknown;
    }
  }
  return uses;
}

FailureOr<SmallVector<DimUse>>
FusionView::getGroupUses(Value leaf, Value reference,
                         ArrayRef<int64_t> ends) const {
  Dims wanted = getDims(reference);
  if (getDims(leaf).size() > wanted.size())
    return failure();
  SmallVector<DimUse> uses = getUses(leaf, reference), result;
  int64_t dim = 0;
  for (int64_t end : ends) {
    // Dimensions of size 1 fit either way.
    std::optional<DimUse> common;
    for (; dim < end; ++dim) {
      if (dims.isConstant(wanted[dim], 1))
        continue;
      if (uses[dim] == DimUse::Unknown || (common && *common != uses[dim]))
        return failure();
      common = uses[dim];
    }
    result.push_back(common.value_or(DimUse::Broadcast));
  }
  return result;
}

bool FusionView::isOne(Value value, int64_t dim) const {
  return dims.isConstant(getDims(value)[dim], 1);
}

bool FusionView::haveSameShape(Value lhs, Value rhs) const {
  Dims x = getDims(lhs), y = getDims(rhs);
  return x.size() == y.size() && llvm::all_of(llvm::zip(x, y), [&](auto pair) {
           return dims.proveEqual(std::get<0>(pair), std::get<1>(pair));
         });
}

int64_t FusionView::estimateInstructions(Operation *op) {
  if (isa<ExpOp, SigmoidOp, TanhOp, ErfOp, LogOp, EluOp, SeluOp, CeluOp, SwishOp,
          SoftplusOp, SinOp, CosOp>(op))
    return 16;
  if (isa<GeluOp, MishOp, PowOp, AcosOp, AsinOp, AtanOp, TanOp, SinhOp, CoshOp,
          AcoshOp, AsinhOp, AtanhOp>(op))
    return 32;
  if (isa<DivOp, SqrtOp, ReciprocalOp, ModOp>(op))
    return 4;
  return 1;
}

int64_t FusionView::estimateCost(ValueRange values) const {
  llvm::SmallDenseSet<Value> seen;
  SmallVector<Value> pending(values);
  int64_t cost = 1;
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!seen.insert(value).second || !op || isAnchorResult(value) || getOuter(value) ||
        getConstant(value))
      continue;
    cost += estimateInstructions(op);
    llvm::append_range(pending, op->getOperands());
  }
  return cost;
}
