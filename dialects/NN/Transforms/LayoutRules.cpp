//===- LayoutRules.cpp - operators in channels-last layout ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/Transforms/LayoutRules.h"
#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "nn/Analysis/Provenance.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::layout;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

LayoutRule layout::getRule(SymbolicDims &env, Operation *op) {
  if (!isa<NNDialect>(op->getDialect()) || op->getNumResults() == 0 ||
      op->getNumOperands() == 0 || op->getNumRegions() != 0)
    return {};
  auto input = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
  auto result = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!input || !result)
    return {};
  if (isa<ElementwiseOpInterface>(op))
    return {result.getRank() >= 3 ? LayoutRule::Flexible : LayoutRule::Pinned};
  if (input.getRank() < 3)
    return {};
  if (isa<SpatialOpInterface>(op)) {
    // Back ends have fast kernels for channels-last data.
    int64_t size = env.estimateElements(op->getOperand(0)) +
                   env.estimateElements(op->getResult(0));
    return {LayoutRule::Flexible, isa<ContractionOpInterface>(op) ? 8 * size : size / 2 + 1};
  }
  if (auto reduction = dyn_cast<ReductionOpInterface>(op)) {
    if (reduction.getKeepdims())
      return {LayoutRule::Flexible};
    return getRuleWithoutDims(input.getRank(), reduction.getReducedDims());
  }
  auto flexible = dyn_cast<LayoutOpInterface>(op);
  return flexible ? flexible.getLayoutRule(env) : LayoutRule();
}

Role layout::getRole(Operation *op, unsigned operand) {
  if (auto spatial = dyn_cast<SpatialOpInterface>(op))
    return operand < spatial.getNumDataOperands() ? Role::Convert : Role::Keep;
  if (isa<ElementwiseOpInterface>(op)) {
    auto type = dyn_cast<RankedTensorType>(op->getOperand(operand).getType());
    if (!type || isAllOnes(type))
      return Role::Keep;
    return type.getRank() == typeOf(op->getResult(0)).getRank()
               ? Role::Convert
               : Role::Broadcast;
  }
  auto flexible = dyn_cast<LayoutOpInterface>(op);
  bool isData = flexible ? flexible.isDataOperand(operand) : operand == 0;
  return isData ? Role::Convert : Role::Keep;
}

//===----------------------------------------------------------------------===//
// Channel shuffles
//===----------------------------------------------------------------------===//

std::optional<ChannelShuffle>
layout::matchChannelShuffle(SymbolicDims &env, Operation *op) {
  auto merge = dyn_cast<ReshapeOp>(op);
  auto transpose =
      merge ? merge.getInput().getDefiningOp<TransposeOp>() : TransposeOp();
  auto split = transpose ? transpose.getInput().getDefiningOp<ReshapeOp>()
                         : ReshapeOp();
  if (!split || !transpose->hasOneUse() || !split->hasOneUse())
    return std::nullopt;
  Dims from = env.getDims(split.getInput()), middle = env.getDims(split),
       to = env.getDims(merge);
  if (from.size() < 3 || from.size() != to.size() ||
      middle.size() <= from.size())
    return std::nullopt;
  // Batch and spatial dimensions stay; the dimensions that the channels are
  // split into are permuted among themselves.
  int64_t spatial = from.size() - 2, parts = middle.size() - 1 - spatial;
  if (!env.proveEqual(from[0], middle[0]) || !env.proveEqual(from[0], to[0]))
    return std::nullopt;
  for (int64_t i = 0; i < spatial; ++i)
    if (!env.proveEqual(from[2 + i], middle[1 + parts + i]) ||
        !env.proveEqual(from[2 + i], to[2 + i]) ||
        transpose.getPerm()[1 + parts + i] != 1 + parts + i)
      return std::nullopt;
  if (transpose.getPerm()[0] != 0 || !env.proveEqual(from[1], to[1]))
    return std::nullopt;
  return ChannelShuffle{split, transpose, merge};
}

Value layout::buildReshape(OpBuilder &builder, SymbolicDims &env,
                           Location location, Value value, ArrayRef<Dim> source,
                           ArrayRef<Dim> target, RankedTensorType type) {
  auto list = env.getReshapeList(source, target);
  if (!list)
    return {};
  return ReshapeOp::create(builder, location, type, value,
                           makeIndexList(builder, location, *list),
                           builder.getBoolAttr(false));
}

Value layout::buildChannelShuffle(OpBuilder &builder, SymbolicDims &env,
                                  const ChannelShuffle &shuffle, Value input) {
  auto [split, transpose, merge] = shuffle;
  // The positions of the parts of the channels: 1.. in ONNX's order, at the end here.
  int64_t rank = typeOf(split.getInput()).getRank();
  int64_t spatial = rank - 2;
  int64_t parts = split.getType().getRank() - 1 - spatial;
  SmallVector<int64_t> partsLast = {0};
  for (int64_t i = 0; i < spatial; ++i)
    partsLast.push_back(1 + parts + i);
  for (int64_t i = 0; i < parts; ++i)
    partsLast.push_back(1 + i);
  SmallVector<int64_t> last = getChannelsLast(rank), perm;
  for (int64_t i = 0; i < 1 + spatial; ++i)
    perm.push_back(i);
  for (int64_t i = 0; i < parts; ++i)
    perm.push_back(spatial + transpose.getPerm()[1 + i]);

  auto from = applyPermutation<Dim>(env.getDims(split.getInput()), last);
  auto middle = applyPermutation<Dim>(env.getDims(split), partsLast);
  Value parted = buildReshape(builder, env, split.getLoc(), input, from, middle,
                              permute(split.getType(), partsLast));
  if (!parted)
    return {};
  auto shuffled = TransposeOp::create(builder, transpose.getLoc(), parted, perm);
  auto to = applyPermutation<Dim>(env.getDims(merge), last);
  return buildReshape(builder, env, merge.getLoc(), shuffled,
                      applyPermutation<Dim>(middle, perm), to,
                      permute(merge.getType(), last));
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

/// Sets the attributes that name dimensions.
static void setChannelsLast(Operation *op) {
  if (auto spatial = dyn_cast<SpatialOpInterface>(op)) {
    spatial.setDataLayout(Layout::ChannelsLast);
  } else if (auto reduction = dyn_cast<ReductionOpInterface>(op)) {
    SmallVector<int64_t> dims =
        getPlaces(reduction.getReducedDims(), typeOf(reduction.getInput()).getRank());
    llvm::sort(dims);
    reduction.setReducedDims(dims);
  } else if (auto flexible = dyn_cast<LayoutOpInterface>(op)) {
    flexible.setChannelsLast();
  }
}

SmallVector<Value> layout::buildChannelsLast(OpBuilder &builder,
                                             SymbolicDims &env, Operation *op,
                                             ValueRange operands) {
  auto resultLast = [](Value result) {
    return permute(typeOf(result), getChannelsLast(typeOf(result).getRank()));
  };
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return {operands[0]}; // Absorbs: what it makes of ONNX's order is this.
  if (auto reshape = dyn_cast<ReshapeOp>(op)) {
    Dims from = env.getDims(reshape.getInput()), to = env.getDims(reshape);
    Value built = buildReshape(
        builder, env, op->getLoc(), operands[0],
        applyPermutation<Dim>(from, getChannelsLast(from.size())),
        applyPermutation<Dim>(to, getChannelsLast(to.size())),
        resultLast(reshape));
    return {built};
  }

  LayoutRule rule = getRule(env, op);
  Operation *clone = op->cloneWithoutRegions();
  clone->removeAttr(originAttrName);
  // While operands have the shapes that attributes refer to.
  setChannelsLast(clone);
  clone->setOperands(operands);
  builder.insert(clone);
  if (rule.kind == LayoutRule::Flexible)
    for (Value result : clone->getResults())
      result.setType(resultLast(result));
  return SmallVector<Value>(clone->getResults());
}
