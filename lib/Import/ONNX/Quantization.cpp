//===- Quantization.cpp - import of quantization --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Quantization.h"
#include "Registry.h"
#include "SpatialAttrs.h"
#include "nn/Support/DataType.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

namespace mlir::nn::importer {
static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}
} // namespace mlir::nn::importer

/// In ONNX, scale and zero point of a whole tensor may be lists of one element. They
/// become scalars, because nn would take a list as one entry per channel.
static void makePerTensor(NodeBinder &node, Value input, Value &scale,
                          Value &zeroPoint, int64_t blockSize) {
  auto type = getType(scale);
  bool isOne = type.getRank() == 0 || (type.getRank() == 1 && type.getDimSize(0) == 1);
  if (!isOne || blockSize)
    return;
  scale = node.asScalar(scale);
  zeroPoint = node.asScalar(zeroPoint);
}

/// Scales that are powers of two have 8 bits; they are widened for computation.
static void widenScale(NodeBinder &node, Value &scale, Type type) {
  if (isa<Float8E8M0FNUType>(getType(scale).getElementType()))
    scale = node.create<CastOp>(scale, type);
}

/// Quotients by integers are those of real numbers, rounded once: ONNX's reference
/// divides them in f64, if `precision` does not say otherwise. That of other scales is
/// never exceeded downwards by computing in the scale's type or wider.
static void makeRealScale(NodeBinder &node, Value &scale, int64_t precision) {
  if (!isa<IntegerType>(getType(scale).getElementType()))
    return;
  Type f32 = Float32Type::get(node.getContext());
  Type f64 = Float64Type::get(node.getContext());
  bool isWide = !precision || getTensorElementType(node.getContext(), precision) == f64;
  scale = node.create<CastOp>(scale, isWide ? f64 : f32);
}

LogicalResult importer::importQuantizeLinear(NodeBinder &node) {
  Value input, scale, zeroPoint;
  int64_t axis, blockSize, outputType, precision;
  bool saturate;
  if (node.operand("x", input).operand("y_scale", scale)
          .optionalOperand("y_zero_point", zeroPoint).attr("axis", axis, 1)
          .attr("block_size", blockSize, 0).attr("output_dtype", outputType, 0)
          .attr("saturate", saturate, true).attr("precision", precision, 0).failed())
    return failure();
  Type type = IntegerType::get(node.getContext(), 8, IntegerType::Unsigned);
  if (zeroPoint)
    type = getType(zeroPoint).getElementType();
  else if (outputType)
    type = getTensorElementType(node.getContext(), outputType);
  bool isQuantized =
      type && (isa<IntegerType>(type) || getStorageOfSmallType(type)) &&
      !type.isInteger(1);
  if (node.require(isQuantized, "the quantized type is supported",
                   outputType ? getDataTypeName(outputType) : "a wider float",
                   "int2 to int32, uint2 to uint32, float8 of all kinds, float4e2m1",
                   Remedy::ConvertType)
          .failed())
    return failure();
  widenScale(node, scale, Float32Type::get(node.getContext()));
  makeRealScale(node, scale, precision);
  makePerTensor(node, input, scale, zeroPoint, blockSize);
  return node.replaceWith<QuantizeOp>(input, scale, zeroPoint, type, axis, blockSize,
                                      saturate);
}

LogicalResult importer::importDequantizeLinear(NodeBinder &node) {
  Value input, scale, zeroPoint;
  int64_t axis, blockSize, outputType;
  if (node.operand("x", input).operand("x_scale", scale)
          .optionalOperand("x_zero_point", zeroPoint).attr("axis", axis, 1)
          .attr("block_size", blockSize, 0).attr("output_dtype", outputType, 0)
          .failed())
    return failure();
  Type f32 = Float32Type::get(node.getContext());
  if (!outputType)
    widenScale(node, scale, f32);
  makePerTensor(node, input, scale, zeroPoint, blockSize);
  if (outputType) {
    // The product has the output's precision.
    Type type = getTensorElementType(node.getContext(), outputType);
    if (node.require(isa_and_nonnull<FloatType>(type) && !getStorageOfSmallType(type),
                     "attribute 'output_dtype' is a supported float type",
                     getDataTypeName(outputType),
                     "float16, bfloat16, float32, float64", Remedy::ConvertType)
            .failed())
      return failure();
    if (scale && getType(scale).getElementType() != type)
      scale = node.create<CastOp>(scale, type);
  }
  return node.replaceWith<DequantizeOp>(input, scale, zeroPoint, axis, blockSize);
}

//===----------------------------------------------------------------------===//
// Operators on quantized tensors: dequantize, compute, quantize
//===----------------------------------------------------------------------===//

Value importer::dequantize(NodeBinder &node, Quantized tensor, int64_t axis) {
  if (node.failed())
    return {};
  makePerTensor(node, tensor.value, tensor.scale, tensor.zeroPoint, 0);
  return node.create<DequantizeOp>(tensor.value, tensor.scale, tensor.zeroPoint, axis,
                                   int64_t(0));
}

Value importer::quantize(NodeBinder &node, Value real, Quantized to, int64_t axis) {
  if (node.failed())
    return {};
  Type type = to.zeroPoint ? getType(to.zeroPoint).getElementType() : to.type;
  makePerTensor(node, real, to.scale, to.zeroPoint, 0);
  return node.create<QuantizeOp>(real, to.scale, to.zeroPoint, type, axis, int64_t(0));
}

static NodeBinder &bind(NodeBinder &node, StringRef value, StringRef scale,
                        StringRef zeroPoint, Quantized &tensor) {
  if (!value.empty())
    node.operand(value, tensor.value);
  return node.operand(scale, tensor.scale).operand(zeroPoint, tensor.zeroPoint);
}

static LogicalResult importQLinearConv(NodeBinder &node) {
  Quantized x, w, y;
  Value bias;
  SpatialAttrs attrs;
  int64_t group;
  bind(node, "x", "x_scale", "x_zero_point", x);
  bind(node, "w", "w_scale", "w_zero_point", w);
  bind(node, "", "y_scale", "y_zero_point", y).optionalOperand("B", bias).attr("group", group, 1);
  if (attrs.bind(node).failed() || !(w.value = attrs.bindKernelShape(node, w.value)))
    return failure();
  if (bias) {
    // Its scale is the product of the others, one for each channel or for all.
    Value scale = node.create<MulOp>(node.asScalar(x.scale), node.asScalar(w.scale));
    bias = dequantize(node, {bias, scale, {}}, /*axis=*/0);
  }
  Value input = dequantize(node, x), weight = dequantize(node, w, /*axis=*/0);
  Value result = node.create<ConvOp>(input, weight, bias, attrs.strides, attrs.dilations,
                                     attrs.pads, group, attrs.autoPad);
  return node.setOutput(quantize(node, result, y));
}

static LogicalResult importQLinearMatMul(NodeBinder &node) {
  Quantized a, b, y;
  bind(node, "a", "a_scale", "a_zero_point", a);
  bind(node, "b", "b_scale", "b_zero_point", b);
  if (bind(node, "", "y_scale", "y_zero_point", y).failed())
    return failure();
  // Lists hold an entry for each row of a and each column of b and y.
  Value lhs = dequantize(node, a, /*axis=*/-2), rhs = dequantize(node, b, /*axis=*/-1);
  Value result = node.create<MatMulOp>(lhs, rhs, false, false);
  return node.setOutput(quantize(node, result, y, /*axis=*/-1));
}

/// `value - zeroPoint` in a type that holds it; `axis` is the dimension along which
/// a list of zero points lies.
static Value subtractZeroPoint(NodeBinder &node, Value value, Value zeroPoint,
                               int64_t axis, Type type) {
  Value wide = node.create<CastOp>(value, type);
  if (!zeroPoint || node.failed())
    return wide;
  zeroPoint = node.create<CastOp>(node.asScalar(zeroPoint), type);
  int64_t rank = getType(value).getRank();
  axis = shapes::normalizeAxis(axis, rank);
  if (!node.failed() && getType(zeroPoint).getRank() == 1 && axis + 1 < rank)
    zeroPoint = node.create<UnsqueezeOp>(
        zeroPoint, llvm::to_vector(llvm::seq<int64_t>(1, rank - axis)));
  return node.create<SubOp>(wide, zeroPoint);
}

static LogicalResult importMatMulInteger(NodeBinder &node) {
  Value a, b, aZero, bZero;
  if (node.operand("A", a).operand("B", b).optionalOperand("a_zero_point", aZero)
          .optionalOperand("b_zero_point", bZero).failed())
    return failure();
  Type i32 = IntegerType::get(node.getContext(), 32);
  Value lhs = subtractZeroPoint(node, a, aZero, -2, i32);
  Value rhs = subtractZeroPoint(node, b, bZero, -1, i32);
  return node.replaceWith<MatMulOp>(lhs, rhs, false, false);
}

/// Sums of a few products of 8-bit integers are exact in f32.
static LogicalResult importConvInteger(NodeBinder &node) {
  Value x, w, xZero, wZero;
  SpatialAttrs attrs;
  int64_t group;
  node.operand("x", x).operand("w", w).optionalOperand("x_zero_point", xZero)
      .optionalOperand("w_zero_point", wZero).attr("group", group, 1);
  if (attrs.bind(node).failed() || !(w = attrs.bindKernelShape(node, w)))
    return failure();
  auto weight = getType(w);
  if (node.require(weight.getRank() >= 3, "the weight has filters, channels and windows",
                   Twine(weight.getRank()) + " dimensions", "3 or more")
          .failed())
    return failure();
  double products = 1;
  for (int64_t size : weight.getShape().drop_front())
    products *= ShapedType::isDynamic(size) ? 1024 : size;
  MLIRContext *context = node.getContext();
  Type type = products * 255 * 255 < (1 << 24) ? Type(Float32Type::get(context))
                                               : Type(Float64Type::get(context));
  Value input = subtractZeroPoint(node, x, xZero, 1, type);
  Value filter = subtractZeroPoint(node, w, wZero, 0, type);
  Value result = node.create<ConvOp>(input, filter, Value(), attrs.strides,
                                     attrs.dilations, attrs.pads, group, attrs.autoPad);
  return node.replaceWith<CastOp>(result, IntegerType::get(context, 32));
}

void importer::registerQuantization(Registry &r) {
  r.onOp("QuantizeLinear", 10, importQuantizeLinear);
  r.onOp("DequantizeLinear", 10, importDequantizeLinear);
  r.onOp("QLinearConv", 10, importQLinearConv);
  r.onOp("QLinearMatMul", 10, importQLinearMatMul);
  r.onOp("ConvInteger", 10, importConvInteger);
  r.onOp("MatMulInteger", 10, importMatMulInteger);
}
