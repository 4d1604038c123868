//===- Indexing.cpp - import of ONNX Runtime's operators that pick elements ===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// What they compute is after onnxruntime/contrib_ops/cpu.
//
//===----------------------------------------------------------------------===//

#include "../ShapeMath.h"
#include "Microsoft.h"
#include <limits>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

//===----------------------------------------------------------------------===//
// CropAndResize
//===----------------------------------------------------------------------===//

namespace {
/// Where regions are sampled along one dimension: R x count, in elements, and whether that is
/// inside of the image.
struct Samples {
  Value places, isInside;
};
} // namespace

/// Corners are in columns `first` and `first + 2` of regions R x 4, from 0 to 1.
static Samples makeSamples(NodeBinder &node, Value regions, int64_t first, int64_t count,
                           Value size) {
  if (node.failed())
    return {};
  Type type = getElementType(regions);
  auto number = [&](double value) { return node.constantScalar(value, type); };
  Value from = takeColumns(node, regions, first, first + 1);
  Value to = takeColumns(node, regions, first + 2, first + 3);
  Value last = node.create<SubOp>(size, number(1));
  Value places;
  if (count > 1) {
    Value extent = node.create<MulOp>(node.create<SubOp>(to, from), last);
    Value step = node.create<DivOp>(extent, number(double(count - 1)));
    Value steps = castTo(
        node, node.constantList(llvm::to_vector(llvm::seq<int64_t>(0, count))), type);
    Value start = node.create<MulOp>(from, last);
    places = node.create<AddOp>(start, node.create<MulOp>(steps, step));
  } else {
    Value middle = node.create<MulOp>(node.create<AddOp>(from, to), number(0.5));
    places = node.create<MulOp>(middle, last);
  }
  Value isBehind = node.create<GreaterOrEqualOp>(places, number(0));
  Value isBefore = node.create<LessOrEqualOp>(places, last);
  return {places, node.create<AndOp>(isBehind, isBefore)};
}

static LogicalResult importCropAndResize(NodeBinder &node) {
  Value input, regions, batch;
  std::optional<SmallVector<int64_t>> sizes;
  std::string mode;
  float otherwise;
  if (node.operand("X", input).operand("rois", regions).operand("batch_indices", batch)
          .constantInts("crop_size", sizes)
          .attr("mode", mode, "bilinear", {"bilinear", "nearest"})
          .attr("extrapolation_value", otherwise, 0.0f)
          .require(sizes && sizes->size() == 2 && (*sizes)[0] > 0 && (*sizes)[1] > 0,
                   "operand 'crop_size' is two positive numbers", "others", "")
          .require(input && getType(input).getRank() == 4 && getType(regions).getRank() == 2 &&
                       getType(batch).getRank() == 1,
                   "the input has rank 4, the regions 2, the batch indices 1", "other ranks",
                   "").failed())
    return failure();
  Type type = getElementType(input), f32 = Float32Type::get(node.getContext());
  regions = castTo(node, regions, f32);
  regions = fixTrailingDims(node, regions, {4},
                            [](int64_t) { return "has regions without 4 numbers"; });
  auto getSize = [&](int64_t dim) {
    return castTo(node, getDimScalar(node, input, dim), f32);
  };
  Samples rows = makeSamples(node, regions, 0, (*sizes)[0], getSize(2));
  Samples columns = makeSamples(node, regions, 1, (*sizes)[1], getSize(3));
  if (node.failed())
    return failure();
  Value images = node.create<GatherOp>(castTo(node, input, f32), node.asInt64(batch),
                                       int64_t(0));
  // R x rows x columns x (column, row)
  Value shape = node.create<ConcatOp>(
      SmallVector<Value>{getDimList(node, regions, 0), node.constantList(*sizes)}, 0);
  auto spread = [&](Value places, int64_t added) {
    if (mode == "nearest") // Halves are rounded up.
      places = node.create<FloorOp>(
          node.create<AddOp>(places, node.constantScalar(0.5, f32)));
    Value expanded = node.create<ExpandOp>(
        node.create<UnsqueezeOp>(places, ArrayRef<int64_t>{added}), shape);
    return node.create<UnsqueezeOp>(expanded, ArrayRef<int64_t>{3});
  };
  Value x = spread(columns.places, 1), y = spread(rows.places, 2);
  Value grid = node.create<ConcatOp>(SmallVector<Value>{x, y}, 3);
  Value samples =
      node.create<GridSampleOp>(images, grid, /*align_corners=*/true,
                                mode == "nearest" ? "nearest" : "linear", "border",
                                /*normalized=*/false);
  Value isInside = node.create<AndOp>(
      node.create<UnsqueezeOp>(rows.isInside, ArrayRef<int64_t>{1, 3}),
      node.create<UnsqueezeOp>(columns.isInside, ArrayRef<int64_t>{1, 2}));
  Value outside = node.constantScalar(otherwise, f32);
  return node.setOutput(
      castTo(node, node.create<WhereOp>(isInside, samples, outside), type));
}

//===----------------------------------------------------------------------===//
// Windows and n-grams
//===----------------------------------------------------------------------===//

/// Windows of `size` elements, `step` elements apart, along a dimension; a new last dimension
/// holds the elements of a window.
static LogicalResult importUnfoldTensor(NodeBinder &node) {
  Value input;
  int64_t dim, size, step;
  if (node.operand("input", input).attr("dim", dim, -1).requiredAttr("size", size)
          .attr("step", step, 1)
          .require(size > 0 && step > 0, "attributes 'size' and 'step' are positive",
                   Twine(size) + " and " + Twine(step), "").failed())
    return failure();
  int64_t rank = getType(input).getRank();
  dim = normalizeAxis(node, dim, rank, "dim");
  if (node.failed())
    return failure();
  Type i64 = IntegerType::get(node.getContext(), 64);
  auto number = [&](int64_t value) { return node.constantScalar(double(value), i64); };
  Value room = node.create<SubOp>(getDimScalar(node, input, dim), number(size));
  Value isLarge = node.create<GreaterOrEqualOp>(room, number(0));
  node.checkAtRun(isLarge, "has windows that are larger than the dimension");
  Value count = node.create<AddOp>(node.create<DivOp>(room, number(step)), number(1));
  Value starts = node.create<MulOp>(makeIota(node, count), number(step));
  if (node.failed())
    return failure();
  Value offsets = node.constantList(llvm::to_vector(llvm::seq<int64_t>(0, size)));
  Value places = node.create<AddOp>(
      node.create<UnsqueezeOp>(starts, ArrayRef<int64_t>{1}), offsets);
  Value windows = node.create<GatherOp>(input, places, dim);
  // The elements of a window are dimension dim + 1.
  auto perm = llvm::to_vector(llvm::seq<int64_t>(0, rank + 1));
  perm.erase(perm.begin() + dim + 1);
  perm.push_back(dim + 1);
  return node.replaceWith<TransposeOp>(windows, perm);
}

/// Scores become -infinity for what would repeat an n-gram of the input.
static LogicalResult importNGramRepeatBlock(NodeBinder &node) {
  Value ids, scores;
  int64_t length;
  if (node.operand("input_ids", ids).operand("scores", scores)
          .requiredAttr("ngram_size", length)
          .require(length > 0, "attribute 'ngram_size' is positive", Twine(length), "")
          .require(ids && getType(ids).getRank() == 2 && getType(scores).getRank() == 2,
                   "the operands have rank 2", "other ranks", "").failed())
    return failure();
  Type type = getElementType(scores);
  ids = node.asInt64(ids);
  Value size = getDimList(node, ids, 1), zero = node.constantList({0});
  auto slice = [&](Value start, Value end) {
    return node.create<SliceOp>(ids, start, end, ArrayRef<int64_t>{1}, ArrayRef<int64_t>{1});
  };
  // The n-grams of the input, and what follows the last length - 1 numbers in each.
  Value count = node.create<MaxOp>(
      node.create<SubOp>(size, node.constantList({length - 1})), zero);
  Value isRepeated;
  for (int64_t place = 0; place + 1 < length && !node.failed(); ++place) {
    Value start = node.constantList({place});
    Value own = slice(start, node.create<AddOp>(start, count));
    Value fromEnd = node.create<SubOp>(size, node.constantList({length - 1 - place}));
    fromEnd = node.create<MaxOp>(fromEnd, zero);
    Value last = slice(fromEnd, node.create<AddOp>(fromEnd, node.constantList({1})));
    Value isSame = node.create<EqualOp>(own, last);
    isRepeated = isRepeated ? node.create<AndOp>(isRepeated, isSame) : isSame;
  }
  Value start = node.constantList({length - 1});
  Value following = slice(start, node.create<AddOp>(start, count));
  auto limit = [&](double value) { return node.constantScalar(value, type); };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Value updates =
      isRepeated ? node.create<WhereOp>(isRepeated, limit(-infinity), limit(infinity))
                 : node.create<ExpandOp>(limit(-infinity), getShapeList(node, following));
  return node.replaceWith<ScatterElementsOp>(scores, following, updates, int64_t(1), "min");
}

void importer::registerMicrosoftIndexing(Registry &r) {
  r.onOp(microsoft, "CropAndResize", 1, importCropAndResize,
         "X rois batch_indices crop_size");
  r.onOp(microsoft, "NGramRepeatBlock", 1, importNGramRepeatBlock, "input_ids scores");
  r.onOp(microsoft, "UnfoldTensor", 1, importUnfoldTensor, "input");
}
