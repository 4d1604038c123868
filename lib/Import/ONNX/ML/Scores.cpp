//===- Scores.cpp - what handlers of ai.onnx.ml share ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Scores.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

Value importer::makeTable(NodeBinder &node, ArrayRef<double> numbers, ArrayRef<int64_t> shape,
                          Type elementType) {
  HostTensor tensor = HostTensor::allocate(*getDataType(elementType), shape);
  for (auto [index, number] : llvm::enumerate(numbers))
    tensor.setDouble(index, number);
  return node.constant(makeConstantAttr(node.getContext(), tensor));
}

Value importer::asRows(NodeBinder &node, Value operand, Type elementType) {
  if (node.failed())
    return {};
  int64_t rank = getType(operand).getRank();
  if (node.require(rank == 1 || rank == 2, "the input is a matrix of rows of features",
                   show(operand.getType()), "rank 2, or 1 for one row").failed())
    return {};
  operand = castTo(node, operand, elementType);
  return rank == 1 ? node.create<UnsqueezeOp>(operand, ArrayRef<int64_t>{0}) : operand;
}

Value importer::fixFeatures(NodeBinder &node, Value operand, int64_t count) {
  if (node.failed() ||
      node.require(getType(operand).getRank() > 0, "the input has features", "a scalar",
                   "rank 1 or more").failed())
    return {};
  int64_t size = getLastSize(operand);
  if (node.require(ShapedType::isDynamic(size) || size == count,
                   "the input has the features that the attributes are for", Twine(size),
                   Twine(count)).failed())
    return {};
  return fixTrailingDims(node, operand, {count}, [&](int64_t) {
    return ("has an input without " + Twine(count) + " features").str();
  });
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

NodeBinder &importer::bindTransform(NodeBinder &node, Transform &transform) {
  std::string name;
  node.attr("post_transform", name, "NONE",
            {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"});
  transform = name == "SOFTMAX"        ? Transform::Softmax
              : name == "LOGISTIC"     ? Transform::Logistic
              : name == "SOFTMAX_ZERO" ? Transform::SoftmaxZero
              : name == "PROBIT"       ? Transform::Probit
                                       : Transform::None;
  return node;
}

/// Softmax in which scores of 0 have no share. `|s| <= 1e-7` counts as 0.
static Value makeSoftmaxZero(NodeBinder &node, Value scores) {
  Type type = getElementType(scores);
  const int64_t axis = 1;
  Value largest = node.create<ReduceMaxOp>(scores, ArrayRef(axis), /*keepdims=*/true);
  Value limit = node.constantScalar(1e-7f, type), zero = node.constantScalar(0, type);
  Value size = node.create<AbsOp>(scores);
  Value counts = node.create<GreaterOp>(size, limit);
  Value shifted = node.create<SubOp>(scores, largest);
  Value share = node.create<ExpOp>(shifted);
  Value shares = node.create<WhereOp>(counts, share, zero);
  Value sum = node.create<ReduceSumOp>(shares, ArrayRef(axis), /*keepdims=*/true);
  Value factor = node.create<ExpOp>(node.create<NegOp>(largest));
  Value rest = node.create<MulOp>(scores, factor);
  return node.create<DivOp>(node.create<WhereOp>(counts, share, rest), sum);
}

/// The quantile function of the normal distribution, by ONNX Runtime's approximation of the
/// inverse of erf: of Winitzki, with a = 0.147.
static Value makeProbit(NodeBinder &node, Value scores) {
  Type type = getElementType(scores);
  auto number = [&](double value) { return node.constantScalar(value, type); };
  Value one = number(1), two = number(2), half = number(0.5);
  Value x = node.create<SubOp>(node.create<MulOp>(scores, two), one);
  Value below = node.create<SubOp>(one, x), above = node.create<AddOp>(one, x);
  Value log = node.create<LogOp>(node.create<MulOp>(below, above));
  Value offset = number(2 / (3.14159f * 0.147f)), factor = number(1 / 0.147f);
  Value v = node.create<AddOp>(node.create<MulOp>(log, half), offset);
  Value square = node.create<MulOp>(v, v), scaled = node.create<MulOp>(log, factor);
  Value root = node.create<SqrtOp>(node.create<SubOp>(square, scaled));
  Value size = node.create<SqrtOp>(node.create<SubOp>(root, v));
  Value isNegative = node.create<LessOp>(x, number(0));
  Value inverse = node.create<WhereOp>(isNegative, node.create<NegOp>(size), size);
  return node.create<MulOp>(inverse, number(1.41421356f));
}

Value importer::transformScores(NodeBinder &node, Value scores, Transform transform) {
  if (node.failed() || transform == Transform::None)
    return scores;
  Type type = getElementType(scores);
  // Also those of f64.
  Value real = castTo(node, scores, Float32Type::get(node.getContext()));
  bool isSingle = getLastSize(scores) == 1;
  if (transform == Transform::Probit)
    real = makeProbit(node, real);
  else if (isSingle)
    return scores;
  else if (transform == Transform::Softmax)
    real = node.create<SoftmaxOp>(real, int64_t(1));
  else if (transform == Transform::Logistic)
    real = node.create<SigmoidOp>(real);
  else
    real = makeSoftmaxZero(node, real);
  return castTo(node, real, type);
}

Value importer::addFirstScore(NodeBinder &node, Value scores, bool areProbabilities,
                              Transform transform) {
  // ONNX Runtime leaves the other score undefined.
  if (node.require(transform != Transform::Probit,
                   "attribute 'post_transform' has a supported value",
                   "PROBIT of two classes with one score", "another transform",
                   Remedy::ChangeForm).failed())
    return {};
  Value first;
  if (transform == Transform::Logistic) {
    first = node.create<SigmoidOp>(node.create<NegOp>(scores));
    scores = node.create<SigmoidOp>(scores);
  } else if (areProbabilities) {
    Value one = node.constantScalar(1, getElementType(scores));
    first = node.create<SubOp>(one, scores);
  } else {
    first = node.create<NegOp>(scores);
  }
  return node.create<ConcatOp>(SmallVector<Value>{first, scores}, 1);
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

NodeBinder &importer::bindLabels(NodeBinder &node, StringRef name, ClassLabels &labels) {
  SmallVector<int64_t> &numbers = labels;
  node.attr(name, numbers).attr("classlabels_strings", labels.names);
  if (node.require(numbers.empty() || labels.names.empty(),
                   "the labels of classes are numbers or strings", "both", "").failed() ||
      labels.names.empty())
    return node;
  // A single score decides between the first two.
  for (size_t index = 0; index < labels.names.size(); ++index)
    numbers.push_back(index);
  return node.require(numbers.size() >= 2, "there are names of several classes",
                      "attribute 'classlabels_strings' with one", "2 or more",
                      Remedy::ChangeForm);
}

LogicalResult importer::setLabels(NodeBinder &node, Value picked, const ClassLabels &labels) {
  if (labels.names.empty())
    return node.setOutput(picked);
  return node.setOutput(
      node.create<GatherOp>(node.constantStrings(labels.names), picked, int64_t(0)));
}

/// The labels of classes given by index, i64[N].
static Value lookUp(NodeBinder &node, Value classes, ArrayRef<int64_t> labels) {
  bool areIndices = llvm::all_of(llvm::enumerate(labels), [](auto entry) {
    return entry.value() == int64_t(entry.index());
  });
  return areIndices ? classes
                    : node.create<GatherOp>(node.constantList(labels), classes, int64_t(0));
}

Value importer::pickBest(NodeBinder &node, Value scores, ArrayRef<int64_t> labels) {
  Value best = node.create<ArgMaxOp>(scores, int64_t(1), /*keepdims=*/false,
                                     /*select_last_index=*/false);
  return lookUp(node, best, labels);
}

Value importer::pickByLimit(NodeBinder &node, Value score, double limit, int64_t negative,
                            int64_t positive) {
  if (node.failed())
    return {};
  Value isAbove =
      node.create<GreaterOp>(score, node.constantScalar(limit, getElementType(score)));
  Value flat = node.create<SqueezeOp>(isAbove, ArrayRef<int64_t>{1});
  Value yes = node.asScalar(node.constantList({positive}));
  Value no = node.asScalar(node.constantList({negative}));
  return node.create<WhereOp>(flat, yes, no);
}
