//===- LayoutRules.cpp - operators in channels-last layout ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/Transforms/LayoutRules.h"
#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "nn/Analysis/Provenance.h"
#include "llvm/ADT/TypeSwitch.h"

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

template <typename T>
static SmallVector<T> applyPermutation(ArrayRef<T> list,
                                       ArrayRef<int64_t> perm) {
  SmallVector<T> result;
  for (int64_t dim : perm)
    result.push_back(list[dim]);
  return result;
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

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

/// The order of the remaining dimensions when some are dropped from a channels-last
/// tensor.
static Rule::Kind getKindWithoutDims(int64_t rank, ArrayRef<int64_t> dropped) {
  SmallVector<int64_t> kept, order;
  for (int64_t i = 0; i < rank; ++i)
    if (!llvm::is_contained(dropped, i))
      kept.push_back(i);
  for (int64_t dim : getChannelsLast(rank))
    if (const int64_t *it = llvm::find(kept, dim); it != kept.end())
      order.push_back(it - kept.begin());
  if (llvm::is_sorted(order))
    return Rule::Absorbs;
  if (order.size() >= 3 && order == getChannelsLast(order.size()))
    return Rule::Flexible;
  return Rule::Pinned;
}

static Rule::Kind getReductionKind(ReductionOpInterface op) {
  if (op.getKeepdims())
    return Rule::Flexible;
  return getKindWithoutDims(typeOf(op.getInput()).getRank(), op.getReducedDims());
}

/// A reshape that only merges or splits spatial dimensions.
static bool keepsBatchAndChannels(SymbolicDims &env, ReshapeOp op) {
  Dims from = env.getDims(op.getInput()), to = env.getDims(op);
  return from.size() >= 3 && to.size() >= 3 && env.proveEqual(from[0], to[0]) &&
         env.proveEqual(from[1], to[1]);
}

static bool isFlexibleReshape(SymbolicDims &env, ReshapeOp op) {
  if (!keepsBatchAndChannels(env, op))
    return false;
  Dims from = env.getDims(op.getInput()), to = env.getDims(op);
  auto fromLast = applyPermutation<Dim>(from, getChannelsLast(from.size()));
  auto toLast = applyPermutation<Dim>(to, getChannelsLast(to.size()));
  return env.getReshapeList(fromLast, toLast).has_value();
}

static Rule::Kind getTransposeKind(TransposeOp op) {
  int64_t rank = op.getType().getRank();
  SmallVector<int64_t> last = getChannelsLast(rank);
  bool toLast = op.getPerm() == ArrayRef(last);
  bool toFirst = op.getPerm() == ArrayRef(invert(last));
  // For rank 3 it is both; then the producer decides.
  Operation *producer = op.getInput().getDefiningOp();
  if (toLast && !(toFirst && isa_and_nonnull<MatMulOp, AddOp, LayerNormOp>(producer)))
    return Rule::Absorbs;
  return toFirst ? Rule::Emits : Rule::Pinned;
}

Rule layout::getRule(SymbolicDims &env, Operation *op) {
  if (!isa<NNDialect>(op->getDialect()) || op->getNumResults() == 0 ||
      op->getNumOperands() == 0 || op->getNumRegions() != 0)
    return {};
  auto input = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
  auto result = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!input || !result)
    return {};
  if (isa<ElementwiseOpInterface>(op))
    return {result.getRank() >= 3 ? Rule::Flexible : Rule::Pinned};
  if (input.getRank() < 3)
    return {};
  if (isa<SpatialOpInterface>(op)) {
    // Back ends have fast kernels for channels-last data.
    int64_t size = env.estimateElements(op->getOperand(0)) +
                   env.estimateElements(op->getResult(0));
    return {Rule::Flexible,
            isa<ConvOp, ConvTransposeOp>(op) ? 8 * size : size / 2 + 1};
  }
  return llvm::TypeSwitch<Operation *, Rule>(op)
      .Case<ConcatOp, SplitOp, SliceOp, PadOp, SoftmaxOp, LogSoftmaxOp>(
          [](auto) { return Rule{Rule::Flexible}; })
      .Case<QuantizeOp, DequantizeOp>([](auto q) {
        return Rule{q.getBlockSize() == 0 ? Rule::Flexible : Rule::Pinned};
      })
      .Case([](ReductionOpInterface reduction) {
        return Rule{getReductionKind(reduction)};
      })
      .Case([](SqueezeOp squeeze) {
        int64_t rank = typeOf(squeeze.getInput()).getRank();
        return Rule{getKindWithoutDims(
            rank, shapes::normalizeAxes(squeeze.getAxes(), rank))};
      })
      .Case([&](UnsqueezeOp unsqueeze) {
        int64_t rank = unsqueeze.getType().getRank();
        bool spatial = llvm::all_of(
            shapes::normalizeAxes(unsqueeze.getAxes(), rank),
            [](int64_t axis) { return axis >= 2; });
        return Rule{spatial ? Rule::Flexible : Rule::Pinned};
      })
      .Case([&](ReshapeOp reshape) {
        return Rule{isFlexibleReshape(env, reshape) ? Rule::Flexible
                                                    : Rule::Pinned};
      })
      .Case([](TransposeOp transpose) {
        return Rule{getTransposeKind(transpose)};
      })
      .Default([](Operation *) { return Rule(); });
}

Role layout::getRole(Operation *op, unsigned operand) {
  if (auto spatial = dyn_cast<SpatialOpInterface>(op))
    return operand < spatial.getNumDataOperands() ? Role::Convert : Role::Keep;
  if (isa<ConcatOp>(op))
    return Role::Convert;
  if (isa<ElementwiseOpInterface>(op)) {
    auto type = dyn_cast<RankedTensorType>(op->getOperand(operand).getType());
    if (!type || isAllOnes(type))
      return Role::Keep;
    return type.getRank() == typeOf(op->getResult(0)).getRank()
               ? Role::Convert
               : Role::Broadcast;
  }
  return operand == 0 ? Role::Convert : Role::Keep;
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

/// Sets the attributes that name dimensions, and for squeezes and reductions the
/// order in which dimensions remain.
static void mapAttributes(Operation *op, ArrayRef<int64_t> toPlace) {
  int64_t rank = toPlace.size();
  Builder builder(op->getContext());
  auto mapAxis = [&](int64_t axis) { return toPlace[shapes::normalizeAxis(axis, rank)]; };
  auto mapAxes = [&](ArrayRef<int64_t> axes) {
    return llvm::map_to_vector(axes, mapAxis);
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case<SpatialOpInterface>([](SpatialOpInterface spatial) {
        spatial.setDataLayout(Layout::ChannelsLast);
      })
      .Case<ConcatOp, SplitOp, SoftmaxOp, LogSoftmaxOp, QuantizeOp, DequantizeOp>(
          [&](auto axisOp) { axisOp.setAxis(mapAxis(axisOp.getAxis())); })
      .Case<SliceOp, SqueezeOp>(
          [&](auto axesOp) { axesOp.setAxes(mapAxes(axesOp.getAxes())); })
      .Case([&](PadOp pad) {
        SmallVector<int64_t> axes(pad.getAxes());
        if (axes.empty())
          axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
        pad.setAxes(mapAxes(axes));
      })
      .Case([&](ReductionOpInterface reduction) {
        SmallVector<int64_t> dims = mapAxes(reduction.getReducedDims());
        llvm::sort(dims);
        reduction.setReducedDims(dims);
      });
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

  Rule rule = getRule(env, op);
  Operation *clone = op->cloneWithoutRegions();
  clone->removeAttr(originAttrName);
  clone->setOperands(operands);
  builder.insert(clone);
  if (auto unsqueeze = dyn_cast<UnsqueezeOp>(clone)) {
    // Axes refer to the result.
    int64_t rank = typeOf(op->getResult(0)).getRank();
    SmallVector<int64_t> toPlace = invert(getChannelsLast(rank));
    unsqueeze.setAxes(llvm::map_to_vector(
        unsqueeze.getAxes(),
        [&](int64_t axis) { return toPlace[shapes::normalizeAxis(axis, rank)]; }));
  } else if (int64_t rank = isa<ElementwiseOpInterface>(op)
                                ? typeOf(op->getResult(0)).getRank()
                                : typeOf(op->getOperand(0)).getRank();
             rank >= 3) {
    mapAttributes(clone, invert(getChannelsLast(rank)));
  }
  if (rule.kind == Rule::Flexible)
    for (Value result : clone->getResults())
      result.setType(resultLast(result));
  return SmallVector<Value>(clone->getResults());
}
