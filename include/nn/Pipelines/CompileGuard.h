//===- CompileGuard.h - failures that name their cause ----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_PIPELINES_COMPILEGUARD_H
#define NN_PIPELINES_COMPILEGUARD_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <memory>
#include <string>

namespace mlir::nn {

/// Keeps nn/Support/Activity.h up to date with the passes that run, and reports a
/// pass that fails without an error.
std::unique_ptr<PassInstrumentation> createActivityInstrumentation(MLIRContext *context);

/// Runs a step of the compilation of a valid model. If it fails, this was reported:
/// by its errors that a user can mend (UserError.h), or else by an internal error that
/// names the step, the pass and the node, and asks for a report.
///
/// `reproduce` is called then; it writes a file that shows the failure, and says how
/// to use it: "'FILE', with 'COMMAND'". Nothing if there is none.
LogicalResult runGuarded(MLIRContext *context, llvm::StringRef step,
                         llvm::function_ref<LogicalResult()> run,
                         llvm::function_ref<std::string()> reproduce = {});

} // namespace mlir::nn

#endif // NN_PIPELINES_COMPILEGUARD_H
