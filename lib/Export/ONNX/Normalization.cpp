//===- Normalization.cpp - normalizations and softmax in ONNX -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

void exporter::registerNormalization(Registry &r) {
  r.onOp<BatchNormOp>("BatchNormalization");
  r.onOp<InstanceNormOp>("InstanceNormalization");
  r.onOp<LRNOp>("LRN");
  r.onOp<LayerNormOp>("LayerNormalization");
  r.onOp<LogSoftmaxOp>("LogSoftmax");
  r.onOp<SoftmaxOp>("Softmax");
}
