//===- TreeAttributes.cpp - decision trees in attributes ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TreeAttributes.h"
#include "nn/Support/HostTensor.h"
#include "llvm/ADT/StringSwitch.h"
#include <cmath>
#include <set>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// The numbers of an attribute that is a tensor.
static NodeBinder &bindTensor(NodeBinder &node, StringRef name, std::vector<double> &numbers) {
  ElementsAttr attr;
  node.tensorAttr(name, attr);
  if (!attr || node.failed())
    return node;
  FailureOr<HostTensor> tensor = toHostTensor(attr);
  if (node.require(succeeded(tensor) && tensor->getType() != DataType::String,
                   "attribute '" + name + "' has numbers", "others", "").failed())
    return node;
  for (int64_t i = 0; i < tensor->getNumElements(); ++i)
    numbers.push_back(tensor->getDouble(i));
  return node;
}

NodeBinder &importer::bindNumbers(NodeBinder &node, StringRef name,
                                  std::vector<double> &numbers) {
  SmallVector<float> floats;
  bindTensor(node.attr(name, floats), (name + "_as_tensor").str(), numbers)
      .require(floats.empty() || numbers.empty(), "attribute '" + name + "' is given once",
               "also as a tensor", "");
  if (!floats.empty())
    numbers.assign(floats.begin(), floats.end());
  return node;
}

//===----------------------------------------------------------------------===//
// Versions 1 and 3
//===----------------------------------------------------------------------===//

namespace {
/// The attributes that describe nodes, by node.
struct NodeLists {
  SmallVector<int64_t> trees, ids, features, ifTrue, ifFalse, missingTrue;
  SmallVector<std::string> modes;
  std::vector<double> values;
  /// The places of nodes by tree and id.
  DenseMap<std::pair<int64_t, int64_t>, int64_t> places;

  bool bind(NodeBinder &node);
  bool makeNodes(NodeBinder &node, Ensemble &ensemble);
};
} // namespace

bool NodeLists::bind(NodeBinder &node) {
  node.attr("nodes_treeids", trees).attr("nodes_nodeids", ids)
      .attr("nodes_featureids", features).attr("nodes_truenodeids", ifTrue)
      .attr("nodes_falsenodeids", ifFalse).attr("nodes_modes", modes)
      .attr("nodes_missing_value_tracks_true", missingTrue)
      .ignoreAttrs({"nodes_hitrates", "nodes_hitrates_as_tensor"});
  bindNumbers(node, "nodes_values", values);
  size_t count = trees.size();
  bool fit = (missingTrue.empty() || missingTrue.size() == count) && count > 0;
  for (size_t size : {ids.size(), features.size(), ifTrue.size(), ifFalse.size(),
                      modes.size(), values.size()})
    fit &= size == count;
  return !node.require(fit, "attributes 'nodes_...' have an entry for each node",
                       "other numbers", Twine(count)).failed();
}

static std::optional<TreeTest> parseMode(StringRef mode) {
  return llvm::StringSwitch<std::optional<TreeTest>>(mode)
      .Case("BRANCH_LEQ", TreeTest::LessOrEqual)
      .Case("BRANCH_LT", TreeTest::Less)
      .Case("BRANCH_GTE", TreeTest::GreaterOrEqual)
      .Case("BRANCH_GT", TreeTest::Greater)
      .Case("BRANCH_EQ", TreeTest::Equal)
      .Case("BRANCH_NEQ", TreeTest::NotEqual)
      .Case("LEAF", TreeTest::Leaf)
      .Default(std::nullopt);
}

bool NodeLists::makeNodes(NodeBinder &node, Ensemble &ensemble) {
  std::set<int64_t> seenTrees;
  for (size_t i = 0; i < trees.size(); ++i) {
    bool isNew = places.try_emplace({trees[i], ids[i]}, i).second;
    if (node.require(isNew, "nodes of a tree have different ids", Twine(ids[i]) + " twice", "")
            .failed())
      return false;
    if (seenTrees.insert(trees[i]).second)
      ensemble.roots.push_back(i);
  }
  for (size_t i = 0; i < trees.size(); ++i) {
    std::optional<TreeTest> test = parseMode(modes[i]);
    if (node.require(test.has_value(), "attribute 'nodes_modes' has known modes", modes[i],
                     "BRANCH_LEQ, _LT, _GTE, _GT, _EQ, _NEQ, LEAF").failed())
      return false;
    TreeNode made;
    made.test = *test;
    made.feature = features[i];
    made.threshold = values[i];
    made.isMissingTrue = !missingTrue.empty() && missingTrue[i] != 0;
    auto find = [&](int64_t id) {
      auto it = places.find({trees[i], id});
      return it == places.end() ? -1 : it->second;
    };
    made.ifTrue = find(ifTrue[i]);
    made.ifFalse = find(ifFalse[i]);
    ensemble.nodes.push_back(std::move(made));
  }
  return true;
}

bool importer::bindEnsemble(NodeBinder &node, StringRef prefix, int64_t numTargets,
                            Ensemble &ensemble) {
  std::string name = prefix.str();
  SmallVector<int64_t> trees, ids, targets;
  std::vector<double> weights;
  NodeLists lists;
  ensemble.numTargets = numTargets;
  if (!lists.bind(node) || !lists.makeNodes(node, ensemble))
    return false;
  bindNumbers(node.attr(name + "_treeids", trees).attr(name + "_nodeids", ids)
                  .attr(name + "_ids", targets), name + "_weights", weights)
      .require(trees.size() == weights.size() && ids.size() == weights.size() &&
                   targets.size() == weights.size(),
               "attributes '" + name + "_...' have an entry for each weight",
               Twine(trees.size()) + ", " + Twine(ids.size()) + " and " +
                   Twine(targets.size()),
               Twine(weights.size()));
  for (size_t i = 0; i < weights.size() && !node.failed(); ++i) {
    auto it = lists.places.find({trees[i], ids[i]});
    node.require(it != lists.places.end(), "weights belong to nodes",
                 "node " + Twine(ids[i]) + " of tree " + Twine(trees[i]), "")
        .require(targets[i] >= 0 && targets[i] < numTargets,
                 "attribute '" + name + "_ids' has targets or classes", Twine(targets[i]),
                 "0 to " + Twine(numTargets - 1));
    if (!node.failed())
      ensemble.weights.push_back({it->second, targets[i], weights[i]});
  }
  return !node.failed();
}

//===----------------------------------------------------------------------===//
// Version 5
//===----------------------------------------------------------------------===//

/// The sets of nodes that test membership, in their order; NaN ends each one.
static bool readMembers(NodeBinder &node, ArrayRef<double> numbers, Ensemble &ensemble) {
  for (TreeNode &made : ensemble.nodes) {
    if (made.test != TreeTest::Member)
      continue;
    if (node.require(!numbers.empty(), "attribute 'membership_values' has a set for each node "
                                       "that tests membership", "too few", "").failed())
      return false;
    size_t length = llvm::find_if(numbers, [](double number) { return std::isnan(number); }) -
                    numbers.begin();
    made.members.assign(numbers.begin(), numbers.begin() + length);
    numbers = numbers.drop_front(std::min(length + 1, numbers.size()));
  }
  return true;
}

bool importer::bindNodesAndLeaves(NodeBinder &node, Ensemble &ensemble) {
  SmallVector<int64_t> roots, features, ifTrue, ifFalse, trueLeaves, falseLeaves, missingTrue,
      targets;
  std::vector<double> modes, splits, weights, members;
  node.attr("tree_roots", roots).attr("nodes_featureids", features)
      .attr("nodes_truenodeids", ifTrue).attr("nodes_falsenodeids", ifFalse)
      .attr("nodes_trueleafs", trueLeaves).attr("nodes_falseleafs", falseLeaves)
      .attr("nodes_missing_value_tracks_true", missingTrue).attr("leaf_targetids", targets)
      .ignoreAttrs({"nodes_hitrates"});
  bindTensor(node, "nodes_modes", modes);
  bindTensor(node, "nodes_splits", splits);
  bindTensor(node, "leaf_weights", weights);
  bindTensor(node, "membership_values", members);
  int64_t count = features.size(), numLeaves = targets.size();
  bool fit = (missingTrue.empty() || missingTrue.size() == features.size()) && count > 0;
  for (size_t size : {ifTrue.size(), ifFalse.size(), trueLeaves.size(), falseLeaves.size(),
                      modes.size(), splits.size()})
    fit &= size == features.size();
  if (node.require(fit, "attributes 'nodes_...' have an entry for each node",
                   "other numbers", Twine(count))
          .require(numLeaves > 0 && weights.size() == size_t(numLeaves),
                   "each leaf has a weight", Twine(weights.size()), Twine(numLeaves)).failed())
    return false;
  for (int64_t i = 0; i < count; ++i) {
    TreeNode made;
    if (node.require(modes[i] >= 0 && modes[i] <= 6, "attribute 'nodes_modes' has known modes",
                     Twine(int64_t(modes[i])), "0 to 6").failed())
      return false;
    made.test = TreeTest(int64_t(modes[i]));
    made.feature = features[i];
    made.threshold = splits[i];
    made.isMissingTrue = !missingTrue.empty() && missingTrue[i] != 0;
    auto place = [&](int64_t id, bool isLeaf) {
      bool exists = id >= 0 && id < (isLeaf ? numLeaves : count);
      return exists ? (isLeaf ? count + id : id) : -1;
    };
    made.ifTrue = place(ifTrue[i], trueLeaves[i]);
    made.ifFalse = place(ifFalse[i], falseLeaves[i]);
    ensemble.nodes.push_back(std::move(made));
  }
  if (!readMembers(node, members, ensemble))
    return false;
  ensemble.nodes.resize(count + numLeaves);
  for (int64_t leaf = 0; leaf < numLeaves; ++leaf)
    ensemble.weights.push_back({count + leaf, targets[leaf], weights[leaf]});
  ensemble.roots.assign(roots.begin(), roots.end());
  for (int64_t root : roots)
    node.require(root >= 0 && root < count, "attribute 'tree_roots' has nodes", Twine(root),
                 "0 to " + Twine(count - 1));
  for (int64_t target : targets)
    node.require(target >= 0 && target < ensemble.numTargets,
                 "attribute 'leaf_targetids' has targets", Twine(target),
                 "0 to " + Twine(ensemble.numTargets - 1));
  return !node.failed();
}
