//===- NNShapeOps.cpp - operators that move data or ask for shapes -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/IR/SpatialShapes.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// Concat, Split
//===----------------------------------------------------------------------===//

LogicalResult ConcatOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                    SmallVectorImpl<InferredTensor> &results) {
  // concat_c1
  if (adaptor.getInputs().empty())
    return env.fail("needs an input");
  Dims dims = env.getDims(adaptor.getInputs()[0]);
  Type type = getElementTypeOrSelf(adaptor.getInputs()[0]);
  // concat_c2
  FailureOr<int64_t> axis =
      shapes::normalizeAxis(env, adaptor.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  for (Value input : adaptor.getInputs().drop_front()) {
    Dims other = env.getDims(input);
    if (other.size() != dims.size() || getElementTypeOrSelf(input) != type)
      return env.fail("inputs have different ranks or element types");
    for (size_t i = 0; i < dims.size(); ++i) {
      if (int64_t(i) == *axis) {
        dims[i] = dims[i] + other[i];
        continue;
      }
      std::optional<int64_t> have = getConstant(dims[i]),
                             want = getConstant(other[i]);
      if (have && want && *have != *want)
        return env.fail("inputs differ in dimension " + Twine(i) + ": " +
                        Twine(*have) + " and " + Twine(*want));
      if (!have)
        dims[i] = other[i]; // Prefer known sizes.
    }
  }
  results.push_back({dims, type});
  return success();
}

void ConcatOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                             SmallVectorImpl<Contents> &results) {
  // One after the other, unless dimensions come before the axis.
  auto type = cast<RankedTensorType>(adaptor.getInputs()[0].getType());
  int64_t axis = shapes::normalizeAxis(int64_t(adaptor.getAxis()), type.getRank());
  if (!llvm::all_of(type.getShape().take_front(axis), [](int64_t n) { return n == 1; }))
    return;
  Dims contents;
  for (Value input : adaptor.getInputs()) {
    Contents part = env.getContents(input);
    if (!part)
      return;
    contents.append(*part);
  }
  results.push_back(std::move(contents));
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1 && getInputs()[0].getType() == getType())
    return getInputs()[0];
  return {};
}

LogicalResult SplitOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                   SmallVectorImpl<InferredTensor> &results) {
  // split_c1
  Dims dims = env.getDims(adaptor.getInput());
  FailureOr<int64_t> axis =
      shapes::normalizeAxis(env, adaptor.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  int64_t sum = 0;
  for (int64_t size : adaptor.getSizes()) {
    if (size < 0)
      return env.fail("sizes hold " + Twine(size));
    sum += size;
  }
  std::optional<int64_t> whole = getConstant(dims[*axis]);
  if (whole && *whole != sum)
    return env.fail("sizes sum up to " + Twine(sum) + ", but dimension " +
                    Twine(*axis) + " is " + Twine(*whole));
  for (int64_t size : adaptor.getSizes()) {
    dims[*axis] = env.constant(size);
    results.push_back({dims, getElementTypeOrSelf(adaptor.getInput())});
  }
  return success();
}

//===----------------------------------------------------------------------===//
// DepthToSpace, SpaceToDepth, Resize
//===----------------------------------------------------------------------===//

LogicalResult
DepthToSpaceOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                            SmallVectorImpl<InferredTensor> &results) {
  // depth_to_space_c1
  Dims dims = env.getDims(adaptor.getInput());
  int64_t block = adaptor.getBlocksize();
  if (dims.size() != 4 || block < 1)
    return env.fail("the input must have rank 4 and blocksize be positive");
  SpatialDims where(adaptor.getLayout(), 4);
  std::optional<int64_t> channels = getConstant(dims[where.channel]);
  if (channels && *channels % (block * block) != 0)
    return env.fail(Twine(*channels) + " channels are no multiple of " +
                    Twine(block * block));
  dims[where.channel] = dims[where.channel].floorDiv(block * block);
  dims[where.firstSpatial] = dims[where.firstSpatial] * block;
  dims[where.firstSpatial + 1] = dims[where.firstSpatial + 1] * block;
  results.push_back({dims, getElementTypeOrSelf(adaptor.getInput())});
  return success();
}

LogicalResult DepthToSpaceOp::verify() {
  if (getMode() != "DCR" && getMode() != "CRD")
    return emitOpError("mode is '") << getMode() << "', not 'DCR' or 'CRD'";
  return success();
}

LogicalResult
SpaceToDepthOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                            SmallVectorImpl<InferredTensor> &results) {
  // space_to_depth_c1
  Dims dims = env.getDims(adaptor.getInput());
  int64_t block = adaptor.getBlocksize();
  if (dims.size() != 4 || block < 1)
    return env.fail("the input must have rank 4 and blocksize be positive");
  SpatialDims where(adaptor.getLayout(), 4);
  dims[where.channel] = dims[where.channel] * (block * block);
  for (int64_t i = where.firstSpatial; i < where.firstSpatial + 2; ++i) {
    std::optional<int64_t> size = getConstant(dims[i]);
    if (size && *size % block != 0)
      return env.fail("spatial size " + Twine(*size) + " is no multiple of " +
                      Twine(block));
    dims[i] = dims[i].floorDiv(block);
  }
  results.push_back({dims, getElementTypeOrSelf(adaptor.getInput())});
  return success();
}

LogicalResult SpaceToDepthOp::verify() { return success(); }

/// The dimension of a tensor in `layout` that is dimension `index` in ONNX's order.
static int64_t fromONNXDim(int64_t index, Layout layout, int64_t rank) {
  if (layout == Layout::ChannelsFirst || index == 0 || rank < 3)
    return index;
  return index == 1 ? rank - 1 : index - 1;
}

LogicalResult ResizeOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                    SmallVectorImpl<InferredTensor> &results) {
  Dims dims = env.getDims(adaptor.getInput());
  int64_t rank = dims.size();
  // resize_c1
  if (bool(adaptor.getScales()) == bool(adaptor.getSizes()))
    return env.fail("exactly one of scales and sizes must be given");
  FailureOr<SmallVector<int64_t>> axes =
      shapes::normalizeAxes(env, adaptor.getAxes(), rank);
  if (failed(axes))
    return failure();
  if (axes->empty())
    for (int64_t i = 0; i < rank; ++i)
      axes->push_back(i);
  Value list = adaptor.getScales() ? adaptor.getScales() : adaptor.getSizes();
  auto listType = cast<RankedTensorType>(list.getType());
  if (listType.getRank() != 1 ||
      (listType.hasStaticShape() &&
       listType.getNumElements() != int64_t(axes->size())))
    return env.fail("needs " + Twine(axes->size()) + " scales or sizes");

  if (adaptor.getScales()) {
    DenseFPElementsAttr scales;
    bool known = matchPattern(list, m_Constant(&scales));
    for (auto [i, axis] : llvm::enumerate(*axes)) {
      Dim &dim = dims[fromONNXDim(axis, adaptor.getLayout(), rank)];
      if (!known) {
        dim = env.fresh();
        continue;
      }
      double scale = scales.getValues<APFloat>()[i].convertToFloat();
      if (scale <= 0)
        return env.fail("scales must be positive");
      if (scale == std::floor(scale))
        dim = dim * int64_t(scale);
      else if (std::optional<int64_t> size = getConstant(dim))
        // In f32, like ONNX Runtime and the run: 10 * 0.7 is 7.
        dim = env.constant(int64_t(std::floor(float(*size) * float(scale))));
      else if (1 / scale == std::floor(1 / scale))
        dim = dim.floorDiv(int64_t(1 / scale));
      else
        dim = env.fresh();
    }
    results.push_back({dims, getElementTypeOrSelf(adaptor.getInput())});
    return success();
  }

  Contents sizes = env.getContents(list);
  if (!sizes)
    return env.fail("the length of sizes must be known at compile time");
  if (adaptor.getKeepAspectRatio() == "stretch") {
    for (auto [size, axis] : llvm::zip(*sizes, *axes))
      dims[fromONNXDim(axis, adaptor.getLayout(), rank)] = size;
    results.push_back({dims, getElementTypeOrSelf(adaptor.getInput())});
    return success();
  }
  // One scale for all axes: the smallest or largest that the sizes ask for.
  std::optional<double> scale;
  bool known = true;
  for (auto [size, axis] : llvm::zip(*sizes, *axes)) {
    Dim dim = dims[fromONNXDim(axis, adaptor.getLayout(), rank)];
    std::optional<int64_t> from = getConstant(dim), to = getConstant(size);
    if (!from || !to || *from == 0) {
      known = false;
      break;
    }
    double wanted = double(*to) / double(*from);
    if (!scale)
      scale = wanted;
    else if (adaptor.getKeepAspectRatio() == "not_larger")
      scale = std::min(*scale, wanted);
    else
      scale = std::max(*scale, wanted);
  }
  for (int64_t axis : *axes) {
    Dim &dim = dims[fromONNXDim(axis, adaptor.getLayout(), rank)];
    dim = known ? env.constant(int64_t(
                      std::floor(*scale * double(*getConstant(dim)) + 0.5)))
                : env.fresh();
  }
  results.push_back({dims, getElementTypeOrSelf(adaptor.getInput())});
  return success();
}

LogicalResult ResizeOp::verify() {
  auto oneOf = [&](StringRef name, StringRef value,
                   ArrayRef<StringRef> accepted) -> LogicalResult {
    if (llvm::is_contained(accepted, value))
      return success();
    return emitOpError() << name << " is '" << value << "', not one of "
                         << llvm::join(accepted, ", ");
  };
  return success(
      succeeded(oneOf("mode", getMode(), {"nearest", "linear", "cubic"})) &&
      succeeded(oneOf("coordinate_mode", getCoordinateMode(),
                      {"half_pixel", "half_pixel_symmetric",
                       "pytorch_half_pixel", "align_corners", "asymmetric",
                       "tf_crop_and_resize"})) &&
      succeeded(oneOf("nearest_mode", getNearestMode(),
                      {"round_prefer_floor", "round_prefer_ceil", "floor",
                       "ceil"})) &&
      succeeded(oneOf("keep_aspect_ratio", getKeepAspectRatio(),
                      {"stretch", "not_larger", "not_smaller"})));
}

//===----------------------------------------------------------------------===//
// Expand, Tile, Pad
//===----------------------------------------------------------------------===//

LogicalResult ExpandOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                    SmallVectorImpl<InferredTensor> &results) {
  Dims input = env.getDims(adaptor.getInput());
  Contents shape = env.getContents(adaptor.getShape());
  if (!shape)
    return env.fail("the length of shape must be known at compile time");
  Dims dims = *shape;
  if (dims.size() < input.size())
    dims.insert(dims.begin(), input.size() - dims.size(), env.constant(1));
  size_t offset = dims.size() - input.size();
  for (auto [i, dim] : llvm::enumerate(input)) {
    Dim both = env.broadcast(dims[offset + i], dim);
    if (!both)
      return env.fail("dimension " + Twine(i) + " of the input does not "
                      "broadcast to the shape");
    dims[offset + i] = both;
  }
  results.push_back({dims, getElementTypeOrSelf(adaptor.getInput())});
  return success();
}

OpFoldResult ExpandOp::fold(FoldAdaptor) {
  return getInput().getType() == getType() && getType().hasStaticShape()
             ? OpFoldResult(getInput())
             : OpFoldResult();
}

LogicalResult TileOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                  SmallVectorImpl<InferredTensor> &results) {
  Dims dims = env.getDims(adaptor.getInput());
  Contents repeats = env.getContents(adaptor.getRepeats());
  // tile_c1
  if (!repeats || repeats->size() != dims.size())
    return env.fail("repeats must have an element for each of " +
                    Twine(dims.size()) + " dimensions");
  for (auto [dim, repeat] : llvm::zip(dims, *repeats))
    dim = dim * repeat;
  results.push_back({dims, getElementTypeOrSelf(adaptor.getInput())});
  return success();
}

LogicalResult PadOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                 SmallVectorImpl<InferredTensor> &results) {
  Dims dims = env.getDims(adaptor.getInput());
  FailureOr<SmallVector<int64_t>> axes =
      shapes::normalizeAxes(env, adaptor.getAxes(), dims.size());
  if (failed(axes))
    return failure();
  if (axes->empty())
    for (size_t i = 0; i < dims.size(); ++i)
      axes->push_back(i);
  // pad_c1
  Contents pads = env.getContents(adaptor.getPads());
  if (!pads || pads->size() != 2 * axes->size())
    return env.fail("pads must have " + Twine(2 * axes->size()) + " elements");
  for (auto [i, axis] : llvm::enumerate(*axes))
    dims[axis] = dims[axis] + (*pads)[i] + (*pads)[axes->size() + i];
  results.push_back({dims, getElementTypeOrSelf(adaptor.getInput())});
  return success();
}

LogicalResult PadOp::verify() {
  if (!llvm::is_contained({"constant", "reflect", "edge", "wrap"}, getMode()))
    return emitOpError("mode is '")
           << getMode() << "', not one of constant, reflect, edge, wrap";
  // pad_c2
  if (getValue()) {
    auto type = cast<RankedTensorType>(getValue().getType());
    if (type.getRank() > 1 ||
        getElementTypeOrSelf(getInput()) != type.getElementType())
      return emitOpError("value must have one element of the input's type");
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Shape, Size, Slice
//===----------------------------------------------------------------------===//

/// The dimensions that nn.shape returns.
static Dims getShapeEntries(ShapeEnv &env, ShapeOp::Adaptor adaptor) {
  Dims dims = env.getDims(adaptor.getInput());
  int64_t rank = dims.size();
  auto clamp = [&](int64_t index) {
    return std::clamp<int64_t>(index < 0 ? index + rank : index, 0, rank);
  };
  int64_t start = clamp(adaptor.getStart());
  int64_t end = clamp(adaptor.getEnd() ? int64_t(*adaptor.getEnd()) : rank);
  Dims entries;
  for (int64_t i = start; i < end; ++i)
    entries.push_back(dims[i]);
  return entries;
}

LogicalResult ShapeOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                   SmallVectorImpl<InferredTensor> &results) {
  int64_t count = getShapeEntries(env, adaptor).size();
  results.push_back(
      {{env.constant(count)}, IntegerType::get(env.getContext(), 64)});
  return success();
}

void ShapeOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                            SmallVectorImpl<Contents> &results) {
  results.push_back(getShapeEntries(env, adaptor));
}

LogicalResult SizeOp::inferShapes(ShapeEnv &env, Adaptor,
                                  SmallVectorImpl<InferredTensor> &results) {
  results.push_back({{}, IntegerType::get(env.getContext(), 64)});
  return success();
}

void SizeOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                           SmallVectorImpl<Contents> &results) {
  results.push_back(Dims{env.product(env.getDims(adaptor.getInput()))});
}

/// ONNX's clamping of a start or end; negative ones count from the end.
static Dim clampIndex(ShapeEnv &env, Dim index, Dim size, bool backward,
                      bool isEnd) {
  // With negative steps, a start is also not before the first element.
  bool isBefore = backward && (isEnd || getConstant(size) == 0);
  Dim low = env.constant(isBefore ? -1 : 0);
  Dim high = backward ? size - 1 : size;
  if (std::optional<int64_t> known = getConstant(index)) {
    if (*known >= 0 && *known >= (int64_t(1) << 31) - 1)
      return high;
    // INT_MIN-like values mean "from before the first element".
    if (*known < -(int64_t(1) << 31) + 2)
      return low;
    Dim fromFront = *known < 0 ? size + *known : index;
    return env.max(env.min(fromFront, high), low);
  }
  if (env.isNonNegative(index))
    return env.max(env.min(index, high), low);
  return {};
}

LogicalResult SliceOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                   SmallVectorImpl<InferredTensor> &results) {
  Dims dims = env.getDims(adaptor.getInput());
  // slice_c2
  FailureOr<SmallVector<int64_t>> axes =
      shapes::normalizeAxes(env, adaptor.getAxes(), dims.size());
  if (failed(axes))
    return failure();
  // slice_c1
  Contents starts = env.getContents(adaptor.getStarts());
  Contents ends = env.getContents(adaptor.getEnds());
  if (!starts || !ends || starts->size() != axes->size() ||
      ends->size() != axes->size() || adaptor.getSteps().size() != axes->size())
    return env.fail("starts, ends and steps must have an element for each of " +
                    Twine(axes->size()) + " axes");
  for (auto [i, axis] : llvm::enumerate(*axes)) {
    int64_t step = adaptor.getSteps()[i];
    if (step == 0)
      return env.fail("a step is 0");
    Dim size = dims[axis];
    Dim start = clampIndex(env, (*starts)[i], size, step < 0, /*isEnd=*/false);
    Dim end = clampIndex(env, (*ends)[i], size, step < 0, /*isEnd=*/true);
    if (!start || !end) {
      dims[axis] = env.fresh();
      continue;
    }
    Dim count = step > 0 ? (end - start).ceilDiv(step)
                         : (start - end).ceilDiv(-step);
    dims[axis] = env.max(count, env.constant(0));
  }
  results.push_back({dims, getElementTypeOrSelf(adaptor.getInput())});
  return success();
}

/// The places that a slice takes of `size` ones.
static SmallVector<int64_t> getSlicedPlaces(int64_t start, int64_t end, int64_t step,
                                            int64_t size) {
  auto clamp = [&](int64_t index, int64_t low, int64_t high) {
    return std::clamp(index < 0 ? index + size : index, low, high);
  };
  SmallVector<int64_t> places;
  if (step > 0) {
    start = clamp(start, 0, size);
    end = clamp(end, 0, size);
    for (int64_t i = start; i < end; i += std::min(step, end - i))
      places.push_back(i);
  } else {
    start = clamp(start, std::min<int64_t>(0, size - 1), size - 1);
    end = end < -size ? -1 : clamp(end, -1, size - 1);
    for (int64_t i = start; i > end; i += std::max(step, end - i))
      places.push_back(i);
  }
  return places;
}

void SliceOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                            SmallVectorImpl<Contents> &results) {
  Contents input = env.getContents(adaptor.getInput());
  auto starts = env.getConstantContents(adaptor.getStarts());
  auto ends = env.getConstantContents(adaptor.getEnds());
  auto type = cast<RankedTensorType>(adaptor.getInput().getType());
  ArrayRef<int64_t> steps = adaptor.getSteps();
  if (!input || !starts || !ends || !type.hasStaticShape() ||
      starts->size() != steps.size() || ends->size() != steps.size())
    return;
  SmallVector<SmallVector<int64_t>> places;
  for (int64_t size : type.getShape())
    places.push_back(llvm::to_vector(llvm::seq<int64_t>(0, size)));
  SmallVector<int64_t> axes = shapes::normalizeAxes(adaptor.getAxes(), type.getRank());
  for (auto [i, axis] : llvm::enumerate(axes)) {
    if (steps[i] == 0)
      return;
    places[axis] = getSlicedPlaces((*starts)[i], (*ends)[i], steps[i], places[axis].size());
  }
  SmallVector<int64_t> sizes =
      llvm::map_to_vector(places, [](auto &of) { return int64_t(of.size()); });
  SmallVector<int64_t> strides = computeStrides(type.getShape()),
                       order = computeStrides(sizes);
  Dims contents;
  for (int64_t i = 0, end = computeProduct(sizes); i < end; ++i) {
    SmallVector<int64_t> indices = delinearize(i, order);
    for (auto [index, of] : llvm::zip_equal(indices, places))
      index = of[index];
    contents.push_back((*input)[linearize(indices, strides)]);
  }
  results.push_back(std::move(contents));
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  // With static shapes, the shape is unchanged only if the slice keeps every element in
  // order.
  if (getInput().getType() == getType() && getType().hasStaticShape() &&
      llvm::all_of(getSteps(), [](int64_t step) { return step == 1; }))
    return getInput();
  return {};
}
