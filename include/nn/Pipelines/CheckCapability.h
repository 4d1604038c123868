//===- CheckCapability.h - what imports but cannot be compiled --*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_PIPELINES_CHECKCAPABILITY_H
#define NN_PIPELINES_CHECKCAPABILITY_H

#include "mlir/IR/Operation.h"
#include "nn/Import/Triage.h"
#include <functional>

namespace mlir::nn {

/// ImportOptions::checkCapability for one import: finds imported operations that no back
/// end can run. Operations computed from constants and static shapes alone are always
/// accepted, because the compiler evaluates them. To be called in the order in which
/// operations are executed.
std::function<void(Operation *, const NodeInfo &, TriageReport &)> makeCapabilityCheck();

} // namespace mlir::nn

#endif // NN_PIPELINES_CHECKCAPABILITY_H
