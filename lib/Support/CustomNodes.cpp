//===- CustomNodes.cpp - nodes that libraries of users compute ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/CustomNodes.h"
#include "mlir/IR/Builders.h"
#include "nn/Support/HostTensor.h"
#include "runtime/include/nnrt/custom_op.h"

using namespace mlir;
using namespace mlir::nn;

DictionaryAttr nn::getCustomNode(StringAttr function, StringAttr library,
                                 DictionaryAttr parameters) {
  NamedAttrList entries;
  entries.set("function", function);
  entries.set("library", library);
  if (parameters && !parameters.empty())
    entries.set("parameters", parameters);
  return entries.getDictionary(function.getContext());
}

/// False if a tensor was released.
static bool convert(Attribute value, nnrt::CustomAttribute &to) {
  if (auto integer = dyn_cast<IntegerAttr>(value)) {
    to.kind = NNRT_CUSTOM_INT;
    to.ints = {integer.getInt()};
  } else if (auto number = dyn_cast<FloatAttr>(value)) {
    to.kind = NNRT_CUSTOM_FLOAT;
    to.floats = {float(number.getValueAsDouble())};
  } else if (auto text = dyn_cast<StringAttr>(value)) {
    to.kind = NNRT_CUSTOM_STRING;
    to.strings = {text.str()};
  } else if (auto list = dyn_cast<DenseI64ArrayAttr>(value)) {
    to.kind = NNRT_CUSTOM_INTS;
    to.ints = list.asArrayRef().vec();
  } else if (auto list = dyn_cast<DenseF32ArrayAttr>(value)) {
    to.kind = NNRT_CUSTOM_FLOATS;
    to.floats = list.asArrayRef().vec();
  } else if (auto list = dyn_cast<ArrayAttr>(value)) {
    to.kind = NNRT_CUSTOM_STRINGS;
    for (StringRef text : list.getAsValueRange<StringAttr>())
      to.strings.push_back(text.str());
  } else {
    FailureOr<HostTensor> tensor = toHostTensor(cast<ElementsAttr>(value));
    if (failed(tensor))
      return false;
    to.kind = NNRT_CUSTOM_TENSOR;
    to.type = int32_t(tensor->getType());
    to.dims = tensor->getDims().vec();
    to.bytes.assign(static_cast<const char *>(tensor->getData()), tensor->getNumBytes());
  }
  return true;
}

FailureOr<nnrt::CustomNode> nn::toCustomNode(DictionaryAttr custom) {
  nnrt::CustomNode node;
  node.function = custom.getAs<StringAttr>("function").str();
  node.library = custom.getAs<StringAttr>("library").str();
  if (auto parameters = custom.getAs<DictionaryAttr>("parameters"))
    for (NamedAttribute parameter : parameters) {
      nnrt::CustomAttribute attribute;
      attribute.name = parameter.getName().str();
      if (!convert(parameter.getValue(), attribute))
        return failure();
      node.attributes.push_back(std::move(attribute));
    }
  return node;
}
