//===- Pool.cpp - import of pooling ---------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "SpatialAttrs.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// `storage_order` only concerns the second output, which is not supported.
static LogicalResult importMaxPool(NodeBinder &node) {
  Value input;
  SpatialAttrs attrs;
  bool ceilMode;
  node.onlyOperand(input).attr("ceil_mode", ceilMode, false)
      .ignoreAttrs({"storage_order"});
  if (attrs.bind(node).failed())
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
  r.onOp("AveragePool", 1, importAveragePool);
  r.onOp("GlobalAveragePool", 1, importGlobalPool<ReduceMeanOp>);
  r.onOp("GlobalMaxPool", 1, importGlobalPool<ReduceMaxOp>);
  r.onOp("GlobalLpPool", 2, importGlobalLpPool);
}
