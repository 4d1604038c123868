//===- nn-opt.cpp - runs passes over .mlir files --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "nn/InitAll.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::nn::registerAllDialects(registry);
  mlir::nn::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "nn-mlir's optimizer driver\n", registry));
}
