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

/// Along the last dimension of real numbers; complex ones have one more, of 2.
static LogicalResult importFourierTransform(NodeBinder &node, bool isInverse) {
  Value input;
  int64_t oneSided, normalized, numDims;
  if (node.operand("X", input).attr("onesided", oneSided, 1).attr("normalized", normalized, 0)
          .attr("signal_ndim", numDims, 1)
          .require(oneSided == 1, "attribute 'onesided' has a supported value", Twine(oneSided),
                   "1", Remedy::ChangeForm)
          .require(normalized == 0, "attribute 'normalized' has a supported value",
                   Twine(normalized), "0", Remedy::ChangeForm)
          .require(numDims == 1, "attribute 'signal_ndim' has a supported value", Twine(numDims),
                   "1", Remedy::ChangeForm)
          .require(input && getType(input).getRank() >= 1 + int64_t(isInverse),
                   "the input has a dimension to transform", "less", "")
          .failed())
    return failure();
  Type type = getElementType(input), computed = getComputedType(type);
  int64_t rank = getType(input).getRank();
  Value signal = castTo(node, input, computed);
  if (!isInverse)
    signal = node.create<UnsqueezeOp>(signal, ArrayRef<int64_t>{rank});
  Value result = node.create<DFTOp>(signal, Value(), isInverse ? rank - 2 : rank - 1, isInverse,
                                    /*onesided=*/true);
  if (isInverse)
    result = node.create<SqueezeOp>(result, ArrayRef<int64_t>{rank - 1});
  return node.setOutput(castTo(node, result, type));
}

static LogicalResult importRfft(NodeBinder &node) {
  return importFourierTransform(node, /*isInverse=*/false);
}

static LogicalResult importIrfft(NodeBinder &node) {
  return importFourierTransform(node, /*isInverse=*/true);
}

/// Products of complex numbers, of which the last dimension has both parts; of `a` and the
/// conjugates of `b`, if so.
template <bool isConjugate> static LogicalResult importComplexMul(NodeBinder &node) {
  Value a, b;
  if (node.operand("A", a).operand("B", b)
          .require(a && b && getLastSize(a) == 2 && getLastSize(b) == 2,
                   "the operands' last dimension is 2", "another size", "").failed())
    return failure();
  auto part = [&](Value value, int64_t index) -> Value {
    Value start = node.constantList({index}), end = node.constantList({index + 1});
    return node.create<SliceOp>(value, start, end, ArrayRef<int64_t>{-1}, ArrayRef<int64_t>{1});
  };
  auto multiply = [&](int64_t i, int64_t j) -> Value {
    Value lhs = part(a, i), rhs = part(b, j);
    return node.create<MulOp>(lhs, rhs);
  };
  Value rr = multiply(0, 0), ii = multiply(1, 1), ri = multiply(0, 1), ir = multiply(1, 0);
  Value real = isConjugate ? node.create<AddOp>(rr, ii) : node.create<SubOp>(rr, ii);
  Value imaginary = isConjugate ? node.create<SubOp>(ir, ri) : node.create<AddOp>(ri, ir);
  if (node.failed())
    return failure();
  return node.replaceWith<ConcatOp>(SmallVector<Value>{real, imaginary},
                                    getType(real).getRank() - 1);
}

static LogicalResult importSampleOp(NodeBinder &node) {
  Value input;
  if (node.operand("X", input).failed())
    return failure();
  return node.setOutput(node.call("Identity", {input}).get());
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
  r.onOp(microsoft, "Rfft", 1, importRfft, "X");
  r.onOp(microsoft, "Irfft", 1, importIrfft, "X");
  r.onOp(microsoft, "ComplexMul", 1, importComplexMul<false>, "A B");
  r.onOp(microsoft, "ComplexMulConj", 1, importComplexMul<true>, "A B");
  r.onOp(microsoft, "SampleOp", 1, importSampleOp, "X");
  r.onOp(microsoft, "CDist", 1, importCDist, "A B");
}
