//===- ModelFile.cpp - from a module to an ONNX file ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Exporter.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "nn/Support/Activity.h"
#include "onnx/checker.h"
#include "onnx/defs/printer.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

static LogicalResult writeModel(const onnx::ModelProto &model, StringRef path,
                                Location location) {
  std::error_code code;
  llvm::ToolOutputFile file(path, code, llvm::sys::fs::OF_None);
  if (code)
    return emitError(location) << "cannot write '" << path << "': " << code.message();
  if (path == "-" || path.ends_with(".onnxtxt")) {
    file.os() << onnx::ProtoToString(model) << "\n";
  } else {
    std::string bytes;
    if (!model.SerializeToString(&bytes))
      return emitError(location)
             << "the model is larger than 2 GiB, a limit of protobuf; keep tensors in a "
                "file beside it: --external-data=1024";
    file.os() << bytes;
  }
  file.os().flush();
  if (file.os().has_error()) {
    std::string message = file.os().error().message();
    file.os().clear_error();
    return emitError(location) << "cannot write '" << path << "': " << message;
  }
  file.keep();
  return success();
}

/// What ONNX finds wrong in a model; empty if nothing is.
static std::string findMistake(const onnx::ModelProto &model) {
  try {
    onnx::checker::check_model(model);
  } catch (const std::exception &error) {
    return error.what();
  }
  return "";
}

LogicalResult nn::exportONNX(ModuleOp module, StringRef path, const ExportOptions &options) {
  setCurrentStep("the export");
  OwningOpRef<ModuleOp> copy = module.clone();
  // What only checks need goes with them.
  copy->walk([](cf::AssertOp op) {
    emitWarning(op.getLoc())
        << "ONNX has no checks at run time; it is not an error any more that " << op.getMsg();
    op->erase();
  });
  IRRewriter rewriter(copy->getContext());
  copy->walk([&](FunctionOpInterface function) {
    (void)runRegionDCE(rewriter, function->getRegions());
  });
  Exporter exporter(*copy, path, options);
  if (!exporter.run())
    return failure();
  Location location = module.getLoc();
  if (std::optional<std::string> problem = exporter.getWeights().getProblem())
    return emitError(location) << *problem;
  // Tensors in files are looked for beside the model, which does not exist yet.
  bool isWhole = llvm::all_of(exporter.getModel().graph().initializer(),
                              [](const onnx::TensorProto &tensor) {
                                return tensor.data_location() != onnx::TensorProto::EXTERNAL;
                              });
  if (std::string mistake = isWhole ? findMistake(exporter.getModel()) : ""; !mistake.empty())
    return emitError(location) << "the ONNX model is not valid, which is a bug of nn-mlir: "
                               << mistake;
  if (std::optional<std::string> problem = exporter.getWeights().finish())
    return emitError(location) << *problem;
  return writeModel(exporter.getModel(), path, location);
}
