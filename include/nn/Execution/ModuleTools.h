//===- ModuleTools.h - modules made to be looked into -----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_EXECUTION_MODULETOOLS_H
#define NN_EXECUTION_MODULETOOLS_H

#include "mlir/IR/BuiltinOps.h"
#include "nn/Interpreter/Interpreter.h"
#include "nn/Support/Compare.h"

namespace mlir::nn {

/// Adds each value of @main that is an ONNX tensor (`nn.origin`) to its results, so that
/// a compiled library can be compared tensor by tensor. Returns the number of results
/// added, which come after the model's own.
unsigned exposeTensors(ModuleOp module);

/// Adds values of @main to its results, under those names, after the model's own.
void exposeValues(ModuleOp module, ArrayRef<std::pair<Value, std::string>> values);

/// True if @main contains expectations of the check dialect.
bool hasChecks(ModuleOp module);

/// One expectation of a test.
struct Expectation {
  Location location;
  Tolerance tolerance;
};

/// Turns a test into a model: `check.input`s become arguments of @main, and the
/// two operands of each expectation become results (got, want, got, ...).
struct ExtractedChecks {
  HostTensors inputs;
  SmallVector<Expectation> expectations;
};
FailureOr<ExtractedChecks> extractChecks(ModuleOp module);

} // namespace mlir::nn

#endif // NN_EXECUTION_MODULETOOLS_H
