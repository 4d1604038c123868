//===- Pool.cpp - pooling in ONNX -----------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

/// The second result of ONNX's MaxPool.
static LogicalResult writeMaxPoolIndices(MaxPoolIndicesOp op, NodeWriter &w) {
  Attributes attributes;
  for (StringRef name :
       {"kernel_shape", "strides", "dilations", "pads", "ceil_mode", "auto_pad"})
    if (std::optional<Attribute> value = op->getInherentAttr(name))
      w.addAttribute(attributes, name, *value);
  w.addAttribute(attributes, "storage_order", op.getColumnMajorAttr());
  Name indices = w.createMany("MaxPool", 2, w.getOperands(), attributes)[1];
  return w.replaceWith("Identity", {indices});
}

void exporter::registerPool(Registry &r) {
  r.onOp<AveragePoolOp>("AveragePool");
  r.onOp<LpPoolOp>("LpPool");
  r.onOp<MaxPoolIndicesOp>("MaxPool", writeMaxPoolIndices);
  r.onOp<MaxPoolOp>("MaxPool");
}
