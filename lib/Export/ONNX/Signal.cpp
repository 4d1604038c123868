//===- Signal.cpp - Fourier transforms in ONNX ----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

void exporter::registerSignal(Registry &r) {
  r.onOp<DFTOp>("DFT", {asScalar("axis", 2)});
  r.onOp<STFTOp>("STFT");
}
