//===- NodeTests.h - folders of tests in ONNX's form ------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A test is a folder with model.onnx and folders test_data_set_0, ... that hold
// input_0.pb, ... and output_0.pb, ..., as ONNX's backend-test-tools makes them: a
// TensorProto, SequenceProto or OptionalProto each, as the model's type is. Our own
// tests of the runner may have model.mlir instead.
//
//===----------------------------------------------------------------------===//

#ifndef NN_TOOLS_NNRUN_NODETESTS_H
#define NN_TOOLS_NNRUN_NODETESTS_H

#include "ModelSource.h"
#include "nn/Support/Compare.h"

namespace mlir::nn {

struct NodeTestOptions {
  SourceOptions source;
  /// Those of ONNX's own runner, which are absolute: not scaled by the largest
  /// element.
  Tolerance tolerance{1e-3, 1e-7};
  /// How many tests run at a time.
  unsigned jobs = 1;
  /// What a test may take.
  unsigned timeoutSeconds = 60;
  /// Only tests whose names contain it.
  std::string filter;
  /// Write what the model computes to results.npz beside the inputs, for others to
  /// judge, instead of comparing.
  bool writeResults = false;
};

/// Runs all tests below `directory`, each in a process of its own, so that a
/// crash ends one test only. Prints one JSON object:
///
///   {"passed": 1, "failed": 1, "tests": [
///     {"name": "test_abs", "result": "passed", "seconds": 0.1},
///     {"name": "test_x", "result": "failed", "stage": "import", "message": "..."}]}
///
/// where the stage is import, compile, load, run, compare, crash or timeout.
/// An error if there are no tests; otherwise, whether all passed.
llvm::Expected<bool> runNodeTests(llvm::StringRef directory,
                                  const NodeTestOptions &options,
                                  llvm::raw_ostream &os);

} // namespace mlir::nn

#endif // NN_TOOLS_NNRUN_NODETESTS_H
