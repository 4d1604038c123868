//===- Linear.cpp - import of linear models of ai.onnx.ml -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Scores.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// The operand, times a matrix of coefficients with a row for each of `count` results, plus
/// the intercepts, if there are any.
static Value makeProduct(NodeBinder &node, Value input, ArrayRef<float> coefficients,
                         ArrayRef<float> intercepts, int64_t count) {
  if (node.require(count > 0 && !coefficients.empty() && coefficients.size() % count == 0,
                   "each result has as many coefficients",
                   Twine(coefficients.size()) + " coefficients", "a multiple of " + Twine(count))
          .failed())
    return {};
  Type f32 = Float32Type::get(node.getContext());
  int64_t features = coefficients.size() / count;
  input = fixFeatures(node, asRows(node, input, f32), features);
  Value weights = makeTable(node, coefficients, {count, features}, f32);
  Value bias = intercepts.empty() ? Value() : makeTable(node, intercepts, {count}, f32);
  return node.create<GemmOp>(input, weights, bias, 1.0f, 1.0f, /*trans_lhs=*/false,
                             /*trans_rhs=*/true);
}

static LogicalResult importLinearRegressor(NodeBinder &node) {
  Value input;
  SmallVector<float> coefficients, intercepts;
  int64_t targets;
  Transform transform;
  if (bindTransform(node.onlyOperand(input).attr("coefficients", coefficients)
                        .attr("intercepts", intercepts).attr("targets", targets, 1),
                    transform)
          .require(intercepts.empty() || int64_t(intercepts.size()) == targets,
                   "each target has an intercept", Twine(intercepts.size()), Twine(targets))
          .failed())
    return failure();
  Value scores = makeProduct(node, input, coefficients, intercepts, targets);
  return node.setOutput(transformScores(node, scores, transform));
}

/// `multi_class` says how the model was trained.
static LogicalResult importLinearClassifier(NodeBinder &node) {
  Value input;
  SmallVector<float> coefficients, intercepts;
  ClassLabels labels;
  Transform transform;
  node.onlyOperand(input).attr("coefficients", coefficients).attr("intercepts", intercepts)
      .ignoreAttrs({"multi_class"});
  if (bindLabels(bindTransform(node, transform), "classlabels_ints", labels).failed())
    return failure();
  int64_t classes = intercepts.empty() ? labels.size() : intercepts.size();
  Value scores = makeProduct(node, input, coefficients, intercepts, classes);
  if (node.failed())
    return failure();
  bool hasTwoLabels = labels.size() == 2;
  if (classes == 1) {
    (void)setLabels(node, pickByLimit(node, scores, 0, hasTwoLabels ? labels[0] : 0,
                                      hasTwoLabels ? labels[1] : 1), labels);
    return node.setOutput(hasTwoLabels ? addFirstScore(node, scores, true, transform)
                                       : transformScores(node, scores, transform), 1);
  }
  if (node.require(int64_t(labels.size()) == classes, "each class has a label",
                   Twine(labels.size()), Twine(classes)).failed())
    return failure();
  (void)setLabels(node, pickBest(node, scores, labels), labels);
  return node.setOutput(transformScores(node, scores, transform), 1);
}

void importer::registerMLLinear(Registry &r) {
  r.onOp(classicalML, "LinearRegressor", 1, importLinearRegressor);
  r.onOp(classicalML, "LinearClassifier", 1, importLinearClassifier);
}
