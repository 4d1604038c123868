//===- AssignLayout.cpp - channels-last where it pays ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Each operator that can be computed in either order of dimensions is a node that gets
// one of two labels. A value that is produced in one order and used in the other costs
// one transpose for all its users. The cheapest labels are a minimum cut.
//
//===----------------------------------------------------------------------===//

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "dialects/NN/Transforms/LayoutRules.h"
#include "dialects/NN/Transforms/MinimumCut.h"
#include "dialects/NN/Transforms/Passes.h"
#include "nn/Analysis/Provenance.h"

namespace mlir::nn {
#define GEN_PASS_DEF_ASSIGNLAYOUT
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::layout;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static bool hasSpatialRank(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() >= 3;
}

namespace {
/// The operators of one block, with their labels.
class BlockLayout {
public:
  BlockLayout(Block &block, SymbolicDims &env) : block(block), env(env) {}

  /// Labels all operators. Returns false if none is channels-last.
  bool decide();
  /// Rewrites the operators according to their labels.
  void rewrite();

  int64_t numSwitched = 0, numTransposes = 0;

private:
  struct Nodes {
    unsigned in = MinimumCut::second, out = MinimumCut::second;
    LayoutRule rule;
  };

  void addOperator(Operation *op);
  void addValue(Value value);
  /// The cost of permuting a value to or from channels-last.
  int64_t getCost(Value value);
  bool wouldFuse(Value value);

  bool isChannelsLast(Operation *op);
  Value getChannelsLastOf(OpBuilder &builder, Value value, Location location);
  Value convert(OpBuilder &builder, Value value, ArrayRef<Dim> dims,
                ArrayRef<int64_t> perm, Location location);
  void rewriteOperator(Operation *op);
  void restoreOrder(Operation *op);
  void setPermutedOrigins(Value original, Value value);

  Block &block;
  SymbolicDims &env;
  MinimumCut cut;
  DenseMap<Operation *, Nodes> nodes;
  DenseMap<Operation *, ChannelShuffle> shuffles;
  DenseSet<Operation *> insideShuffle;
  DenseMap<Value, Value> last; // channels-last versions of values
  SmallVector<Operation *> replaced;
};
} // namespace

//===----------------------------------------------------------------------===//
// Deciding
//===----------------------------------------------------------------------===//

int64_t BlockLayout::getCost(Value value) {
  RankedTensorType type = typeOf(value);
  if (movesOnlyUnitDims(type, getChannelsLast(type.getRank())))
    return 1; // A reshape: free, but best avoided.
  // In units of 4 bytes, because preferences count elements of f32.
  int64_t bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  return llvm::divideCeil(env.estimateElements(value) * bytes, 4) + 1;
}

void BlockLayout::addOperator(Operation *op) {
  if (insideShuffle.contains(op))
    return;
  Nodes &own = nodes[op];
  if (shuffles.count(op)) {
    own.in = own.out = cut.addNode();
    own.rule = {LayoutRule::Flexible};
    return;
  }
  if (op->getNumResults() == 0 || isConstantExpression(op->getResult(0)))
    return;
  own.rule = getRule(env, op);
  int64_t transposed = isa<TransposeOp>(op) ? getCost(op->getResult(0)) : 0;
  switch (own.rule.kind) {
  case LayoutRule::Pinned:
    return;
  case LayoutRule::Flexible:
    own.in = own.out = cut.addNode();
    cut.addCost(MinimumCut::first, own.in, own.rule.preference);
    return;
  case LayoutRule::Absorbs:
    own.in = cut.addNode();
    cut.addCost(MinimumCut::first, own.in, transposed);
    return;
  case LayoutRule::Emits:
    own.out = cut.addNode();
    cut.addCost(MinimumCut::first, own.out, transposed);
    return;
  }
}

/// Whether a permutation of the value would keep a user out of its producer's kernel, which
/// then is stored and read once more.
bool BlockLayout::wouldFuse(Value value) {
  if (!isa_and_nonnull<FusionAnchorOpInterface, ElementwiseOpInterface>(
          value.getDefiningOp()))
    return false;
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    return isa<ElementwiseOpInterface>(user) && user->getBlock() == &block &&
           env.haveSameShape(user->getResult(0), value);
  });
}

void BlockLayout::addValue(Value value) {
  if (!hasSpatialRank(value) || isConstantExpression(value))
    return;
  Operation *producer = value.getDefiningOp();
  if (producer && insideShuffle.contains(producer))
    return;
  unsigned made = producer ? nodes[producer].out : unsigned(MinimumCut::second);
  int64_t cost = getCost(value);
  if (wouldFuse(value))
    cost += cost / 2;
  SmallVector<unsigned> users;
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (isa<ShapeOp, SizeOp, tensor::DimOp>(user))
      continue; // Shape arithmetic is folded.
    unsigned label = MinimumCut::second;
    if (user->getBlock() == &block) {
      if (insideShuffle.contains(user)) {
        // The first of three, which the last represents.
        for (auto &[merge, shuffle] : shuffles)
          if (shuffle.split == user)
            label = nodes[merge].in;
      } else {
        Role role = getRole(user, use.getOperandNumber());
        if (role == Role::Convert)
          label = nodes[user].in;
        else if (role == Role::Broadcast)
          cut.addCost(nodes[user].in, MinimumCut::second, cost);
      }
    }
    if (!llvm::is_contained(users, label))
      users.push_back(label);
  }
  // Made channels-last, used in ONNX's order: one transpose for all users.
  if (made != MinimumCut::second) {
    unsigned restored = cut.addNode();
    cut.addCost(made, restored, cost);
    for (unsigned user : users)
      cut.addCost(restored, user, MinimumCut::infinite);
  }
  // The other way round.
  unsigned permuted = cut.addNode();
  cut.addCost(permuted, made, cost);
  for (unsigned user : users)
    if (user != MinimumCut::second)
      cut.addCost(user, permuted, MinimumCut::infinite);
}

bool BlockLayout::decide() {
  for (Operation &op : block)
    if (auto shuffle = matchChannelShuffle(env, &op);
        shuffle && shuffle->split->getBlock() == &block &&
        shuffle->transpose->getBlock() == &block) {
      shuffles.try_emplace(&op, *shuffle);
      insideShuffle.insert(shuffle->split);
      insideShuffle.insert(shuffle->transpose);
    }
  for (Operation &op : block)
    addOperator(&op);
  for (BlockArgument argument : block.getArguments())
    addValue(argument);
  for (Operation &op : block)
    for (Value result : op.getResults())
      addValue(result);
  cut.solve();
  return llvm::any_of(block, [&](Operation &op) { return isChannelsLast(&op); });
}

bool BlockLayout::isChannelsLast(Operation *op) {
  auto it = nodes.find(op);
  if (it == nodes.end())
    return false;
  unsigned node =
      it->second.rule.kind == LayoutRule::Emits ? it->second.out : it->second.in;
  return node != MinimumCut::second && cut.isFirst(node);
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// `value`, with sizes `dims`, permuted.
Value BlockLayout::convert(OpBuilder &builder, Value value, ArrayRef<Dim> dims,
                           ArrayRef<int64_t> perm, Location location) {
  RankedTensorType type = permute(typeOf(value), perm);
  if (isAllOnes(type))
    return value;
  if (movesOnlyUnitDims(typeOf(value), perm)) {
    Dims permuted;
    for (int64_t dim : perm)
      permuted.push_back(dims[dim]);
    if (Value reshaped = buildReshape(builder, env, location, value, dims,
                                      permuted, type))
      return reshaped;
    // Several unknown sizes: remove and insert the unit dimensions.
    SmallVector<int64_t> out, in;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      if (typeOf(value).getDimSize(i) == 1)
        out.push_back(i);
      if (type.getDimSize(i) == 1)
        in.push_back(i);
    }
    Value squeezed = SqueezeOp::create(builder, location, value, out);
    return UnsqueezeOp::create(builder, location, squeezed, in);
  }
  ++numTransposes;
  return TransposeOp::create(builder, location, type, value, perm);
}

Value BlockLayout::getChannelsLastOf(OpBuilder &builder, Value value,
                                     Location location) {
  Value &version = last[value];
  if (!version) {
    Operation *producer = value.getDefiningOp();
    Location at = producer && !isa<ConstantOp>(producer) ? producer->getLoc()
                                                         : location;
    version = convert(builder, value, env.getDims(value),
                      getChannelsLast(typeOf(value).getRank()), at);
    if (producer && version != value && !isConstantExpression(value))
      setPermutedOrigins(value, version);
  }
  return version;
}

/// `value` is `original`, permuted.
void BlockLayout::setPermutedOrigins(Value original, Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || isa<ConstantOp>(op))
    return;
  SmallVector<int64_t> perm = getChannelsLast(typeOf(original).getRank());
  SmallVector<OriginAttr> origins = getOrigins(op);
  for (OriginAttr origin : getOrigins(original)) {
    SmallVector<int64_t> both(perm);
    if (!origin.getPermutation().empty())
      for (int64_t &dim : both)
        dim = origin.getPermutation()[dim];
    if (llvm::equal(both, llvm::seq<int64_t>(0, both.size())))
      both.clear();
    origins.push_back(OriginAttr::get(
        op->getContext(), cast<OpResult>(value).getResultNumber(),
        origin.getTensor(), both));
  }
  setOrigins(op, origins);
}

void BlockLayout::rewriteOperator(Operation *op) {
  OpBuilder builder(op);
  LayoutRule::Kind kind = nodes[op].rule.kind;
  ++numSwitched;
  if (kind == LayoutRule::Emits) {
    // A transpose whose result, channels-last, is its operand.
    Value operand = op->getOperand(0);
    last[op->getResult(0)] = operand;
    setPermutedOrigins(op->getResult(0), operand);
    if (Operation *producer = operand.getDefiningOp();
        producer && !isa<ConstantOp>(producer))
      producer->setLoc(fuseLocations({producer, op}));
    replaced.push_back(op);
    return;
  }
  if (auto shuffle = shuffles.find(op); shuffle != shuffles.end()) {
    ChannelShuffle parts = shuffle->second;
    Value input =
        getChannelsLastOf(builder, parts.split.getInput(), op->getLoc());
    Value made = buildChannelShuffle(builder, env, parts, input);
    if (!made) { // No constant shape expresses the sizes: keep the original.
      --numSwitched;
      return;
    }
    last[op->getResult(0)] = made;
    setPermutedOrigins(op->getResult(0), made);
    replaced.append({parts.split, parts.transpose, op});
    return;
  }

  SmallVector<Value> operands;
  for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
    switch (getRole(op, index)) {
    case Role::Keep:
      operands.push_back(operand);
      break;
    case Role::Convert:
      operands.push_back(getChannelsLastOf(builder, operand, op->getLoc()));
      break;
    case Role::Broadcast: {
      int64_t rank = typeOf(op->getResult(0)).getRank();
      auto added = llvm::to_vector(
          llvm::seq<int64_t>(0, rank - typeOf(operand).getRank()));
      auto expanded =
          UnsqueezeOp::create(builder, op->getLoc(), operand, added);
      env.visit(expanded);
      operands.push_back(getChannelsLastOf(builder, expanded, op->getLoc()));
      break;
    }
    }
  }
  SmallVector<Value> results = buildChannelsLast(builder, env, op, operands);
  replaced.push_back(op);
  if (kind == LayoutRule::Absorbs) {
    inheritProvenance(op, results);
    for (auto [result, made] : llvm::zip(op->getResults(), results)) {
      env.inherit(made, result);
      result.replaceAllUsesWith(made);
    }
    return;
  }
  for (auto [result, made] : llvm::zip(op->getResults(), results)) {
    last[result] = made;
    setPermutedOrigins(result, made);
  }
}

/// Permutes results back for users in ONNX's order.
void BlockLayout::restoreOrder(Operation *op) {
  for (Value result : op->getResults()) {
    Value version = last.lookup(result);
    auto isStaying = [&](OpOperand &use) {
      return !llvm::is_contained(replaced, use.getOwner());
    };
    if (!version || llvm::none_of(result.getUses(), isStaying))
      continue;
    OpBuilder builder(op);
    SmallVector<int64_t> perm = getChannelsLast(typeOf(result).getRank());
    Dims dims;
    for (Dim dim : env.getDims(result)) // In ONNX's order.
      dims.push_back(dim);
    Dims permuted;
    for (int64_t dim : perm)
      permuted.push_back(dims[dim]);
    Value restored =
        convert(builder, version, permuted, invert(perm), op->getLoc());
    if (restored != version) {
      SmallVector<OriginAttr> origins;
      for (OriginAttr origin : getOrigins(result))
        origins.push_back(OriginAttr::get(op->getContext(), 0,
                                          origin.getTensor(),
                                          origin.getPermutation()));
      setOrigins(restored.getDefiningOp(), origins);
    }
    result.replaceUsesWithIf(restored, isStaying);
  }
}

void BlockLayout::rewrite() {
  SmallVector<Operation *> ops;
  for (Operation &op : block)
    if (isChannelsLast(&op))
      ops.push_back(&op);
  for (Operation *op : ops)
    rewriteOperator(op);
  for (Operation *op : llvm::to_vector(replaced))
    restoreOrder(op);
  for (Operation *op : llvm::reverse(replaced))
    if (op->use_empty()) {
      env.forget(op);
      op->erase();
    }
}

namespace {
struct AssignLayout : nn::impl::AssignLayoutBase<AssignLayout> {
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    SymbolicDims env(getOperation());
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) {
      if (!isa<FusionOp>(block->getParentOp()))
        blocks.push_back(block);
    });
    for (Block *block : blocks) {
      BlockLayout layout(*block, env);
      if (!layout.decide())
        continue;
      layout.rewrite();
      numSwitched += layout.numSwitched;
      numTransposes += layout.numTransposes;
    }
  }
};
} // namespace
