//===- Exports.cpp - how each nn operator is written as ONNX --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Pages.h"
#include "nn/Export/ONNX.h"

using namespace mlir;
using namespace mlir::nn;

LogicalResult nn::printExports(MLIRContext &context, llvm::raw_ostream &os) {
  os << "# How each nn operator is written as ONNX\n\n"
        "What `nn-translate --export-onnx` makes of operators, from the table in\n"
        "`lib/Export/ONNX`. Element types that ONNX does not allow for an operator are\n"
        "refused when a model is written.\n\n"
        "| operator | ONNX |\n|---|---|\n";
  return forEachExportedOperation(
      context, [&](StringRef op, StringRef becomes, StringRef refusal) {
        os << "| `" << op << "` | ";
        if (refusal.empty())
          os << becomes;
        else
          os << "refused: " << refusal;
        os << " |\n";
      });
}
