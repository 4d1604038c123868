//===- Quantization.cpp - import of quantization --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// ONNX lets scale and zero point of a whole tensor be lists of one element.
/// That would be a list of channels to nn, if it were not made a scalar.
static void makePerTensor(NodeBinder &node, Value input, Value &scale,
                          Value &zeroPoint, int64_t blockSize) {
  bool isOne = getType(scale).getRank() == 1 && getType(scale).getDimSize(0) == 1;
  if (!isOne || blockSize)
    return;
  scale = node.asScalar(scale);
  zeroPoint = node.asScalar(zeroPoint);
}

/// `saturate` only concerns 8-bit floats; `precision` is never exceeded
/// downwards by computing in the scale's type or wider.
static LogicalResult importQuantizeLinear(NodeBinder &node) {
  Value input, scale, zeroPoint;
  int64_t axis, blockSize, outputType;
  if (node.operand("x", input).operand("y_scale", scale)
          .optionalOperand("y_zero_point", zeroPoint).attr("axis", axis, 1)
          .attr("block_size", blockSize, 0).attr("output_dtype", outputType, 0)
          .ignoreAttrs({"saturate", "precision"}).failed())
    return failure();
  Type type = IntegerType::get(node.getContext(), 8, IntegerType::Unsigned);
  if (zeroPoint)
    type = getType(zeroPoint).getElementType();
  else if (outputType)
    type = getTensorElementType(node.getContext(), outputType);
  if (node.require(isa_and_nonnull<IntegerType>(type),
                   "the quantized type is supported",
                   outputType ? getDataTypeName(outputType) : "a float",
                   "int8 to int32, uint8 to uint32", Remedy::ConvertType)
          .failed())
    return failure();
  makePerTensor(node, input, scale, zeroPoint, blockSize);
  return node.replaceWith<QuantizeOp>(input, scale, zeroPoint, type, axis, blockSize);
}

static LogicalResult importDequantizeLinear(NodeBinder &node) {
  Value input, scale, zeroPoint;
  int64_t axis, blockSize, outputType;
  if (node.operand("x", input).operand("x_scale", scale)
          .optionalOperand("x_zero_point", zeroPoint).attr("axis", axis, 1)
          .attr("block_size", blockSize, 0).attr("output_dtype", outputType, 0)
          .failed())
    return failure();
  makePerTensor(node, input, scale, zeroPoint, blockSize);
  if (outputType) {
    // The product has the output's precision.
    Type type = getTensorElementType(node.getContext(), outputType);
    if (node.require(isa_and_nonnull<FloatType>(type),
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

void importer::registerQuantization(Registry &r) {
  r.onOp("QuantizeLinear", 10, importQuantizeLinear);
  r.onOp("DequantizeLinear", 10, importDequantizeLinear);
}
