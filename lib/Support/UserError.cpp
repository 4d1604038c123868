//===- UserError.cpp - errors that a user can mend ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/UserError.h"

using namespace mlir;

static constexpr StringLiteral tag = "nn.user_error";

InFlightDiagnostic nn::emitUserError(Location location) {
  InFlightDiagnostic error = emitError(location);
  if (Diagnostic *diagnostic = error.getUnderlyingDiagnostic())
    diagnostic->getMetadata().push_back(DiagnosticArgument(StringRef(tag)));
  return error;
}

bool nn::isUserError(Diagnostic &diagnostic) {
  return llvm::any_of(diagnostic.getMetadata(), [](DiagnosticArgument &argument) {
    return argument.getKind() == DiagnosticArgument::DiagnosticArgumentKind::String &&
           argument.getAsString() == tag;
  });
}
