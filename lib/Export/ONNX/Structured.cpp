//===- Structured.cpp - sequences and optionals of a signature ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// nn has tensors only, so that the importer takes inputs and outputs of other kinds apart
// (docs/decisions/sequences-as-tensors.md). Here nodes take the inputs apart, and put the
// outputs together.
//
//===----------------------------------------------------------------------===//

#include "Exporter.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

struct Exporter::Structure {
  StringRef name;
  unsigned numParts = 0;
  bool isOptional = false, isSequence = false;
  RankedTensorType tensor;   ///< Of the content that is a tensor.
  DataType elementType = DataType::Undefined;

  /// The type of what an optional holds, or of the sequence.
  onnx::TypeProto getContent() const {
    if (!isSequence)
      return Exporter::getType(tensor);
    onnx::TypeProto type;
    type.mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type()->set_elem_type(
        int32_t(elementType));
    return type;
  }
  onnx::TypeProto getWhole() const {
    if (!isOptional)
      return getContent();
    onnx::TypeProto type;
    *type.mutable_optional_type()->mutable_elem_type() = getContent();
    return type;
  }
};

Exporter::Structure Exporter::getStructure(func::FuncOp main, bool isInput, unsigned first) {
  auto getAttribute = [&](unsigned index, StringRef name) -> StringAttr {
    unsigned count = isInput ? main.getNumArguments() : main.getNumResults();
    if (index >= count)
      return {};
    return isInput ? main.getArgAttrOfType<StringAttr>(index, name)
                   : main.getResultAttrOfType<StringAttr>(index, name);
  };
  Structure structure;
  StringAttr whole = getAttribute(first, "nn.value");
  structure.name = whole;
  for (unsigned i = first; getAttribute(i, "nn.value") == whole; ++i, ++structure.numParts) {
    auto type = cast<RankedTensorType>(isInput ? main.getArgumentTypes()[i]
                                               : main.getResultTypes()[i]);
    StringRef part = getAttribute(i, "nn.part").getValue();
    structure.isOptional |= part == "present";
    structure.isSequence |= part == "elements";
    if (part == "value")
      structure.tensor = type;
    if (part == "value" || part == "elements")
      structure.elementType = *getDataType(type.getElementType());
  }
  return structure;
}

Name Exporter::make(Operation *main, StringRef onnx, ArrayRef<Name> operands,
                    Attributes attributes, const onnx::TypeProto *type) {
  Name name = makeName(main, onnx);
  if (type)
    types[name] = getTypeName(*type);
  addNode(main, onnx, operands, {name}, std::move(attributes), /*isMain=*/false);
  return name;
}

static onnx::TypeProto makeType(DataType elementType, ArrayRef<int64_t> shape) {
  onnx::TypeProto type;
  type.mutable_tensor_type()->set_elem_type(int32_t(elementType));
  for (int64_t size : shape) {
    auto *dim = type.mutable_tensor_type()->mutable_shape()->add_dim();
    if (!ShapedType::isDynamic(size))
      dim->set_dim_value(size);
  }
  if (shape.empty())
    type.mutable_tensor_type()->mutable_shape();
  return type;
}

static constexpr int64_t unknown = ShapedType::kDynamic;

static onnx::AttributeProto getDataTypeAttribute(StringRef name, DataType type) {
  return MakeAttribute(name.str(), int64_t(type));
}

static onnx::AttributeProto alongAxis0() { return MakeAttribute("axis", int64_t(0)); }

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

unsigned Exporter::writeStructuredInput(func::FuncOp main, unsigned first) {
  Structure structure = getStructure(main, /*isInput=*/true, first);
  SmallVector<Value> tensors(main.getArguments().slice(first, structure.numParts));
  onnx::TypeProto contentType = structure.getContent();
  Name content = addInput(structure.getWhole(), structure.name);
  if (structure.isOptional) {
    Name optional = content, isPresent = make(main, "OptionalHasElement", {optional});
    bind(tensors[0], isPresent);
    tensors.erase(tensors.begin());
    onnx::GraphProto present, absent;
    nest(present, "then_branch", [&] {
      Name held = make(main, "OptionalGetElement", {optional}, {}, &contentType);
      return addOutputs(main, {held}, {contentType});
    });
    // What it is does not matter.
    nest(absent, "else_branch", [&] {
      Name nothing;
      if (structure.isSequence) {
        nothing = make(main, "SequenceEmpty", {},
                       {getDataTypeAttribute("dtype", structure.elementType)}, &contentType);
      } else {
        SmallVector<int64_t> dims(structure.tensor.getShape());
        llvm::replace(dims, unknown, int64_t(0));
        nothing = make(main, "Identity",
                       {addConstant(main, HostTensor::allocate(structure.elementType, dims))});
      }
      return addOutputs(main, {nothing}, {contentType});
    });
    content = make(main, "If", {isPresent},
                   {MakeAttribute("then_branch", present), MakeAttribute("else_branch", absent)},
                   &contentType);
  }
  if (structure.isSequence)
    takeApart(main, structure, content, tensors);
  else
    bind(tensors[0], content);
  return structure.numParts;
}

/// The items' elements, their dimensions, and of each item its rank and its number of
/// elements.
void Exporter::takeApart(Operation *main, const Structure &structure, const Name &sequence,
                         ArrayRef<Value> tensors) {
  auto none = [&](DataType type, ArrayRef<int64_t> dims) {
    return addConstant(main, HostTensor::allocate(type, dims));
  };
  auto append = [&](const Name &all, const Name &more) {
    return make(main, "Concat", {all, more}, {alongAxis0()});
  };
  onnx::TypeProto carried[] = {makeType(DataType::Bool, {}),
                             makeType(structure.elementType, {unknown}),
                             makeType(DataType::Int64, {unknown}),
                             makeType(DataType::Int64, {unknown, 2})};
  onnx::GraphProto body;
  nest(body, "body", [&] {
    Name number = addInput(makeType(DataType::Int64, {}), "iteration");
    Name goesOn = addInput(carried[0], "condition");
    Name elements = addInput(carried[1], "elements"), sizes = addInput(carried[2], "sizes");
    Name items = addInput(carried[3], "items");
    Name item = make(main, "SequenceAt", {sequence, number});
    Name list = make(main, "Reshape", {item, addConstant(main, HostTensor::list({-1}))});
    Name shape = make(main, "Shape", {item});
    Name row = append(make(main, "Shape", {shape}), make(main, "Shape", {list}));
    row = make(main, "Unsqueeze", {row, addConstant(main, HostTensor::list({0}))});
    return addOutputs(main,
                      {goesOn, append(elements, list), append(sizes, shape), append(items, row)},
                      carried);
  });
  SmallVector<Name> results{makeName(main, "elements"), makeName(main, "sizes"),
                            makeName(main, "items")};
  addNode(main, "Loop",
          {make(main, "SequenceLength", {sequence}), "", none(structure.elementType, {0}),
           none(DataType::Int64, {0}), none(DataType::Int64, {0, 2})},
          results, {MakeAttribute("body", body)}, /*isMain=*/false);
  for (auto [tensor, name, type] :
       llvm::zip(tensors, results, ArrayRef(carried).drop_front())) {
    types[name] = getTypeName(type);
    bind(tensor, name);
  }
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

unsigned Exporter::writeStructuredOutput(func::FuncOp main, unsigned first, const Name &name) {
  Structure structure = getStructure(main, /*isInput=*/false, first);
  Operation *end = main.getBody().front().getTerminator();
  SmallVector<Value> tensors(end->getOperands().slice(first, structure.numParts));
  onnx::TypeProto whole = structure.getWhole();
  addOutput(name, whole);
  ArrayRef<Value> content = ArrayRef(tensors).drop_front(structure.isOptional);
  Name held = structure.isSequence ? putTogether(main, structure, content)
                                   : getName(content.front());
  if (!structure.isOptional) {
    addNode(main, "Identity", {held}, {name}, {}, /*isMain=*/false);
    return structure.numParts;
  }
  onnx::GraphProto present, absent;
  nest(present, "then_branch", [&] {
    return addOutputs(main, {make(main, "Optional", {held}, {}, &whole)}, {whole});
  });
  nest(absent, "else_branch", [&] {
    Name nothing =
        make(main, "Optional", {}, {MakeAttribute("type", structure.getContent())}, &whole);
    return addOutputs(main, {nothing}, {whole});
  });
  addNode(main, "If", {getName(tensors[0])}, {name},
          {MakeAttribute("then_branch", present), MakeAttribute("else_branch", absent)},
          /*isMain=*/false);
  return structure.numParts;
}

Name Exporter::putTogether(Operation *main, const Structure &structure,
                           ArrayRef<Value> tensors) {
  Name elements = getName(tensors[0]), sizes = getName(tensors[1]), items = getName(tensors[2]);
  auto list = [&](ArrayRef<int64_t> values) {
    return addConstant(main, HostTensor::list(values));
  };
  // Carried: the sequence, and where the next item's elements and dimensions begin.
  onnx::TypeProto place = makeType(DataType::Int64, {1});
  onnx::TypeProto carried[] = {makeType(DataType::Bool, {}), structure.getContent(), place, place};
  onnx::GraphProto body;
  nest(body, "body", [&] {
    Name number = addInput(makeType(DataType::Int64, {}), "iteration");
    Name goesOn = addInput(carried[0], "condition"), before = addInput(carried[1], "sequence");
    Name firstElement = addInput(place, "element"), firstSize = addInput(place, "size");
    Name row = make(main, "Gather", {items, number});
    Name rank = make(main, "Slice", {row, list({0}), list({1})});
    Name count = make(main, "Slice", {row, list({1}), list({2})});
    Name lastElement = make(main, "Add", {firstElement, count});
    Name lastSize = make(main, "Add", {firstSize, rank});
    Name part = make(main, "Slice", {elements, firstElement, lastElement});
    Name shape = make(main, "Slice", {sizes, firstSize, lastSize});
    Name item =
        make(main, "Reshape", {part, shape}, {MakeAttribute("allowzero", int64_t(1))});
    Name after = make(main, "SequenceInsert", {before, item});
    return addOutputs(main, {goesOn, after, lastElement, lastSize}, carried);
  });
  Name length = make(main, "Shape", {items}, {MakeAttribute("end", int64_t(1))});
  Name empty = make(main, "SequenceEmpty", {},
                    {getDataTypeAttribute("dtype", structure.elementType)}, &carried[1]);
  SmallVector<Name> results{makeName(main, "sequence"), makeName(main, "element"),
                            makeName(main, "size")};
  for (auto [name, type] : llvm::zip(results, ArrayRef(carried).drop_front()))
    types[name] = getTypeName(type);
  addNode(main, "Loop",
          {make(main, "Squeeze", {length, list({0})}), "", empty, list({0}), list({0})}, results,
          {MakeAttribute("body", body)}, /*isMain=*/false);
  return results.front();
}
