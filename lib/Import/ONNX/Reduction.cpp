//===- Reduction.cpp - import of reductions -------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "ShapeMath.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// What remains of a reduction over no dimensions: the part of its formula that
/// applies to each element.
template <typename OpT> static LogicalResult applyToElements(NodeBinder &node, Value x) {
  if constexpr (std::is_same_v<OpT, ReduceL1Op> || std::is_same_v<OpT, ReduceL2Op>)
    return node.replaceWith<AbsOp>(x);
  else if constexpr (std::is_same_v<OpT, ReduceSumSquareOp>)
    return node.replaceWith<MulOp>(x, x);
  else if constexpr (std::is_same_v<OpT, ReduceLogSumOp>)
    return node.replaceWith<LogOp>(x);
  else
    return node.setOutput(x);
}

/// Whether a list has no entries, as a bool of rank 0.
static Value isEmptyList(NodeBinder &node, Value list) {
  Value length = getDimScalar(node, list, 0);
  Value zero = node.constantScalar(0, IntegerType::get(node.getContext(), 64));
  return node.create<EqualOp>(length, zero);
}

/// How many dimensions go where the list of them is made by the run: that may also make
/// its length, but the rank of the result must be known. Then it is the declared one,
/// which the run checks. 0 where no dimension goes away; nullopt, and a report, if the
/// number cannot be known.
static std::optional<int64_t> countAxes(NodeBinder &node, Value axes, int64_t rank,
                                        bool keepdims, bool noop) {
  auto type = cast<RankedTensorType>(axes.getType());
  if (type.hasStaticShape())
    return type.getNumElements();
  if (keepdims)
    return 0;
  RankedTensorType declared = node.getDeclaredType(0);
  if (node.require(declared && declared.getRank() <= rank,
                   "operand 'axes' has a known length, the model declares the shape of the "
                   "result, or attribute 'keepdims' is 1",
                   show(type), "", Remedy::GiveShape).failed())
    return std::nullopt;
  int64_t numAxes = rank - declared.getRank();
  Type i64 = IntegerType::get(node.getContext(), 64);
  Value length = getDimScalar(node, axes, 0);
  Value holds = node.create<EqualOp>(length, node.constantScalar(double(numAxes), i64));
  if (!noop && numAxes == rank) // No axes are all.
    holds = node.create<OrOp>(holds, isEmptyList(node, axes));
  node.checkAtRun(holds, "gets another number of axes than " + Twine(numAxes) +
                             ", for which the declared shape of its output is; set "
                             "'keepdims', or make operand 'axes' a constant");
  return node.failed() ? std::nullopt : std::optional(numAxes);
}

/// Over dimensions that only the run knows: elements are scattered to the places of
/// the result. Formulas are split in what is done to each element, a sum, product
/// or extremum, and what is done with it.
template <typename OpT>
static LogicalResult reduceComputedAxes(NodeBinder &node, Value data, Value axes,
                                        bool keepdims, bool noop) {
  auto type = cast<RankedTensorType>(data.getType());
  int64_t rank = type.getRank();
  std::optional<int64_t> numAxes = countAxes(node, axes, rank, keepdims, noop);
  if (!numAxes)
    return failure();
  Type elementType = type.getElementType(), i64 = IntegerType::get(node.getContext(), 64);
  constexpr bool isMax = std::is_same_v<OpT, ReduceMaxOp>;
  constexpr bool isExtremum = isMax || std::is_same_v<OpT, ReduceMinOp>;
  constexpr bool isProduct = std::is_same_v<OpT, ReduceProdOp>;

  // The sizes with 1 for those that go, and where each element is counted.
  Value shape = getShapeList(node, data), mask = makeAxesMask(node, axes, rank);
  Value one = node.constantScalar(1, i64);
  Value isReduced = node.create<EqualOp>(mask, one);
  if (!cast<RankedTensorType>(axes.getType()).hasStaticShape() && !noop)
    isReduced = node.create<OrOp>(isReduced, isEmptyList(node, axes));
  Value keptShape = node.create<WhereOp>(isReduced, one, shape);
  Value strides = node.create<CumProdOp>(keptShape, 0, /*exclusive=*/true,
                                         /*reverse=*/true);
  Value zero = node.constantScalar(0, i64);
  strides = node.create<WhereOp>(isReduced, zero, strides);
  Value places;
  for (int64_t d = 0; d < rank && !node.failed(); ++d) {
    Value iota = makeIota(node, data, d, d, rank);
    Value stride = node.create<GatherOp>(strides, node.constantScalar(double(d), i64), 0);
    Value part = node.create<MulOp>(iota, stride);
    places = places ? node.create<AddOp>(places, part) : part;
  }

  // What is scattered.
  Value x = data;
  bool isBool = elementType.isInteger(1);
  if (isBool)
    x = node.create<CastOp>(x, elementType = IntegerType::get(node.getContext(), 32));
  if constexpr (std::is_same_v<OpT, ReduceL1Op>)
    x = node.create<AbsOp>(x);
  if constexpr (std::is_same_v<OpT, ReduceL2Op> || std::is_same_v<OpT, ReduceSumSquareOp>)
    x = node.create<MulOp>(x, x);
  if constexpr (std::is_same_v<OpT, ReduceLogSumExpOp>)
    x = node.create<ExpOp>(x);
  double start = isProduct ? 1 : 0;
  if constexpr (isExtremum) {
    if (isBool) {
      start = isMax ? 0 : 1;
    } else if (isa<FloatType>(elementType)) {
      start = std::numeric_limits<double>::infinity() * (isMax ? -1 : 1);
    } else {
      // The lowest; its bits inverted are the highest, which need be no double.
      start = elementType.isUnsignedInteger()
                  ? 0.0
                  : -std::ldexp(1.0, int(elementType.getIntOrFloatBitWidth()) - 1);
    }
  }
  Value count = node.create<ReduceProdOp>(keptShape, ArrayRef<int64_t>{0},
                                          /*keepdims=*/true);
  Value result = makeFilled(node, count, start, elementType);
  if (isExtremum && !isMax && !isBool && !isa<FloatType>(elementType))
    result = node.create<BitwiseNotOp>(result);
  Value flatPlaces = flatten(node, places), flatData = flatten(node, x);
  result = node.create<ScatterElementsOp>(
      result, flatPlaces, flatData, 0,
      isExtremum ? (isMax ? "max" : "min") : isProduct ? "mul" : "add");
  if constexpr (std::is_same_v<OpT, ReduceMeanOp>) {
    Value all = node.create<SizeOp>(data), kept = node.asScalar(count);
    Value each = node.create<DivOp>(all, kept);
    each = node.create<CastOp>(each, elementType);
    result = node.create<DivOp>(result, each);
  }
  if constexpr (std::is_same_v<OpT, ReduceL2Op>) {
    bool isFloat = isa<FloatType>(elementType);
    if (!isFloat)
      result = node.create<CastOp>(result, Float64Type::get(node.getContext()));
    result = node.create<SqrtOp>(result);
    if (!isFloat)
      result = node.create<CastOp>(result, elementType);
  }
  if constexpr (std::is_same_v<OpT, ReduceLogSumOp> ||
                std::is_same_v<OpT, ReduceLogSumExpOp>)
    result = node.create<LogOp>(result);
  if (isBool)
    result = node.create<CastOp>(result, type.getElementType());
  Value resultShape = keptShape;
  if (!keepdims) {
    mask = node.create<CastOp>(isReduced, i64);
    resultShape = dropMasked(node, shape, mask, rank - *numAxes);
  }
  if (node.failed())
    return failure();
  return node.replaceWith<ReshapeOp>(result, resultShape, /*allow_zero=*/true);
}

template <typename OpT> static LogicalResult importReduce(NodeBinder &node) {
  Value data, computedAxes;
  std::optional<SmallVector<int64_t>> axes;
  bool keepdims, noop;
  if (node.operand("data", data).ints("axes", axes, computedAxes, /*anyLength=*/true)
          .attr("keepdims", keepdims, true)
          .attr("noop_with_empty_axes", noop, false).failed())
    return failure();
  bool isScalar = cast<RankedTensorType>(data.getType()).getRank() == 0;
  if (computedAxes && !isScalar)
    return reduceComputedAxes<OpT>(node, data, computedAxes, keepdims, noop);
  bool isEmpty = !axes || axes->empty();
  if ((isEmpty && noop) || isScalar)
    return applyToElements<OpT>(node, data);
  return node.replaceWith<OpT>(data, isEmpty ? SmallVector<int64_t>() : *axes,
                               keepdims);
}

template <typename OpT> static LogicalResult importArg(NodeBinder &node) {
  Value data;
  int64_t axis;
  bool keepdims, selectLast;
  if (node.operand("data", data).attr("axis", axis, 0)
          .attr("keepdims", keepdims, true)
          .attr("select_last_index", selectLast, false).failed())
    return failure();
  return node.replaceWith<OpT>(data, axis, keepdims, selectLast);
}

/// An axis that only the run knows is one of few.
template <typename OpT> static LogicalResult importCumulative(NodeBinder &node) {
  Value input, axis;
  bool exclusive, reverse;
  if (node.operand("x", input).operand("axis", axis)
          .attr("exclusive", exclusive, false).attr("reverse", reverse, false).failed())
    return failure();
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  if (auto known = node.getShapes().getConstantContents(axis); known && known->size() == 1)
    return node.replaceWith<OpT>(input, known->front(), exclusive, reverse);
  axis = node.asInt64(node.asScalar(axis));
  Type i64 = IntegerType::get(node.getContext(), 64);
  Value result;
  for (int64_t d = rank - 1; d >= 0; --d) {
    Value own = node.create<OpT>(input, d, exclusive, reverse);
    if (!result) {
      result = own;
      continue;
    }
    Value fromFront = node.create<EqualOp>(axis, node.constantScalar(double(d), i64));
    Value fromEnd = node.create<EqualOp>(axis, node.constantScalar(double(d - rank), i64));
    Value isOwn = node.create<OrOp>(fromFront, fromEnd);
    result = node.create<WhereOp>(isOwn, own, result);
  }
  return node.setOutput(result);
}

/// 1 at the first maximum along an axis, 0 elsewhere.
static Value makeHardmax(NodeBinder &node, Value input, int64_t axis) {
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  if (node.require(axis >= -rank && axis < rank,
                   "attribute 'axis' is a dimension of the input", Twine(axis),
                   Twine(-rank) + " to " + Twine(rank - 1)).failed())
    return {};
  axis = shapes::normalizeAxis(axis, rank);
  Value best = node.create<ArgMaxOp>(input, axis, /*keepdims=*/true,
                                     /*select_last_index=*/false);
  Value places = makeIota(node, input, axis, axis, rank);
  Value isBest = node.create<EqualOp>(best, places);
  return node.create<CastOp>(isBest,
                             cast<RankedTensorType>(input.getType()).getElementType());
}

static LogicalResult importHardmax(NodeBinder &node) {
  Value input;
  int64_t axis;
  if (node.onlyOperand(input).attr("axis", axis, -1).failed())
    return failure();
  return node.setOutput(makeHardmax(node, input, axis));
}

/// Before version 13, over all dimensions from the axis on.
static LogicalResult importFlattenedHardmax(NodeBinder &node) {
  Value input;
  int64_t axis;
  if (node.onlyOperand(input).attr("axis", axis, 1).failed())
    return failure();
  Value matrix = node.create<FlattenOp>(input, axis);
  Value result = matrix ? makeHardmax(node, matrix, 1) : Value();
  Value shape = getShapeList(node, input);
  return node.replaceWith<ReshapeOp>(result, shape, /*allow_zero=*/true);
}

void importer::registerReduction(Registry &r) {
  r.onOp("ReduceL1", 1, importReduce<ReduceL1Op>);
  r.onOp("ReduceL2", 1, importReduce<ReduceL2Op>);
  r.onOp("ReduceLogSum", 1, importReduce<ReduceLogSumOp>);
  r.onOp("ReduceLogSumExp", 1, importReduce<ReduceLogSumExpOp>);
  r.onOp("ReduceMax", 1, importReduce<ReduceMaxOp>);
  r.onOp("ReduceMean", 1, importReduce<ReduceMeanOp>);
  r.onOp("ReduceMin", 1, importReduce<ReduceMinOp>);
  r.onOp("ReduceProd", 1, importReduce<ReduceProdOp>);
  r.onOp("ReduceSum", 1, importReduce<ReduceSumOp>);
  r.onOp("ReduceSumSquare", 1, importReduce<ReduceSumSquareOp>);
  r.onOp("CumSum", 11, importCumulative<CumSumOp>);
  r.onOp("CumProd", 26, importCumulative<CumProdOp>);
  r.onOp("Hardmax", 1, importFlattenedHardmax);
  r.onOp("Hardmax", 13, importHardmax);
  r.onOp("ArgMax", 1, importArg<ArgMaxOp>);
  r.onOp("ArgMin", 1, importArg<ArgMinOp>);
}
