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

/// Whether an operator's kernel can read operands through transpositions.
bool readsTransposed(Operation *op) {
  auto anchor = dyn_cast<FusionAnchorOpInterface>(op);
  return anchor && anchor.takesTransposes();
}

/// The transposition that makes the only operand of an elementwise operator that is more than
/// a number, and has no other user; null if there is none.
TransposeOp getOnlyTransposed(Operation *op) {
  TransposeOp found;
  for (Value operand : op->getOperands()) {
    if (layout::isAllOnes(cast<RankedTensorType>(operand.getType())))
      continue;
    auto transpose = operand.getDefiningOp<TransposeOp>();
    if (!transpose || found || !transpose->hasOneUse() ||
        transpose->getBlock() != op->getBlock())
      return {};
    found = transpose;
  }
  // Numbers of a higher rank would add dimensions.
  auto getRank = [](Operation *of) {
    return cast<RankedTensorType>(of->getResult(0).getType()).getRank();
  };
  return found && getRank(found) == getRank(op) ? found : TransposeOp();
}

/// Whether an operator's only user reads it through a transposition, or is an elementwise
/// operator of numbers for which this holds.
bool leadsToReader(Operation *op) {
  while (op->getNumResults() == 1 && op->hasOneUse()) {
    Operation *user = *op->user_begin();
    if (user->getBlock() != op->getBlock())
      return false;
    if (readsTransposed(user))
      return true;
    auto isNumber = [&](Value operand) {
      return operand.getDefiningOp() == op ||
             layout::isAllOnes(cast<RankedTensorType>(operand.getType()));
    };
    if (!isa<ElementwiseOpInterface>(user) || !llvm::all_of(user->getOperands(), isNumber))
      return false;
    op = user;
  }
  return false;
}

/// Has elementwise operators of numbers, such as the scaling of queries, come before a
/// transposition that can then be read through.
void delayTransposes(func::FuncOp function) {
  SmallVector<Operation *> ops;
  function.walk([&](ElementwiseOpInterface op) { ops.push_back(op); });
  for (Operation *op : ops) {
    TransposeOp transpose = getOnlyTransposed(op);
    if (!transpose || !leadsToReader(op))
      continue;
    OpBuilder builder(op);
    IRMapping operands;
    operands.map(transpose.getResult(), transpose.getInput());
    Operation *earlier = builder.clone(*op, operands);
    earlier->removeAttr(originAttrName);
    Value result = op->getResult(0), moved = earlier->getResult(0);
    moved.setType(cast<RankedTensorType>(transpose.getInput().getType())
                      .clone(getElementTypeOrSelf(result.getType())));
    auto later = TransposeOp::create(builder, fuseLocations({transpose, op}),
                                     result.getType(), moved, transpose.getPerm());
    setOrigins(later, getOrigins(result));
    result.replaceAllUsesWith(later);
    op->erase();
    transpose->erase();
  }
}

/// Gives each user its own transposition where all can read through it.
void repeatTransposes(func::FuncOp function) {
  function.walk([](TransposeOp op) {
    if (!llvm::all_of(op->getUsers(), [&](Operation *user) {
          return user->getBlock() == op->getBlock() && readsTransposed(user);
        }))
      return;
    SetVector<Operation *> users(op->user_begin(), op->user_end());
    for (Operation *user : users.getArrayRef().drop_front()) {
      OpBuilder builder(op);
      user->replaceUsesOfWith(op.getResult(), builder.clone(*op)->getResult(0));
    }
  });
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
    function.walk([&](SoftmaxOp op) { joinAttention(op); });
    llvm::erase_if(groups, [](const Group &group) { return group.empty(); });
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
    addTransposes(group);
    if (group.size() > 1)
      finish(group);
  }

  bool isFreeTranspose(Operation *op, const Group &group) {
    return isa_and_nonnull<TransposeOp>(op) && op->getBlock() == group.front()->getBlock() &&
           !grouped.contains(op);
  }

  /// Transpositions that only say where the anchor finds its operands, and one that says
  /// where the only result is stored, unless its users rather read through it.
  void addTransposes(Group &group) {
    if (!cast<FusionAnchorOpInterface>(group.front()).takesTransposes())
      return;
    auto isAnchor = [&](Operation *op) { return op == group.front(); };
    auto isOutside = [&](Operation *op) { return !group.contains(op); };
    for (Value operand : group.front()->getOperands())
      if (Operation *op = operand.getDefiningOp();
          isFreeTranspose(op, group) && llvm::all_of(op->getUsers(), isAnchor))
        group.insert(op);
    SmallVector<Value> results;
    for (Operation *op : group)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), isOutside))
          results.push_back(result);
    if (results.size() != 1 || !results.front().hasOneUse())
      return;
    Operation *user = *results.front().user_begin();
    if (isFreeTranspose(user, group) && llvm::none_of(user->getUsers(), readsTransposed))
      group.insert(user);
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

  /// Whether a value from outside may depend on a member of the group. What other groups
  /// compute depends on all that these read.
  bool dependsOn(Value value, const Group &group) {
    Operation *anchor = group.front(), *first = anchor;
    for (auto [begin, end] : spans[anchor->getBlock()])
      if (begin->isBeforeInBlock(anchor) && anchor->isBeforeInBlock(end))
        first = begin;
    llvm::SetVector<Operation *> pending;
    auto addLater = [&](Operation *op) {
      if (!op->isBeforeInBlock(first))
        pending.insert(op);
    };
    auto add = [&](Value operand) {
      Operation *op = operand.getDefiningOp();
      if (!op || op->getBlock() != anchor->getBlock())
        return;
      addLater(op);
      if (auto it = grouped.find(op); it != grouped.end())
        llvm::for_each(groups[it->second], addLater);
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

  /// The group of an operator, which may be only itself.
  Group getGroup(Operation *op) {
    auto it = grouped.find(op);
    if (it != grouped.end())
      return groups[it->second];
    Group alone;
    alone.insert(op);
    return alone;
  }

  /// Makes one group of a softmax along the last dimension, of the product that it reads,
  /// and of the product that reads it: scores need not be stored then.
  void joinAttention(SoftmaxOp softmax) {
    int64_t rank = softmax.getInput().getType().getRank(), axis = softmax.getAxis();
    Operation *last = softmax.getInput().getDefiningOp();
    if (!last || isa<TransposeOp>(last) || !last->hasOneUse() || !softmax->hasOneUse() ||
        rank < 3 || (axis != -1 && axis != rank - 1) || getGroup(softmax).size() != 1)
      return;
    auto product = dyn_cast<MatMulOp>(*softmax->user_begin());
    Group joined = getGroup(last);
    auto scores = dyn_cast<MatMulOp>(joined.front());
    if (!product || !scores || product.getLhs() != softmax.getResult() ||
        product->getBlock() != softmax->getBlock() || last->getBlock() != softmax->getBlock() ||
        product.getRhs().getType().getRank() != rank ||
        scores.getRhs().getType().getRank() != rank)
      return;
    bool isLeft = llvm::any_of(joined, [&](Operation *op) {
      return op != last && llvm::any_of(op->getUsers(), [&](Operation *user) {
               return !joined.contains(user);
             });
    });
    if (isLeft)
      return;
    Group behind = getGroup(product);
    for (Operation *op : behind)
      for (Value operand : op->getOperands())
        if (operand != softmax.getResult() && !behind.contains(operand.getDefiningOp()) &&
            dependsOn(operand, joined))
          return;
    for (Operation *op : {last, product.getOperation()})
      if (auto it = grouped.find(op); it != grouped.end())
        groups[it->second].clear();
    joined.insert(softmax);
    joined.insert_range(behind);
    finish(joined);
  }

  void finish(Group &group) {
    addSpan(group);
    for (Operation *op : group)
      grouped[op] = groups.size();
    groups.push_back(std::move(group));
  }

  /// A group of several results makes each depend on what only others are computed from: an
  /// operator behind its first member may depend on all that stands before its last one. Of
  /// one result, this is so anyway.
  void addSpan(const Group &group) {
    int64_t results = 0;
    for (Operation *op : group)
      results += llvm::any_of(op->getUsers(),
                              [&](Operation *user) { return !group.contains(user); });
    if (results < 2)
      return;
    auto isBefore = [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); };
    auto [first, last] = std::minmax_element(group.begin(), group.end(), isBefore);
    Span added(*first, *last);
    SmallVectorImpl<Span> &all = spans[(*first)->getBlock()];
    llvm::erase_if(all, [&](const Span &other) {
      if (other.second->isBeforeInBlock(added.first) ||
          added.second->isBeforeInBlock(other.first))
        return false;
      added.first = std::min(added.first, other.first, isBefore);
      added.second = std::max(added.second, other.second, isBefore);
      return true;
    });
    all.push_back(added);
  }

  func::FuncOp function;
  SymbolicDims dims;
  std::vector<Group> groups;
  /// The number of the group of each of its operators.
  DenseMap<Operation *, size_t> grouped;
  /// From the first operator to the last one of groups with several results, of a block;
  /// those that overlap are one.
  using Span = std::pair<Operation *, Operation *>;
  DenseMap<Block *, SmallVector<Span>> spans;
};

struct FormFusionsPass : nn::impl::FormFusionsBase<FormFusionsPass> {
  void runOnOperation() override {
    if (getOperation().isDeclaration())
      return;
    delayTransposes(getOperation());
    repeatTransposes(getOperation());
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
