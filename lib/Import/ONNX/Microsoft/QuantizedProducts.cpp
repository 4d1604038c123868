//===- QuantizedProducts.cpp - import of ONNX Runtime's products of integers -//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "../ShapeMath.h"
#include "Microsoft.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// The zero point in the shape of the scale, where the scale is a list and it is not.
static void expandZeroPoint(NodeBinder &node, Quantized &tensor) {
  if (!tensor.zeroPoint || node.failed() || getType(tensor.scale).getRank() == 0 ||
      getType(tensor.zeroPoint).getShape() == getType(tensor.scale).getShape())
    return;
  tensor.zeroPoint =
      node.create<ExpandOp>(tensor.zeroPoint, getShapeList(node, tensor.scale));
}

/// `C` is quantized with the product of the other scales; without `y_scale`, the result
/// is not quantized.
static LogicalResult importQGemm(NodeBinder &node) {
  Quantized a, b, y;
  Value bias;
  float alpha;
  bool transA, transB;
  if (node.operand("A", a.value).operand("a_scale", a.scale)
          .operand("a_zero_point", a.zeroPoint).operand("B", b.value)
          .operand("b_scale", b.scale).operand("b_zero_point", b.zeroPoint)
          .optionalOperand("C", bias).optionalOperand("y_scale", y.scale)
          .optionalOperand("y_zero_point", y.zeroPoint).attr("alpha", alpha, 1.0f)
          .attr("transA", transA, false).attr("transB", transB, false).failed())
    return failure();
  Type f32 = getElementType(a.scale);
  a.scale = node.asScalar(a.scale);
  b.scale = node.asScalar(b.scale);
  expandZeroPoint(node, b);
  if (alpha != 1.0f)
    a.scale = node.create<MulOp>(a.scale, node.constantScalar(alpha, f32));
  if (bias) {
    Value scale = node.create<MulOp>(a.scale, b.scale);
    if (node.failed())
      return failure();
    bool fits = getType(scale).getRank() == 0 || getLastSize(bias) == getLastSize(scale);
    bias = fits ? dequantize(node, {bias, scale, {}}, /*axis=*/-1)
                : node.create<MulOp>(castTo(node, bias, f32), scale);
  }
  Value lhs = dequantize(node, a), rhs = dequantize(node, b, /*axis=*/transB ? 0 : 1);
  Value result = node.create<GemmOp>(lhs, rhs, bias, 1.0f, 1.0f, transA, transB);
  y.type = getElementType(a.value);
  return node.setOutput(y.scale ? quantize(node, result, y) : result);
}

Value importer::scaleProduct(NodeBinder &node, const Quantized &a, const Quantized &b,
                             Value bias) {
  Value product =
      node.call("MatMulInteger", {a.value, b.value, a.zeroPoint, b.zeroPoint}).get();
  Value scale = node.create<MulOp>(node.asScalar(a.scale), node.asScalar(b.scale));
  if (node.failed())
    return {};
  Value real = castTo(node, product, getElementType(scale));
  return addIfPresent(node, node.create<MulOp>(real, scale), bias);
}

static LogicalResult importMatMulIntegerToFloat(NodeBinder &node) {
  Quantized a, b;
  Value bias;
  if (node.operand("A", a.value).operand("B", b.value).operand("a_scale", a.scale)
          .operand("b_scale", b.scale).optionalOperand("a_zero_point", a.zeroPoint)
          .optionalOperand("b_zero_point", b.zeroPoint).optionalOperand("bias", bias)
          .failed())
    return failure();
  return node.setOutput(scaleProduct(node, a, b, bias));
}

static LogicalResult importDynamicQuantizeMatMul(NodeBinder &node) {
  Value input, bias;
  Quantized b;
  if (node.operand("A", input).operand("B", b.value).operand("b_scale", b.scale)
          .optionalOperand("b_zero_point", b.zeroPoint).optionalOperand("bias", bias)
          .failed())
    return failure();
  SmallVector<Value> a = node.call("DynamicQuantizeLinear", {input}).get(3);
  return node.setOutput(scaleProduct(node, {a[0], a[1], a[2]}, b, bias));
}

static LogicalResult importMatMulInteger16(NodeBinder &node) {
  Value lhs, rhs;
  if (node.operand("A", lhs).operand("B", rhs).failed())
    return failure();
  Type i32 = IntegerType::get(node.getContext(), 32);
  lhs = castTo(node, lhs, i32);
  rhs = castTo(node, rhs, i32);
  return node.replaceWith<MatMulOp>(lhs, rhs, false, false);
}

//===----------------------------------------------------------------------===//
// LSTM
//===----------------------------------------------------------------------===//

/// Weights D x inputs x 4*H, with parameters for each direction, or for each direction
/// and column, as ai.onnx's LSTM takes them.
static Value dequantizeWeights(NodeBinder &node, Quantized weights) {
  if (node.failed())
    return {};
  Type type = getElementType(weights.scale);
  auto align = [&](Value parameter) {
    bool isPerColumn = getType(parameter).getRank() == 2;
    return node.create<UnsqueezeOp>(parameter, isPerColumn ? ArrayRef<int64_t>{1}
                                                           : ArrayRef<int64_t>{1, 2});
  };
  Value zero = align(castTo(node, weights.zeroPoint, type)), scale = align(weights.scale);
  Value centered = node.create<SubOp>(castTo(node, weights.value, type), zero);
  Value real = node.create<MulOp>(centered, scale);
  return node.create<TransposeOp>(real, ArrayRef<int64_t>{0, 2, 1});
}

/// With weights in 8 bits. ONNX Runtime also rounds inputs and states to 8 bits, since its
/// products need that; here they are exact.
static LogicalResult importDynamicQuantizeLSTM(NodeBinder &node) {
  Value x, bias, lengths, h, c, peephole;
  Quantized w, r;
  if (node.operand("X", x).operand("W", w.value).operand("R", r.value)
          .optionalOperand("B", bias).optionalOperand("sequence_lens", lengths)
          .optionalOperand("initial_h", h).optionalOperand("initial_c", c)
          .optionalOperand("P", peephole).operand("W_scale", w.scale)
          .operand("W_zero_point", w.zeroPoint).operand("R_scale", r.scale)
          .operand("R_zero_point", r.zeroPoint).failed())
    return failure();
  Value weights = dequantizeWeights(node, w), recurrence = dequantizeWeights(node, r);
  SmallVector<Value> results =
      node.call("LSTM", {x, weights, recurrence, bias, lengths, h, c, peephole})
          .pass({"activation_alpha", "activation_beta", "activations", "clip", "direction",
                 "hidden_size", "input_forget"})
          .get(3);
  for (int64_t i = 0; i < node.getNumOutputs() && i < 3; ++i)
    (void)node.setOutput(results[i], i);
  return success(!node.failed());
}

void importer::registerMicrosoftQuantizedProducts(Registry &r) {
  r.onOp(microsoft, "QGemm", 1, importQGemm,
         "A a_scale a_zero_point B b_scale b_zero_point C y_scale y_zero_point");
  r.onOp(microsoft, "MatMulIntegerToFloat", 1, importMatMulIntegerToFloat,
         "A B a_scale b_scale a_zero_point b_zero_point bias");
  r.onOp(microsoft, "DynamicQuantizeMatMul", 1, importDynamicQuantizeMatMul,
         "A B b_scale b_zero_point bias");
  r.onOp(microsoft, "MatMulInteger16", 1, importMatMulInteger16, "A B");
  r.onOp(microsoft, "DynamicQuantizeLSTM", 1, importDynamicQuantizeLSTM,
         "X W R B sequence_lens initial_h initial_c P W_scale W_zero_point R_scale "
         "R_zero_point");
}
