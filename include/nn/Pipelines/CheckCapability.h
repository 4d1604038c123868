//===- CheckCapability.h - what imports but cannot be compiled --*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_PIPELINES_CHECKCAPABILITY_H
#define NN_PIPELINES_CHECKCAPABILITY_H

#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"
#include "nn/Import/Triage.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::nn {

/// Finds imported operations that no back end can run; for
/// ImportOptions::checkCapability. Operations computed from constants and static shapes
/// alone are always accepted, because the compiler evaluates them.
class CapabilityCheck {
public:
  /// To be called in the order in which operations are executed.
  void check(Operation *op, const NodeInfo &node, TriageReport &report);

private:
  bool isKnown(Value value) const;

  llvm::DenseSet<Value> known;
};

} // namespace mlir::nn

#endif // NN_PIPELINES_CHECKCAPABILITY_H
