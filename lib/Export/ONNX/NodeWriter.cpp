//===- NodeWriter.cpp - writes the nodes of one operation -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "NodeWriter.h"
#include "Exporter.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

/// The permutation to channels first, or back.
static SmallVector<int64_t> getPermutation(int64_t rank, bool toChannelsFirst) {
  SmallVector<int64_t> permutation{0};
  if (toChannelsFirst)
    permutation.push_back(rank - 1);
  for (int64_t i = toChannelsFirst ? 1 : 2, e = i + rank - 2; i < e; ++i)
    permutation.push_back(i);
  if (!toChannelsFirst)
    permutation.push_back(1);
  return permutation;
}

static int64_t getRank(Value value) {
  return cast<RankedTensorType>(value.getType()).getRank();
}

NodeWriter::NodeWriter(Exporter &exporter, Operation *op) : exporter(exporter), op(op) {
  auto spatial = dyn_cast<SpatialOpInterface>(op);
  isChannelsLast = spatial && spatial.getDataLayout() == Layout::ChannelsLast;
  if (!isChannelsLast)
    return;
  for (Value data : op->getOperands().take_front(spatial.getNumDataOperands()))
    transposed[data] = transpose(exporter.getName(data), getPermutation(getRank(data), true));
}

//===----------------------------------------------------------------------===//
// Operands and constants
//===----------------------------------------------------------------------===//

Name NodeWriter::get(Value value) {
  if (!value)
    return "";
  auto it = transposed.find(value);
  return it == transposed.end() ? exporter.getName(value) : it->second;
}

SmallVector<Name> NodeWriter::getOperands() {
  SmallVector<Name> names;
  std::optional<Attribute> sizes = op->getInherentAttr("operandSegmentSizes");
  if (!sizes || !*sizes) {
    for (Value operand : op->getOperands())
      names.push_back(get(operand));
    return names;
  }
  unsigned next = 0;
  for (int32_t size : cast<DenseI32ArrayAttr>(*sizes).asArrayRef()) {
    if (size == 0)
      names.emplace_back();
    for (; size > 0; --size)
      names.push_back(get(op->getOperand(next++)));
  }
  return names;
}

Name NodeWriter::constant(const HostTensor &tensor) {
  return exporter.addConstant(op, tensor);
}

Name NodeWriter::constant(ElementsAttr value) {
  return exporter.addConstant(op, value);
}

std::optional<HostTensor> NodeWriter::getConstant(Value value) {
  return value ? exporter.findConstant(get(value)) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

static StringRef getName(AutoPad pad) {
  switch (pad) {
  case AutoPad::NotSet:
    return "NOTSET";
  case AutoPad::SameUpper:
    return "SAME_UPPER";
  case AutoPad::SameLower:
    return "SAME_LOWER";
  case AutoPad::Valid:
    return "VALID";
  }
  llvm_unreachable("unknown padding");
}

void NodeWriter::addAttribute(Attributes &attributes, StringRef name, Attribute value) {
  if (!value)
    return;
  std::string key = name.str();
  if (name == "auto_pad") {
    attributes.push_back(
        MakeAttribute(key, ::getName(cast<AutoPadAttr>(value).getValue()).str()));
  } else if (isa<UnitAttr>(value)) {
    attributes.push_back(MakeAttribute(key, int64_t(1)));
  } else if (auto flag = dyn_cast<BoolAttr>(value)) {
    attributes.push_back(MakeAttribute(key, int64_t(flag.getValue())));
  } else if (auto number = dyn_cast<IntegerAttr>(value)) {
    attributes.push_back(MakeAttribute(key, number.getInt()));
  } else if (auto number = dyn_cast<FloatAttr>(value)) {
    attributes.push_back(MakeAttribute(key, float(number.getValueAsDouble())));
  } else if (auto text = dyn_cast<StringAttr>(value)) {
    attributes.push_back(MakeAttribute(key, text.str()));
  } else if (auto type = dyn_cast<TypeAttr>(value)) {
    attributes.push_back(
        MakeAttribute(key, int64_t(*getDataType(type.getValue()))));
  } else if (auto list = dyn_cast<DenseI64ArrayAttr>(value)) {
    if (!list.empty())
      attributes.push_back(
          MakeAttribute(key, std::vector<int64_t>(list.asArrayRef().vec())));
  } else {
    (void)fail("its attribute '" + name + "' has no form in ONNX");
  }
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

SmallVector<Name> NodeWriter::createMany(StringRef onnx, size_t numResults,
                                         ArrayRef<Name> operands, Attributes attributes) {
  SmallVector<Name> results;
  for (size_t i = 0; i < numResults; ++i)
    results.push_back(exporter.makeName(op, onnx));
  exporter.addNode(op, onnx, operands, results, std::move(attributes), /*isMain=*/false);
  return results;
}

Name NodeWriter::create(StringRef onnx, ArrayRef<Name> operands, Attributes attributes) {
  return createMany(onnx, 1, operands, std::move(attributes)).front();
}

Name NodeWriter::reshape(const Name &tensor, ArrayRef<int64_t> shape) {
  return create("Reshape", {tensor, list(shape)});
}

Name NodeWriter::transpose(const Name &tensor, ArrayRef<int64_t> permutation) {
  return create("Transpose", {tensor},
                {MakeAttribute("perm", std::vector<int64_t>(permutation.vec()))});
}

Name NodeWriter::unsqueeze(Value value, ArrayRef<int64_t> axes) {
  if (!value)
    return "";
  // `axes` are in ascending order.
  if (std::optional<HostTensor> tensor = getConstant(value)) {
    SmallVector<int64_t> dims(tensor->getDims());
    for (int64_t axis : axes)
      dims.insert(dims.begin() + axis, 1);
    return constant(tensor->withDims(dims));
  }
  return create("Unsqueeze", {get(value), list(axes)});
}

Name NodeWriter::squeeze(const Name &tensor, ArrayRef<int64_t> axes) {
  return create("Squeeze", {tensor, list(axes)});
}

Name NodeWriter::convert(const Name &tensor, Type elementType) {
  return create("Cast", {tensor}, {MakeAttribute("to", int64_t(*getDataType(elementType)))});
}

LogicalResult NodeWriter::replaceWith(StringRef onnx, ArrayRef<Name> operands,
                                      Attributes attributes) {
  return replaceWith(onnx, operands, std::move(attributes), "", 0);
}

LogicalResult NodeWriter::replaceWith(StringRef onnx, ArrayRef<Name> operands,
                                      Attributes attributes, StringRef domain,
                                      int64_t version) {
  SmallVector<Name> results, direct;
  for (OpResult result : op->getResults()) {
    results.push_back(exporter.makeName(result));
    // Only the data of spatial operations has channels.
    bool isTurned = isChannelsLast && getRank(result) > 2;
    direct.push_back(isTurned ? exporter.makeName(op, onnx) : results.back());
  }
  if (!domain.empty())
    exporter.addForeignNode(op, onnx, domain, version, operands, direct,
                            std::move(attributes));
  else if (!exporter.addNode(op, onnx, operands, direct, std::move(attributes),
                             /*isMain=*/true))
    return failure();
  for (auto [result, from, to] : llvm::zip(op->getResults(), direct, results))
    if (from != to) {
      auto permutation = getPermutation(getRank(result), false);
      exporter.addNode(
          op, "Transpose", {from}, {to},
          {MakeAttribute("perm", std::vector<int64_t>(permutation.begin(), permutation.end()))},
          /*isMain=*/false);
    }
  return success();
}

LogicalResult NodeWriter::setResult(const Name &name, unsigned index) {
  exporter.bind(op->getResult(index), name);
  return success();
}

LogicalResult NodeWriter::fail(const Twine &why) {
  return emitError(op->getLoc()) << "'" << op->getName()
                                 << "' cannot be written as ONNX: " << why.str();
}
