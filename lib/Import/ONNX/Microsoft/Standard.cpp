//===- Standard.cpp - import of ONNX Runtime's names for ai.onnx's operators ==//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "../ShapeMath.h"
#include "Microsoft.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static LogicalResult importExpandDims(NodeBinder &node) {
  Value input;
  std::optional<SmallVector<int64_t>> axis;
  if (node.operand("X", input).constantInts("axis", axis)
          .require(axis && axis->size() == 1, "operand 'axis' is one number",
                   axis ? Twine(axis->size()) : Twine("none"), "1").failed())
    return failure();
  return node.replaceWith<UnsqueezeOp>(input, *axis);
}

/// `pads` may also be a matrix of one row.
static LogicalResult importPad(NodeBinder &node) {
  Value data, pads, value;
  if (node.operand("data", data).operand("pads", pads).optionalOperand("value", value)
          .failed())
    return failure();
  return node.setOutput(
      node.call("Pad", {data, flatten(node, pads), value}).pass({"mode"}).get());
}

static LogicalResult importRange(NodeBinder &node) {
  Value start, limit, delta;
  if (node.operand("start", start).operand("limit", limit).optionalOperand("delta", delta)
          .failed())
    return failure();
  if (!delta)
    delta = node.constantScalar(1, getElementType(start));
  return node.setOutput(node.call("Range", {start, limit, delta}).get());
}

static LogicalResult importGridSample(NodeBinder &node) {
  Value input, grid;
  if (node.operand("X", input).operand("Grid", grid).failed())
    return failure();
  return node.setOutput(
      node.call("GridSample", {input, grid})
          .pass({"align_corners", "mode", "padding_mode"}).atOpset(16).get());
}

static LogicalResult importGatherND(NodeBinder &node) {
  Value data, indices;
  if (node.operand("data", data).operand("indices", indices).failed())
    return failure();
  return node.setOutput(node.call("GatherND", {data, indices}).get());
}

static LogicalResult importTrilu(NodeBinder &node) {
  Value input, k;
  if (node.operand("X", input).optionalOperand("k", k).failed())
    return failure();
  return node.setOutput(node.call("Trilu", {input, k}).pass({"upper"}).get());
}

/// The distinct elements as they first occur, the number of each element among them, and
/// how often each occurs.
static LogicalResult importUnique(NodeBinder &node) {
  Value input;
  if (node.operand("x", input).failed())
    return failure();
  SmallVector<Value> results = node.call("Unique", {input}).attr("sorted", int64_t(0)).get(4);
  (void)node.setOutput(results[0], 0);
  (void)node.setOutput(results[2], 1);
  (void)node.setOutput(results[3], 2);
  return success(!node.failed());
}

/// `Pads` are an attribute in ai.onnx.
static LogicalResult importConvTransposeWithDynamicPads(NodeBinder &node) {
  Value input, weight, bias;
  std::optional<SmallVector<int64_t>> pads;
  if (node.operand("X", input).operand("W", weight).constantInts("Pads", pads)
          .optionalOperand("B", bias).failed())
    return failure();
  OperatorCall call = node.call("ConvTranspose", {input, weight, bias});
  call.pass({"auto_pad", "dilations", "group", "kernel_shape", "output_padding", "strides"});
  if (pads)
    call.attr("pads", *pads);
  return node.setOutput(call.get());
}

/// Distances between the rows of two matrices.
static LogicalResult importCDist(NodeBinder &node) {
  Value a, b;
  std::string metric;
  if (node.operand("A", a).operand("B", b)
          .attr("metric", metric, "sqeuclidean", {"sqeuclidean", "euclidean"}).failed())
    return failure();
  // |a - b|^2 = |a|^2 - 2ab + |b|^2, which rounding may make negative.
  Type type = getElementType(a);
  Value squaresA = node.create<ReduceSumSquareOp>(a, ArrayRef<int64_t>{-1}, /*keepdims=*/true);
  Value squaresB = node.create<ReduceSumSquareOp>(b, ArrayRef<int64_t>{-1}, /*keepdims=*/false);
  Value product = node.create<MatMulOp>(a, b, false, /*transpose_rhs=*/true);
  Value twice = node.create<MulOp>(product, node.constantScalar(-2, type));
  Value sum = node.create<AddOp>(node.create<AddOp>(squaresA, twice), squaresB);
  Value distance = node.create<ReluOp>(sum);
  return node.setOutput(metric == "euclidean" ? node.create<SqrtOp>(distance) : distance);
}

void importer::registerMicrosoftStandard(Registry &r) {
  r.onOp(microsoft, "ExpandDims", 1, importExpandDims, "X axis");
  r.onOp(microsoft, "Pad", 1, importPad, "data pads value");
  r.onOp(microsoft, "Range", 1, importRange, "start limit delta");
  r.onOp(microsoft, "GridSample", 1, importGridSample, "X Grid");
  r.onOp(microsoft, "GatherND", 1, importGatherND, "data indices");
  r.onOp(microsoft, "Trilu", 1, importTrilu, "X k");
  r.onOp(microsoft, "Unique", 1, importUnique, "x");
  r.onOp(microsoft, "ConvTransposeWithDynamicPads", 1, importConvTransposeWithDynamicPads,
         "X W Pads B");
  r.onOp(microsoft, "CDist", 1, importCDist, "A B");
}
