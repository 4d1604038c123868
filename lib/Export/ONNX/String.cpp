//===- String.cpp - functions of strings in ONNX --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

void exporter::registerString(Registry &r) {
  r.refuse<MapStringsOp>("strings are numbers in nn, and which ones are strings is lost");
}
