//===- Indexing.cpp - import of operators that pick by index --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "ShapeMath.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static Type getI64(NodeBinder &node) { return IntegerType::get(node.getContext(), 64); }

//===----------------------------------------------------------------------===//
// Gather, Scatter
//===----------------------------------------------------------------------===//

/// The operators have different names for their attribute.
template <typename OpT>
static LogicalResult importGather(NodeBinder &node, StringRef attribute) {
  Value data, indices;
  int64_t number;
  if (node.operand("data", data).operand("indices", indices)
          .attr(attribute, number, 0).failed())
    return failure();
  return node.replaceWith<OpT>(data, indices, number);
}

static constexpr StringRef reductions[] = {"none", "add", "mul", "max", "min"};

static LogicalResult importScatterElements(NodeBinder &node) {
  Value data, indices, updates;
  int64_t axis;
  std::string reduction;
  if (node.operand("data", data).operand("indices", indices)
          .operand("updates", updates).attr("axis", axis, 0)
          .attr("reduction", reduction, "none", reductions).failed())
    return failure();
  return node.replaceWith<ScatterElementsOp>(data, indices, updates, axis, reduction);
}

static LogicalResult importScatterND(NodeBinder &node) {
  Value data, indices, updates;
  std::string reduction;
  if (node.operand("data", data).operand("indices", indices)
          .operand("updates", updates)
          .attr("reduction", reduction, "none", reductions).failed())
    return failure();
  // The ranks say how many dimensions of the data the indices are for.
  int64_t length = getType(data).getRank() + getType(indices).getRank() - 1 -
                   getType(updates).getRank();
  if (getType(indices).getRank() > 0 && length >= 0 && length <= getType(data).getRank())
    indices = fixTrailingDims(node, indices, {length}, [&](int64_t) {
      return "gets indices for another number of dimensions of the data than " +
             std::to_string(length) + ", as the ranks of its operands say";
    });
  return node.replaceWith<ScatterNDOp>(data, indices, updates, reduction);
}

//===----------------------------------------------------------------------===//
// Range, OneHot
//===----------------------------------------------------------------------===//

static LogicalResult importRange(NodeBinder &node) {
  Value start, limit, delta;
  if (node.operand("start", start).operand("limit", limit)
          .operand("delta", delta).failed())
    return failure();
  start = node.asScalar(start);
  limit = node.asScalar(limit);
  delta = node.asScalar(delta);
  return node.replaceWith<RangeOp>(start, limit, delta);
}

static LogicalResult importOneHot(NodeBinder &node) {
  Value indices, depth, values;
  int64_t axis;
  if (node.operand("indices", indices).operand("depth", depth)
          .operand("values", values).attr("axis", axis, -1).failed())
    return failure();
  int64_t rank = getType(indices).getRank() + 1;
  if (node.require(axis >= -rank && axis < rank,
                   "attribute 'axis' is a dimension of the result", Twine(axis),
                   Twine(-rank) + " to " + Twine(rank - 1)).failed())
    return failure();
  axis = shapes::normalizeAxis(axis, rank);
  depth = node.asInt64(node.asScalar(depth));
  indices = node.asInt64(indices);
  // Negative indices count from the end; others out of range match nothing.
  Value negative = node.create<LessOp>(indices, node.constantScalar(0, getI64(node)));
  Value fromFront = node.create<AddOp>(indices, depth);
  if (node.failed())
    return failure();
  indices = node.create<WhereOp>(negative, fromFront, indices);
  indices = node.create<UnsqueezeOp>(indices, ArrayRef<int64_t>{axis});
  Value places = makeIota(node, depth);
  SmallVector<int64_t> added;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      added.push_back(i);
  if (!added.empty() && places)
    places = node.create<UnsqueezeOp>(places, added);
  Value off = node.create<GatherOp>(values, node.constantScalar(0, getI64(node)), 0);
  Value on = node.create<GatherOp>(values, node.constantScalar(1, getI64(node)), 0);
  if (node.failed())
    return failure();
  Value isOn = node.create<EqualOp>(indices, places);
  return node.replaceWith<WhereOp>(isOn, on, off);
}

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

static LogicalResult importTopK(NodeBinder &node) {
  Value input, k;
  int64_t axis, number;
  bool largest, sorted;
  if (node.getSinceVersion() < 10)
    node.requiredAttr("k", number);
  else
    node.operand("K", k);
  if (node.operand("X", input).attr("axis", axis, -1)
          .attr("largest", largest, true).attr("sorted", sorted, true).failed())
    return failure();
  // If results need not be sorted, any order is valid.
  k = k ? node.asInt64(k) : node.constantList({number});
  SmallVector<Value> results = node.createMany<TopKOp>(2, input, k, axis, largest);
  for (auto [index, result] : llvm::enumerate(results))
    (void)node.setOutput(result, index);
  return success(!node.failed());
}

static LogicalResult importNonZero(NodeBinder &node) {
  Value input;
  if (node.onlyOperand(input).failed())
    return failure();
  // Of strings, those that are not empty.
  if (holdsStrings(input))
    input = node.create<NotOp>(node.create<EqualOp>(input, node.constantString("")));
  return node.replaceWith<NonZeroOp>(input);
}

static LogicalResult importUnique(NodeBinder &node) {
  Value input;
  std::optional<int64_t> axis;
  bool sorted;
  if (node.onlyOperand(input).optionalAttr("axis", axis)
          .attr("sorted", sorted, true).failed())
    return failure();
  bool isText = holdsStrings(input);
  if (isText) {
    if (node.require(!sorted, "strings are not sorted", "attribute 'sorted' = 1", "0",
                     Remedy::ChangeForm).failed())
      return failure();
    input = node.numbersOf(input);
  }
  IntegerAttr axisAttr =
      axis ? Builder(node.getContext()).getI64IntegerAttr(*axis) : IntegerAttr();
  SmallVector<Value> results =
      node.createMany<UniqueOp>(4, input, axisAttr,
                                Builder(node.getContext()).getBoolAttr(sorted));
  if (isText && !results.empty())
    results[0] = node.stringsOf(results[0]);
  for (int64_t i = 0; i < std::min<int64_t>(results.size(), node.getNumOutputs()); ++i)
    if (i == 0 || node.hasOutput(i))
      (void)node.setOutput(results[i], i);
  return success(!node.failed());
}

static LogicalResult importNonMaxSuppression(NodeBinder &node) {
  Value boxes, scores, maxBoxes, iouThreshold, scoreThreshold;
  bool isCenterPoint;
  if (node.operand("boxes", boxes).operand("scores", scores)
          .optionalOperand("max_output_boxes_per_class", maxBoxes)
          .optionalOperand("iou_threshold", iouThreshold)
          .optionalOperand("score_threshold", scoreThreshold)
          .attr("center_point_box", isCenterPoint, false).failed())
    return failure();
  return node.replaceWith<NonMaxSuppressionOp>(boxes, scores, maxBoxes, iouThreshold,
                                               scoreThreshold, isCenterPoint);
}

/// The entries of an axis (of the flattened input without one) at which a list of
/// bool is true. What the list has beyond the axis is ignored, as by ONNX Runtime.
static LogicalResult importCompress(NodeBinder &node) {
  Value input, condition;
  std::optional<int64_t> axis;
  if (node.operand("input", input).operand("condition", condition)
          .optionalAttr("axis", axis).failed())
    return failure();
  if (!axis)
    input = flatten(node, input);
  if (!input)
    return failure();
  int64_t along = normalizeAxis(node, axis.value_or(0), getType(input).getRank());
  int64_t rank = getType(condition).getRank();
  if (node.require(rank == 1, "the condition is a list", Twine(rank) + " dimensions", "1")
          .failed())
    return failure();
  int64_t length = getType(condition).getDimSize(0), size = getType(input).getDimSize(along);
  if (ShapedType::isDynamic(size) || ShapedType::isDynamic(length) || length > size)
    condition = node.create<SliceOp>(condition, node.constantList({0}),
                                     getDimList(node, input, along), ArrayRef<int64_t>{0},
                                     ArrayRef<int64_t>{1});
  Value indices = node.create<NonZeroOp>(condition);
  if (!indices)
    return failure();
  indices = node.create<SqueezeOp>(indices, ArrayRef<int64_t>{0});
  return node.replaceWith<GatherOp>(input, indices, along);
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// Each batch entry has its own number of steps to reverse.
static LogicalResult importReverseSequence(NodeBinder &node) {
  Value input, lengths;
  int64_t batchAxis, timeAxis;
  if (node.operand("input", input).operand("sequence_lens", lengths)
          .attr("batch_axis", batchAxis, 1).attr("time_axis", timeAxis, 0)
          .require(batchAxis + timeAxis == 1 && batchAxis * timeAxis == 0,
                   "attributes 'batch_axis' and 'time_axis' are 0 and 1, or 1 and 0",
                   Twine(batchAxis) + " and " + Twine(timeAxis), "")
          .failed())
    return failure();
  lengths = node.asInt64(lengths);
  Value steps = makeIota(node, input, timeAxis, timeAxis, 2);
  Value entries = makeIota(node, input, batchAxis, batchAxis, 2);
  if (!steps || !entries)
    return failure();
  lengths = node.create<UnsqueezeOp>(lengths, ArrayRef<int64_t>{timeAxis});
  Value last = node.create<SubOp>(lengths, node.constantScalar(1, getI64(node)));
  Value mirrored = node.create<SubOp>(last, steps);
  Value isReversed = node.create<LessOp>(steps, lengths);
  if (node.failed())
    return failure();
  Value from = node.create<WhereOp>(isReversed, mirrored, steps);
  // Both as tensors of the leading two dimensions, then as pairs.
  Value zero = node.create<SubOp>(from, from);
  entries = node.create<AddOp>(entries, zero);
  if (node.failed())
    return failure();
  from = node.create<UnsqueezeOp>(from, ArrayRef<int64_t>{2});
  entries = node.create<UnsqueezeOp>(entries, ArrayRef<int64_t>{2});
  SmallVector<Value> pair{from, entries};
  if (timeAxis == 1)
    std::swap(pair[0], pair[1]);
  Value indices = node.create<ConcatOp>(pair, 2);
  return node.replaceWith<GatherNDOp>(input, indices, 0);
}

/// Writes a sequence into a cache, at a separate position for each batch entry;
/// `circular` wraps around to the front.
static LogicalResult importTensorScatter(NodeBinder &node) {
  Value cache, update, starts;
  int64_t axis;
  std::string mode;
  if (node.operand("past_cache", cache).operand("update", update)
          .optionalOperand("write_indices", starts).attr("axis", axis, -2)
          .attr("mode", mode, "linear", {"linear", "circular"}).failed())
    return failure();
  int64_t rank = getType(cache).getRank();
  axis = shapes::normalizeAxis(axis, rank);
  if (node.require(axis > 0 && axis < rank, "attribute 'axis' is not the batch's",
                   Twine(axis), "1 to " + Twine(rank - 1)).failed())
    return failure();
  Value places = makeIota(node, update, axis, axis, rank);
  if (starts) {
    auto added = llvm::to_vector(llvm::seq<int64_t>(1, rank));
    starts = node.asInt64(starts);
    Value shaped = node.create<UnsqueezeOp>(starts, added);
    places = node.create<AddOp>(places, shaped);
  }
  if (mode == "circular") {
    Value size = getDimScalar(node, cache, axis);
    places = node.create<ModOp>(places, size, /*fmod=*/false);
  }
  Value indices = node.create<ExpandOp>(places, getShapeList(node, update));
  return node.replaceWith<ScatterElementsOp>(cache, indices, update, axis, "none");
}

//===----------------------------------------------------------------------===//
// Sampling
//===----------------------------------------------------------------------===//

/// Adds blocks back into the image that they were cut from: each element of the input
/// is added at its position in the image, or behind the image if that is in the
/// padding.
static LogicalResult importCol2Im(NodeBinder &node) {
  Value input, imageShape, blockShape;
  SmallVector<int64_t> dilations, pads, strides;
  if (node.operand("input", input).operand("image_shape", imageShape)
          .operand("block_shape", blockShape).attr("dilations", dilations)
          .attr("pads", pads).attr("strides", strides).failed())
    return failure();
  RankedTensorType shapeType = getType(blockShape);
  if (node.require(shapeType.getRank() == 1 && shapeType.hasStaticShape(),
                   "'block_shape' is a list of known length", "another shape", "",
                   Remedy::MakeConstant)
          .require(getType(input).getRank() == 3, "the input has rank 3",
                   "rank " + Twine(getType(input).getRank()), "").failed())
    return failure();
  // Each of them generates code.
  constexpr int64_t most = 16;
  int64_t k = shapeType.getDimSize(0);
  auto fits = [](ArrayRef<int64_t> list, int64_t size, int64_t least) {
    return list.empty() || (int64_t(list.size()) == size &&
                            llvm::all_of(list, [&](int64_t v) { return v >= least; }));
  };
  if (node.require(k >= 1 && k <= most, "'block_shape' has a size for each dimension",
                   Twine(k) + " sizes", "1 to " + Twine(most))
          .require(fits(dilations, k, 1) && fits(strides, k, 1) && fits(pads, 2 * k, 0),
                   "attributes 'dilations', 'strides' and 'pads' fit 'block_shape'",
                   "a list of another length, or a value too small", "").failed())
    return failure();
  dilations.resize(k, 1);
  strides.resize(k, 1);
  pads.resize(2 * k, 0);
  Type i64 = getI64(node);
  Value one = node.constantScalar(1, i64), zero = node.constantScalar(0, i64);
  imageShape = node.asInt64(imageShape);
  blockShape = node.asInt64(blockShape);
  // For each dimension: the place in the image for each place in a block and each
  // block, two dimensions of 2k.
  Value places, isInside, distance = one;
  for (int64_t d = k - 1; d >= 0 && !node.failed(); --d) {
    auto number = [&](int64_t value) { return node.constantScalar(double(value), i64); };
    Value at = number(d);
    Value size = node.create<GatherOp>(imageShape, at, 0);
    Value block = node.create<GatherOp>(blockShape, at, 0);
    // How many blocks there are: (size + pads - dilation * (block - 1) - 1) / stride + 1
    Value reach = node.create<SubOp>(block, one);
    reach = node.create<MulOp>(reach, number(dilations[d]));
    Value blocks = node.create<AddOp>(size, number(pads[d] + pads[d + k] - 1));
    blocks = node.create<SubOp>(blocks, reach);
    blocks = node.create<DivOp>(blocks, number(strides[d]));
    blocks = node.create<AddOp>(blocks, one);
    auto spread = [&](Value count, int64_t factor, int64_t place) {
      Value list = makeIota(node, count);
      list = node.create<MulOp>(list, number(factor));
      SmallVector<int64_t> added;
      for (int64_t i = 0; i < 2 * k; ++i)
        if (i != place)
          added.push_back(i);
      return node.create<UnsqueezeOp>(list, added);
    };
    Value inBlock = spread(block, dilations[d], d);
    Value start = spread(blocks, strides[d], k + d);
    Value place = node.create<AddOp>(inBlock, start);
    place = node.create<SubOp>(place, number(pads[d]));
    Value notBefore = node.create<GreaterOrEqualOp>(place, zero);
    Value notBehind = node.create<LessOp>(place, size);
    Value fits = node.create<AndOp>(notBefore, notBehind);
    place = node.create<MulOp>(place, distance);
    places = places ? node.create<AddOp>(places, place) : place;
    isInside = isInside ? node.create<AndOp>(isInside, fits) : fits;
    distance = node.create<MulOp>(distance, size);
  }
  // `distance` is the image's size now. All channels use the same positions.
  places = node.create<WhereOp>(isInside, places, distance);
  places = flatten(node, places);
  Value total = node.create<ReduceProdOp>(blockShape, ArrayRef<int64_t>{0},
                                          /*keepdims=*/true);
  Value shape = getShapeList(node, input);
  Value batch = node.create<GatherOp>(shape, node.constantList({0}), 0);
  Value columns = node.create<GatherOp>(shape, node.constantList({1}), 0);
  Value channels = node.create<DivOp>(columns, total);
  Value planes = node.create<MulOp>(batch, channels);
  Value minusOne = node.constantList({-1});
  Value rows = node.create<ConcatOp>(SmallVector<Value>{planes, minusOne}, 0);
  Value data = node.create<ReshapeOp>(input, rows, /*allow_zero=*/false);
  Value indices = node.create<ExpandOp>(places, getShapeList(node, data));
  Value room = node.create<UnsqueezeOp>(distance, ArrayRef<int64_t>{0});
  Value roomBehind = node.create<AddOp>(room, node.constantList({1}));
  Value imageRows = node.create<ConcatOp>(SmallVector<Value>{planes, roomBehind}, 0);
  Value image = makeFilled(node, imageRows, 0, getType(input).getElementType());
  image = node.create<ScatterElementsOp>(image, indices, data, 1, "add");
  Value start = node.constantList({0});
  image = node.create<SliceOp>(image, start, room, ArrayRef<int64_t>{1},
                               ArrayRef<int64_t>{1});
  Value result =
      node.create<ConcatOp>(SmallVector<Value>{batch, channels, imageShape}, 0);
  return node.replaceWith<ReshapeOp>(image, result, /*allow_zero=*/true);
}

static LogicalResult importGridSample(NodeBinder &node) {
  Value input, grid;
  bool alignCorners;
  std::string mode, padding;
  if (node.operand("X", input).operand("grid", grid)
          .attr("align_corners", alignCorners, false)
          .attr("mode", mode, "linear",
                {"linear", "nearest", "cubic", "bilinear", "bicubic"})
          .attr("padding_mode", padding, "zeros", {"zeros", "border", "reflection"})
          .failed())
    return failure();
  if (StringRef(mode).starts_with("bi"))
    mode = mode.substr(2);
  Type type = getType(input).getElementType();
  if (isa<FloatType>(type) && getType(grid).getElementType() != type)
    grid = node.create<CastOp>(grid, type);
  return node.replaceWith<GridSampleOp>(input, grid, alignCorners, mode, padding);
}

static LogicalResult importRoiAlign(NodeBinder &node) {
  Value input, rois, batchIndices;
  std::string coordinates, mode;
  int64_t height, width, ratio;
  float scale;
  if (node.getSinceVersion() < 16)
    coordinates = "output_half_pixel";
  else
    node.attr("coordinate_transformation_mode", coordinates, "half_pixel",
              {"half_pixel", "output_half_pixel"});
  if (node.operand("X", input).operand("rois", rois)
          .operand("batch_indices", batchIndices)
          .attr("mode", mode, "avg", {"avg", "max"}).attr("output_height", height, 1)
          .attr("output_width", width, 1).attr("sampling_ratio", ratio, 0)
          .attr("spatial_scale", scale, 1.0f).failed())
    return failure();
  // Computed in f32.
  Type f32 = Float32Type::get(node.getContext()), type = getType(input).getElementType();
  if (type != f32) {
    input = node.create<CastOp>(input, f32);
    rois = node.create<CastOp>(rois, f32);
  }
  Value result = node.create<RoiAlignOp>(input, rois, node.asInt64(batchIndices),
                                         coordinates == "half_pixel", mode, height,
                                         width, ratio, scale);
  if (type != f32 && result)
    result = node.create<CastOp>(result, type);
  return node.setOutput(result);
}

void importer::registerIndexing(Registry &r) {
  r.onOp("Gather", 1, [](NodeBinder &node) { return importGather<GatherOp>(node, "axis"); });
  r.onOp("GatherElements", 11, [](NodeBinder &node) {
    return importGather<GatherElementsOp>(node, "axis");
  });
  r.onOp("GatherND", 11, [](NodeBinder &node) {
    return importGather<GatherNDOp>(node, "batch_dims");
  });
  r.onOp("Scatter", 9, importScatterElements);
  r.onOp("ScatterElements", 11, importScatterElements);
  r.onOp("ScatterND", 11, importScatterND);
  r.onOp("Range", 11, importRange);
  r.onOp("OneHot", 9, importOneHot);
  r.onOp("TopK", 1, importTopK);
  r.onOp("NonZero", 9, importNonZero);
  r.onOp("Unique", 11, importUnique);
  r.onOp("NonMaxSuppression", 10, importNonMaxSuppression);
  r.onOp("Compress", 9, importCompress);
  r.onOp("ReverseSequence", 10, importReverseSequence);
  r.onOp("TensorScatter", 24, importTensorScatter);
  r.onOp("Col2Im", 18, importCol2Im);
  r.onOp("GridSample", 16, importGridSample);
  r.onOp("RoiAlign", 10, importRoiAlign);
}
