//===- Backend.cpp - what computes parts of a model -----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Target/Backend.h"

using namespace mlir;
using namespace mlir::nn;

static std::vector<const Backend *> &getRegistry() {
  static std::vector<const Backend *> registry;
  return registry;
}

void nn::registerBackend(const Backend &backend) {
  if (!llvm::is_contained(getRegistry(), &backend))
    getRegistry().push_back(&backend);
}

ArrayRef<const Backend *> nn::getBackends() { return getRegistry(); }

SmallVector<const Backend *> nn::getBackends(TargetAttr target) {
  return llvm::filter_to_vector(getBackends(), [&](const Backend *backend) {
    return backend->isAllowed(target);
  });
}

std::optional<Gap> nn::findGap(ArrayRef<const Backend *> backends, Operation *op) {
  std::optional<Gap> closest;
  for (const Backend *backend : llvm::reverse(backends)) {
    std::optional<Gap> gap = backend->findGap(op);
    if (!gap)
      return std::nullopt;
    if (!closest || closest->kind == Gap::Op)
      closest = gap;
  }
  return closest;
}

SmallVector<const Capability *> Backend::findRows(OperationName op) const {
  SmallVector<const Capability *> own, shared;
  for (const Capability *row : rows) {
    if (row->op == op.getStringRef())
      own.push_back(row);
    else if (row->op == elementwise && op.hasInterface<ElementwiseOpInterface>())
      shared.push_back(row);
  }
  return own.empty() ? shared : own;
}

std::optional<Gap> Backend::findGap(Operation *op) const {
  std::optional<Gap> closest;
  for (const Capability *row : findRows(op->getName())) {
    std::optional<Gap> gap = nn::findGap(*row, op);
    if (!gap)
      return std::nullopt;
    // The row that fails at the latest check is the closest.
    if (!closest || gap->kind >= closest->kind)
      closest = gap;
  }
  if (!closest)
    closest = Gap{Gap::Op, "the operator can be compiled",
                  op->getName().getStringRef().str() +
                      ", which has no row in the back end's capability table",
                  ""};
  return closest;
}
