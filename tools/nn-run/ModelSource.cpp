//===- ModelSource.cpp - where the model comes from -----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ModelSource.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "nn/Import/ONNX.h"
#include "nn/InitAll.h"
#include "nn/Pipelines/CheckCapability.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

ModelSource::ModelSource(std::string path, SourceOptions options)
    : path(std::move(path)), options(options),
      context(MLIRContext::Threading::DISABLED) {
  DialectRegistry registry;
  registerAllDialects(registry);
  context.appendDialectRegistry(registry);
  fileHandler = std::make_unique<SourceMgrDiagnosticHandler>(sources, &context);
  handler = std::make_unique<ToolDiagnosticHandler>(&context, "nn-run");
}

ModelSource::~ModelSource() = default;

llvm::Error ModelSource::load() {
  ProcessWatch watch("nn-run", getDefaultMaxMemory());
  StringRef extension = llvm::sys::path::extension(path);
  if (extension == ".mlir")
    return parseMLIR();
  if (isONNXFile(path))
    return importModel();
  if (options.interpret)
    return createStringError(path + ": a compiled library cannot be interpreted");
  return llvm::Error::success();
}

llvm::Error ModelSource::parseMLIR() {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return createStringError(path + ": " + buffer.getError().message());
  sources.AddNewSourceBuffer(std::move(*buffer), SMLoc());
  module = parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
  if (!module)
    return createStringError(path + " is not a valid module");
  if (!module->lookupSymbol<func::FuncOp>("main"))
    return createStringError(path + " has no function @main");
  return llvm::Error::success();
}

llvm::Error ModelSource::importModel() {
  TriageReport report;
  ImportOptions importOptions;
  for (const std::string &option : options.customOps)
    if (llvm::Error error = addCustomOp(importOptions, option))
      return error;
  if (!options.interpret)
    importOptions.checkCapability = makeCapabilityCheck();
  module = importONNX(context, path, importOptions, report);
  report.printWarnings(llvm::errs(), path);
  if (module)
    return llvm::Error::success();
  report.printErrors(llvm::errs(), path);
  return createStringError(path + " cannot be imported");
}

llvm::Error ModelSource::compile() {
  if (!module || options.interpret)
    return llvm::Error::success();
  ProcessWatch watch("nn-run", getDefaultMaxMemory());
  SmallString<128> library;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("nn-run", "so", library))
    return createStringError("cannot make a temporary file: " + code.message());
  temporary.setFile(library);
  CompileOptions compileOptions = options.compile;
  compileOptions.reproducer =
      (llvm::sys::path::filename(path) + ".reproducer.mlir").str();
  if (failed(compileToLibrary(*module, library, compileOptions)))
    return createStringError(path + " cannot be compiled");
  module = nullptr;
  path = std::string(library);
  return llvm::Error::success();
}

Expected<std::unique_ptr<Model>> ModelSource::open() {
  if (module && options.interpret)
    return interpretModule(*module);
  if (llvm::Error error = compile())
    return std::move(error);
  return openLibrary(path, options.library);
}
