//===- Tool.h - how a tool of ours starts and ends --------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_TOOL_H
#define NN_SUPPORT_TOOL_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>
#include <memory>

namespace mlir::nn {

/// Runs `body` with a stack that is large enough for deep models, and returns what it
/// returns. A crash or a failed allocation within ends the process with a sentence
/// that names the step and the node (Activity.h). Call it once, after llvm::InitLLVM.
int runTool(llvm::StringRef tool, llvm::function_ref<int()> body);

/// What `--max-memory` is by default: nine tenths of the machine's memory, or of what
/// the control group of the process may use if that is less. In bytes.
int64_t getDefaultMaxMemory();

/// While it lives, ends the process with an error once it holds more than `maxBytes`
/// of memory of its own (0: any amount), and says on a terminal, from the second
/// second on, what the compiler is doing.
class ProcessWatch {
public:
  ProcessWatch(llvm::StringRef tool, int64_t maxBytes);
  ~ProcessWatch();

private:
  struct State;
  std::unique_ptr<State> state;
};

/// Prints diagnostics as errors of a tool: "TOOL: error: node 'NAME': MESSAGE". What
/// lies at a place in a file is left to other handlers.
class ToolDiagnosticHandler : public ScopedDiagnosticHandler {
public:
  ToolDiagnosticHandler(MLIRContext *context, llvm::StringRef tool);
};

} // namespace mlir::nn

#endif // NN_SUPPORT_TOOL_H
