//===- Evaluator.h - runs a model at any level of the pipeline --*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Executes `@main` as it stands between any two passes from import to the LLVM
// dialect: operators of nn and onednn by the interpreter, all else by a plain back
// end, control flow and memory here. Shares no code with what it judges, but for
// the runtime's reference kernels.
//
//===----------------------------------------------------------------------===//

#ifndef NN_EXECUTION_EVALUATOR_H
#define NN_EXECUTION_EVALUATOR_H

#include "dialects/NN/IR/NN.h"
#include "nn/Execution/PlainBackEnd.h"
#include "nn/Interpreter/Interpreter.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::nn {

/// Why a model could not be executed, and where.
struct EvaluationError {
  Operation *op = nullptr;
  std::string message;
};

class Evaluator {
public:
  /// Called for each ONNX tensor that an operation produced, with the tensor in
  /// the layout that it has there. A tensor given back, of that shape and element
  /// size, takes its place for all that follows.
  using Observer = std::function<std::optional<HostTensor>(
      Operation *, OriginAttr, const HostTensor &)>;

  /// Runs @main and returns the model's outputs. Nothing is emitted on failure.
  /// What was computed in a former run from equal operands is not computed again.
  FailureOr<HostTensors> run(ModuleOp module, ArrayRef<HostTensor> inputs,
                             const Observer &observer, EvaluationError &error);

private:
  friend class Activity;

  /// Results by a hash of the operation and its operands.
  struct Memory {
    llvm::StringMap<HostTensors> results;
    size_t bytes = 0;
  };
  Memory memory;
  PlainBackEnd backEnd;
};

} // namespace mlir::nn

#endif // NN_EXECUTION_EVALUATOR_H
