//===- nn-opt.cpp - runs passes over .mlir files --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/IR/AsmState.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Support/FileUtilities.h"
#include "nn/Execution/VerifyNumeric.h"
#include "nn/InitAll.h"
#include "nn/Pipelines/CompileGuard.h"
#include "nn/Pipelines/Pipelines.h"
#include "nn/Support/CommandLine.h"
#include "nn/Support/Tool.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"
#ifdef NN_INCLUDE_TESTS
#include "test/lib/Execution/InjectBugs.h"
#include "test/lib/Target/TestBackend.h"
#endif

using namespace mlir;

static llvm::cl::OptionCategory category("Numeric verification");
static llvm::cl::opt<std::string> verifyNumeric(
    "verify-numeric", llvm::cl::cat(category),
    llvm::cl::desc("Execute the model after each pass, on the inputs of a file "
                   "(.npz) or random ones, and compare its ONNX tensors"),
    llvm::cl::value_desc("inputs.npz"), llvm::cl::ValueOptional);
static llvm::cl::opt<std::string> reproducer(
    "verify-numeric-reproducer", llvm::cl::cat(category),
    llvm::cl::desc("Where --verify-numeric writes what shows a wrong pass: this "
                   "and .mlir, .npz"),
    llvm::cl::value_desc("path"), llvm::cl::init("verify-numeric-reproducer"));

static LogicalResult run(int argc, char **argv) {
  // What is registered by now is LLVM's code generator's.
  nn::hideOtherOptions({&category});
  DialectRegistry registry;
  nn::registerAllDialects(registry);
  nn::registerAllPasses();
#ifdef NN_INCLUDE_TESTS
  nn::registerTestBugPasses();
  nn::registerTestBackend();
#endif
  auto [inputPath, outputPath] = registerAndParseCLIOptions(
      argc, argv, "nn-mlir's optimizer driver\n", registry);
  MlirOptMainConfig parsed = MlirOptMainConfig::createFromCLOptions();
  if (parsed.shouldShowDialects() || parsed.shouldListPasses())
    return MlirOptMain(argc, argv, inputPath, outputPath, registry);

  // What is executed is compiled for the CPU that executes it.
  if (verifyNumeric.getNumOccurrences() != 0)
    nn::setDefaultTarget("cpu:native");
  nn::NumericVerificationOptions options;
  options.reproducer = reproducer;
  if (!verifyNumeric.empty()) {
    llvm::Expected<nn::NamedTensors> inputs = nn::readTensorFile(verifyNumeric);
    if (!inputs) {
      llvm::errs() << "nn-opt: " << llvm::toString(inputs.takeError()) << "\n";
      return failure();
    }
    options.inputs = std::move(*inputs);
  }
  MlirOptMainConfig config = parsed;
  std::optional<nn::NumericMismatch> found;
  config.setPassPipelineSetupFn([&](PassManager &pm) {
    pm.addInstrumentation(nn::createActivityInstrumentation(pm.getContext()));
    if (verifyNumeric.getNumOccurrences() != 0) {
      // Executions follow one another as passes do.
      pm.getContext()->disableMultithreading();
      pm.addInstrumentation(nn::createNumericVerification(options, found));
    }
    return parsed.setupPassPipeline(pm);
  });
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> input = openInputFile(inputPath, &message);
  std::unique_ptr<llvm::ToolOutputFile> output =
      input ? openOutputFile(outputPath, &message) : nullptr;
  if (!output) {
    llvm::errs() << "nn-opt: " << message << "\n";
    return failure();
  }
  if (failed(MlirOptMain(output->os(), std::move(input), registry, config)) || found)
    return failure();
  output->keep();
  return success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  return nn::runTool("nn-opt",
                     [&] { return int(failed(run(argc, argv))); });
}
