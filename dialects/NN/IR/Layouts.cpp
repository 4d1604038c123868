//===- Layouts.cpp - operators in either order of dimensions -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/Layouts.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::layout;

//===----------------------------------------------------------------------===//
// Permutations
//===----------------------------------------------------------------------===//

SmallVector<int64_t> layout::getChannelsLast(int64_t rank) {
  SmallVector<int64_t> perm = {0};
  for (int64_t i = 2; i < rank; ++i)
    perm.push_back(i);
  perm.push_back(1);
  return perm;
}

SmallVector<int64_t> layout::invert(ArrayRef<int64_t> perm) {
  SmallVector<int64_t> inverse(perm.size());
  for (auto [index, dim] : llvm::enumerate(perm))
    inverse[dim] = index;
  return inverse;
}

RankedTensorType layout::permute(RankedTensorType type, ArrayRef<int64_t> perm) {
  return type.clone(applyPermutation(type.getShape(), perm));
}

bool layout::movesOnlyUnitDims(RankedTensorType type, ArrayRef<int64_t> perm) {
  int64_t last = -1;
  for (int64_t dim : perm) {
    if (type.getDimSize(dim) == 1)
      continue;
    if (dim < last)
      return false;
    last = dim;
  }
  return true;
}

bool layout::isAllOnes(RankedTensorType type) {
  return llvm::all_of(type.getShape(), [](int64_t size) { return size == 1; });
}

SmallVector<int64_t> layout::getPlaces(ArrayRef<int64_t> dims, int64_t rank) {
  auto all = dims.empty() ? llvm::to_vector(llvm::seq<int64_t>(0, rank)) : llvm::to_vector(dims);
  // Below rank 3 there is nothing to permute.
  if (rank < 3)
    return all;
  SmallVector<int64_t> places = invert(getChannelsLast(rank));
  for (int64_t &dim : all)
    dim = places[shapes::normalizeAxis(dim, rank)];
  return all;
}

LayoutRule layout::getRuleWithoutDims(int64_t rank, ArrayRef<int64_t> dropped) {
  SmallVector<int64_t> kept, order;
  for (int64_t i = 0; i < rank; ++i)
    if (!llvm::is_contained(dropped, i))
      kept.push_back(i);
  for (int64_t dim : getChannelsLast(rank))
    if (const int64_t *it = llvm::find(kept, dim); it != kept.end())
      order.push_back(it - kept.begin());
  if (llvm::is_sorted(order))
    return {LayoutRule::Absorbs};
  if (order.size() >= 3 && order == getChannelsLast(order.size()))
    return {LayoutRule::Flexible};
  return {LayoutRule::Pinned};
}

//===----------------------------------------------------------------------===//
// Operators with an axis
//===----------------------------------------------------------------------===//

template <typename Op> static void mapAxis(Op op) {
  int64_t rank = cast<RankedTensorType>(op->getOperand(0).getType()).getRank();
  op.setAxis(getPlaces({int64_t(op.getAxis())}, rank).front());
}

bool ConcatOp::isDataOperand(unsigned operand) { return true; }
void ConcatOp::setChannelsLast() { mapAxis(*this); }
void SplitOp::setChannelsLast() { mapAxis(*this); }
void SoftmaxOp::setChannelsLast() { mapAxis(*this); }
void LogSoftmaxOp::setChannelsLast() { mapAxis(*this); }

/// Blocks lie along an axis of a scale that has all dimensions.
static LayoutRule getQuantizationRule(int64_t blockSize) {
  return {blockSize == 0 ? LayoutRule::Flexible : LayoutRule::Pinned};
}
LayoutRule QuantizeOp::getLayoutRule(ShapeEnv &env) {
  return getQuantizationRule(getBlockSize());
}
LayoutRule DequantizeOp::getLayoutRule(ShapeEnv &env) {
  return getQuantizationRule(getBlockSize());
}
void QuantizeOp::setChannelsLast() { mapAxis(*this); }
void DequantizeOp::setChannelsLast() { mapAxis(*this); }

//===----------------------------------------------------------------------===//
// Operators with axes
//===----------------------------------------------------------------------===//

void SliceOp::setChannelsLast() {
  if (!getAxes().empty())
    setAxes(getPlaces(getAxes(), getInput().getType().getRank()));
}

/// No axes are all of them, in ONNX's order.
void PadOp::setChannelsLast() {
  setAxes(getPlaces(getAxes(), getInput().getType().getRank()));
}

LayoutRule SqueezeOp::getLayoutRule(ShapeEnv &env) {
  int64_t rank = getInput().getType().getRank();
  return getRuleWithoutDims(rank, shapes::normalizeAxes(getAxes(), rank));
}
void SqueezeOp::setChannelsLast() {
  if (!getAxes().empty())
    setAxes(getPlaces(getAxes(), getInput().getType().getRank()));
}

LayoutRule UnsqueezeOp::getLayoutRule(ShapeEnv &env) {
  bool areSpatial =
      llvm::all_of(shapes::normalizeAxes(getAxes(), getType().getRank()),
                   [](int64_t axis) { return axis >= 2; });
  return {areSpatial ? LayoutRule::Flexible : LayoutRule::Pinned};
}
/// The axes are the result's.
void UnsqueezeOp::setChannelsLast() {
  if (!getAxes().empty())
    setAxes(getPlaces(getAxes(), getType().getRank()));
}

//===----------------------------------------------------------------------===//
// Operators that change the order themselves
//===----------------------------------------------------------------------===//

/// A reshape can be either if it only merges or splits spatial dimensions.
LayoutRule ReshapeOp::getLayoutRule(ShapeEnv &env) {
  Dims from = env.getDims(getInput()), to = env.getDims(getResult());
  if (from.size() < 3 || to.size() < 3 || !env.proveEqual(from[0], to[0]) ||
      !env.proveEqual(from[1], to[1]))
    return {LayoutRule::Pinned};
  auto fromLast = applyPermutation<Dim>(from, getChannelsLast(from.size()));
  auto toLast = applyPermutation<Dim>(to, getChannelsLast(to.size()));
  return {env.getReshapeList(fromLast, toLast) ? LayoutRule::Flexible
                                               : LayoutRule::Pinned};
}

/// Another shape, which is that of the result, says how.
void ReshapeOp::setChannelsLast() {}

LayoutRule TransposeOp::getLayoutRule(ShapeEnv &env) {
  SmallVector<int64_t> last = getChannelsLast(getType().getRank());
  bool toLast = getPerm() == ArrayRef(last);
  bool toFirst = getPerm() == ArrayRef(invert(last));
  // For rank 3 it is both; then the producer decides.
  Operation *producer = getInput().getDefiningOp();
  if (toLast && !(toFirst && isa_and_nonnull<MatMulOp, AddOp, LayerNormOp>(producer)))
    return {LayoutRule::Absorbs};
  return {toFirst ? LayoutRule::Emits : LayoutRule::Pinned};
}

/// It is not computed where it changes the order itself.
void TransposeOp::setChannelsLast() {}
