//===- nn-docs.cpp - generated pages of the documentation -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Pages.h"
#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "nn/InitAll.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"

namespace cl = llvm::cl;

static cl::opt<bool> placement("placement",
                               cl::desc("How each nn operator is lowered"));
static cl::opt<bool> exports("exports",
                             cl::desc("How each nn operator is written as ONNX"));
static cl::opt<std::string>
    coverage("coverage", cl::value_desc("DIR"),
             cl::desc("Which ONNX operators compile; DIR holds ONNX's node tests"));

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "prints pages of docs/generated\n");
  mlir::DialectRegistry registry;
  mlir::nn::registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<mlir::nn::NNDialect, mlir::nn::rt::RTDialect>();
  if (placement)
    mlir::nn::printPlacement(context, llvm::outs());
  if (exports && failed(mlir::nn::printExports(context, llvm::outs())))
    return 1;
  if (!coverage.empty())
    mlir::nn::printCoverage(context, coverage, llvm::outs());
  return 0;
}
