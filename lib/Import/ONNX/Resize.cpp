//===- Resize.cpp - import of Resize, Upsample and AffineGrid --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "ShapeMath.h"
#include "Values.h"
#include "mlir/IR/Matchers.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// Empty operands count as absent.
static Value dropEmpty(Value value) {
  bool isEmpty = value && cast<RankedTensorType>(value.getType()).getShape() ==
                              ArrayRef<int64_t>{0};
  return isEmpty ? Value() : value;
}

/// Resize until version 10, and Upsample: coordinates are divided by the scale.
/// The nearest pixel is the one before when enlarging; ONNX Runtime takes the
/// one after when reducing.
static LogicalResult resample(NodeBinder &node, Value input, Value scales,
                              StringRef mode) {
  if (!scales)
    return failure();
  bool enlarges = false, reduces = false;
  DenseFPElementsAttr known;
  if (matchPattern(scales, m_Constant(&known)))
    for (const APFloat &scale : known) {
      enlarges |= scale.convertToDouble() > 1;
      reduces |= scale.convertToDouble() < 1;
    }
  if (mode == "nearest" &&
      node.require(!(enlarges && reduces),
                   "the old nearest mode enlarges or reduces all dimensions",
                   "scales of both kinds", "", Remedy::ChangeForm).failed())
    return failure();
  return node.replaceWith<ResizeOp>(input, /*roi=*/Value(), scales,
                                    /*sizes=*/Value(), ArrayRef<int64_t>(), mode,
                                    "asymmetric", reduces ? "ceil" : "floor",
                                    "stretch", -0.75f, /*exclude_outside=*/false,
                                    /*antialias=*/false, 0.0f);
}

static LogicalResult importUpsample(NodeBinder &node) {
  Value input, scales;
  std::string mode;
  if (node.operand("X", input).operand("scales", scales)
          .attr("mode", mode, "nearest", {"nearest", "linear"}).failed())
    return failure();
  return resample(node, input, scales, mode);
}

static LogicalResult importUpsampleAttribute(NodeBinder &node) {
  Value input;
  SmallVector<float> scales;
  std::string mode;
  if (node.operand("X", input).attr("scales", scales)
          .attr("mode", mode, "nearest", {"nearest", "linear"}).failed())
    return failure();
  return resample(node, input, node.constantFloats(scales), mode);
}

static LogicalResult importUpsampleHeightWidth(NodeBinder &node) {
  Value input;
  float height, width;
  std::string mode;
  if (node.operand("X", input).attr("height_scale", height, 1.0f)
          .attr("width_scale", width, 1.0f)
          .attr("mode", mode, "nearest", {"nearest", "bilinear"}).failed())
    return failure();
  return resample(node, input, node.constantFloats({1, 1, height, width}),
                  mode == "nearest" ? "nearest" : "linear");
}

/// The sizes that `scales` give the dimensions `axes`, as a list. For static dimensions
/// and integral scales this is integer arithmetic, so that sizes stay known.
static Value getScaledSizes(NodeBinder &node, Value input, ArrayRef<float> scales,
                            ArrayRef<int64_t> axes) {
  auto shape = cast<RankedTensorType>(input.getType()).getShape();
  Builder b(node.getContext());
  SmallVector<Value> sizes;
  for (auto [scale, axis] : llvm::zip(scales, axes)) {
    if (!ShapedType::isDynamic(shape[axis])) {
      sizes.push_back(
          node.constantList({int64_t(std::floor(float(shape[axis]) * scale))}));
      continue;
    }
    Value size = getDimList(node, input, axis);
    if (scale == std::floor(scale)) {
      Value factor = node.constantList({int64_t(scale)});
      size = node.create<MulOp>(size, factor);
    } else {
      Value factor = node.constantFloats({scale});
      size = node.create<CastOp>(size, b.getF32Type());
      size = node.create<MulOp>(size, factor);
      size = node.create<FloorOp>(size);
      size = node.create<CastOp>(size, b.getI64Type());
    }
    sizes.push_back(size);
  }
  return node.failed() ? Value() : node.create<ConcatOp>(sizes, 0);
}

/// With align_corners, ONNX divides by length * scale - 1, integral or not; PyTorch
/// (despite what its exporter writes) and ONNX Runtime divide by the size of the result
/// - 1. Models from PyTorch get what they were trained with, with `sizes` instead of
/// `scales`; others get a warning if the difference certainly matters.
static LogicalResult alignCorners(NodeBinder &node, Value input, Value &scales,
                                  Value &sizes, SmallVector<int64_t> &axes) {
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<int64_t> places = axes;
  if (places.empty())
    places = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  for (int64_t &axis : places) {
    axis += axis < 0 ? type.getRank() : 0;
    if (axis < 0 || axis >= type.getRank())
      return success(); // Mismatches are reported with the types.
  }
  bool fromPyTorch = node.getProducer() == "pytorch";
  DenseFPElementsAttr known;
  if (!matchPattern(scales, m_Constant(&known))) {
    if (!fromPyTorch)
      return success();
    Value dims = getShapeList(node, input);
    Value list = node.constantList(places);
    dims = node.create<GatherOp>(dims, list, 0);
    dims = node.create<CastOp>(dims, Float32Type::get(node.getContext()));
    dims = node.create<MulOp>(dims, scales);
    dims = node.create<FloorOp>(dims);
    sizes = node.asInt64(dims);
    scales = Value();
    return success(!node.failed());
  }
  if (known.getNumElements() != int64_t(places.size()))
    return success();
  SmallVector<float> factors;
  SmallVector<int64_t> resized;
  bool matters = false;
  for (auto [axis, number] : llvm::zip(places, known.getValues<APFloat>())) {
    auto scale = float(number.convertToDouble());
    if (!(scale > 0 && scale < 1e9f))
      return success();
    if (scale == 1)
      continue;
    factors.push_back(scale);
    resized.push_back(axis);
    if (type.isDynamicDim(axis)) {
      matters |= scale != std::floor(scale);
      continue;
    }
    float exact = float(type.getDimSize(axis)) * scale, size = std::floor(exact);
    bool differs = exact != size && size > 1; // The first place is 0 both ways.
    matters |= differs;
    if (differs && !fromPyTorch)
      node.warn("'align_corners' divides by the size before it is rounded, minus 1, as "
                "in ONNX's tests",
                "dimension " + Twine(axis) + " of " + Twine(type.getDimSize(axis)) +
                    " gets the size " + Twine(int64_t(size)) + " for " +
                    std::to_string(exact) +
                    "; ONNX Runtime and PyTorch divide by the rounded size, minus 1",
                "if that is meant, give operand 'sizes' in place of 'scales'");
  }
  if (!fromPyTorch || !matters)
    return success();
  sizes = getScaledSizes(node, input, factors, resized);
  scales = Value();
  axes = resized;
  return success(bool(sizes));
}

static LogicalResult importResize(NodeBinder &node) {
  Value input, roi, scales, sizes;
  SmallVector<int64_t> axes;
  std::string mode, coordinates, nearest, aspect;
  float coefficient, extrapolation;
  bool excludeOutside, antialias;
  if (node.operand("X", input).optionalOperand("roi", roi)
          .optionalOperand("scales", scales).optionalOperand("sizes", sizes)
          .attr("axes", axes)
          .attr("mode", mode, "nearest", {"nearest", "linear", "cubic"})
          .attr("coordinate_transformation_mode", coordinates, "half_pixel",
                {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                 "align_corners", "asymmetric", "tf_crop_and_resize"})
          .attr("nearest_mode", nearest, "round_prefer_floor",
                {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})
          .attr("keep_aspect_ratio_policy", aspect, "stretch",
                {"stretch", "not_larger", "not_smaller"})
          .attr("cubic_coeff_a", coefficient, -0.75f)
          .attr("extrapolation_value", extrapolation, 0.0f)
          .attr("exclude_outside", excludeOutside, false)
          .attr("antialias", antialias, false).failed())
    return failure();
  scales = dropEmpty(scales);
  sizes = dropEmpty(sizes);
  roi = coordinates == "tf_crop_and_resize" ? dropEmpty(roi) : Value();
  if (node.require(bool(scales) != bool(sizes),
                   "exactly one of operands 'scales' and 'sizes' is given",
                   scales ? "both" : "none", "").failed())
    return failure();
  if (scales && coordinates == "align_corners" &&
      failed(alignCorners(node, input, scales, sizes, axes)))
    return failure();
  if (sizes)
    sizes = node.asInt64(sizes);
  return node.replaceWith<ResizeOp>(input, roi, scales, sizes, axes, mode,
                                    coordinates, nearest, aspect, coefficient,
                                    excludeOutside, antialias, extrapolation);
}

/// For each pixel of a picture, or of a volume, where it is looked for in another one, by
/// matrices N x 2 x 3 or N x 3 x 4.
static LogicalResult importAffineGrid(NodeBinder &node) {
  Value theta, size;
  bool alignCorners;
  if (node.operand("theta", theta).operand("size", size)
          .attr("align_corners", alignCorners, false)
          .require(theta && getType(theta).getRank() == 3, "operand 'theta' is matrices",
                   "another rank", "3").failed())
    return failure();
  // The list's length, or the matrices, or the declared rank say which it is.
  int64_t numSizes = getType(size).getRank() == 1 ? getType(size).getDimSize(0) : 0;
  if (ShapedType::isDynamic(numSizes) && !getType(theta).isDynamicDim(1))
    numSizes = getType(theta).getDimSize(1) + 2;
  else if (RankedTensorType declared = node.getDeclaredType(0);
           ShapedType::isDynamic(numSizes) && declared)
    numSizes = declared.getRank();
  if (numSizes != 4 && numSizes != 5)
    return node.useDefinition();
  size = fixDims(node, size, {numSizes}, [&](int64_t) {
    return "has an operand 'size' of another length than " + std::to_string(numSizes);
  });
  int64_t numDims = numSizes - 2;
  Type i64 = IntegerType::get(node.getContext(), 64);
  Type type = getComputedType(getElementType(theta));
  auto number = [&](double value) { return node.constantScalar(value, type); };
  auto takeSizes = [&](int64_t from, int64_t to) -> Value {
    Value start = node.constantList({from}), end = node.constantList({to});
    return node.create<SliceOp>(size, start, end, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
  };
  size = node.asInt64(size);
  Value spatial = takeSizes(2, numSizes);
  Value shape = node.create<ConcatOp>(SmallVector<Value>{spatial, node.constantList({1})}, 0);
  // Places from -1 to 1 along each dimension, x first; of corners, or of middles of pixels.
  SmallVector<Value> coordinates;
  for (int64_t dim = numDims - 1; dim >= 0 && !node.failed(); --dim) {
    Value place = node.constantScalar(double(dim + 2), i64);
    Value whole = node.create<GatherOp>(size, place, int64_t(0));
    Value real = castTo(node, whole, type), two = number(2), start = number(-1), step;
    if (alignCorners) {
      // As ONNX's definition has it for the depth.
      Value one = node.constantScalar(1, i64), none = number(0);
      Value isOne = node.create<EqualOp>(whole, one);
      Value between = node.create<SubOp>(real, number(1));
      step = node.create<WhereOp>(isOne, none, node.create<DivOp>(two, between));
    } else {
      step = node.create<DivOp>(two, real);
      start = node.create<AddOp>(start, node.create<DivOp>(step, two));
    }
    Value steps = castTo(node, makeIota(node, whole), type);
    Value line = node.create<AddOp>(node.create<MulOp>(steps, step), start);
    SmallVector<int64_t> added;
    for (int64_t other = 0; other <= numDims; ++other)
      if (other != dim)
        added.push_back(other);
    coordinates.push_back(
        node.create<ExpandOp>(node.create<UnsqueezeOp>(line, added), shape));
  }
  coordinates.push_back(makeFilled(node, shape, 1, type));
  if (node.failed())
    return failure();
  Value grid = node.create<ConcatOp>(coordinates, numDims);
  Value list = node.constantList({-1, numDims + 1});
  Value rows = node.create<ReshapeOp>(grid, list, /*allow_zero=*/false);
  Value product = node.create<MatMulOp>(rows, castTo(node, theta, type), false,
                                        /*transpose_rhs=*/true);
  SmallVector<Value> sizes{takeSizes(0, 1), spatial, node.constantList({numDims})};
  Value resultShape = node.create<ConcatOp>(sizes, 0);
  Value result = node.create<ReshapeOp>(product, resultShape, /*allow_zero=*/true);
  return node.setOutput(castTo(node, result, getElementType(theta)));
}

void importer::registerResize(Registry &r) {
  r.onOp("AffineGrid", 20, importAffineGrid);
  r.onOp("Resize", 10, importUpsample);
  r.onOp("Resize", 11, importResize);
  r.onOp("Upsample", 1, importUpsampleHeightWidth);
  r.onOp("Upsample", 7, importUpsampleAttribute);
  r.onOp("Upsample", 9, importUpsample);
}
