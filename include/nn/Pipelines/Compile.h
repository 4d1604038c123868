//===- Compile.h - from a model to a library --------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_PIPELINES_COMPILE_H
#define NN_PIPELINES_COMPILE_H

#include "mlir/IR/BuiltinOps.h"
#include "nn/Pipelines/Pipelines.h"

namespace mlir::nn {

struct CompileOptions {
  /// As parseTarget takes it; empty: the module's own, or portable code for CPUs. Code is
  /// generated for each processor; the runtime chooses one.
  std::string target;
  /// As PipelineOptions has them.
  std::string prefer, tuning;
  /// Code for the device is for emulation only: no PTX.
  bool emulate = false;
  /// The library's weights are entropy-coded, and decoded when it is loaded.
  bool codeWeights = false;
  /// Nothing else in the module's context uses constants. The memory of those that the
  /// code does not need, as of weights that were packed, is then free for generating code.
  bool ownsConstants = false;
  /// Libraries of operators of users' own are looked for by name, in the run, and not where
  /// they are now: the model is for elsewhere, and not for this process.
  bool forgetsPaths = false;
  /// Verify the module after each pass, and not only at the end of each phase, which takes
  /// a fifth of the time of compiling.
  bool verifyEach = false;
  /// Print the time per pass to stderr at the end.
  bool timing = false;
  /// Where to write what shows an internal error, as MLIR; empty: nowhere.
  std::string reproducer;
};

/// Runs the phase `simplify` alone, for what is written as ONNX again: quantized operators
/// stay in ONNX's form. Errors are reported through the context's diagnostics.
LogicalResult simplify(ModuleOp module);

/// Compiles a model in the nn dialect (`@main`) to a library at `path`. Consumes the
/// module. Errors are reported through the context's diagnostics.
LogicalResult compileToLibrary(ModuleOp module, StringRef path,
                               const CompileOptions &options = {});

/// The same up to the object file for the first processor (without weights and
/// manifest), or its LLVM IR as text.
LogicalResult compileToObject(ModuleOp module, llvm::raw_ostream &os,
                              const CompileOptions &options = {});
LogicalResult compileToLLVMIR(ModuleOp module, llvm::raw_ostream &os,
                              const CompileOptions &options = {});

} // namespace mlir::nn

#endif // NN_PIPELINES_COMPILE_H
