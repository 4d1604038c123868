//===- UserError.h - errors that a user can mend ----------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_USERERROR_H
#define NN_SUPPORT_USERERROR_H

#include "mlir/IR/Diagnostics.h"

namespace mlir::nn {

/// An error about the model, the options or the machine. Every other error that the
/// compilation of an imported model ends with is a fault of the compiler, and is
/// reported as such (nn/Pipelines/CompileGuard.h).
InFlightDiagnostic emitUserError(Location location);

bool isUserError(Diagnostic &diagnostic);

} // namespace mlir::nn

#endif // NN_SUPPORT_USERERROR_H
