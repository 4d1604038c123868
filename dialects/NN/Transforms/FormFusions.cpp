//===- FormFusions.cpp - group what one kernel shall compute --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/Remarks.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Analysis/SymbolicDims.h"
#include "nn/Fusion/FusionGroup.h"
#include "llvm/ADT/SetVector.h"
#include <set>

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
/// Instructions per element that are repeated rather than stored and read again.
constexpr int64_t kMaxRepeated = 8;
/// Operators between a group and an operand of a further member that are looked at for a
/// path from the one to the other.
constexpr size_t kMaxPath = 256;

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
          addAround(&op);
      for (Operation &op : llvm::reverse(*block))
        if (isa<ElementwiseOpInterface>(op) && !grouped.contains(&op))
          addProducers(&op);
    });
    return std::move(groups);
  }

private:
  /// The anchor and the elementwise operators behind it, of its shape: what a library's
  /// post-ops or a kernel's epilogue can compute before results are stored.
  void addAround(Operation *anchor) {
    Group group;
    group.insert(anchor);
    // In the order of the block, so that operands are decided before their users.
    auto isBefore = [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); };
    std::set<Operation *, decltype(isBefore)> candidates(isBefore);
    auto addUsers = [&](Operation *op) {
      for (Operation *user : op->getUsers())
        if (user->getBlock() == anchor->getBlock() && isa<ElementwiseOpInterface>(user))
          candidates.insert(user);
    };
    addUsers(anchor);
    while (!candidates.empty() && group.size() < kMaxGroup) {
      Operation *op = *candidates.begin();
      candidates.erase(candidates.begin());
      if (group.contains(op))
        continue;
      if (std::optional<StringRef> why = getObstacle(op, group)) {
        remark::missed(op->getLoc(), remark::RemarkOpts::name("not-fused").category("fuse"))
            << remark::add("{0} with {1}: {2}", op->getName().getStringRef().str(),
                           anchor->getName().getStringRef().str(), *why);
        continue;
      }
      for (Value operand : op->getOperands())
        if (!group.contains(operand.getDefiningOp()))
          addDequantized(operand, group);
      group.insert(op);
      // A cast to i8 ends the epilogue.
      if (!(isa<CastOp>(op) && getElementTypeOrSelf(op->getResult(0)).isInteger(8)))
        addUsers(op);
    }
    addPrologue(group);
    if (group.size() > 1)
      finish(group);
  }

  /// Elementwise operators of which nobody else uses the results, and which take less time
  /// each time that the anchor reads them than a kernel of their own.
  void addPrologue(Group &group) {
    auto anchor = cast<FusionAnchorOpInterface>(group.front());
    auto [input, reads] = anchor.getPrologue();
    if (!input)
      return;
    int64_t cost = 0;
    SmallVector<Value> pending{input};
    while (!pending.empty() && group.size() < kMaxGroup) {
      Value value = pending.pop_back_val();
      Operation *op = value.getDefiningOp();
      if (!isa_and_nonnull<ElementwiseOpInterface>(op) ||
          op->getBlock() != anchor->getBlock() || group.contains(op) ||
          grouped.contains(op) || !dims.haveSameShape(value, input) ||
          !llvm::all_of(op->getUsers(),
                        [&](Operation *user) { return group.contains(user); }))
        continue;
      cost += (reads - 1) * FusionView::estimateInstructions(op);
      if (cost > kMaxRepeated)
        return;
      group.insert(op);
      llvm::append_range(pending, op->getOperands());
    }
  }

  /// Why an elementwise operator that uses a member of an anchor's group cannot join it.
  std::optional<StringRef> getObstacle(Operation *op, const Group &group) {
    Value result = group.front()->getResult(0);
    if (grouped.contains(op))
      return "it belongs to another group";
    if (!dims.haveSameShape(op->getResult(0), result))
      return "its result is not provably of the same shape";
    for (Value operand : op->getOperands()) {
      if (group.contains(operand.getDefiningOp()))
        continue;
      if (!dims.broadcastsTo(operand, result))
        return "an operand does not provably broadcast to that shape";
      if (dependsOn(operand, group))
        return "an operand is computed from the group's results by others";
    }
    return std::nullopt;
  }

  /// Whether a value from outside may depend on a member of the group.
  bool dependsOn(Value value, const Group &group) {
    Operation *anchor = group.front();
    llvm::SetVector<Operation *> pending;
    auto add = [&](Value operand) {
      Operation *op = operand.getDefiningOp();
      if (op && op->getBlock() == anchor->getBlock() && !op->isBeforeInBlock(anchor))
        pending.insert(op);
    };
    add(value);
    for (size_t i = 0; i < pending.size(); ++i) {
      Operation *op = pending[i];
      if (group.contains(op) || op->getNumRegions() != 0 || pending.size() > kMaxPath)
        return true;
      llvm::for_each(op->getOperands(), add);
    }
    return false;
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
    SetVector<Block *> disordered;
    for (Group &group : GroupFormer(getOperation()).run())
      if (outline(group) > 1)
        disordered.insert(group.front()->getBlock());
    for (Operation *op : llvm::reverse(moved))
      op->erase();
    // Users of some results stand before what others are computed from.
    for (Block *block : disordered)
      sortTopologically(block);
  }

private:
  /// Moves the operators into an nn.fusion; returns the number of its results. The
  /// operators are erased later.
  size_t outline(Group &group) {
    SmallVector<Operation *> ops(group.begin(), group.end());
    llvm::sort(ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
    SmallVector<Value> results;
    for (Operation *op : ops)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(),
                         [&](Operation *user) { return !group.contains(user); }))
          results.push_back(result);
    if (results.empty())
      return 0; // Dead.
    OpBuilder builder(ops.back());
    FusionOp fusion = outlineFusion(
        builder, ops, results, [](Value value) { return value; }, isSplatConstant);
    for (auto [result, fused] : llvm::zip(results, fusion.getResults())) {
      addOrigins(fused, getOrigins(result));
      result.replaceUsesWithIf(fused, [&](OpOperand &use) {
        return !group.contains(use.getOwner());
      });
    }
    llvm::append_range(moved, ops);
    ++numFusions;
    numFused += ops.size();
    return results.size();
  }

  SmallVector<Operation *> moved;
};
} // namespace
