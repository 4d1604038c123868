//===- Interpreter.h - the reference meaning of the operators ---*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Runs functions in nn and the dialects that occur beside it before bufferization
// (arith, math, tensor, scf, func, check), with one plain C++ function per operator. It
// folds constants and judges compiled code, with which it shares nothing.
//
//===----------------------------------------------------------------------===//

#ifndef NN_INTERPRETER_INTERPRETER_H
#define NN_INTERPRETER_INTERPRETER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "nn/Support/HostTensor.h"
#include "runtime/abi/nnrt_abi.h"
#include <functional>

namespace nnrt {
class ModelStrings;
class StringTable;
} // namespace nnrt

namespace mlir::nn {

using HostTensors = SmallVector<HostTensor>;

/// True if `op` can be evaluated alone: it has no regions and a function here.
bool canInterpret(Operation *op);

/// Evaluates one operation without regions. `operands` are in the order of op's operands;
/// scalars (index, i64, f32, ...) are tensors of rank 0. For an operation on memrefs,
/// operands are the contents of the memrefs before it, and results those of its
/// destinations after it. On failure `error` says why, and nothing is emitted, so that a
/// folder can just give up. Functions of strings need the table of the run.
LogicalResult interpretOp(Operation *op, ArrayRef<HostTensor> operands,
                          HostTensors &results, std::string &error,
                          nnrt::StringTable *strings = nullptr);

/// What `nn.strings` says of the module: the beginning of such a table.
std::vector<std::string> getModelStrings(Operation *module);

/// Whether RE2's `pattern` matches all of each text. Throws std::runtime_error if it is none.
void matchPattern(std::string_view pattern, const std::string_view *texts, int64_t count,
                  bool *matches);

/// The parts that it matches (runtime/lib/CPU/RE2/Patterns.h).
void findPattern(std::string_view pattern, std::string_view text, int64_t least,
                 std::vector<std::string_view> &parts);

/// Calls a library of a user's as a kernel of the runtime (NNRT_ABI_CUSTOM, or with
/// `onlyShapes` NNRT_ABI_CUSTOM_SHAPES). `custom` is that of an rt.call. False after a
/// failure, described in `error`.
bool callCustomKernel(DictionaryAttr custom, bool onlyShapes, const int64_t *parameters,
                      const nnrt_abi_tensor *args, std::string &error);

struct InterpreterOptions {
  nnrt::StringTable *strings = nullptr;
  /// Called after each operation with results, including those inside fusions, loops
  /// and called functions.
  std::function<void(Operation *, ArrayRef<HostTensor>)> onResult;
};

/// Runs `function` and returns its results. Tensors are freed after their last use. On
/// failure, an error was emitted at the operation's location. A violated expectation of
/// the check dialect is a failure.
FailureOr<HostTensors> interpret(func::FuncOp function,
                                 ArrayRef<HostTensor> inputs,
                                 const InterpreterOptions &options = {});

/// Checks `inputs` against the function's signature: number, element types,
/// ranks, static sizes, and that dimensions of one name (`nn.dim_names`) are
/// equal. On failure `error` names the input.
LogicalResult checkInputs(func::FuncOp function, ArrayRef<HostTensor> inputs,
                          std::string &error);

} // namespace mlir::nn

#endif // NN_INTERPRETER_INTERPRETER_H
