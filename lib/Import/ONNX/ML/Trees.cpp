//===- Trees.cpp - import of ensembles of decision trees ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TreeAttributes.h"
#include <cmath>
#include <set>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static Value addBase(NodeBinder &node, Value scores, ArrayRef<double> base) {
  if (base.empty() || node.failed())
    return scores;
  Type type = getElementType(scores);
  return node.create<AddOp>(scores, makeTable(node, base, {int64_t(base.size())}, type));
}

static LogicalResult importTreeEnsembleRegressor(NodeBinder &node) {
  Value input;
  int64_t numTargets;
  std::string aggregate;
  std::vector<double> base;
  Transform transform;
  Ensemble ensemble;
  node.onlyOperand(input).requiredAttr("n_targets", numTargets)
      .attr("aggregate_function", aggregate, "SUM", {"SUM", "AVERAGE", "MIN", "MAX"})
      .require(numTargets > 0, "there is a target", Twine(numTargets), "");
  bindNumbers(bindTransform(node, transform), "base_values", base)
      .require(base.empty() || int64_t(base.size()) == numTargets,
               "each target has a base value", Twine(base.size()), Twine(numTargets));
  if (node.failed() || !bindEnsemble(node, "target", numTargets, ensemble))
    return failure();
  Aggregate kind = aggregate == "SUM"       ? Aggregate::Sum
                   : aggregate == "AVERAGE" ? Aggregate::Average
                   : aggregate == "MIN"     ? Aggregate::Min
                                            : Aggregate::Max;
  Value scores = addBase(node, ensemble.evaluate(node, input, kind).values, base);
  scores = transformScores(node, scores, transform);
  return node.setOutput(castTo(node, scores, Float32Type::get(node.getContext())));
}

namespace {
struct TreeClassifier {
  Ensemble ensemble;
  Ensemble::Scores scores;
  std::vector<double> base;
  ClassLabels labels;
  Transform transform = Transform::None;

  LogicalResult build(NodeBinder &node);
  LogicalResult buildTwoClasses(NodeBinder &node);
  LogicalResult setScores(NodeBinder &node, Value values);
};
} // namespace

LogicalResult TreeClassifier::setScores(NodeBinder &node, Value values) {
  return node.setOutput(castTo(node, values, Float32Type::get(node.getContext())), 1);
}

/// As ONNX Runtime does, which knows classifiers of one score, and of two: a score of the
/// second class decides alone. Labels other than 0 and 1 count only if all weights are for
/// one class.
LogicalResult TreeClassifier::buildTwoClasses(NodeBinder &node) {
  std::set<int64_t> classes;
  bool arePositive = true;
  for (const LeafWeight &weight : ensemble.weights) {
    classes.insert(weight.target);
    arePositive &= weight.weight >= 0;
  }
  bool isOneClass = classes.size() == 1, hasSecond = classes.count(1);
  // ONNX Runtime leaves other scores undefined.
  if (node.require(!classes.empty() && (!hasSecond || scores.areCertain[1]),
                   "a tree of a classifier of two classes has a weight for the second one in "
                   "all of its leaves, or there is none", "leaves without one", "",
                   Remedy::ChangeForm).failed())
    return failure();
  int64_t negative = isOneClass ? labels[0] : 0, positive = isOneClass ? labels[1] : 1;
  double limit = isOneClass && arePositive ? 0.5 : 0;
  Value first = takeColumns(node, scores.values, 0, 1);
  Value second = takeColumns(node, scores.values, 1, 2);
  if (node.failed())
    return failure();
  Type type = getElementType(first);
  auto plus = [&](Value value, double number) {
    return node.create<AddOp>(value, node.constantScalar(number, type));
  };
  if (!hasSecond && base.size() < 2) {
    if (!base.empty())
      first = plus(first, base[0]);
    (void)setLabels(node, pickByLimit(node, first, limit, negative, positive), labels);
    return setScores(node, addFirstScore(node, first, arePositive, transform));
  }
  Value deciding;
  if (base.size() == 2 && hasSecond) {
    second = plus(first, base[1]);
    first = node.create<NegOp>(second);
    deciding = second;
  } else {
    if (!base.empty())
      first = plus(first, base[0]);
    deciding = hasSecond ? second : first;
  }
  // A class without weights has the score 0, whatever its base value is.
  if (!scores.areCertain[0])
    first = node.create<WhereOp>(takeColumns(node, scores.exist, 0, 1), first,
                                 node.constantScalar(0, type));
  (void)setLabels(node, pickByLimit(node, deciding, limit, negative, positive), labels);
  Value both = node.create<ConcatOp>(SmallVector<Value>{first, second}, 1);
  return setScores(node, transformScores(node, both, transform));
}

LogicalResult TreeClassifier::build(NodeBinder &node) {
  if (labels.size() == 2)
    return buildTwoClasses(node);
  Value values = addBase(node, scores.values, base);
  if (node.failed())
    return failure();
  Value label;
  if (labels.size() == 1) {
    label = pickByLimit(node, values, 0, 0, 1);
  } else if (scores.exist && base.empty()) {
    // Classes without weights are not chosen.
    Value least = node.constantScalar(-INFINITY, getElementType(values));
    label = pickBest(node, node.create<WhereOp>(scores.exist, values, least), labels);
  } else {
    label = pickBest(node, values, labels);
  }
  (void)setLabels(node, label, labels);
  return setScores(node, transformScores(node, values, transform));
}

static LogicalResult importTreeEnsembleClassifier(NodeBinder &node) {
  Value input;
  TreeClassifier classifier;
  bindLabels(bindTransform(node.onlyOperand(input), classifier.transform),
             "classlabels_int64s", classifier.labels)
      .require(!classifier.labels.empty(), "classes have labels", "none", "");
  bindNumbers(node, "base_values", classifier.base);
  size_t given = classifier.base.size(), count = classifier.labels.size();
  if (node.require(given == 0 || given == count || (given == 1 && count == 2),
                   "each class has a base value", Twine(given), Twine(count)).failed() ||
      !bindEnsemble(node, "class", count, classifier.ensemble))
    return failure();
  classifier.scores = classifier.ensemble.evaluate(node, input, Aggregate::Sum);
  return node.failed() ? failure() : classifier.build(node);
}

static LogicalResult importTreeEnsemble(NodeBinder &node) {
  Value input;
  int64_t aggregate, transform;
  Ensemble ensemble;
  if (node.onlyOperand(input).attr("n_targets", ensemble.numTargets, 0)
          .attr("aggregate_function", aggregate, 1).attr("post_transform", transform, 0)
          .require(ensemble.numTargets > 0, "attribute 'n_targets' is given", "none", "")
          .require(aggregate >= 0 && aggregate <= 3,
                   "attribute 'aggregate_function' is known", Twine(aggregate), "0 to 3")
          .require(transform >= 0 && transform <= 4, "attribute 'post_transform' is known",
                   Twine(transform), "0 to 4").failed() ||
      !bindNodesAndLeaves(node, ensemble))
    return failure();
  Value scores = ensemble.evaluate(node, input, Aggregate(aggregate)).values;
  scores = transformScores(node, scores, Transform(transform));
  return node.setOutput(node.failed() ? Value()
                                      : castTo(node, scores, getElementType(input)));
}

void importer::registerMLTrees(Registry &r) {
  r.onOp(classicalML, "TreeEnsemble", 5, importTreeEnsemble);
  r.onOp(classicalML, "TreeEnsembleClassifier", 1, importTreeEnsembleClassifier);
  r.onOp(classicalML, "TreeEnsembleRegressor", 1, importTreeEnsembleRegressor);
}
