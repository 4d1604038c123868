//===- Labels.cpp - import of LabelEncoder and ZipMap ---------------------===//
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
// LabelEncoder
//===----------------------------------------------------------------------===//

static HostTensor makeFloats(ArrayRef<float> numbers) {
  HostTensor tensor = HostTensor::allocate(DataType::Float32, {int64_t(numbers.size())});
  llvm::copy(numbers, tensor.getMutable<float>().begin());
  return tensor;
}

/// Reads the list in attribute PREFIXfloats, PREFIXint64s or PREFIXtensor, which has to be
/// there if `isRequired`. Reports strings, and lists in several attributes.
static NodeBinder &bindNumbers(NodeBinder &node, StringRef prefix, HostTensor &numbers) {
  SmallVector<float> floats;
  SmallVector<int64_t> integers;
  SmallVector<std::string> strings;
  ElementsAttr attr;
  std::string name = prefix.str();
  node.attr(name + "floats", floats).attr(name + "int64s", integers)
      .attr(name + "strings", strings).tensorAttr(name + "tensor", attr);
  bool isTensorOfStrings = false;
  if (attr && !node.failed()) {
    FailureOr<HostTensor> tensor = toHostTensor(attr);
    isTensorOfStrings = failed(tensor) || tensor->getType() == DataType::String;
    if (!isTensorOfStrings)
      numbers = *tensor;
  }
  if (!strings.empty() || isTensorOfStrings) {
    (void)node.fail("keys and values are numbers",
                    "strings in attribute '" + name + (attr ? "tensor'" : "strings'"), "",
                    Remedy::ChangeForm,
                    "strings are not supported: encode them outside of the model");
    return node;
  }
  int given = !floats.empty() + !integers.empty() + bool(attr);
  node.require(given == 1, "keys and values are given once",
               Twine(given) + " attributes '" + name + "...'", "1");
  if (!floats.empty())
    numbers = makeFloats(floats);
  else if (!integers.empty())
    numbers = HostTensor::list(integers);
  return node;
}

/// What unknown keys become, as the type of `values`.
static NodeBinder &bindDefault(NodeBinder &node, const HostTensor &values,
                               HostTensor &otherwise) {
  ElementsAttr attr;
  std::string unused;
  float real;
  int64_t integer;
  node.attr("default_float", real, -0.0f).attr("default_int64", integer, -1)
      .attr("default_string", unused, "").tensorAttr("default_tensor", attr);
  if (node.failed())
    return node;
  otherwise = HostTensor::allocate(values.getType(), {});
  FailureOr<HostTensor> tensor = attr ? toHostTensor(attr) : FailureOr<HostTensor>(failure());
  if (attr && node.require(succeeded(tensor) && tensor->getNumElements() == 1 &&
                               tensor->getType() == values.getType(),
                           "attribute 'default_tensor' is one number of the values' type",
                           show(attr.getType()), formatType(values.getType(), {1})).failed())
    return node;
  bool isReal = isFloat(values.getType());
  if (attr && !isReal)
    otherwise.setInt(0, tensor->getInt(0));
  else if (!isReal)
    otherwise.setInt(0, integer);
  else
    otherwise.setDouble(0, attr ? tensor->getDouble(0) : double(real));
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

/// By a binary search in all elements at once.
static LogicalResult importLabelEncoder(NodeBinder &node) {
  Value input;
  HostTensor givenKeys, givenValues, defaultValue;
  node.onlyOperand(input);
  bindNumbers(node, "keys_", givenKeys);
  bindNumbers(node, "values_", givenValues);
  if (node.failed() || bindDefault(node, givenValues, defaultValue)
          .require(givenKeys.getNumElements() == givenValues.getNumElements(),
                   "each key has a value", Twine(givenKeys.getNumElements()) + " keys",
                   Twine(givenValues.getNumElements()))
          .require(getDataType(getElementType(input)) == givenKeys.getType(),
                   "keys have the type of the input", formatType(givenKeys.getType(), {}),
                   show(getElementType(input))).failed())
    return failure();
  auto constant = [&](const HostTensor &tensor) {
    return node.constant(makeConstantAttr(node.getContext(), tensor));
  };
  Dictionary dictionary(givenKeys, givenValues);
  Value otherwise = constant(defaultValue);
  // Before version 4, NaN is no key.
  if (dictionary.valueOfNaN && node.getSinceVersion() >= 4)
    otherwise = node.create<WhereOp>(node.create<IsNaNOp>(input),
                                     constant(*dictionary.valueOfNaN), otherwise);
  if (!dictionary.keys.isValid())
    return node.replaceWith<ExpandOp>(otherwise, getShapeList(node, input));
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
  return node.replaceWith<WhereOp>(isFound, value, otherwise);
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
  r.onOp(classicalML, "LabelEncoder", 2, importLabelEncoder);
  r.onOp(classicalML, "ZipMap", 1, importZipMap);
}
