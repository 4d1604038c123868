//===- Shape.cpp - import of operators that move data ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "ShapeMath.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// Shapes of the same elements
//===----------------------------------------------------------------------===//

static LogicalResult importReshape(NodeBinder &node) {
  Value data, shape;
  bool allowZero;
  if (node.operand("data", data).operand("shape", shape)
          .attr("allowzero", allowZero, false).failed())
    return failure();
  return node.replaceWith<ReshapeOp>(data, shape, allowZero);
}

static LogicalResult importReshapeAttribute(NodeBinder &node) {
  Value data;
  SmallVector<int64_t> shape;
  if (node.onlyOperand(data).attr("shape", shape)
          .ignoreAttrs({"consumed_inputs"}).failed())
    return failure();
  return node.replaceWith<ReshapeOp>(data, node.constantList(shape),
                                     /*allow_zero=*/false);
}

static LogicalResult importFlatten(NodeBinder &node) {
  Value input;
  int64_t axis;
  if (node.onlyOperand(input).attr("axis", axis, 1).failed())
    return failure();
  return node.replaceWith<FlattenOp>(input, axis);
}

/// Without axes, all dimensions of size 1 are removed.
static LogicalResult importSqueeze(NodeBinder &node) {
  Value data, computedAxes;
  std::optional<SmallVector<int64_t>> axes;
  if (node.operand("data", data).ints("axes", axes, computedAxes).failed())
    return failure();
  if (computedAxes) {
    int64_t rank = getType(data).getRank();
    int64_t count = rank - getType(computedAxes).getNumElements();
    Value mask = makeAxesMask(node, computedAxes, rank);
    Value shape = dropMasked(node, getShapeList(node, data), mask, count);
    return node.replaceWith<ReshapeOp>(data, shape, /*allow_zero=*/true);
  }
  if (!axes) {
    axes.emplace();
    for (auto [axis, size] : llvm::enumerate(getType(data).getShape())) {
      bool isOne = ShapedType::isDynamic(size) ? node.assumeIsOne(data, axis) : size == 1;
      if (isOne)
        axes->push_back(axis);
    }
  }
  return node.replaceWith<SqueezeOp>(data, *axes);
}

/// The shape with 1 at axes known only at run time.
static LogicalResult unsqueezeComputed(NodeBinder &node, Value data, Value axes) {
  int64_t rank = getType(data).getRank() + getType(axes).getNumElements();
  Type i64 = IntegerType::get(node.getContext(), 64);
  Value mask = makeAxesMask(node, axes, rank);
  Value one = node.constantScalar(1, i64), zero = node.constantScalar(0, i64);
  // It does not matter what is taken at masked positions.
  Value sizes = node.create<ConcatOp>(
      SmallVector<Value>{getShapeList(node, data), node.constantList({1})}, 0);
  Value kept = node.create<SubOp>(one, mask);
  Value places = node.create<CumSumOp>(kept, 0);
  places = node.create<SubOp>(places, one);
  places = node.create<MaxOp>(places, zero);
  Value own = node.create<GatherOp>(sizes, places, 0);
  Value isAdded = node.create<EqualOp>(mask, one);
  Value shape = node.create<WhereOp>(isAdded, one, own);
  return node.replaceWith<ReshapeOp>(data, shape, /*allow_zero=*/true);
}

static LogicalResult importUnsqueeze(NodeBinder &node) {
  Value data, computedAxes;
  std::optional<SmallVector<int64_t>> axes;
  if (node.operand("data", data).ints("axes", axes, computedAxes).failed())
    return failure();
  if (computedAxes)
    return unsqueezeComputed(node, data, computedAxes);
  if (node.require(axes.has_value(), "'axes' are given", "none", "").failed())
    return failure();
  return node.replaceWith<UnsqueezeOp>(data, *axes);
}

static LogicalResult importTranspose(NodeBinder &node) {
  Value data;
  SmallVector<int64_t> perm;
  if (node.onlyOperand(data).attr("perm", perm).failed())
    return failure();
  if (perm.empty())
    for (int64_t axis = getType(data).getRank(); axis-- > 0;)
      perm.push_back(axis);
  return node.replaceWith<TransposeOp>(data, perm);
}

static LogicalResult importDepthToSpace(NodeBinder &node) {
  Value input;
  int64_t blocksize;
  std::string mode;
  if (node.onlyOperand(input).requiredAttr("blocksize", blocksize)
          .attr("mode", mode, "DCR", {"DCR", "CRD"}).failed())
    return failure();
  return node.replaceWith<DepthToSpaceOp>(input, blocksize, mode);
}

static LogicalResult importSpaceToDepth(NodeBinder &node) {
  Value input;
  int64_t blocksize;
  std::string mode;
  if (node.onlyOperand(input).requiredAttr("blocksize", blocksize)
          .attr("mode", mode, "DCR", {"DCR", "CRD"}).failed())
    return failure();
  if (mode == "CRD")
    return node.useDefinition();
  return node.replaceWith<SpaceToDepthOp>(input, blocksize);
}

//===----------------------------------------------------------------------===//
// Questions about shapes
//===----------------------------------------------------------------------===//

static LogicalResult importShape(NodeBinder &node) {
  Value data;
  int64_t start;
  std::optional<int64_t> end;
  if (node.onlyOperand(data).attr("start", start, 0).optionalAttr("end", end).failed())
    return failure();
  return node.replaceWith<nn::ShapeOp>(
      data, start,
      end ? Builder(node.getContext()).getI64IntegerAttr(*end) : IntegerAttr());
}

static LogicalResult importSize(NodeBinder &node) {
  Value data;
  if (node.onlyOperand(data).failed())
    return failure();
  return node.replaceWith<SizeOp>(data);
}

//===----------------------------------------------------------------------===//
// More elements
//===----------------------------------------------------------------------===//

static LogicalResult importExpand(NodeBinder &node) {
  Value input, shape;
  if (node.operand("input", input).operand("shape", shape).failed())
    return failure();
  return node.replaceWith<ExpandOp>(input, shape);
}

static LogicalResult importTile(NodeBinder &node) {
  Value input, repeats;
  if (node.operand("input", input).operand("repeats", repeats).failed())
    return failure();
  return node.replaceWith<TileOp>(input, repeats);
}

/// Before version 6, one axis and its factor.
static LogicalResult importTileAxis(NodeBinder &node) {
  Value input;
  std::optional<SmallVector<int64_t>> tiles, axis;
  if (node.operand("input", input).constantInts("tiles", tiles)
          .constantInts("axis", axis).failed())
    return failure();
  int64_t rank = getType(input).getRank();
  if (node.require(tiles && tiles->size() == 1 && axis && axis->size() == 1,
                   "'tiles' and 'axis' are one number each", "something else", "")
          .failed())
    return failure();
  int64_t at = normalizeAxis(node, axis->front(), rank);
  if (node.failed())
    return failure();
  SmallVector<int64_t> repeats(rank, 1);
  repeats[at] = tiles->front();
  return node.replaceWith<TileOp>(input, node.constantList(repeats));
}

static LogicalResult importConcat(NodeBinder &node) {
  SmallVector<Value> inputs;
  int64_t axis;
  if (node.getSinceVersion() < 4)
    node.attr("axis", axis, 1);
  else
    node.requiredAttr("axis", axis);
  if (node.allOperands(inputs).failed())
    return failure();
  return node.replaceWith<ConcatOp>(inputs, axis);
}

static constexpr StringRef padModes[] = {"constant", "reflect", "edge", "wrap"};

/// Before version 11, counts and value are attributes.
static LogicalResult importPadAttributes(NodeBinder &node) {
  Value data, value;
  SmallVector<int64_t> pads;
  float number;
  std::string mode;
  if (node.onlyOperand(data)
          .requiredAttr(node.getSinceVersion() < 2 ? "paddings" : "pads", pads)
          .attr("value", number, 0.0f).attr("mode", mode, "constant", padModes)
          .failed())
    return failure();
  if (mode == "constant" && number != 0)
    value = node.constantScalar(number, getType(data).getElementType());
  return node.replaceWith<PadOp>(data, node.constantList(pads), value,
                                 ArrayRef<int64_t>(), mode);
}

/// Counts for axes known only at run time, as counts for all dimensions.
static Value spreadPads(NodeBinder &node, Value pads, Value axes, int64_t rank) {
  int64_t count = getType(axes).getNumElements();
  axes = normalizeAxes(node, axes, rank);
  auto spread = [&](int64_t from, int64_t to) {
    Value start = node.constantList({from}), end = node.constantList({to});
    Value own = node.create<SliceOp>(pads, start, end, ArrayRef<int64_t>{0},
                                     ArrayRef<int64_t>{1});
    Value none = node.constantList(SmallVector<int64_t>(rank, 0));
    return node.create<ScatterElementsOp>(none, axes, own, 0, "none");
  };
  SmallVector<Value> parts{spread(0, count), spread(count, 2 * count)};
  return node.create<ConcatOp>(parts, 0);
}

static LogicalResult importPad(NodeBinder &node) {
  Value data, pads, value, computedAxes;
  std::optional<SmallVector<int64_t>> axes;
  std::string mode;
  if (node.operand("data", data).operand("pads", pads)
          .optionalOperand("constant_value", value).ints("axes", axes, computedAxes)
          .attr("mode", mode, "constant", padModes).failed())
    return failure();
  // An empty list of axes would mean all of them to nn.
  if (axes && axes->empty())
    return node.setOutput(data);
  pads = node.asInt64(pads);
  if (computedAxes)
    pads = spreadPads(node, pads, computedAxes, getType(data).getRank());
  return node.replaceWith<PadOp>(data, pads,
                                 mode == "constant" ? value : Value(),
                                 axes ? *axes : SmallVector<int64_t>(), mode);
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

static LogicalResult importSliceAttributes(NodeBinder &node) {
  Value data;
  SmallVector<int64_t> starts, ends, axes;
  if (node.onlyOperand(data).requiredAttr("starts", starts)
          .requiredAttr("ends", ends).attr("axes", axes).failed())
    return failure();
  if (!node.hasAttr("axes"))
    for (size_t axis = 0; axis < starts.size(); ++axis)
      axes.push_back(axis);
  Value from = node.constantList(starts), to = node.constantList(ends);
  return node.replaceWith<SliceOp>(data, from, to, axes,
                                   SmallVector<int64_t>(axes.size(), 1));
}

/// Axes or steps known only at run time: the indices of each dimension are computed and
/// gathered.
static LogicalResult sliceComputed(NodeBinder &node, Value data, Value starts, Value ends,
                                   Value axes, Value steps) {
  int64_t rank = getType(data).getRank();
  Type i64 = IntegerType::get(node.getContext(), 64);
  Value zero = node.constantScalar(0, i64), one = node.constantScalar(1, i64);
  axes = normalizeAxes(node, axes, rank);
  auto spread = [&](Value list, int64_t otherwise) {
    Value all = node.constantList(SmallVector<int64_t>(rank, otherwise));
    return node.create<ScatterElementsOp>(all, axes, list, 0, "none");
  };
  starts = spread(starts, 0);
  ends = spread(ends, std::numeric_limits<int64_t>::max());
  steps = spread(steps, 1);
  for (int64_t d = 0; d < rank && !node.failed(); ++d) {
    Value place = node.constantScalar(double(d), i64);
    Value size = getDimScalar(node, data, d);
    Value step = node.create<GatherOp>(steps, place, 0);
    Value isBackward = node.create<LessOp>(step, zero);
    // Backward, 0 to size - 1 can be reached, and ends lie one further.
    Value last = node.create<SubOp>(size, one);
    Value highest = node.create<WhereOp>(isBackward, last, size);
    Value minusOne = node.constantScalar(-1, i64);
    Value lowestEnd = node.create<WhereOp>(isBackward, minusOne, zero);
    auto clamp = [&](Value list, Value lowest) {
      Value at = node.create<GatherOp>(list, place, 0);
      Value isNegative = node.create<LessOp>(at, zero);
      Value fromFront = node.create<AddOp>(at, size);
      at = node.create<WhereOp>(isNegative, fromFront, at);
      at = node.create<MaxOp>(at, lowest);
      return node.create<MinOp>(at, highest);
    };
    Value start = clamp(starts, zero), end = clamp(ends, lowestEnd);
    Value indices = node.create<RangeOp>(start, end, step);
    data = node.create<GatherOp>(data, indices, d);
  }
  return node.setOutput(data);
}

/// Lists of bounds whose length is known only at run time become as long as there may be
/// axes: dimensions without bounds are taken whole. The run checks the lengths.
static void fillSlice(NodeBinder &node, Value &starts, Value &ends, int64_t length) {
  if (getType(starts).hasStaticShape() && getType(ends).hasStaticShape())
    return;
  if (node.require(getType(starts).getRank() == 1 && getType(ends).getRank() == 1,
                   "'starts' and 'ends' are lists", "another shape", "").failed())
    return;
  Type i64 = IntegerType::get(node.getContext(), 64);
  Value count = getDimScalar(node, starts, 0), other = getDimScalar(node, ends, 0);
  Value isEqual = node.create<EqualOp>(count, other);
  Value fits =
      node.create<LessOrEqualOp>(count, node.constantScalar(double(length), i64));
  node.checkAtRun(node.create<AndOp>(isEqual, fits),
                  "has 'starts' and 'ends' of different lengths, or more than " +
                      Twine(length) + " of them");
  auto fill = [&](Value list, int64_t otherwise) {
    Value behind = node.constantList(SmallVector<int64_t>(length, otherwise));
    Value all = node.create<ConcatOp>(SmallVector<Value>{list, behind}, 0);
    Value from = node.constantList({0}), to = node.constantList({length});
    Value cut =
        node.create<SliceOp>(all, from, to, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
    // The length that it always has, which need not follow from those of the lists.
    Value shape = node.constantList({length});
    return node.create<ReshapeOp>(cut, shape, /*allow_zero=*/true);
  };
  starts = fill(starts, 0);
  ends = fill(ends, std::numeric_limits<int64_t>::max());
}

static LogicalResult importSlice(NodeBinder &node) {
  Value data, starts, ends, computedAxes, computedSteps;
  std::optional<SmallVector<int64_t>> axes, steps;
  if (node.operand("data", data).operand("starts", starts).operand("ends", ends)
          .ints("axes", axes, computedAxes).ints("steps", steps, computedSteps).failed())
    return failure();
  if (!axes && !computedAxes) {
    RankedTensorType type = getType(starts);
    int64_t rank = getType(data).getRank();
    if (node.require(type.getRank() == 1 &&
                         (type.isDynamicDim(0) || type.getDimSize(0) <= rank),
                     "'starts' is a list that is not longer than the input's rank",
                     show(type), "").failed())
      return failure();
    int64_t length = type.isDynamicDim(0) ? rank : type.getDimSize(0);
    axes = llvm::to_vector(llvm::seq<int64_t>(0, length));
  }
  starts = node.asInt64(starts);
  ends = node.asInt64(ends);
  if (axes && !node.failed())
    fillSlice(node, starts, ends, axes->size());
  if (computedAxes || computedSteps) {
    if (!steps && !computedSteps)
      steps = SmallVector<int64_t>(getType(computedAxes).getNumElements(), 1);
    return sliceComputed(node, data, starts, ends,
                         computedAxes ? computedAxes : node.constantList(*axes),
                         computedSteps ? computedSteps : node.constantList(*steps));
  }
  if (!steps)
    steps = SmallVector<int64_t>(axes->size(), 1);
  return node.replaceWith<SliceOp>(data, starts, ends, *axes, *steps);
}

/// Splits a dimension known only at run time into equal parts by shape arithmetic. As
/// in ONNX, parts have ceil(size / count) entries, and the last has the rest.
static LogicalResult splitDynamic(NodeBinder &node, Value input, int64_t axis,
                                  int64_t count) {
  Value size = getDimList(node, input, axis);
  Value rounded = node.create<AddOp>(size, node.constantList({count - 1}));
  Value part = node.create<DivOp>(rounded, node.constantList({count}));
  for (int64_t i = 0; i < count && !node.failed(); ++i) {
    Value start = node.create<MulOp>(part, node.constantList({i}));
    Value end = node.create<MulOp>(part, node.constantList({i + 1}));
    if (failed(node.setOutput(
            node.create<SliceOp>(input, start, end, ArrayRef<int64_t>{axis},
                                 ArrayRef<int64_t>{1}),
            i)))
      return failure();
  }
  return success(!node.failed());
}

/// Parts whose sizes are known only at run time.
static LogicalResult splitComputed(NodeBinder &node, Value input, int64_t axis,
                                   Value sizes) {
  checkSplit(node, sizes, getDimScalar(node, input, axis));
  Value ends = node.create<CumSumOp>(sizes, 0);
  Value starts = node.create<SubOp>(ends, sizes);
  for (int64_t i = 0; i < node.getNumOutputs() && !node.failed(); ++i) {
    Value place = node.constantList({i});
    Value start = node.create<GatherOp>(starts, place, 0);
    Value end = node.create<GatherOp>(ends, place, 0);
    (void)node.setOutput(node.create<SliceOp>(input, start, end, ArrayRef<int64_t>{axis},
                                              ArrayRef<int64_t>{1}),
                         i);
  }
  return success(!node.failed());
}

static LogicalResult importSplit(NodeBinder &node) {
  Value input, computedSizes;
  int64_t axis;
  std::optional<SmallVector<int64_t>> sizes;
  std::optional<int64_t> numOutputs;
  if (node.operand("input", input).ints("split", sizes, computedSizes)
          .attr("axis", axis, 0).optionalAttr("num_outputs", numOutputs).failed())
    return failure();
  axis = normalizeAxis(node, axis, getType(input).getRank());
  int64_t count = node.getNumOutputs();
  if (node.require(!numOutputs || *numOutputs == count,
                   "attribute 'num_outputs' is the number of outputs",
                   Twine(numOutputs.value_or(0)), Twine(count)).failed())
    return failure();
  if (computedSizes)
    return splitComputed(node, input, axis, computedSizes);
  if (!sizes) {
    int64_t size = getType(input).getDimSize(axis);
    if (ShapedType::isDynamic(size))
      return splitDynamic(node, input, axis, count);
    if (node.require(node.getSinceVersion() >= 18 || size % count == 0,
                     "the dimension splits into equal parts",
                     Twine(size) + " by " + Twine(count), "").failed())
      return failure();
    sizes.emplace();
    int64_t part = (size + count - 1) / count;
    for (int64_t i = 0, rest = size; i < count; ++i, rest -= sizes->back())
      sizes->push_back(std::min(part, rest));
  }
  if (node.require(int64_t(sizes->size()) == count,
                   "'split' has a size for each output", Twine(sizes->size()),
                   Twine(count)).failed())
    return failure();
  SmallVector<Value> results =
      node.createMany<SplitOp>(sizes->size(), input, *sizes, axis);
  for (auto [index, result] : llvm::enumerate(results))
    (void)node.setOutput(result, index);
  return success(!node.failed());
}

void importer::registerShape(Registry &r) {
  r.onOp("Concat", 1, importConcat);
  r.onOp("DepthToSpace", 1, importDepthToSpace);
  r.onOp("Expand", 8, importExpand);
  r.onOp("Flatten", 1, importFlatten);
  r.onOp("Pad", 1, importPadAttributes);
  r.onOp("Pad", 11, importPad);
  r.onOp("Reshape", 1, importReshapeAttribute);
  r.onOp("Reshape", 5, importReshape);
  r.onOp("Shape", 1, importShape);
  r.onOp("Size", 1, importSize);
  r.onOp("Slice", 1, importSliceAttributes);
  r.onOp("Slice", 10, importSlice);
  r.onOp("SpaceToDepth", 1, importSpaceToDepth);
  r.onOp("Split", 1, importSplit);
  r.onOp("Squeeze", 1, importSqueeze);
  r.onOp("Tile", 1, importTileAxis);
  r.onOp("Tile", 6, importTile);
  r.onOp("Transpose", 1, importTranspose);
  r.onOp("Unsqueeze", 1, importUnsqueeze);
}
