//===- Preprocessing.cpp - import of ai.onnx.ml's operators on features ---===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Scores.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// 1 above a threshold, else 0.
static LogicalResult importBinarizer(NodeBinder &node) {
  Value input;
  float threshold;
  if (node.onlyOperand(input).attr("threshold", threshold, 0.0f).failed())
    return failure();
  Type type = getElementType(input);
  double limit = isa<FloatType>(type) ? threshold : std::floor(threshold);
  Value isAbove = node.create<GreaterOp>(input, node.constantScalar(limit, type));
  return node.replaceWith<CastOp>(isAbove, type);
}

template <typename T> static SmallVector<double> widen(ArrayRef<T> numbers) {
  return SmallVector<double>(numbers.begin(), numbers.end());
}

/// Numbers for all features, or for each one, as a tensor that broadcasts to the input.
static Value makePerFeature(NodeBinder &node, Value &input, ArrayRef<double> numbers,
                            StringRef attribute) {
  if (node.require(!numbers.empty(), "attribute '" + attribute + "' is given", "none", "")
          .failed())
    return {};
  if (numbers.size() == 1)
    return makeTable(node, numbers, {}, getElementType(input));
  input = fixFeatures(node, input, numbers.size());
  return node.failed() ? Value()
                       : makeTable(node, numbers, {int64_t(numbers.size())},
                                   getElementType(input));
}

/// `(x - offset) * scale`, as f32.
static LogicalResult importScaler(NodeBinder &node) {
  Value input;
  SmallVector<float> scale, offset;
  if (node.onlyOperand(input).attr("scale", scale).attr("offset", offset).failed())
    return failure();
  input = castTo(node, input, getComputedType(getElementType(input)));
  Value shift = makePerFeature(node, input, widen(ArrayRef(offset)), "offset");
  Value factor = makePerFeature(node, input, widen(ArrayRef(scale)), "scale");
  if (node.failed())
    return failure();
  Value scaled = node.create<MulOp>(node.create<SubOp>(input, shift), factor);
  return node.setOutput(castTo(node, scaled, Float32Type::get(node.getContext())));
}

/// Each row divided by its norm; rows of norm 0 stay. MAX is the largest number, not the
/// largest absolute one.
static LogicalResult importNormalizer(NodeBinder &node) {
  Value input;
  std::string norm;
  if (node.onlyOperand(input).attr("norm", norm, "MAX", {"MAX", "L1", "L2"})
          .require(input && getType(input).getRank() >= 1, "the input has features",
                   "a scalar", "rank 1 or 2").failed())
    return failure();
  Type f32 = Float32Type::get(node.getContext());
  input = castTo(node, input, f32);
  const int64_t axis = -1;
  Value size = norm == "MAX"  ? node.create<ReduceMaxOp>(input, ArrayRef(axis), true)
               : norm == "L1" ? node.create<ReduceL1Op>(input, ArrayRef(axis), true)
                              : node.create<ReduceL2Op>(input, ArrayRef(axis), true);
  Value isZero = node.create<EqualOp>(size, node.constantScalar(0, f32));
  Value one = node.constantScalar(1, f32);
  return node.replaceWith<DivOp>(input, node.create<WhereOp>(isZero, one, size));
}

/// Replaces a number (or NaN) by those of attributes.
static LogicalResult importImputer(NodeBinder &node) {
  Value input;
  SmallVector<float> floats;
  SmallVector<int64_t> integers;
  float replacedFloat;
  int64_t replacedInt;
  if (node.onlyOperand(input).attr("imputed_value_floats", floats)
          .attr("imputed_value_int64s", integers)
          .attr("replaced_value_float", replacedFloat, 0.0f)
          .attr("replaced_value_int64", replacedInt, 0).failed())
    return failure();
  Type type = getElementType(input);
  bool isFloat = isa<FloatType>(type);
  Value numbers =
      isFloat ? makePerFeature(node, input, widen(ArrayRef(floats)), "imputed_value_floats")
              : makePerFeature(node, input, widen(ArrayRef(integers)), "imputed_value_int64s");
  if (node.failed())
    return failure();
  double replaced = isFloat ? double(replacedFloat) : double(replacedInt);
  Value isReplaced =
      std::isnan(replaced)
          ? node.create<IsNaNOp>(input)
          : node.create<EqualOp>(input, node.constantScalar(replaced, type));
  return node.replaceWith<WhereOp>(isReplaced, numbers, input);
}

/// A new last dimension with 1 at the place of the category, else 0. Floats are truncated.
static LogicalResult importOneHotEncoder(NodeBinder &node) {
  Value input;
  SmallVector<int64_t> categories;
  SmallVector<std::string> strings;
  bool mayBeUnknown;
  if (node.onlyOperand(input).attr("cats_int64s", categories).attr("cats_strings", strings)
          .attr("zeros", mayBeUnknown, true).failed())
    return failure();
  bool areStrings = !strings.empty();
  if (node.require(!areStrings || categories.empty(),
                   "categories are numbers or strings", "both", "")
          .require(holdsStrings(input) == areStrings, "categories have the type of the input",
                   areStrings ? "strings" : "numbers", show(input.getType()),
                   Remedy::ConvertType).failed())
    return failure();
  if (areStrings)
    categories = node.getNumbers(strings);
  SmallVector<int64_t> sorted(categories);
  llvm::sort(sorted);
  if (node.require(!categories.empty() && std::adjacent_find(sorted.begin(), sorted.end()) ==
                                              sorted.end(),
                   "attributes 'cats_int64s' and 'cats_strings' have different categories",
                   categories.empty() ? "none" : "a category twice", "").failed())
    return failure();
  Value expanded = node.create<UnsqueezeOp>(
      areStrings ? node.numbersOf(input) : node.asInt64(input), ArrayRef<int64_t>{-1});
  Value isCategory = node.create<EqualOp>(expanded, node.constantList(categories));
  Value result = node.create<CastOp>(isCategory, Float32Type::get(node.getContext()));
  if (!mayBeUnknown && !node.failed()) {
    Value known = node.create<ReduceSumOp>(result, ArrayRef<int64_t>{-1}, /*keepdims=*/false);
    Value all = node.create<ReduceMinOp>(flatten(node, known), ArrayRef<int64_t>{0},
                                         /*keepdims=*/false);
    Value zero = node.constantScalar(0, Float32Type::get(node.getContext()));
    node.checkAtRun(node.create<GreaterOp>(all, zero), "has an input of no category");
  }
  return node.setOutput(result);
}

/// Joins rows of features, of each operand as many as 'inputdimensions' says: the first
/// ones, with zeros behind them if there are not so many.
static LogicalResult importFeatureVectorizer(NodeBinder &node) {
  SmallVector<Value> inputs;
  SmallVector<int64_t> counts;
  if (node.allOperands(inputs).attr("inputdimensions", counts)
          .require(counts.empty() || counts.size() == inputs.size(),
                   "attribute 'inputdimensions' has an entry for each operand",
                   Twine(counts.size()), Twine(inputs.size())).failed())
    return failure();
  Type f32 = Float32Type::get(node.getContext());
  SmallVector<Value> parts;
  for (auto [index, input] : llvm::enumerate(inputs)) {
    if (node.failed() || node.require(getType(input).getRank() > 0,
                                      "operands have features", "a scalar", "").failed())
      return failure();
    Value rows = getType(input).getRank() > 2
                     ? node.create<FlattenOp>(castTo(node, input, f32), int64_t(1))
                     : asRows(node, input, f32);
    if (node.failed())
      return failure();
    int64_t size = getLastSize(rows);
    int64_t count = counts.empty() ? size : counts[index];
    if (node.require(count >= 0 || counts.empty(), "numbers of features are not negative",
                     Twine(count), "").failed())
      return failure();
    if (count != size && (size < count || ShapedType::isDynamic(size))) {
      // As many zeros as there may have to be.
      int64_t missing = ShapedType::isDynamic(size) ? count : count - size;
      Value shape = node.create<ConcatOp>(
          SmallVector<Value>{getDimList(node, rows, 0), node.constantList({missing})}, 0);
      Value zeros = makeFilled(node, shape, 0, f32);
      rows = node.create<ConcatOp>(SmallVector<Value>{rows, zeros}, 1);
    }
    parts.push_back(count == size ? rows : takeColumns(node, rows, 0, count));
  }
  return node.replaceWith<ConcatOp>(parts, 1);
}

/// Entries of the last dimension; of a list, as a matrix of one row.
static LogicalResult importArrayFeatureExtractor(NodeBinder &node) {
  Value input, indices;
  if (node.bothOperands(input, indices).failed())
    return failure();
  if (getType(input).getRank() == 1)
    input = node.create<UnsqueezeOp>(input, ArrayRef<int64_t>{0});
  indices = flatten(node, indices);
  if (!indices)
    return failure();
  return node.replaceWith<GatherOp>(input, indices, -1);
}

void importer::registerMLPreprocessing(Registry &r) {
  r.onOp(classicalML, "ArrayFeatureExtractor", 1, importArrayFeatureExtractor);
  r.onOp(classicalML, "Binarizer", 1, importBinarizer);
  r.onOp(classicalML, "FeatureVectorizer", 1, importFeatureVectorizer);
  r.onOp(classicalML, "Imputer", 1, importImputer);
  r.onOp(classicalML, "Normalizer", 1, importNormalizer);
  r.onOp(classicalML, "OneHotEncoder", 1, importOneHotEncoder);
  r.onOp(classicalML, "Scaler", 1, importScaler);
}
