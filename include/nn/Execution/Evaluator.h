//===- Evaluator.h - runs a model at any level of the pipeline --*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Executes `@main` between any two passes from import to the LLVM dialect. The
// interpreter executes operators of nn and onednn, PlainBackEnd all other operations, and
// the evaluator itself control flow and memory. It shares no code with what it judges,
// except for the runtime's reference kernels.
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
  /// Called for each ONNX tensor that an operation produced, with the tensor in the
  /// layout that it has there. If it returns a tensor, which must have that shape and
  /// element size, this replaces the computed one from there on.
  using Observer = std::function<std::optional<HostTensor>(
      Operation *, OriginAttr, const HostTensor &)>;

  /// Runs @main and returns the model's outputs. Emits nothing on failure. Results that
  /// an earlier run computed from equal operands are reused.
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
