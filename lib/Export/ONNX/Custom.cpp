//===- Custom.cpp - nodes of domains that ONNX does not know --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Exporter.h"
#include "Registry.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

/// An attribute of nn.custom, all of which are those of ONNX nodes.
static FailureOr<onnx::AttributeProto> convert(const std::string &name, Attribute value) {
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return MakeAttribute(name, integer.getInt());
  if (auto number = dyn_cast<FloatAttr>(value))
    return MakeAttribute(name, float(number.getValueAsDouble()));
  if (auto text = dyn_cast<StringAttr>(value))
    return MakeAttribute(name, text.str());
  if (auto list = dyn_cast<DenseI64ArrayAttr>(value))
    return MakeAttribute(name, list.asArrayRef().vec());
  if (auto list = dyn_cast<DenseF32ArrayAttr>(value))
    return MakeAttribute(name, list.asArrayRef().vec());
  if (auto list = dyn_cast<ArrayAttr>(value)) {
    std::vector<std::string> texts;
    for (StringRef text : list.getAsValueRange<StringAttr>())
      texts.push_back(text.str());
    return MakeAttribute(name, texts);
  }
  FailureOr<HostTensor> tensor = toHostTensor(cast<ElementsAttr>(value));
  if (failed(tensor))
    return failure();
  onnx::TensorProto proto;
  proto.set_data_type(int32_t(tensor->getType()));
  for (int64_t size : tensor->getDims())
    proto.add_dims(size);
  proto.set_raw_data(Weights::getBytes(*tensor));
  return MakeAttribute(name, proto);
}

static LogicalResult writeCustom(CustomOp op, NodeWriter &writer) {
  auto [domain, name] = op.getDomainAndName();
  SmallVector<Name> operands;
  size_t next = 0, count = op.getInputs().size() + op.getAbsent().size();
  for (size_t place = 0; place < count; ++place)
    operands.push_back(llvm::is_contained(op.getAbsent(), int64_t(place))
                           ? Name()
                           : writer.get(op.getInputs()[next++]));
  Attributes attributes;
  if (DictionaryAttr parameters = op.getParametersAttr())
    for (NamedAttribute parameter : parameters) {
      FailureOr<onnx::AttributeProto> attribute =
          convert(parameter.getName().str(), parameter.getValue());
      if (failed(attribute))
        return writer.fail("a tensor among its attributes was released");
      attributes.push_back(*attribute);
    }
  StringRef foreign = domain == "ai.onnx" ? "" : domain;
  return writer.replaceWith(name, operands, std::move(attributes), foreign, op.getVersion());
}

void exporter::registerCustom(Registry &r) {
  r.onOp<CustomOp>("the node that it was", writeCustom);
}
