//===- CheckCapability.h - what imports but cannot be compiled --*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_PIPELINES_CHECKCAPABILITY_H
#define NN_PIPELINES_CHECKCAPABILITY_H

#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"
#include "nn/Import/Triage.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::nn {

/// Finds imported operations that no back end can run: ImportOptions's
/// checkCapability. What is computed from constants and static shapes alone may
/// be anything, because the compiler evaluates it.
class CapabilityCheck {
public:
  /// Operations come in the order of a model's execution.
  void check(Operation *op, const NodeInfo &node, TriageReport &report);

private:
  bool isKnown(Value value) const;

  llvm::DenseSet<Value> known;
};

} // namespace mlir::nn

#endif // NN_PIPELINES_CHECKCAPABILITY_H
