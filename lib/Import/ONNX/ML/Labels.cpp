//===- Labels.cpp - import of LabelEncoder, CategoryMapper, ZipMap --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Scores.h"
#include "nn/Support/Constants.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

//===----------------------------------------------------------------------===//
// LabelEncoder, CategoryMapper
//===----------------------------------------------------------------------===//

static HostTensor makeFloats(ArrayRef<float> numbers) {
  HostTensor tensor = HostTensor::allocate(DataType::Float32, {int64_t(numbers.size())});
  llvm::copy(numbers, tensor.getMutable<float>().begin());
  return tensor;
}

namespace {
/// Keys or values: numbers, or the numbers of strings.
struct Labels {
  HostTensor numbers;
  bool areStrings = false;

  std::string describeType() const {
    return areStrings ? "strings" : formatType(numbers.getType(), {});
  }
};
} // namespace

/// The elements of a tensor in an attribute.
static Labels readLabels(NodeBinder &node, ElementsAttr attr) {
  Labels labels;
  if (auto texts = dyn_cast<DenseStringElementsAttr>(Attribute(attr))) {
    SmallVector<int64_t> numbers;
    for (StringRef text : texts.getValues<StringRef>())
      numbers.push_back(node.getNumber(text));
    labels = {HostTensor::list(numbers), true};
  } else if (FailureOr<HostTensor> tensor = toHostTensor(attr); succeeded(tensor)) {
    labels.numbers = *tensor;
  }
  return labels;
}

/// Reads the list in attribute PREFIXfloats, PREFIXint64s, PREFIXstrings or PREFIXtensor,
/// which has to be there. Reports lists in several attributes.
static NodeBinder &bindLabels(NodeBinder &node, StringRef prefix, Labels &labels) {
  SmallVector<float> floats;
  SmallVector<int64_t> integers;
  SmallVector<std::string> strings;
  ElementsAttr attr;
  std::string name = prefix.str();
  node.attr(name + "floats", floats).attr(name + "int64s", integers)
      .attr(name + "strings", strings).tensorAttr(name + "tensor", attr);
  int given = !floats.empty() + !integers.empty() + !strings.empty() + bool(attr);
  if (node.require(given == 1, "keys and values are given once",
                   Twine(given) + " attributes '" + name + "...'", "1").failed())
    return node;
  if (!floats.empty())
    labels = {makeFloats(floats)};
  else if (!integers.empty())
    labels = {HostTensor::list(integers)};
  else if (!strings.empty())
    labels = {HostTensor::list(node.getNumbers(strings)), true};
  else
    labels = readLabels(node, attr);
  return node.require(labels.numbers.isValid(), "keys and values are numbers or strings",
                      "attribute '" + name + "tensor' of another type", "");
}

/// What unknown keys become, as the type of `values`.
static NodeBinder &bindDefault(NodeBinder &node, const Labels &values,
                               HostTensor &otherwise) {
  ElementsAttr attr;
  std::string text;
  float real;
  int64_t integer;
  node.attr("default_float", real, -0.0f).attr("default_int64", integer, -1)
      .attr("default_string", text, "_Unused").tensorAttr("default_tensor", attr);
  if (node.failed())
    return node;
  DataType type = values.numbers.getType();
  if (attr) {
    Labels given = readLabels(node, attr);
    otherwise = given.numbers;
    return node.require(otherwise.isValid() && otherwise.getNumElements() == 1 &&
                            otherwise.getType() == type &&
                            given.areStrings == values.areStrings,
                        "attribute 'default_tensor' is one element of the values' type",
                        show(attr.getType()), values.describeType());
  }
  otherwise = HostTensor::allocate(type, {1});
  if (values.areStrings)
    otherwise.setInt(0, node.getNumber(text));
  else if (isFloat(type))
    otherwise.setDouble(0, real);
  else
    otherwise.setInt(0, integer);
  return node;
}

namespace {
/// Keys in order, each once, with their values; as many as a power of two, the last one
/// repeated. Apart: the value of the key NaN, if there is one.
struct Dictionary {
  HostTensor keys, values;
  std::optional<HostTensor> valueOfNaN;

  Dictionary(const HostTensor &givenKeys, const HostTensor &givenValues);
};
} // namespace

static void copyElement(const HostTensor &from, int64_t source, HostTensor &to,
                        int64_t target) {
  if (isFloat(from.getType()))
    to.setDouble(target, from.getDouble(source));
  else
    to.setInt(target, from.getInt(source));
}

Dictionary::Dictionary(const HostTensor &givenKeys, const HostTensor &givenValues) {
  bool isReal = isFloat(givenKeys.getType());
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < givenKeys.getNumElements(); ++i) {
    if (!isReal || !std::isnan(givenKeys.getDouble(i))) {
      order.push_back(i);
    } else if (!valueOfNaN) {
      valueOfNaN = HostTensor::allocate(givenValues.getType(), {});
      copyElement(givenValues, i, *valueOfNaN, 0);
    }
  }
  auto isLess = [&](int64_t a, int64_t b) {
    return isReal ? givenKeys.getDouble(a) < givenKeys.getDouble(b)
                  : givenKeys.getInt(a) < givenKeys.getInt(b);
  };
  // Of equal keys, the first one counts.
  llvm::stable_sort(order, isLess);
  order.erase(std::unique(order.begin(), order.end(),
                          [&](int64_t a, int64_t b) { return !isLess(a, b); }),
              order.end());
  if (order.empty())
    return;
  order.resize(llvm::PowerOf2Ceil(order.size()), order.back());
  keys = HostTensor::allocate(givenKeys.getType(), {int64_t(order.size())});
  values = HostTensor::allocate(givenValues.getType(), {int64_t(order.size())});
  for (auto [target, source] : llvm::enumerate(order)) {
    copyElement(givenKeys, source, keys, target);
    copyElement(givenValues, source, values, target);
  }
}

/// The value of each element's key, by a binary search in all elements at once.
static LogicalResult lookUp(NodeBinder &node, Value input, const Labels &givenKeys,
                            const Labels &givenValues, const HostTensor &defaultValue) {
  bool isText = holdsStrings(input);
  if (node.require(givenKeys.numbers.getNumElements() == givenValues.numbers.getNumElements(),
                   "each key has a value", Twine(givenKeys.numbers.getNumElements()) + " keys",
                   Twine(givenValues.numbers.getNumElements()))
          .require(isText == givenKeys.areStrings &&
                       (isText || getDataType(getElementType(input)) ==
                                      givenKeys.numbers.getType()),
                   "keys have the type of the input", givenKeys.describeType(),
                   show(getElementType(input))).failed())
    return failure();
  if (isText)
    input = node.numbersOf(input);
  auto constant = [&](const HostTensor &tensor) {
    return node.constant(makeConstantAttr(node.getContext(), tensor));
  };
  auto give = [&](Value values) {
    return node.setOutput(givenValues.areStrings ? node.stringsOf(values) : values);
  };
  Dictionary dictionary(givenKeys.numbers, givenValues.numbers);
  Value otherwise = constant(defaultValue.withDims({}));
  // Before version 4, NaN is no key.
  if (dictionary.valueOfNaN && node.getSinceVersion() >= 4)
    otherwise = node.create<WhereOp>(node.create<IsNaNOp>(input),
                                     constant(*dictionary.valueOfNaN), otherwise);
  if (!dictionary.keys.isValid())
    return give(node.create<ExpandOp>(otherwise, getShapeList(node, input)));
  Value keys = constant(dictionary.keys), values = constant(dictionary.values);
  // The last key that is not above the element, or the first one.
  Type i32 = IntegerType::get(node.getContext(), 32);
  Value place;
  for (int64_t step = dictionary.keys.getNumElements() / 2; step > 0; step /= 2) {
    Value distance = node.constantScalar(double(step), i32);
    Value next = place ? node.create<AddOp>(place, distance) : distance;
    Value key = node.create<GatherOp>(keys, next, int64_t(0));
    Value isBelow = node.create<LessOrEqualOp>(key, input);
    Value stays = place ? place : node.constantScalar(0, i32);
    place = node.create<WhereOp>(isBelow, next, stays);
  }
  if (!place)
    place = node.constantScalar(0, i32);
  Value key = node.create<GatherOp>(keys, place, int64_t(0));
  Value value = node.create<GatherOp>(values, place, int64_t(0));
  Value isFound = node.create<EqualOp>(key, input);
  return give(node.create<WhereOp>(isFound, value, otherwise));
}

static LogicalResult importLabelEncoder(NodeBinder &node) {
  Value input;
  Labels keys, values;
  HostTensor otherwise;
  node.onlyOperand(input);
  bindLabels(node, "keys_", keys);
  bindLabels(node, "values_", values);
  if (node.failed() || bindDefault(node, values, otherwise).failed())
    return failure();
  return lookUp(node, input, keys, values, otherwise);
}

/// Between strings and integers, in the direction that the input says.
static LogicalResult mapCategories(NodeBinder &node, Value input, const Labels &texts,
                                   const Labels &integers) {
  bool isText = holdsStrings(input);
  const Labels &keys = isText ? texts : integers, &values = isText ? integers : texts;
  HostTensor otherwise;
  if (bindDefault(node, values, otherwise).failed())
    return failure();
  return lookUp(node, input, keys, values, otherwise);
}

/// The first version: a string is its place in a list.
static LogicalResult importLabelEncoder1(NodeBinder &node) {
  Value input;
  SmallVector<std::string> classes;
  if (node.onlyOperand(input).attr("classes_strings", classes)
          .require(!classes.empty(), "attribute 'classes_strings' is given", "none", "")
          .failed())
    return failure();
  return mapCategories(node, input, {HostTensor::list(node.getNumbers(classes)), true},
                       {HostTensor::list(llvm::to_vector(
                           llvm::seq<int64_t>(0, int64_t(classes.size()))))});
}

static LogicalResult importCategoryMapper(NodeBinder &node) {
  Value input;
  SmallVector<std::string> texts;
  SmallVector<int64_t> integers;
  if (node.onlyOperand(input).attr("cats_strings", texts).attr("cats_int64s", integers)
          .require(!texts.empty() && texts.size() == integers.size(),
                   "attributes 'cats_strings' and 'cats_int64s' have as many categories",
                   Twine(texts.size()) + " and " + Twine(integers.size()), "").failed())
    return failure();
  return mapCategories(node, input, {HostTensor::list(node.getNumbers(texts)), true},
                       {HostTensor::list(integers)});
}

//===----------------------------------------------------------------------===//
// ZipMap
//===----------------------------------------------------------------------===//

/// The matrix that ONNX makes a sequence of maps of.
static LogicalResult importZipMap(NodeBinder &node) {
  Value input;
  SmallVector<int64_t> integers;
  SmallVector<std::string> labels;
  if (node.onlyOperand(input).attr("classlabels_int64s", integers)
          .attr("classlabels_strings", labels).failed())
    return failure();
  for (int64_t label : integers)
    labels.push_back(std::to_string(label));
  if (labels.size() > 10) {
    labels.resize(10);
    labels.push_back("...");
  }
  node.warn("the result is a tensor", "a sequence of maps",
            "the output is the matrix of scores, with a row for each map and a column for each "
            "class, in this order: " + llvm::join(labels, ", "));
  return node.setOutput(asRows(node, input, getElementType(input)));
}

void importer::registerMLLabels(Registry &r) {
  r.onOp(classicalML, "CategoryMapper", 1, importCategoryMapper);
  r.onOp(classicalML, "LabelEncoder", 1, importLabelEncoder1);
  r.onOp(classicalML, "LabelEncoder", 2, importLabelEncoder);
  r.onOp(classicalML, "ZipMap", 1, importZipMap);
}
