//===- Quantization.cpp - quantization in ONNX ----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

/// Whether one scale holds for all elements, so that there is no axis.
static bool isPerTensor(Value scale) {
  return cast<RankedTensorType>(scale.getType()).getRank() == 0;
}

static LogicalResult writeQuantize(QuantizeOp op, NodeWriter &w) {
  Attributes attributes;
  if (!isPerTensor(op.getScale()))
    w.addAttribute(attributes, "axis", op.getAxisAttr());
  w.addAttribute(attributes, "block_size", op.getBlockSizeAttr());
  w.addAttribute(attributes, "saturate", op.getSaturateAttr());
  // Without a zero point, which says it too; the default is uint8.
  if (!op.getZeroPoint() && !op.getTo().isUnsignedInteger(8))
    w.addAttribute(attributes, "output_dtype", op.getToAttr());
  return w.replaceWith("QuantizeLinear", w.getOperands(), attributes);
}

static LogicalResult writeDequantize(DequantizeOp op, NodeWriter &w) {
  Attributes attributes;
  if (!isPerTensor(op.getScale()))
    w.addAttribute(attributes, "axis", op.getAxisAttr());
  w.addAttribute(attributes, "block_size", op.getBlockSizeAttr());
  return w.replaceWith("DequantizeLinear", w.getOperands(), attributes);
}

void exporter::registerQuantization(Registry &r) {
  r.onOp<DequantizeOp>("DequantizeLinear", writeDequantize);
  r.onOp<QuantizeOp>("QuantizeLinear", writeQuantize);
}
