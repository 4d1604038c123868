//===- Normalization.cpp - import of normalizations and softmax -----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "ShapeMath.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Scale and statistics may have another float type than the input (since
/// version 15); nn computes in the input's.
static Value castLike(NodeBinder &node, Value value, Value like) {
  Type type = getType(like).getElementType();
  return getType(value).getElementType() == type ? value
                                                 : node.create<CastOp>(value, type);
}

static Value meanOfSquares(NodeBinder &node, Value value, ArrayRef<int64_t> axes,
                           bool keepdims) {
  return node.create<ReduceMeanOp>(node.create<MulOp>(value, value), axes, keepdims);
}

/// In training mode, the batch's own statistics are used, and update the running ones.
static LogicalResult trainBatchNorm(NodeBinder &node, Value input, Value scale,
                                    Value bias, Value mean, Value variance,
                                    float epsilon, float momentum) {
  SmallVector<int64_t> axes{0}, added;
  for (int64_t i = 2; i < getType(input).getRank(); ++i) {
    axes.push_back(i);
    added.push_back(i - 1);
  }
  Value own = node.create<ReduceMeanOp>(input, axes, /*keepdims=*/false);
  Value shaped = added.empty() ? own : node.create<UnsqueezeOp>(own, added);
  Value deviation = node.create<SubOp>(input, shaped);
  Value ownVariance = meanOfSquares(node, deviation, axes, /*keepdims=*/false);
  Type type = getType(input).getElementType();
  auto blend = [&](Value running, Value batch) {
    Value kept = node.create<MulOp>(running, node.constantScalar(momentum, type));
    Value added =
        node.create<MulOp>(batch, node.constantScalar(1.0 - double(momentum), type));
    return node.create<AddOp>(kept, added);
  };
  if (node.hasOutput(1))
    (void)node.setOutput(blend(mean, own), 1);
  if (node.hasOutput(2))
    (void)node.setOutput(blend(variance, ownVariance), 2);
  return node.replaceWith<BatchNormOp>(input, scale, bias, own, ownVariance, epsilon);
}

static LogicalResult importBatchNormalization(NodeBinder &node) {
  Value input, scale, bias, mean, variance;
  float epsilon, momentum;
  bool training, spatial;
  if (node.operand("X", input).operand("scale", scale).operand("B", bias)
          .operand("mean", mean, "input_mean").operand("var", variance, "input_var")
          .attr("epsilon", epsilon, 1e-5f).attr("training_mode", training, false)
          .attr("spatial", spatial, true)
          .attr("momentum", momentum, 0.9f)
          .ignoreAttrs({"is_test", "consumed_inputs"})
          .require(spatial, "attribute 'spatial' has a supported value", "0", "1",
                   Remedy::ChangeForm)
          .failed())
    return failure();
  for (Value *operand : {&scale, &bias, &mean, &variance})
    *operand = castLike(node, *operand, input);
  if (training)
    return trainBatchNorm(node, input, scale, bias, mean, variance, epsilon, momentum);
  return node.replaceWith<BatchNormOp>(input, scale, bias, mean, variance, epsilon);
}

static LogicalResult importInstanceNormalization(NodeBinder &node) {
  Value input, scale, bias;
  float epsilon;
  if (node.operand("input", input).operand("scale", scale).operand("B", bias)
          .attr("epsilon", epsilon, 1e-5f).ignoreAttrs({"consumed_inputs"}).failed())
    return failure();
  return node.replaceWith<InstanceNormOp>(input, scale, bias, epsilon);
}

/// The mean and the reciprocal of the standard deviation, which training saves and some
/// models use. Their type is `stash_type`, f32 by default.
static LogicalResult importStatistics(NodeBinder &node, Value input, int64_t axis,
                                      int64_t stashType, float epsilon) {
  Type type = getTensorElementType(node.getContext(), stashType);
  int64_t rank = getType(input).getRank();
  if (node.require(isa_and_nonnull<FloatType>(type),
                   "attribute 'stash_type' is a float type",
                   getDataTypeName(stashType), "float32", Remedy::ChangeForm).failed())
    return failure();
  axis = normalizeAxis(node, axis, rank);
  if (node.failed())
    return failure();
  SmallVector<int64_t> axes;
  for (int64_t i = axis; i < rank; ++i)
    axes.push_back(i);
  if (getType(input).getElementType() != type)
    input = node.create<CastOp>(input, type);
  Value mean = node.create<ReduceMeanOp>(input, axes, /*keepdims=*/true);
  (void)node.setOutput(mean, 1);
  if (!node.hasOutput(2))
    return success(!node.failed());
  Value deviation = node.create<SubOp>(input, mean);
  Value variance = meanOfSquares(node, deviation, axes, /*keepdims=*/true);
  Value offset = node.constantScalar(epsilon, type);
  Value sum = node.create<AddOp>(variance, offset);
  Value root = node.create<SqrtOp>(sum);
  return node.setOutput(node.create<ReciprocalOp>(root), 2);
}

/// Statistics within the operator are at least as precise as `stash_type`. Before
/// version 17 it was ONNX Runtime's, whose optimizer writes it into models of any opset.
/// There, the scale may have another type than the input, and the result has the scale's.
static LogicalResult importLayerNormalization(NodeBinder &node) {
  Value input, scale, bias;
  int64_t axis, stashType;
  float epsilon;
  if (node.operand("X", input).operand("Scale", scale).optionalOperand("B", bias)
          .attr("axis", axis, -1).attr("epsilon", epsilon, 1e-5f)
          .attr("stash_type", stashType, 1).failed())
    return failure();
  if ((node.hasOutput(1) || node.hasOutput(2)) &&
      failed(importStatistics(node, input, axis, stashType, epsilon)))
    return failure();
  Type type = getType(scale).getElementType();
  if (getType(input).getElementType().getIntOrFloatBitWidth() < type.getIntOrFloatBitWidth())
    input = castLike(node, input, scale);
  scale = castLike(node, scale, input);
  bias = bias ? castLike(node, bias, input) : Value();
  Value result = node.create<LayerNormOp>(input, scale, bias, axis, epsilon);
  if (result && getType(result).getElementType() != type)
    result = node.create<CastOp>(result, type);
  return node.setOutput(result);
}

/// The operator is a function in ONNX, whose constants are f32 for inputs of any type.
static LogicalResult importMeanVarianceNormalization(NodeBinder &node) {
  Value input;
  SmallVector<int64_t> axes;
  if (node.onlyOperand(input).attr("axes", axes).failed())
    return failure();
  if (axes.empty())
    axes = {0, 2, 3};
  int64_t rank = getType(input).getRank();
  for (int64_t &axis : axes)
    axis = normalizeAxis(node, axis, rank, "axes");
  if (node.failed())
    return failure();
  Value mean = node.create<ReduceMeanOp>(input, axes, /*keepdims=*/true);
  Value deviation = node.create<SubOp>(input, mean);
  Value variance = meanOfSquares(node, deviation, axes, /*keepdims=*/true);
  Value root = node.create<SqrtOp>(variance);
  Value offset = node.constantScalar(1e-9, getType(input).getElementType());
  return node.replaceWith<DivOp>(deviation, node.create<AddOp>(root, offset));
}

static LogicalResult importLRN(NodeBinder &node) {
  Value input;
  int64_t size;
  float alpha, beta, bias;
  if (node.onlyOperand(input).requiredAttr("size", size)
          .attr("alpha", alpha, 1e-4f).attr("beta", beta, 0.75f)
          .attr("bias", bias, 1.0f).failed())
    return failure();
  return node.replaceWith<LRNOp>(input, size, alpha, beta, bias);
}

template <typename OpT> static LogicalResult importSoftmax(NodeBinder &node) {
  Value input;
  int64_t axis;
  if (node.onlyOperand(input).attr("axis", axis, -1).failed())
    return failure();
  return node.replaceWith<OpT>(input, axis);
}

/// Before version 13, the input is treated as a matrix, split at `axis`, and each row
/// is normalized. For the last axis this makes no difference.
template <typename OpT> static LogicalResult importFlattenedSoftmax(NodeBinder &node) {
  Value input;
  int64_t axis;
  if (node.onlyOperand(input).attr("axis", axis, 1).failed())
    return failure();
  int64_t rank = getType(input).getRank();
  // Rank 1 with the default axis, 1: a matrix of columns of one element, but
  // every implementation takes the row.
  int64_t first = axis < 0 ? axis + rank : rank == 1 ? 0 : axis;
  if (node.require(rank > 0 && first >= 0 && first < rank,
                   "attribute 'axis' is a dimension of the input", Twine(axis),
                   Twine(-rank) + " to " + Twine(rank - 1)).failed())
    return failure();
  // Dimensions of size 1 after the axis do not change the rows.
  bool isLast = llvm::all_of(getType(input).getShape().drop_front(first + 1),
                             [](int64_t size) { return size == 1; });
  if (isLast)
    return node.replaceWith<OpT>(input, first);
  Value matrix = node.create<FlattenOp>(input, first);
  Value rows = matrix ? node.create<OpT>(matrix, int64_t(1)) : Value();
  if (!rows)
    return failure();
  Value shape = getType(input).hasStaticShape()
                    ? node.constantList(getType(input).getShape())
                    : node.create<nn::ShapeOp>(input, 0, IntegerAttr());
  return node.replaceWith<ReshapeOp>(rows, shape, /*allow_zero=*/true);
}

/// Divides elements by the norm of their line; lines with norm 0 stay 0.
static LogicalResult importLpNormalization(NodeBinder &node) {
  Value input;
  int64_t axis, p;
  if (node.onlyOperand(input).attr("axis", axis, -1).attr("p", p, 2)
          .require(p == 1 || p == 2, "attribute 'p' has a supported value", Twine(p),
                   "1, 2", Remedy::ChangeForm).failed())
    return failure();
  ArrayRef<int64_t> axes(axis);
  Value norm = p == 1 ? node.create<ReduceL1Op>(input, axes, /*keepdims=*/true)
                      : node.create<ReduceL2Op>(input, axes, /*keepdims=*/true);
  Value zero = node.constantScalar(0, getType(input).getElementType());
  Value isZero = node.create<EqualOp>(norm, zero);
  Value quotient = node.create<DivOp>(input, norm);
  return node.replaceWith<WhereOp>(isZero, zero, quotient);
}

void importer::registerNormalization(Registry &r) {
  r.onOp("BatchNormalization", 1, importBatchNormalization);
  r.onOp("InstanceNormalization", 1, importInstanceNormalization);
  r.onOp("", "LayerNormalization", 1, importLayerNormalization, "X Scale B");
  r.onOp("LpNormalization", 1, importLpNormalization);
  r.onOp("MeanVarianceNormalization", 9, importMeanVarianceNormalization);
  r.onOp("LRN", 1, importLRN);
  r.onOp("Softmax", 1, importFlattenedSoftmax<SoftmaxOp>);
  r.onOp("Softmax", 13, importSoftmax<SoftmaxOp>);
  r.onOp("LogSoftmax", 1, importFlattenedSoftmax<LogSoftmaxOp>);
  r.onOp("LogSoftmax", 13, importSoftmax<LogSoftmaxOp>);
}
