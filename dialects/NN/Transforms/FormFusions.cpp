//===- FormFusions.cpp - group what one kernel shall compute --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Analysis/SymbolicDims.h"
#include "nn/Fusion/FusionGroup.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::nn {
#define GEN_PASS_DEF_FORMFUSIONS
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {

using Group = llvm::SetVector<Operation *>;

/// More operators in one kernel save nothing, and the time that compiling a kernel
/// takes grows faster than its size.
constexpr size_t kMaxGroup = 128;

bool isSplatConstant(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  return constant && constant.getValue().isSplat();
}

/// Forms the groups of one function.
class GroupFormer {
public:
  explicit GroupFormer(func::FuncOp function) : function(function), dims(function) {}

  /// Disjoint groups of two and more operators.
  std::vector<Group> run() {
    // Groups stay within one block, also within branches and bodies of loops.
    function.walk<WalkOrder::PreOrder>([&](Block *block) {
      if (isa<FusionOp>(block->getParentOp()))
        return;
      for (Operation &op : *block)
        if (isa<FusionAnchorOpInterface>(op))
          addTail(&op);
      for (Operation &op : llvm::reverse(*block))
        if (isa<ElementwiseOpInterface>(op) && !grouped.contains(&op))
          addProducers(&op);
    });
    return std::move(groups);
  }

private:
  /// The anchor and the chain of elementwise operators behind it, each the only
  /// user of the one before: what a library's post-ops or a kernel's epilogue
  /// can compute before the result is stored.
  void addTail(Operation *anchor) {
    Group group;
    group.insert(anchor);
    Value result = anchor->getResult(0);
    for (Value current = result; current.hasOneUse() && group.size() < kMaxGroup;) {
      Operation *user = *current.user_begin();
      if (!isa<ElementwiseOpInterface>(user) || user->getBlock() != anchor->getBlock() ||
          grouped.contains(user) ||
          !dims.haveSameShape(user->getResult(0), result))
        break;
      bool fits = llvm::all_of(user->getOperands(), [&](Value operand) {
        return operand == current || dims.broadcastsTo(operand, result);
      });
      if (!fits)
        break;
      for (Value operand : user->getOperands())
        if (operand != current)
          addDequantized(operand, group);
      group.insert(user);
      current = user->getResult(0);
      // A cast to i8 ends the epilogue.
      if (isa<CastOp>(user) && getElementTypeOrSelf(current).isInteger(8))
        break;
    }
    if (group.size() > 1)
      finish(group);
  }

  /// What makes an operand of integers of 8 bits, which are read instead.
  void addDequantized(Value value, Group &group) {
    SmallVector<Operation *> ops;
    Value current = value;
    while (true) {
      Operation *op = current.getDefiningOp();
      if (!isa_and_nonnull<MulOp, SubOp, AddOp, CastOp>(op) || !op->hasOneUse() ||
          op->getBlock() != group.front()->getBlock() || grouped.contains(op) ||
          !dims.haveSameShape(current, value))
        return;
      ops.push_back(op);
      current = op->getOperand(0);
      if (isa<CastOp>(op))
        break;
      if (!isSplatConstant(op->getOperand(1)))
        return;
    }
    if (getElementTypeOrSelf(current).isInteger(8))
      group.insert_range(ops);
  }

  /// An elementwise operator and all before it, of the same shape, that nobody
  /// outside of the group uses: nothing is computed twice, and no path leaves
  /// the group and comes back.
  void addProducers(Operation *root) {
    Group group;
    group.insert(root);
    // Grows while it is walked; a producer may fit only once another user does.
    for (bool changed = true; changed && group.size() < kMaxGroup;) {
      changed = false;
      for (size_t i = 0; i < group.size() && group.size() < kMaxGroup; ++i)
        for (Value operand : group[i]->getOperands()) {
          Operation *producer = operand.getDefiningOp();
          if (!isa_and_nonnull<ElementwiseOpInterface>(producer) ||
              producer->getBlock() != root->getBlock() ||
              group.contains(producer) || grouped.contains(producer) ||
              !llvm::all_of(producer->getUsers(), [&](Operation *user) {
                return group.contains(user);
              }) ||
              !dims.haveSameShape(operand, root->getResult(0)))
            continue;
          group.insert(producer);
          changed = true;
        }
    }
    if (group.size() > 1)
      finish(group);
  }

  void finish(Group &group) {
    grouped.insert(group.begin(), group.end());
    groups.push_back(std::move(group));
  }

  func::FuncOp function;
  SymbolicDims dims;
  std::vector<Group> groups;
  DenseSet<Operation *> grouped;
};

struct FormFusionsPass : nn::impl::FormFusionsBase<FormFusionsPass> {
  void runOnOperation() override {
    if (getOperation().isDeclaration())
      return;
    for (Group &group : GroupFormer(getOperation()).run())
      outline(group);
  }

private:
  /// Moves the operators into an nn.fusion in the place of the last one.
  void outline(Group &group) {
    SmallVector<Operation *> ops(group.begin(), group.end());
    llvm::sort(ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
    Operation *last = ops.back();
    OpBuilder builder(last);
    FusionOp fusion = outlineFusion(
        builder, ops, last->getResults(), [](Value value) { return value; },
        isSplatConstant);
    inheritProvenance(last, fusion->getResults());
    last->replaceAllUsesWith(fusion);
    for (Operation *op : llvm::reverse(ops))
      op->erase();
    ++numFusions;
    numFused += ops.size();
  }
};
} // namespace
