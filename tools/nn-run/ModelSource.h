//===- ModelSource.h - where the model comes from -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TOOLS_NNRUN_MODELSOURCE_H
#define NN_TOOLS_NNRUN_MODELSOURCE_H

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Support/LLVM.h"
#include "nn/Execution/Model.h"
#include "nn/Pipelines/Compile.h"
#include "nn/Support/Tool.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/SourceMgr.h"

namespace mlir {
class SourceMgrDiagnosticHandler;
}

namespace mlir::nn {

struct SourceOptions {
  LibraryOptions library;
  CompileOptions compile;
  /// Interpret models that are not compiled yet.
  bool interpret = false;
  /// DOMAIN:NAME=LIBRARY, of the command line.
  std::vector<std::string> customOps;
};

/// A model file. What is not compiled yet is compiled to a temporary library,
/// or interpreted.
class ModelSource {
public:
  ModelSource(std::string path, SourceOptions options);
  ~ModelSource();

  /// Reads .onnx and .mlir files. Details of errors were printed.
  llvm::Error load();
  bool hasModule() const { return bool(module); }
  ModuleOp getModule() { return *module; }

  /// Compiles the module, which is gone then. Nothing to do for libraries and
  /// where it will be interpreted.
  llvm::Error compile();
  /// The model, ready to run; compiles it if that was not done.
  llvm::Expected<std::unique_ptr<Model>> open();

private:
  llvm::Error parseMLIR();
  llvm::Error importModel();

  std::string path;
  SourceOptions options;
  MLIRContext context;
  llvm::SourceMgr sources;
  std::unique_ptr<SourceMgrDiagnosticHandler> fileHandler;
  std::unique_ptr<ToolDiagnosticHandler> handler;
  OwningOpRef<ModuleOp> module;
  llvm::FileRemover temporary;
};

} // namespace mlir::nn

#endif // NN_TOOLS_NNRUN_MODELSOURCE_H
