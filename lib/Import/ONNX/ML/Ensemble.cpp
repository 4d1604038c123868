//===- Ensemble.cpp - the scores of decision trees ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// All rows go down all trees together, a level at each step: a place in the tables for
// each row and tree. A leaf is its own child, so that trees need not be of one depth.
//
//===----------------------------------------------------------------------===//

#include "Ensemble.h"
#include "../LoopBuilding.h"
#include "nn/Support/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

//===----------------------------------------------------------------------===//
// From rows to leaves
//===----------------------------------------------------------------------===//

static Value makePlaces(NodeBinder &node, ArrayRef<int64_t> places) {
  HostTensor tensor = HostTensor::allocate(DataType::Int32, {int64_t(places.size())});
  llvm::copy(places, tensor.getMutable<int32_t>().begin());
  return node.constant(makeConstantAttr(node.getContext(), tensor));
}

/// The places that the trees start at, of one of the tables.
template <typename T>
static SmallVector<T> ofRoots(const TreeTables &tables, const std::vector<T> &table) {
  return llvm::map_to_vector(tables.roots, [&](int64_t root) { return table[root]; });
}

/// The leaf (i32) that each row N x features comes to in each tree: N x trees.
static Value findLeaves(NodeBinder &node, Value features, const TreeTables &tables) {
  if (tables.hasNegated)
    features = node.create<ConcatOp>(
        SmallVector<Value>{features, node.create<NegOp>(features)}, 1);
  if (node.failed())
    return {};
  Type type = getElementType(features);
  int64_t numTrees = tables.roots.size();
  Value number = node.create<GatherOp>(
      features, makePlaces(node, ofRoots(tables, tables.columns)), int64_t(1));
  Value limit = makeTable(node, ofRoots(tables, tables.thresholds), {numTrees}, type);
  Value passes = node.create<LessOrEqualOp>(number, limit);
  Value yes = makePlaces(node, ofRoots(tables, tables.ifTrue));
  Value no = makePlaces(node, ofRoots(tables, tables.ifFalse));
  Value place = node.create<WhereOp>(passes, yes, no);
  if (node.failed())
    return {};

  if (tables.depth > 1) {
    Value columns = makePlaces(node, tables.columns);
    Value thresholds = makeTable(node, tables.thresholds, {tables.getNumNodes()}, type);
    Value ifTrue = makePlaces(node, tables.ifTrue);
    Value ifFalse = makePlaces(node, tables.ifFalse);
    auto step = [&](Value place) {
      Value column = node.create<GatherOp>(columns, place, int64_t(0));
      Value number = node.create<GatherElementsOp>(features, column, int64_t(1));
      Value limit = node.create<GatherOp>(thresholds, place, int64_t(0));
      Value passes = node.create<LessOrEqualOp>(number, limit);
      Value yes = node.create<GatherOp>(ifTrue, place, int64_t(0));
      Value no = node.create<GatherOp>(ifFalse, place, int64_t(0));
      return node.create<WhereOp>(passes, yes, no);
    };
    // More steps would make the code long, and not faster.
    constexpr int64_t mostUnrolled = 16;
    if (tables.depth <= mostUnrolled) {
      for (int64_t level = 1; level < tables.depth; ++level)
        place = step(place);
    } else {
      Type i64 = IntegerType::get(node.getContext(), 64);
      Value from = node.constantScalar(1, i64);
      Value to = node.constantScalar(double(tables.depth), i64);
      auto body = [&](Value, ValueRange carried) {
        return SmallVector<Value>{step(carried[0])};
      };
      place = createLoop(node, from, to, {place}, {getType(place)}, body).front();
    }
  }
  Type i32 = IntegerType::get(node.getContext(), 32);
  Value first = node.constantScalar(double(tables.numInner), i32);
  return node.create<SubOp>(place, first);
}

//===----------------------------------------------------------------------===//
// From leaves to scores
//===----------------------------------------------------------------------===//

namespace {
/// The weights of leaves by number, and what holds for the leaves of each tree.
class LeafTable {
public:
  LeafTable(const Ensemble &ensemble, const TreeTables &tables, Aggregate aggregate);

  /// The sums, or extremes, over the trees.
  Ensemble::Scores aggregateOver(NodeBinder &node, Value leaves, Type type) const;

private:
  /// Finds `targetOfTree` and `areCertain`.
  void inspectTrees(const TreeTables &tables);
  Value reduce(NodeBinder &node, Value values, int64_t axis, bool keepdims) const;

  int64_t numLeaves, numTargets, numTrees;
  Aggregate aggregate;
  std::vector<double> weights; ///< Leaves x targets.
  std::vector<bool> isGiven;   ///< The same, whether there is a weight.
  std::vector<bool> areCertain; ///< For each target, whether all rows get a weight.
  /// For each tree, the one target that all of its leaves have a weight for, if that is
  /// so for all trees.
  std::optional<std::vector<int64_t>> targetOfTree;
};
} // namespace

LeafTable::LeafTable(const Ensemble &ensemble, const TreeTables &tables, Aggregate aggregate)
    : numLeaves(tables.leaves.size()), numTargets(ensemble.numTargets),
      numTrees(tables.roots.size()), aggregate(aggregate),
      weights(numLeaves * numTargets, 0), isGiven(numLeaves * numTargets, false),
      areCertain(numTargets, false) {
  DenseMap<int64_t, int64_t> numbers;
  for (auto [number, leaf] : llvm::enumerate(tables.leaves))
    numbers[leaf] = number;
  for (const LeafWeight &given : ensemble.weights) {
    auto it = numbers.find(given.leaf);
    if (it == numbers.end())
      continue; // No row comes to it.
    int64_t place = it->second * numTargets + given.target;
    double &weight = weights[place];
    // Converters repeat the weight of an only target, and ONNX Runtime reads the first.
    if (numTargets == 1 && isGiven[place])
      continue;
    weight = !isGiven[place]                ? given.weight
             : aggregate == Aggregate::Min ? std::min(weight, given.weight)
             : aggregate == Aggregate::Max ? std::max(weight, given.weight)
                                           : weight + given.weight;
    isGiven[place] = true;
  }
  inspectTrees(tables);
}

void LeafTable::inspectTrees(const TreeTables &tables) {
  std::vector<int64_t> seenBy(tables.getNumNodes(), -1), stack;
  targetOfTree.emplace();
  for (auto [tree, root] : llvm::enumerate(tables.roots)) {
    std::vector<int64_t> counts(numTargets, 0);
    int64_t numReached = 0, numWeights = 0;
    stack.push_back(root);
    while (!stack.empty()) {
      int64_t place = stack.back();
      stack.pop_back();
      if (seenBy[place] == int64_t(tree))
        continue;
      seenBy[place] = tree;
      if (place < tables.numInner) {
        stack.push_back(tables.ifTrue[place]);
        stack.push_back(tables.ifFalse[place]);
        continue;
      }
      ++numReached;
      for (int64_t target = 0; target < numTargets; ++target)
        if (isGiven[(place - tables.numInner) * numTargets + target]) {
          ++counts[target];
          ++numWeights;
        }
    }
    std::optional<int64_t> only;
    for (int64_t target = 0; target < numTargets; ++target)
      if (counts[target] == numReached) {
        areCertain[target] = true;
        only = target;
      }
    if (!only || numWeights != numReached)
      targetOfTree.reset();
    else if (targetOfTree)
      targetOfTree->push_back(*only);
  }
}

Value LeafTable::reduce(NodeBinder &node, Value values, int64_t axis, bool keepdims) const {
  ArrayRef<int64_t> axes(axis);
  if (aggregate == Aggregate::Min)
    return node.create<ReduceMinOp>(values, axes, keepdims);
  if (aggregate == Aggregate::Max)
    return node.create<ReduceMaxOp>(values, axes, keepdims);
  return node.create<ReduceSumOp>(values, axes, keepdims);
}

Ensemble::Scores LeafTable::aggregateOver(NodeBinder &node, Value leaves, Type type) const {
  bool isSum = aggregate == Aggregate::Sum || aggregate == Aggregate::Average;
  bool areFinite = llvm::all_of(weights, [](double weight) { return std::isfinite(weight); });
  Ensemble::Scores scores;
  scores.areCertain = areCertain;
  if (numTargets == 1) {
    Value table = makeTable(node, weights, {numLeaves}, type);
    Value values = node.create<GatherOp>(table, leaves, int64_t(0));
    scores.values = reduce(node, values, 1, /*keepdims=*/true);
  } else if (isSum && targetOfTree && areFinite) {
    // One number for each tree, and a product that adds those of each target.
    std::vector<double> only(numLeaves), members(numTrees * numTargets, 0);
    for (int64_t leaf = 0; leaf < numLeaves; ++leaf)
      for (int64_t target = 0; target < numTargets; ++target)
        only[leaf] += weights[leaf * numTargets + target];
    for (auto [tree, target] : llvm::enumerate(*targetOfTree))
      members[tree * numTargets + target] = 1;
    Value table = makeTable(node, only, {numLeaves}, type);
    Value values = node.create<GatherOp>(table, leaves, int64_t(0));
    Value targets = makeTable(node, members, {numTrees, numTargets}, type);
    scores.values = node.create<MatMulOp>(values, targets, false, false);
  } else {
    std::vector<double> all = weights;
    if (!isSum)
      for (auto [weight, given] : llvm::zip(all, isGiven))
        if (!given)
          weight = aggregate == Aggregate::Min ? INFINITY : -INFINITY;
    Value table = makeTable(node, all, {numLeaves, numTargets}, type);
    Value values = node.create<GatherOp>(table, leaves, int64_t(0));
    scores.values = reduce(node, values, 1, /*keepdims=*/false);
  }
  if (aggregate == Aggregate::Average)
    scores.values = node.create<DivOp>(scores.values, node.constantScalar(double(numTrees), type));
  if (numTargets == 1 || llvm::all_of(areCertain, [](bool given) { return given; }))
    return scores;

  std::vector<double> marks(isGiven.begin(), isGiven.end());
  Value table = makeTable(node, marks, {numLeaves, numTargets}, type);
  Value values = node.create<GatherOp>(table, leaves, int64_t(0));
  Value most = node.create<ReduceMaxOp>(values, ArrayRef<int64_t>{1}, /*keepdims=*/false);
  Value zero = node.constantScalar(0, type);
  scores.exist = node.create<GreaterOp>(most, zero);
  if (!isSum)
    scores.values = node.create<WhereOp>(scores.exist, scores.values, zero);
  return scores;
}

Ensemble::Scores Ensemble::evaluate(NodeBinder &node, Value input, Aggregate aggregate) const {
  if (node.failed())
    return {};
  Type type = getComputedType(getElementType(input));
  Value rows = asRows(node, input, type);
  if (node.failed())
    return {};
  // Places and columns are i32, and every leaf has room for all targets.
  constexpr int64_t mostFeatures = 1 << 30, mostWeights = 1 << 27;
  int64_t last = 0, numLeaves = 0, numFeatures = getLastSize(rows);
  for (const TreeNode &tree : nodes) {
    bool isLeaf = tree.test == TreeTest::Leaf;
    numLeaves += isLeaf;
    last = std::max(last, isLeaf ? 0 : tree.feature);
  }
  if (node.require(last < mostFeatures && numFeatures <= mostFeatures,
                   "trees test features of a reasonable number", Twine(last),
                   Twine(mostFeatures))
          .require(numTargets <= mostWeights / std::max<int64_t>(numLeaves, 1),
                   "there are not too many leaves and targets",
                   Twine(numLeaves) + " and " + Twine(numTargets),
                   "a product up to " + Twine(mostWeights)).failed())
    return {};
  int64_t needed = last + 1;
  if (ShapedType::isDynamic(numFeatures)) {
    Type i64 = IntegerType::get(node.getContext(), 64);
    Value least = node.constantScalar(double(needed), i64);
    node.checkAtRun(node.create<GreaterOrEqualOp>(getDimScalar(node, rows, 1), least),
                    "has an input without the features that its trees test");
    rows = takeColumns(node, rows, 0, needed);
    numFeatures = needed;
  }
  std::string problem;
  std::optional<TreeTables> tables =
      makeTreeTables(nodes, roots, numFeatures, type.isF64(), problem);
  if (node.require(tables.has_value(), "nodes form trees that test features of the input",
                   problem, Twine(numFeatures) + " features")
          .require(!roots.empty(), "there is a tree", "none", "")
          .require(!tables || tables->getNumNodes() < INT32_MAX,
                   "trees have less than 2^31 nodes", "more", "").failed())
    return {};
  Value leaves = findLeaves(node, rows, *tables);
  if (node.failed())
    return {};
  return LeafTable(*this, *tables, aggregate).aggregateOver(node, leaves, type);
}
