//===- SupportVectors.cpp - import of support vector machines -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "../LoopBuilding.h"
#include "Scores.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

namespace {
struct Kernel {
  std::string type;
  float gamma = 0, coef0 = 0, degree = 0;

  NodeBinder &bind(NodeBinder &node);
  /// Of N x features and count x features: N x count. `bias` is added to linear products.
  Value apply(NodeBinder &node, Value input, ArrayRef<float> vectors, int64_t count,
              float bias) const;
};
} // namespace

NodeBinder &Kernel::bind(NodeBinder &node) {
  SmallVector<float> parameters;
  node.attr("kernel_type", type, "LINEAR", {"LINEAR", "POLY", "RBF", "SIGMOID"})
      .attr("kernel_params", parameters)
      .require(parameters.empty() || parameters.size() >= 3,
               "attribute 'kernel_params' has gamma, coef0 and degree",
               Twine(parameters.size()), "3");
  if (!node.failed() && !parameters.empty()) {
    gamma = parameters[0];
    coef0 = parameters[1];
    degree = parameters[2];
  }
  return node;
}

/// The squared distances of all rows of `input` to all vectors, as sums of the features'.
static Value makeSquaredDistances(NodeBinder &node, Value input, Value vectors) {
  Value rows = node.create<UnsqueezeOp>(input, ArrayRef<int64_t>{1});
  Value difference = node.create<SubOp>(rows, vectors);
  return node.create<ReduceSumSquareOp>(difference, ArrayRef<int64_t>{2}, /*keepdims=*/false);
}

Value Kernel::apply(NodeBinder &node, Value input, ArrayRef<float> vectors, int64_t count,
                    float bias) const {
  if (node.require(count > 0 && !vectors.empty() && vectors.size() % count == 0,
                   "each support vector has as many features",
                   Twine(vectors.size()) + " numbers", "a multiple of " + Twine(count)).failed())
    return {};
  Type f32 = Float32Type::get(node.getContext());
  int64_t features = vectors.size() / count;
  input = fixFeatures(node, asRows(node, input, f32), features);
  Value table = makeTable(node, vectors, {count, features}, f32);
  if (type == "RBF") {
    Value distances = makeSquaredDistances(node, input, table);
    return node.create<ExpOp>(node.create<MulOp>(distances, node.constantScalar(-gamma, f32)));
  }
  bool isLinear = type == "LINEAR";
  Value offset = node.constantScalar(isLinear ? bias : coef0, f32);
  Value product = node.create<GemmOp>(input, table, offset, isLinear ? 1.0f : gamma, 1.0f,
                                      /*trans_lhs=*/false, /*trans_rhs=*/true);
  if (type == "POLY")
    return node.create<PowOp>(product, node.constantScalar(degree, f32));
  return isLinear ? product : node.create<TanhOp>(product);
}

//===----------------------------------------------------------------------===//
// Regression
//===----------------------------------------------------------------------===//

/// Without support vectors the coefficients are those of a linear model. ONNX Runtime
/// ignores 'post_transform', which means nothing for one target.
static LogicalResult importSVMRegressor(NodeBinder &node) {
  Value input;
  SmallVector<float> coefficients, vectors, rho;
  int64_t count;
  bool isOneClass;
  Kernel kernel;
  Transform transform;
  node.onlyOperand(input).attr("coefficients", coefficients).attr("support_vectors", vectors)
      .attr("rho", rho).attr("n_supports", count, 0).attr("one_class", isOneClass, false);
  if (bindTransform(kernel.bind(node), transform)
          .require(!rho.empty(), "attribute 'rho' is given", "none", "").failed())
    return failure();
  if (node.require(count >= 0 && (count == 0 || int64_t(coefficients.size()) == count),
                   "each support vector has a coefficient", Twine(coefficients.size()),
                   Twine(count)).failed())
    return failure();
  Type f32 = Float32Type::get(node.getContext());
  Value result;
  if (count == 0) {
    kernel.type = "LINEAR";
    result = kernel.apply(node, input, coefficients, 1, rho[0]);
  } else {
    Value kernels = kernel.apply(node, input, vectors, count, 0);
    Value weights = makeTable(node, coefficients, {count, 1}, f32);
    result = node.create<GemmOp>(kernels, weights, node.constantScalar(rho[0], f32), 1.0f,
                                 1.0f, false, false);
  }
  if (isOneClass) {
    Value one = node.constantScalar(1, f32), other = node.constantScalar(-1, f32);
    Value isInside = node.create<GreaterOp>(result, node.constantScalar(0, f32));
    result = node.create<WhereOp>(isInside, one, other);
  }
  return node.setOutput(result);
}

//===----------------------------------------------------------------------===//
// Classification
//===----------------------------------------------------------------------===//

namespace {
struct Classifier {
  Value input;
  Kernel kernel;
  Transform transform = Transform::None;
  SmallVector<float> coefficients, vectors, rho, probA, probB;
  ClassLabels labels;
  SmallVector<int64_t> vectorsPerClass;

  int64_t getNumClasses() const { return labels.size(); }
  int64_t getNumPairs() const { return getNumClasses() * (getNumClasses() - 1) / 2; }
  bool bind(NodeBinder &node);
  LogicalResult buildLinear(NodeBinder &node);
  LogicalResult buildPairs(NodeBinder &node);
  /// Calls `visit` with each pair i < j of classes, in order.
  void forEachPair(llvm::function_ref<void(int64_t pair, int64_t i, int64_t j)> visit) const;
  /// The decisions between classes, N x pairs: above 0 for the first of a pair.
  Value makeDecisions(NodeBinder &node);
  Value makeVotes(NodeBinder &node, Value decisions);
  Value makeProbabilities(NodeBinder &node, Value decisions);
};
} // namespace

void Classifier::forEachPair(
    llvm::function_ref<void(int64_t, int64_t, int64_t)> visit) const {
  int64_t pair = 0;
  for (int64_t i = 0; i < getNumClasses(); ++i)
    for (int64_t j = i + 1; j < getNumClasses(); ++j)
      visit(pair++, i, j);
}

bool Classifier::bind(NodeBinder &node) {
  node.onlyOperand(input).attr("coefficients", coefficients).attr("support_vectors", vectors)
      .attr("vectors_per_class", vectorsPerClass).attr("rho", rho).attr("prob_a", probA)
      .attr("prob_b", probB);
  return !bindLabels(bindTransform(kernel.bind(node), transform), "classlabels_ints", labels)
              .require(!labels.empty(), "classes have labels", "none", "")
              .require(!rho.empty(), "attribute 'rho' is given", "none", "").failed();
}

/// One linear model for each class.
LogicalResult Classifier::buildLinear(NodeBinder &node) {
  kernel.type = "LINEAR";
  Value scores = kernel.apply(node, input, coefficients, getNumClasses(), rho[0]);
  if (node.failed())
    return failure();
  Value label = pickBest(node, scores, labels);
  if (getNumClasses() == 2 && probA.empty()) {
    // A large score of either class stands for the second.
    bool arePositive = llvm::all_of(coefficients, [](float value) { return value >= 0; });
    Type f32 = getElementType(scores);
    Value largest = node.create<ReduceMaxOp>(scores, ArrayRef<int64_t>{1}, /*keepdims=*/false);
    Value limit = node.constantScalar(arePositive ? 0.5 : 0, f32);
    Value isSecond = arePositive ? node.create<GreaterOrEqualOp>(largest, limit)
                                 : node.create<GreaterOp>(largest, limit);
    Value second = node.asScalar(node.constantList({labels[1]}));
    label = node.create<WhereOp>(isSecond, second, label);
  }
  (void)setLabels(node, label, labels);
  return node.setOutput(transformScores(node, scores, transform), 1);
}

/// The decision of classes i and j is a sum over the support vectors of both, whose
/// coefficients are in rows j - 1 and i: a product with a matrix that holds these.
Value Classifier::makeDecisions(NodeBinder &node) {
  int64_t count = 0;
  SmallVector<int64_t> starts;
  for (int64_t size : vectorsPerClass) {
    if (node.require(size >= 0 && size <= int64_t(coefficients.size()),
                     "support vectors of a class have coefficients", Twine(size),
                     "0 to " + Twine(coefficients.size())).failed())
      return {};
    starts.push_back(count);
    count += size;
  }
  int64_t pairs = getNumPairs();
  if (node.require(int64_t(coefficients.size()) >= (getNumClasses() - 1) * count,
                   "there are coefficients for each support vector and other class",
                   Twine(coefficients.size()), Twine((getNumClasses() - 1) * count))
          .require(int64_t(rho.size()) >= pairs, "attribute 'rho' has a number for each pair",
                   Twine(rho.size()), Twine(pairs)).failed())
    return {};
  SmallVector<double> weights(count * pairs, 0);
  forEachPair([&](int64_t pair, int64_t i, int64_t j) {
    for (int64_t k = starts[i]; k < starts[i] + vectorsPerClass[i]; ++k)
      weights[k * pairs + pair] = coefficients[(j - 1) * count + k];
    for (int64_t k = starts[j]; k < starts[j] + vectorsPerClass[j]; ++k)
      weights[k * pairs + pair] = coefficients[i * count + k];
  });
  // ONNX Runtime sums in f64.
  Type f64 = Float64Type::get(node.getContext());
  Value kernels = castTo(node, kernel.apply(node, input, vectors, count, 0), f64);
  Value table = makeTable(node, weights, {count, pairs}, f64);
  Value bias = makeTable(node, ArrayRef(rho).take_front(pairs), {pairs}, f64);
  return node.create<GemmOp>(kernels, table, bias, 1.0f, 1.0f, false, false);
}

/// For each class the number of pairs that decide for it, N x classes.
Value Classifier::makeVotes(NodeBinder &node, Value decisions) {
  int64_t pairs = getNumPairs(), classes = getNumClasses();
  Type f32 = Float32Type::get(node.getContext());
  SmallVector<double> gains(pairs * classes, 0), initial(classes, 0);
  forEachPair([&](int64_t pair, int64_t i, int64_t j) {
    gains[pair * classes + i] = 1;
    gains[pair * classes + j] = -1;
    ++initial[j];
  });
  Value zero = node.constantScalar(0, getElementType(decisions));
  Value isFirst = node.create<CastOp>(node.create<GreaterOp>(decisions, zero), f32);
  Value gain = makeTable(node, gains, {pairs, classes}, f32);
  Value start = makeTable(node, initial, {classes}, f32);
  return node.create<GemmOp>(isFirst, gain, start, 1.0f, 1.0f, false, false);
}

/// The probabilities of classes that agree best with those of pairs, after Wu, Lin and Weng,
/// "Probability estimates for multi-class classification by pairwise coupling" (2004),
/// algorithm 2, as LIBSVM and ONNX Runtime compute it: each row until it is near enough.
Value Classifier::makeProbabilities(NodeBinder &node, Value decisions) {
  int64_t pairs = getNumPairs(), classes = getNumClasses();
  if (node.failed() ||
      node.require(int64_t(probA.size()) >= pairs && probA.size() == probB.size(),
                   "attributes 'prob_a' and 'prob_b' have a number for each pair",
                   Twine(probA.size()) + " and " + Twine(probB.size()), Twine(pairs)).failed())
    return {};
  Type f32 = Float32Type::get(node.getContext());
  auto number = [&](double value) { return node.constantScalar(value, f32); };
  Value scores = castTo(node, decisions, f32);
  Value slope = makeTable(node, ArrayRef(probA).take_front(pairs), {pairs}, f32);
  Value shift = makeTable(node, ArrayRef(probB).take_front(pairs), {pairs}, f32);
  Value exponent = node.create<AddOp>(node.create<MulOp>(scores, slope), shift);
  Value first = node.create<SigmoidOp>(node.create<NegOp>(exponent));
  Value least = number(1e-7f), most = number(1 - 1e-7f);
  first = node.create<MinOp>(node.create<MaxOp>(first, least), most);
  Value second = node.create<SubOp>(number(1), first);
  Value zero = node.create<SubOp>(takeColumns(node, first, 0, 1), takeColumns(node, first, 0, 1));

  // r[i][j] is the probability of i if it is i or j. Then Q[i][i] is the sum over j of
  // r[j][i]^2, and Q[i][j] is -r[j][i] * r[i][j].
  SmallVector<int64_t> order(classes * classes, 2 * pairs);
  forEachPair([&](int64_t pair, int64_t i, int64_t j) {
    order[i * classes + j] = pair;
    order[j * classes + i] = pairs + pair;
  });
  Value all = node.create<ConcatOp>(SmallVector<Value>{first, second, zero}, 1);
  Value flat = node.create<GatherOp>(all, node.constantList(order), int64_t(1));
  Value shape = node.constantList({-1, classes, classes});
  Value r = node.create<ReshapeOp>(flat, shape, /*allow_zero=*/false);
  Value transposed = node.create<TransposeOp>(r, ArrayRef<int64_t>{0, 2, 1});
  Value product = node.create<MulOp>(r, transposed);
  Value squares = node.create<MulOp>(r, r);
  Value sums = node.create<ReduceSumOp>(squares, ArrayRef<int64_t>{1}, /*keepdims=*/false);
  SmallVector<double> identity(classes * classes, 0);
  for (int64_t i = 0; i < classes; ++i)
    identity[i * classes + i] = 1;
  Value unit = makeTable(node, identity, {classes, classes}, f32);
  Value diagonal = node.create<MulOp>(
      node.create<UnsqueezeOp>(sums, ArrayRef<int64_t>{1}), unit);
  Value q = node.create<SubOp>(diagonal, product);
  Value start = node.create<AddOp>(node.create<MulOp>(sums, number(0)), number(1.0f / classes));

  auto step = [&](ValueRange carried) -> SmallVector<Value> {
    Value p = carried[0];
    const int64_t axis = 1;
    Value weighted =
        node.create<MulOp>(q, node.create<UnsqueezeOp>(p, ArrayRef<int64_t>{1}));
    Value qp = node.create<ReduceSumOp>(weighted, ArrayRef<int64_t>{2}, /*keepdims=*/false);
    Value pqp = node.create<ReduceSumOp>(node.create<MulOp>(p, qp), ArrayRef(axis), /*keepdims=*/true);
    Value errors = node.create<AbsOp>(node.create<SubOp>(qp, pqp));
    Value error = node.create<ReduceMaxOp>(errors, ArrayRef(axis), /*keepdims=*/true);
    Value limit = number(0.005f / classes);
    Value goesOn = node.create<GreaterOrEqualOp>(error, limit);
    Value next = p, one = number(1), two = number(2);
    for (int64_t i = 0; i < classes && !node.failed(); ++i) {
      Value row = node.create<SqueezeOp>(takeColumns(node, q, i, i + 1), ArrayRef<int64_t>{1});
      Value pivot = takeColumns(node, sums, i, i + 1);
      Value current = takeColumns(node, qp, i, i + 1);
      Value difference = node.create<DivOp>(node.create<SubOp>(pqp, current), pivot);
      Value scale = node.create<AddOp>(one, difference);
      SmallVector<double> place(classes, 0);
      place[i] = 1;
      Value gain = node.create<MulOp>(difference, makeTable(node, place, {classes}, f32));
      next = node.create<DivOp>(node.create<AddOp>(next, gain), scale);
      Value change = node.create<MulOp>(difference, pivot);
      change = node.create<AddOp>(change, node.create<MulOp>(current, two));
      change = node.create<AddOp>(pqp, node.create<MulOp>(difference, change));
      pqp = node.create<DivOp>(node.create<DivOp>(change, scale), scale);
      Value shifted = node.create<AddOp>(qp, node.create<MulOp>(difference, row));
      qp = node.create<DivOp>(shifted, scale);
    }
    next = node.create<WhereOp>(goesOn, next, p);
    Value any = node.create<ReduceMaxOp>(flatten(node, goesOn), ArrayRef<int64_t>{0},
                                         /*keepdims=*/false);
    return {next, any};
  };
  return createLoopWhile(node, 100, {start}, step).front();
}

/// One decision for each pair of classes.
LogicalResult Classifier::buildPairs(NodeBinder &node) {
  if (node.require(int64_t(vectorsPerClass.size()) == getNumClasses() && getNumClasses() > 1,
                   "there are two classes or more, each with its number of support vectors",
                   Twine(vectorsPerClass.size()), Twine(getNumClasses())).failed())
    return failure();
  Value decisions = makeDecisions(node);
  if (node.failed())
    return failure();
  (void)setLabels(node, pickBest(node, makeVotes(node, decisions), labels), labels);
  if (!probA.empty())
    return node.setOutput(
        transformScores(node, makeProbabilities(node, decisions), transform), 1);
  Value scores = castTo(node, decisions, Float32Type::get(node.getContext()));
  if (getNumClasses() > 2)
    return node.setOutput(transformScores(node, scores, transform), 1);
  return node.setOutput(
      addFirstScore(node, scores, transform != Transform::None, transform), 1);
}

static LogicalResult importSVMClassifier(NodeBinder &node) {
  Classifier classifier;
  if (!classifier.bind(node))
    return failure();
  bool hasVectors = llvm::any_of(classifier.vectorsPerClass, [](int64_t n) { return n > 0; });
  return hasVectors ? classifier.buildPairs(node) : classifier.buildLinear(node);
}

void importer::registerMLSupportVectors(Registry &r) {
  r.onOp(classicalML, "SVMRegressor", 1, importSVMRegressor);
  r.onOp(classicalML, "SVMClassifier", 1, importSVMClassifier);
}
