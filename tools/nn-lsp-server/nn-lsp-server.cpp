//===- nn-lsp-server.cpp - editor support for the dialects ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "nn/InitAll.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::nn::registerAllDialects(registry);
  return mlir::asMainReturnCode(
      mlir::MlirLspServerMain(argc, argv, registry));
}
