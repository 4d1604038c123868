//===- Constant.cpp - constants in ONNX -----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "Weights.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

static LogicalResult writeConstant(ConstantOp op, NodeWriter &w) {
  return w.setResult(w.constant(op.getValue()));
}

static LogicalResult writeConstantOfShape(ConstantOfShapeOp op, NodeWriter &w) {
  FailureOr<HostTensor> value = toHostTensor(op.getValue());
  if (failed(value))
    return w.fail("the contents of its value are missing");
  onnx::TensorProto tensor;
  tensor.set_data_type(int32_t(value->getType()));
  tensor.add_dims(1);
  tensor.set_raw_data(Weights::getBytes(value->withDims({1})));
  return w.replaceWith("ConstantOfShape", w.getOperands(), {MakeAttribute("value", tensor)});
}

void exporter::registerConstant(Registry &r) {
  r.onOp<ConstantOfShapeOp>("ConstantOfShape", writeConstantOfShape);
  r.onOp<ConstantOp>("an initializer", writeConstant);
}
