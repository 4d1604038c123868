//===- Quantization.cpp - import of ONNX Runtime's operators on 8 bits ----===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Each dequantizes its operands, computes, and quantizes the result.
//
//===----------------------------------------------------------------------===//

#include "../SpatialAttrs.h"
#include "Microsoft.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// Zero points are 0 where absent.
static NodeBinder &bind(NodeBinder &node, StringRef value, StringRef scale,
                        StringRef zeroPoint, Quantized &tensor) {
  return node.operand(value, tensor.value).operand(scale, tensor.scale)
      .optionalOperand(zeroPoint, tensor.zeroPoint);
}

/// How to quantize the result, to the type of `like` if there is no zero point.
static NodeBinder &bindResult(NodeBinder &node, StringRef scale, StringRef zeroPoint,
                              const Quantized &like, Quantized &result) {
  if (like.value)
    result.type = getElementType(like.value);
  return node.operand(scale, result.scale).optionalOperand(zeroPoint, result.zeroPoint);
}

//===----------------------------------------------------------------------===//
// Elementwise operators and moves
//===----------------------------------------------------------------------===//

template <typename OpT> static LogicalResult importQLinearBinary(NodeBinder &node) {
  Quantized a, b, c;
  bind(node, "A", "A_scale", "A_zero_point", a);
  bind(node, "B", "B_scale", "B_zero_point", b);
  if (bindResult(node, "C_scale", "C_zero_point", a, c).failed())
    return failure();
  Value lhs = dequantize(node, a), rhs = dequantize(node, b);
  return node.setOutput(quantize(node, node.create<OpT>(lhs, rhs), c));
}

static LogicalResult
importQLinearUnary(NodeBinder &node, function_ref<Value(Value)> compute,
                   function_ref<Value(Value, Quantized)> quantizeResult = nullptr) {
  Quantized x, y;
  bind(node, "X", "X_scale", "X_zero_point", x);
  if (bindResult(node, "Y_scale", "Y_zero_point", x, y).failed())
    return failure();
  Value real = dequantize(node, x);
  Value result = node.failed() ? Value() : compute(real);
  return node.setOutput(quantizeResult ? quantizeResult(result, y)
                                       : quantize(node, result, y));
}

static LogicalResult importQLinearSigmoid(NodeBinder &node) {
  return importQLinearUnary(node, [&](Value x) { return node.create<SigmoidOp>(x); });
}

static LogicalResult importQLinearLeakyRelu(NodeBinder &node) {
  float alpha;
  if (node.attr("alpha", alpha, 0.01f).failed())
    return failure();
  return importQLinearUnary(node,
                            [&](Value x) { return node.create<LeakyReluOp>(x, alpha); });
}

/// ONNX Runtime multiplies by the scale's reciprocal, rounded down to an integer.
static LogicalResult importQLinearSoftmax(NodeBinder &node) {
  int64_t axis, opset;
  if (node.attr("axis", axis, -1).requiredAttr("opset", opset).failed())
    return failure();
  Quantized x, y;
  bind(node, "X", "X_scale", "X_zero_point", x);
  if (bindResult(node, "Y_scale", "Y_zero_point", x, y).failed())
    return failure();
  Value steps = node.create<FloorOp>(node.create<ReciprocalOp>(y.scale));
  y.scale = node.create<ReciprocalOp>(steps);
  // Before opset 13, all dimensions from the axis on are one.
  Value result = node.call("Softmax", {dequantize(node, x)}).attr("axis", axis)
                     .atOpset(opset < 13 ? 11 : 13).get();
  return node.setOutput(quantize(node, result, y));
}

static LogicalResult importQLinearWhere(NodeBinder &node) {
  Value condition;
  Quantized x, y, z;
  node.operand("condition", condition);
  bind(node, "X", "x_scale", "x_zero_point", x);
  bind(node, "Y", "y_scale", "y_zero_point", y);
  if (bindResult(node, "z_scale", "z_zero_point", x, z).failed())
    return failure();
  Value whenTrue = dequantize(node, x), whenFalse = dequantize(node, y);
  Value result = node.create<WhereOp>(condition, whenTrue, whenFalse);
  return node.setOutput(quantize(node, result, z));
}

static LogicalResult importQLinearReduceMean(NodeBinder &node) {
  SmallVector<int64_t> axes;
  bool keepDims;
  if (node.requiredAttr("axes", axes).attr("keepdims", keepDims, true).failed())
    return failure();
  Quantized x, y;
  bind(node, "data", "data_scale", "data_zero_point", x);
  if (bindResult(node, "reduced_scale", "reduced_zero_point", x, y).failed())
    return failure();
  Value mean = node.create<ReduceMeanOp>(dequantize(node, x), axes, keepDims);
  return node.setOutput(quantize(node, mean, y));
}

/// The result's scale and zero point; then each input with its own.
static LogicalResult importQLinearConcat(NodeBinder &node) {
  SmallVector<Value> v;
  int64_t axis;
  if (node.requiredAttr("axis", axis).allOperands(v)
          .require(v.size() >= 5 && v.size() % 3 == 2,
                   "each input has a scale and a zero point", Twine(v.size()), "")
          .failed())
    return failure();
  SmallVector<Value> inputs;
  for (size_t i = 2; i < v.size(); i += 3)
    inputs.push_back(dequantize(node, {v[i], v[i + 1], v[i + 2]}));
  if (node.failed())
    return failure();
  Value result = node.create<ConcatOp>(inputs, axis);
  return node.setOutput(quantize(node, result, {{}, v[0], v[1]}));
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

static LogicalResult importQLinearPool(NodeBinder &node, function_ref<Value(Value)> pool,
                                       function_ref<Value(Value, Quantized)> quantizeResult) {
  bool channelsLast;
  if (node.attr("channels_last", channelsLast, false).failed())
    return failure();
  return importQLinearUnary(
      node,
      [&](Value x) {
        Value result = pool(channelsLast ? toChannelsFirst(node, x) : x);
        return channelsLast ? toChannelsLast(node, result) : result;
      },
      quantizeResult);
}

/// ONNX Runtime adds the zero point before it rounds, which hides the noise of sums of real
/// numbers where these are ties, as averages of a few integers often are.
static Value quantizeAverage(NodeBinder &node, Value real, Quantized to) {
  Value quotient = node.create<DivOp>(real, node.asScalar(to.scale));
  if (node.failed())
    return {};
  Type type = to.zeroPoint ? getElementType(to.zeroPoint) : to.type;
  Type realType = getElementType(quotient);
  if (to.zeroPoint)
    quotient = node.create<AddOp>(
        quotient, castTo(node, node.asScalar(to.zeroPoint), realType));
  Quantized integer{{}, node.constantScalar(1, realType), {}, type};
  return quantize(node, quotient, integer);
}

/// Where padding counts, so does what a last window has beyond it: as if the padding went
/// on. (In ai.onnx, that does not count.)
static LogicalResult importQLinearAveragePool(NodeBinder &node) {
  SpatialAttrs attrs;
  bool ceilMode, countIncludePad;
  node.attr("ceil_mode", ceilMode, false)
      .attr("count_include_pad", countIncludePad, false);
  if (attrs.bind(node).failed())
    return failure();
  size_t count = attrs.kernelShape.size();
  if (ceilMode && countIncludePad && attrs.autoPad == AutoPad::NotSet) {
    attrs.pads.resize(2 * count);
    for (size_t i = 0; i < std::min(count, attrs.strides.size()); ++i)
      attrs.pads[count + i] += attrs.strides[i] - 1;
    ceilMode = false;
  }
  return importQLinearPool(
      node,
      [&](Value x) {
        return node.create<AveragePoolOp>(x, attrs.kernelShape, attrs.strides,
                                          attrs.dilations, attrs.pads, ceilMode,
                                          attrs.autoPad, Layout::ChannelsFirst,
                                          countIncludePad);
      },
      [&](Value real, Quantized to) { return quantizeAverage(node, real, to); });
}

static LogicalResult importQLinearGlobalAveragePool(NodeBinder &node) {
  return importQLinearPool(
      node, [&](Value x) { return node.call("GlobalAveragePool", {x}).get(); },
      [&](Value real, Quantized to) { return quantize(node, real, to); });
}

/// That of ai.onnx, and `channels_last`.
static LogicalResult importQLinearConv(NodeBinder &node) {
  Quantized x, w;
  Value scale, zeroPoint, bias;
  bool channelsLast;
  bind(node, "x", "x_scale", "x_zero_point", x);
  bind(node, "w", "w_scale", "w_zero_point", w);
  if (node.operand("y_scale", scale).operand("y_zero_point", zeroPoint)
          .optionalOperand("B", bias).attr("channels_last", channelsLast, false).failed())
    return failure();
  if (channelsLast)
    x.value = toChannelsFirst(node, x.value);
  Value result =
      node.call("QLinearConv", {x.value, x.scale, x.zeroPoint, w.value, w.scale,
                                w.zeroPoint, scale, zeroPoint, bias})
          .pass({"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"})
          .get();
  return node.setOutput(channelsLast ? toChannelsLast(node, result) : result);
}

void importer::registerMicrosoftQuantization(Registry &r) {
  // Those of ai.onnx, long before it had 16 and 4 bits.
  r.onOp(microsoft, "QuantizeLinear", 1, importQuantizeLinear, "x y_scale y_zero_point");
  r.onOp(microsoft, "DequantizeLinear", 1, importDequantizeLinear,
         "x x_scale x_zero_point");

  constexpr StringLiteral binary =
      "A A_scale A_zero_point B B_scale B_zero_point C_scale C_zero_point";
  constexpr StringLiteral unary = "X X_scale X_zero_point Y_scale Y_zero_point";
  r.onOp(microsoft, "QLinearAdd", 1, importQLinearBinary<AddOp>, binary);
  r.onOp(microsoft, "QLinearMul", 1, importQLinearBinary<MulOp>, binary);
  r.onOp(microsoft, "QLinearSigmoid", 1, importQLinearSigmoid, unary);
  r.onOp(microsoft, "QLinearLeakyRelu", 1, importQLinearLeakyRelu, unary);
  r.onOp(microsoft, "QLinearSoftmax", 1, importQLinearSoftmax, unary);
  r.onOp(microsoft, "QLinearAveragePool", 1, importQLinearAveragePool, unary);
  r.onOp(microsoft, "QLinearGlobalAveragePool", 1, importQLinearGlobalAveragePool, unary);
  r.onOp(microsoft, "QLinearReduceMean", 1, importQLinearReduceMean,
         "data data_scale data_zero_point reduced_scale reduced_zero_point");
  r.onOp(microsoft, "QLinearConcat", 1, importQLinearConcat);
  r.onOp(microsoft, "QLinearWhere", 1, importQLinearWhere,
         "condition X x_scale x_zero_point Y y_scale y_zero_point z_scale z_zero_point");
  r.onOp(microsoft, "QLinearConv", 1, importQLinearConv,
         "x x_scale x_zero_point w w_scale w_zero_point y_scale y_zero_point B");
}
