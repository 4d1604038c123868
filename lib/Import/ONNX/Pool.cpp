//===- Pool.cpp - import of pooling ---------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "ShapeMath.h"
#include "SpatialAttrs.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static LogicalResult importMaxPool(NodeBinder &node) {
  Value input;
  SpatialAttrs attrs;
  bool ceilMode, columnMajor;
  node.onlyOperand(input).attr("ceil_mode", ceilMode, false)
      .attr("storage_order", columnMajor, false);
  if (attrs.bind(node).failed())
    return failure();
  if (node.hasOutput(1) &&
      failed(node.setOutput(
          node.create<MaxPoolIndicesOp>(input, attrs.kernelShape, attrs.strides,
                                        attrs.dilations, attrs.pads, ceilMode,
                                        attrs.autoPad, Layout::ChannelsFirst,
                                        columnMajor),
          1)))
    return failure();
  return node.replaceWith<MaxPoolOp>(input, attrs.kernelShape, attrs.strides,
                                     attrs.dilations, attrs.pads, ceilMode,
                                     attrs.autoPad);
}

static LogicalResult importAveragePool(NodeBinder &node) {
  Value input;
  SpatialAttrs attrs;
  bool ceilMode, countIncludePad;
  node.onlyOperand(input).attr("ceil_mode", ceilMode, false)
      .attr("count_include_pad", countIncludePad, false);
  if (attrs.bind(node).failed())
    return failure();
  return node.replaceWith<AveragePoolOp>(
      input, attrs.kernelShape, attrs.strides, attrs.dilations, attrs.pads,
      ceilMode, attrs.autoPad, Layout::ChannelsFirst, countIncludePad);
}

static LogicalResult importLpPool(NodeBinder &node) {
  Value input;
  SpatialAttrs attrs;
  bool ceilMode;
  int64_t p;
  node.onlyOperand(input).attr("ceil_mode", ceilMode, false).attr("p", p, 2);
  if (attrs.bind(node).failed())
    return failure();
  return node.replaceWith<LpPoolOp>(input, attrs.kernelShape, attrs.strides,
                                    attrs.dilations, attrs.pads, ceilMode,
                                    attrs.autoPad, Layout::ChannelsFirst, p);
}

/// Moves elements back to where a max pool found them; the rest is 0. Indices refer to
/// the result shape given by the attributes, even if `output_shape` is larger.
static LogicalResult importMaxUnpool(NodeBinder &node) {
  Value input, indices, outputShape;
  SpatialAttrs attrs;
  node.operand("X", input).operand("I", indices)
      .optionalOperand("output_shape", outputShape);
  if (attrs.bind(node).failed())
    return failure();
  auto type = cast<RankedTensorType>(input.getType());
  int64_t rank = type.getRank(), k = rank - 2;
  if (node.require(k >= 1 && int64_t(attrs.kernelShape.size()) == k,
                   "attribute 'kernel_shape' fits the input's rank",
                   Twine(attrs.kernelShape.size()) + " sizes", Twine(k))
          .require(attrs.strides.empty() || int64_t(attrs.strides.size()) == k,
                   "attribute 'strides' fits the input's rank",
                   Twine(attrs.strides.size()) + " strides", Twine(k))
          .require(attrs.pads.empty() || int64_t(attrs.pads.size()) == 2 * k,
                   "attribute 'pads' fits the input's rank",
                   Twine(attrs.pads.size()) + " pads", Twine(2 * k)).failed())
    return failure();
  SmallVector<int64_t> factors(rank, 1), offsets(rank, 0);
  for (int64_t i = 0; i < k; ++i) {
    int64_t stride = attrs.strides.empty() ? 1 : attrs.strides[i];
    int64_t pads = attrs.pads.empty() ? 0 : attrs.pads[i] + attrs.pads[i + k];
    factors[i + 2] = stride;
    offsets[i + 2] = attrs.kernelShape[i] - pads - stride;
  }
  Value scaled = node.create<MulOp>(getShapeList(node, input), node.constantList(factors));
  Value shape = node.create<AddOp>(scaled, node.constantList(offsets));
  Value count = node.create<ReduceProdOp>(shape, ArrayRef<int64_t>{0},
                                          /*keepdims=*/true);
  Value zeros = makeFilled(node, count, 0, type.getElementType());
  Value flatIndices = flatten(node, indices), flatInput = flatten(node, input);
  Value result =
      node.create<ScatterElementsOp>(zeros, flatIndices, flatInput, 0, "none");
  result = node.create<ReshapeOp>(result, shape, /*allow_zero=*/true);
  if (!outputShape)
    return node.setOutput(result);
  // Elements beyond that are 0.
  Value behind = node.create<SubOp>(node.asInt64(outputShape), shape);
  Value before = node.constantList(SmallVector<int64_t>(rank, 0));
  Value counts = node.create<ConcatOp>(SmallVector<Value>{before, behind}, 0);
  return node.replaceWith<PadOp>(result, counts, Value(), ArrayRef<int64_t>(), "constant");
}

/// Pooling over all of the spatial dimensions is a reduction.
template <typename ReduceT>
static LogicalResult reduceSpatial(NodeBinder &node, Value input) {
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  if (node.require(rank >= 3, "the input has spatial dimensions",
                   "rank " + Twine(rank), "rank 3 or more").failed())
    return failure();
  SmallVector<int64_t> axes;
  for (int64_t axis = 2; axis < rank; ++axis)
    axes.push_back(axis);
  return node.replaceWith<ReduceT>(input, axes, /*keepdims=*/true);
}

template <typename ReduceT>
static LogicalResult importGlobalPool(NodeBinder &node) {
  Value input;
  if (node.onlyOperand(input).failed())
    return failure();
  return reduceSpatial<ReduceT>(node, input);
}

static LogicalResult importGlobalLpPool(NodeBinder &node) {
  Value input;
  int64_t p;
  if (node.onlyOperand(input).attr("p", p, 2)
          .require(p == 1 || p == 2, "attribute 'p' has a supported value",
                   Twine(p), "1, 2", Remedy::ChangeForm).failed())
    return failure();
  return p == 1 ? reduceSpatial<ReduceL1Op>(node, input)
                : reduceSpatial<ReduceL2Op>(node, input);
}

void importer::registerPool(Registry &r) {
  r.onOp("MaxPool", 1, importMaxPool);
  r.onOp("LpPool", 2, importLpPool);
  r.onOp("MaxUnpool", 9, importMaxUnpool);
  r.onOp("AveragePool", 1, importAveragePool);
  r.onOp("GlobalAveragePool", 1, importGlobalPool<ReduceMeanOp>);
  r.onOp("GlobalMaxPool", 1, importGlobalPool<ReduceMaxOp>);
  r.onOp("GlobalLpPool", 2, importGlobalLpPool);
}
