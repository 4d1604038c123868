//===- CheckCapability.cpp - what imports but cannot be compiled ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Pipelines/CheckCapability.h"
#include "dialects/NN/IR/NN.h"
#include "nn/Target/Backend.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
class CapabilityCheck {
public:
  void check(Operation *op, const NodeInfo &node, TriageReport &report);

private:
  bool isKnown(Value value) const;

  llvm::DenseSet<Value> known;
};
} // namespace

bool CapabilityCheck::isKnown(Value value) const {
  return value.getDefiningOp<ConstantOp>() || known.contains(value);
}

static Remedy getRemedy(Gap::Kind kind) {
  switch (kind) {
  case Gap::Op:
    return Remedy::ReplaceOp;
  case Gap::Type:
    return Remedy::ConvertType;
  case Gap::Rank:
  case Gap::Form:
    return Remedy::ChangeForm;
  }
  llvm_unreachable("unknown kind of gap");
}

void CapabilityCheck::check(Operation *op, const NodeInfo &node,
                            TriageReport &report) {
  if (!isa<ShapeOpInterface>(op) || isa<ConstantOp>(op))
    return;
  bool asksForShape = isa<ShapeOp, SizeOp>(op);
  if (llvm::all_of(op->getOperands(), [&](Value operand) {
        return isKnown(operand) ||
               (asksForShape &&
                cast<ShapedType>(operand.getType()).hasStaticShape());
      })) {
    known.insert(op->result_begin(), op->result_end());
    return;
  }
  if (std::optional<Gap> gap = findGap(getBackends(), op))
    report.add({node, gap->constraint, gap->seen, gap->accepted, getRemedy(gap->kind), ""});
}

std::function<void(Operation *, const NodeInfo &, TriageReport &)> nn::makeCapabilityCheck() {
  return [checked = std::make_shared<CapabilityCheck>()](
             Operation *op, const NodeInfo &node, TriageReport &report) {
    checked->check(op, node, report);
  };
}
