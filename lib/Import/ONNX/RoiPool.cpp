//===- RoiPool.cpp - import of the maximum over regions -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "ShapeMath.h"
#include "Values.h"
#include <limits>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

namespace {
/// The windows of the cells of R regions along one dimension: R x cells.
struct Windows {
  Value start, end; ///< In elements, which are whole numbers of a float type.
};
} // namespace

/// To the nearest whole number, halves away from 0.
static Value roundAway(NodeBinder &node, Value number) {
  Value half = node.constantScalar(0.5, getElementType(number));
  Value size = node.create<FloorOp>(
      node.create<AddOp>(node.create<AbsOp>(number), half));
  return node.create<MulOp>(node.create<SignOp>(number), size);
}

/// Regions R x 5 have the corners, the last one included, in columns `first` and `first + 2`.
static Windows makeWindows(NodeBinder &node, Value regions, int64_t first, float scale,
                           int64_t cells, Value size) {
  if (node.failed())
    return {};
  Type type = getElementType(regions);
  auto number = [&](double value) { return node.constantScalar(value, type); };
  auto takeCorner = [&](int64_t column) {
    Value corner = takeColumns(node, regions, column, column + 1);
    return roundAway(node, node.create<MulOp>(corner, number(scale)));
  };
  Value zero = number(0), one = number(1);
  Value from = takeCorner(first), to = takeCorner(first + 2);
  Value extent = node.create<AddOp>(node.create<SubOp>(to, from), one);
  extent = node.create<MaxOp>(extent, one);
  Value step = node.create<DivOp>(extent, number(double(cells)));
  Value places = castTo(
      node, node.constantList(llvm::to_vector(llvm::seq<int64_t>(0, cells))), type);
  Value start = node.create<FloorOp>(node.create<MulOp>(places, step));
  Value following = node.create<AddOp>(places, one);
  Value end = node.create<CeilOp>(node.create<MulOp>(following, step));
  auto limit = [&](Value place) {
    return node.create<ClipOp>(node.create<AddOp>(place, from), zero, size);
  };
  return {limit(start), limit(end)};
}

/// The maximum over windows along dimension `dim` of images R x C x D1 x D2, whose size
/// becomes that of cells. -infinity where there is no element.
static Value poolAlong(NodeBinder &node, Value images, int64_t dim, const Windows &windows) {
  if (node.failed())
    return {};
  Type type = getElementType(images);
  // R x C x (D1) x cells x size (x D2)
  auto addDims = [&](Value value, ArrayRef<int64_t> dims) {
    return node.create<UnsqueezeOp>(value, dims);
  };
  bool isLast = dim == 3;
  Value all = addDims(images, {isLast ? 3 : 2});
  SmallVector<int64_t> added = isLast ? SmallVector<int64_t>{1, 2, 4}
                                      : SmallVector<int64_t>{1, 3, 4};
  Value places = castTo(node, makeIota(node, images, dim, isLast ? 4 : 3, 5),
                        getElementType(windows.start));
  Value isBehind = node.create<GreaterOrEqualOp>(places, addDims(windows.start, added));
  Value isBefore = node.create<LessOp>(places, addDims(windows.end, added));
  Value isInside = node.create<AndOp>(isBehind, isBefore);
  Value lowest = node.constantScalar(-std::numeric_limits<double>::infinity(), type);
  Value inside = node.create<WhereOp>(isInside, all, lowest);
  return node.create<ReduceMaxOp>(inside, ArrayRef<int64_t>{isLast ? 4 : 3},
                                  /*keepdims=*/false);
}

/// Cells without elements are 0. Formulas: R. Girshick, "Fast R-CNN", 2015, as in ONNX
/// Runtime (onnxruntime/core/providers/cpu/object_detection/roi_pool.cc).
static LogicalResult importMaxRoiPool(NodeBinder &node) {
  Value input, regions;
  SmallVector<int64_t> cells;
  float scale;
  if (node.operand("X", input).operand("rois", regions).requiredAttr("pooled_shape", cells)
          .attr("spatial_scale", scale, 1.0f)
          .require(cells.size() == 2 && cells[0] > 0 && cells[1] > 0,
                   "attribute 'pooled_shape' is two positive numbers", "others", "").failed())
    return failure();
  RankedTensorType type = getType(input), regionsType = getType(regions);
  if (node.require(type.getRank() == 4 && regionsType.getRank() == 2,
                   "the input has rank 4, and the regions have rank 2", show(regionsType),
                   "").failed())
    return failure();
  Type element = type.getElementType();
  Type computed = getComputedType(element);
  regions = fixTrailingDims(node, regions, {5},
                            [](int64_t) { return "has regions without 5 numbers"; });
  regions = castTo(node, regions, computed);
  auto getSize = [&](int64_t dim) {
    return castTo(node, getDimScalar(node, input, dim), computed);
  };
  Windows columns = makeWindows(node, regions, 1, scale, cells[1], getSize(3));
  Windows rows = makeWindows(node, regions, 2, scale, cells[0], getSize(2));
  Type i64 = IntegerType::get(node.getContext(), 64);
  Value batch = node.create<GatherOp>(regions, node.constantScalar(0, i64), int64_t(1));
  Value images = node.create<GatherOp>(input, castTo(node, batch, i64), int64_t(0));
  Value pooled = poolAlong(node, images, 3, columns);
  pooled = poolAlong(node, pooled, 2, rows);
  if (node.failed())
    return failure();
  Value hasRows = node.create<UnsqueezeOp>(node.create<LessOp>(rows.start, rows.end),
                                           ArrayRef<int64_t>{1, 3});
  Value hasColumns = node.create<UnsqueezeOp>(node.create<LessOp>(columns.start, columns.end),
                                              ArrayRef<int64_t>{1, 2});
  Value hasElements = node.create<AndOp>(hasRows, hasColumns);
  Value zero = node.constantScalar(0, element);
  return node.replaceWith<WhereOp>(hasElements, pooled, zero);
}

void importer::registerRoiPool(Registry &r) { r.onOp("MaxRoiPool", 1, importMaxRoiPool); }
