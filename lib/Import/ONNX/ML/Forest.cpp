//===- Forest.cpp - decision trees as tables ------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Forest.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>

using namespace mlir::nn;
using namespace mlir::nn::importer;
using llvm::ArrayRef;

namespace {
/// Nodes get a place when something first refers to them, and are filled in later, so that
/// trees of any depth need no recursion.
class TableBuilder {
public:
  TableBuilder(ArrayRef<TreeNode> nodes, int64_t numFeatures, bool isDouble)
      : nodes(nodes), numFeatures(numFeatures), isDouble(isDouble),
        places(nodes.size(), -1) {}

  std::optional<TreeTables> build(ArrayRef<int64_t> roots, std::string &problem);

private:
  struct Place {
    int64_t column = 0;
    double threshold = 0;
    int64_t ifTrue = -1, ifFalse = -1;
    int64_t leaf = -1; ///< Which given node it is, if it is a leaf.
  };

  /// The place of a given node.
  int64_t refer(int64_t node);
  int64_t add() {
    built.emplace_back();
    return built.size() - 1;
  }
  void set(int64_t place, int64_t feature, bool isNegated, double threshold, int64_t ifTrue,
           int64_t ifFalse);
  void fill(int64_t node);
  void fillComparison(int64_t place, const TreeNode &node, int64_t ifTrue, int64_t ifFalse);
  void fillEquality(int64_t place, int64_t node);
  /// Fills a place where `x <= members[last]` holds, for members [first, last].
  void fillSearch(int64_t place, int64_t feature, ArrayRef<double> members, int64_t found,
                  int64_t other);
  /// The next number below; NaN if there is none.
  double getNextBelow(double number) const;
  /// Orders the places, with the leaves last. Nothing if there is a cycle.
  std::optional<TreeTables> finish(ArrayRef<int64_t> rootPlaces);

  ArrayRef<TreeNode> nodes;
  int64_t numFeatures;
  bool isDouble;
  std::vector<int64_t> places;
  std::vector<int64_t> unfilled;
  std::vector<Place> built;
  bool hasNegated = false;
};
} // namespace

int64_t TableBuilder::refer(int64_t node) {
  if (places[node] < 0) {
    places[node] = add();
    unfilled.push_back(node);
  }
  return places[node];
}

double TableBuilder::getNextBelow(double number) const {
  if (std::isnan(number) || number == -std::numeric_limits<double>::infinity())
    return std::numeric_limits<double>::quiet_NaN();
  if (isDouble)
    return std::nextafter(number, -std::numeric_limits<double>::infinity());
  return std::nextafterf(float(number), -std::numeric_limits<float>::infinity());
}

void TableBuilder::set(int64_t place, int64_t feature, bool isNegated, double threshold,
                       int64_t ifTrue, int64_t ifFalse) {
  hasNegated |= isNegated;
  built[place] = {feature + (isNegated ? numFeatures : 0), threshold, ifTrue, ifFalse, -1};
}

void TableBuilder::fillComparison(int64_t place, const TreeNode &node, int64_t ifTrue,
                                  int64_t ifFalse) {
  double t = node.threshold;
  auto test = [&](bool isNegated, double threshold, int64_t yes, int64_t no) {
    set(place, node.feature, isNegated, threshold, yes, no);
  };
  // Only what is missing may pass a comparison to NaN.
  if (std::isnan(t))
    return test(false, std::numeric_limits<double>::infinity(), ifFalse,
                node.isMissingTrue ? ifTrue : ifFalse);
  switch (node.test) {
  case TreeTest::LessOrEqual:
    return node.isMissingTrue ? test(true, getNextBelow(-t), ifFalse, ifTrue)
                              : test(false, t, ifTrue, ifFalse);
  case TreeTest::Less:
    return node.isMissingTrue ? test(true, -t, ifFalse, ifTrue)
                              : test(false, getNextBelow(t), ifTrue, ifFalse);
  case TreeTest::Greater:
    return node.isMissingTrue ? test(false, t, ifFalse, ifTrue)
                              : test(true, getNextBelow(-t), ifTrue, ifFalse);
  default: // GreaterOrEqual
    return node.isMissingTrue ? test(false, getNextBelow(t), ifFalse, ifTrue)
                              : test(true, -t, ifTrue, ifFalse);
  }
}

void TableBuilder::fillSearch(int64_t place, int64_t feature, ArrayRef<double> members,
                              int64_t found, int64_t other) {
  if (members.size() == 1)
    return set(place, feature, false, getNextBelow(members[0]), other, found);
  size_t half = (members.size() - 1) / 2;
  int64_t below = add(), above = add();
  set(place, feature, false, members[half], below, above);
  fillSearch(below, feature, members.take_front(half + 1), found, other);
  fillSearch(above, feature, members.drop_front(half + 1), found, other);
}

void TableBuilder::fillEquality(int64_t place, int64_t node) {
  const TreeNode &first = nodes[node];
  std::vector<double> members;
  int64_t found = first.ifTrue, other = first.ifFalse;
  auto isEquality = [](const TreeNode &node) {
    return node.test == TreeTest::Equal || node.test == TreeTest::Member;
  };
  auto addMembers = [&](const TreeNode &node) {
    if (node.test == TreeTest::Member)
      members.insert(members.end(), node.members.begin(), node.members.end());
    else
      members.push_back(node.threshold);
  };
  addMembers(first);
  if (first.test == TreeTest::NotEqual) {
    // NaN differs from all numbers.
    std::swap(found, other);
  } else {
    // Before opset 5, converters write sets as chains of equalities.
    for (size_t length = 0; length < nodes.size(); ++length) {
      const TreeNode &next = nodes[other];
      if (!isEquality(next) || next.feature != first.feature || next.ifTrue != found ||
          next.isMissingTrue != first.isMissingTrue)
        break;
      addMembers(next);
      other = next.ifFalse;
    }
  }
  llvm::erase_if(members, [](double number) { return std::isnan(number); });
  llvm::sort(members);
  members.erase(std::unique(members.begin(), members.end()), members.end());
  int64_t foundPlace = refer(found), otherPlace = refer(other);
  double infinity = std::numeric_limits<double>::infinity();
  if (first.isMissingTrue && first.test != TreeTest::NotEqual) {
    int64_t inner = add();
    set(place, first.feature, false, infinity, inner, foundPlace);
    place = inner;
  }
  if (members.empty())
    return set(place, first.feature, false, infinity, otherPlace, otherPlace);
  int64_t search = add();
  set(place, first.feature, false, members.back(), search, otherPlace);
  fillSearch(search, first.feature, members, foundPlace, otherPlace);
}

void TableBuilder::fill(int64_t node) {
  int64_t place = places[node];
  const TreeNode &given = nodes[node];
  switch (given.test) {
  case TreeTest::Leaf:
    built[place].leaf = node;
    return;
  case TreeTest::Equal:
  case TreeTest::NotEqual:
  case TreeTest::Member:
    return fillEquality(place, node);
  default:
    int64_t ifTrue = refer(given.ifTrue), ifFalse = refer(given.ifFalse);
    return fillComparison(place, given, ifTrue, ifFalse);
  }
}

std::optional<TreeTables> TableBuilder::finish(ArrayRef<int64_t> rootPlaces) {
  TreeTables tables;
  // New numbers: inner nodes, then leaves.
  std::vector<int64_t> numbers(built.size());
  for (auto [place, number] : llvm::zip(built, numbers))
    if (place.leaf < 0)
      number = tables.numInner++;
  for (auto [place, number] : llvm::zip(built, numbers))
    if (place.leaf >= 0) {
      number = tables.numInner + tables.leaves.size();
      tables.leaves.push_back(place.leaf);
    }
  tables.columns.assign(built.size(), 0);
  tables.thresholds.assign(built.size(), 0);
  tables.ifTrue.resize(built.size());
  tables.ifFalse.resize(built.size());
  std::vector<int64_t> numParents(built.size(), 0), depths(built.size(), 0), ready;
  for (auto [place, number] : llvm::zip(built, numbers)) {
    bool isLeaf = place.leaf >= 0;
    if (!isLeaf) {
      tables.columns[number] = place.column;
      tables.thresholds[number] = place.threshold;
    }
    tables.ifTrue[number] = isLeaf ? number : numbers[place.ifTrue];
    tables.ifFalse[number] = isLeaf ? number : numbers[place.ifFalse];
    if (!isLeaf)
      for (int64_t child : {tables.ifTrue[number], tables.ifFalse[number]})
        ++numParents[child];
  }
  for (int64_t root : rootPlaces)
    tables.roots.push_back(numbers[root]);
  for (auto [number, count] : llvm::enumerate(numParents))
    if (count == 0)
      ready.push_back(number);
  size_t numVisited = 0;
  while (!ready.empty()) {
    int64_t number = ready.back();
    ready.pop_back();
    ++numVisited;
    tables.depth = std::max(tables.depth, depths[number]);
    if (number >= tables.numInner)
      continue;
    for (int64_t child : {tables.ifTrue[number], tables.ifFalse[number]}) {
      depths[child] = std::max(depths[child], depths[number] + 1);
      if (--numParents[child] == 0)
        ready.push_back(child);
    }
  }
  tables.hasNegated = hasNegated;
  return numVisited == built.size() ? std::optional(std::move(tables)) : std::nullopt;
}

std::optional<TreeTables> TableBuilder::build(ArrayRef<int64_t> roots, std::string &problem) {
  for (auto [index, node] : llvm::enumerate(nodes)) {
    auto isNode = [&](int64_t child) { return child >= 0 && child < int64_t(nodes.size()); };
    if (node.test == TreeTest::Leaf)
      continue;
    if (!isNode(node.ifTrue) || !isNode(node.ifFalse))
      problem = "a child of node " + std::to_string(index) + " is no node";
    else if (node.feature < 0 || node.feature >= numFeatures)
      problem = "node " + std::to_string(index) + " tests feature " +
                std::to_string(node.feature);
    if (!problem.empty())
      return std::nullopt;
  }
  llvm::SmallVector<int64_t> rootPlaces;
  for (int64_t root : roots)
    rootPlaces.push_back(refer(root));
  while (!unfilled.empty()) {
    int64_t node = unfilled.back();
    unfilled.pop_back();
    fill(node);
  }
  std::optional<TreeTables> tables = finish(rootPlaces);
  if (!tables)
    problem = "a node is below itself";
  return tables;
}

std::optional<TreeTables> importer::makeTreeTables(ArrayRef<TreeNode> nodes,
                                                   ArrayRef<int64_t> roots,
                                                   int64_t numFeatures, bool isDouble,
                                                   std::string &problem) {
  return TableBuilder(nodes, numFeatures, isDouble).build(roots, problem);
}
