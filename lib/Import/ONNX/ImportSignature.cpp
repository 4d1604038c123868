//===- ImportSignature.cpp - inputs and outputs of an ONNX model ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Importer.h"
#include "OnnxLibrary.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// The name of a symbolic dimension; empty for unknown ones, for which exporters have
/// many spellings.
static StringRef getSymbol(const onnx::TensorShapeProto::Dimension &dim) {
  StringRef name = dim.has_dim_param() ? StringRef(dim.dim_param()) : "";
  int64_t number;
  bool isNegative = !name.getAsInteger(10, number) && number < 0;
  return name == "?" || isNegative ? "" : name;
}

std::optional<int64_t> Importer::getSetDim(StringRef input, int64_t index,
                                           StringRef symbol) {
  auto find = [&](const std::string &key) -> std::optional<int64_t> {
    auto it = options.setDims.find(key);
    if (it == options.setDims.end())
      return std::nullopt;
    usedSetDims.insert(key);
    return it->second;
  };
  std::optional<int64_t> bySymbol, byIndex;
  if (!symbol.empty()) {
    bySymbol = find(symbol.str());
    auto it = symbolSizes.find(symbol);
    if (!bySymbol && it != symbolSizes.end())
      bySymbol = it->second;
  }
  byIndex = find((input + ":" + Twine(index)).str());
  if (bySymbol && byIndex && *bySymbol != *byIndex) {
    NodeInfo info;
    info.name = input.str();
    reportProblem(info, "options give a dimension one size",
                  Twine(*bySymbol) + " and " + Twine(*byIndex), "",
                  Remedy::FixOption);
  }
  return bySymbol ? bySymbol : byIndex;
}

Type Importer::readElementType(StringRef input, const onnx::TypeProto &type) {
  int32_t number = type.tensor_type().elem_type();
  Type elementType = getTensorElementType(&context, number);
  NodeInfo info;
  info.name = input.str();
  if (!elementType)
    reportProblem(info, "the input's element type is supported", getDataTypeName(number),
                  getAcceptedTypes(), Remedy::ConvertType);
  return elementType;
}

RankedTensorType Importer::readInputType(StringRef input, const onnx::TypeProto &type,
                                         SmallVectorImpl<std::string> &names) {
  NodeInfo info;
  info.name = input.str();
  if (!type.has_tensor_type()) {
    StringRef seen = type.has_sequence_type()        ? "a sequence of sequences"
                     : type.has_optional_type()      ? "an optional within another type"
                     : type.has_map_type()           ? "a map of other values"
                     : type.has_sparse_tensor_type() ? "a sparse tensor"
                                                     : "no type";
    reportProblem(info, "the model's input is a tensor, a map, a sequence of tensors, "
                        "or an optional one", seen, "", Remedy::ChangeForm);
    return {};
  }
  Type elementType = readElementType(input, type);
  if (!elementType)
    return {};
  if (!type.tensor_type().has_shape()) {
    reportProblem(info, "the input's rank is known",
                  "input '" + input + "' has no shape", "", Remedy::GiveShape,
                  "declare the shape of input '" + input +
                      "' in the model; dimensions may be unknown, but their "
                      "number must be given");
    return {};
  }
  SmallVector<int64_t> shape;
  for (const auto &dim : type.tensor_type().shape().dim()) {
    int64_t index = shape.size();
    int64_t size = dim.has_dim_value() && dim.dim_value() >= 0
                       ? dim.dim_value()
                       : ShapedType::kDynamic;
    StringRef symbol = ShapedType::isDynamic(size) ? getSymbol(dim) : "";
    if (!symbol.empty())
      symbols.insert(symbol);
    if (std::optional<int64_t> set = getSetDim(input, index, symbol)) {
      if (!ShapedType::isDynamic(size) && size != *set)
        reportProblem(info, "options agree with the model",
                      "dimension " + Twine(index) + " set to " + Twine(*set),
                      Twine(size), Remedy::FixOption);
      else
        size = *set;
      symbol = "";
    }
    shape.push_back(size);
    names.push_back(symbol.str());
  }
  if (!isReasonableShape(shape)) {
    reportProblem(info, "the input's size is not absurd",
                  "more than 2^40 elements", "");
    return {};
  }
  return RankedTensorType::get(shape, elementType);
}

static ArrayAttr getDimNames(Builder &builder, ArrayRef<std::string> names) {
  SmallVector<Attribute> attributes;
  for (const std::string &name : names)
    attributes.push_back(builder.getStringAttr(name));
  return builder.getArrayAttr(attributes);
}

/// The attributes of an argument or result of @main: of a tensor, or of a part of a
/// sequence or optional (see nnrt.h). The lists of a map are tensors of their own.
static NamedAttrList describeTensor(Builder &builder, StringRef name, StringRef part,
                                    ArrayRef<std::string> dimNames) {
  NamedAttrList attributes;
  if (part.empty()) {
    attributes.set("nn.name", builder.getStringAttr(name));
  } else {
    attributes.set("nn.name", builder.getStringAttr(name + "." + part));
  }
  if (!part.empty() && part != "keys" && part != "values") {
    attributes.set("nn.value", builder.getStringAttr(name));
    attributes.set("nn.part", builder.getStringAttr(part));
  }
  if (llvm::any_of(dimNames, [](const std::string &name) { return !name.empty(); }))
    attributes.set("nn.dim_names", getDimNames(builder, dimNames));
  return attributes;
}

void Importer::importInputs(func::FuncOp main, Scope &scope) {
  Builder builder(&context);
  // An option for "input:index" holds for all dimensions of the same symbol.
  for (const auto &input : model.graph().input()) {
    const auto &dims = input.type().tensor_type().shape().dim();
    for (int i = 0, e = dims.size(); i < e; ++i) {
      auto it = options.setDims.find(input.name() + ":" + std::to_string(i));
      StringRef symbol = getSymbol(dims.Get(i));
      if (it != options.setDims.end() && !symbol.empty())
        symbolSizes.try_emplace(symbol, it->second);
    }
  }

  llvm::StringSet<> seen;
  for (const auto &input : model.graph().input()) {
    NodeInfo info;
    info.name = input.name();
    if (input.name().empty() || !seen.insert(input.name()).second) {
      reportProblem(info, "inputs have names of their own",
                    input.name().empty() ? "none" : "the name of another input",
                    "");
      continue;
    }
    // Up to IR version 3 weights are inputs too; the others are defaults, which
    // nobody can change in a compiled model.
    if (scope.values.count(input.name()))
      continue;
    scope.values[input.name()].value = importInput(main, input);
  }
}

Value Importer::importInput(func::FuncOp main, const onnx::ValueInfoProto &input) {
  Builder builder(&context);
  Location location = NameLoc::get(builder.getStringAttr(input.name()));
  /// The argument for the input, or for a part of it.
  auto add = [&](RankedTensorType type, ArrayRef<std::string> names, StringRef part) -> Value {
    unsigned index = main.getNumArguments();
    NamedAttrList attributes = describeTensor(builder, input.name(), part, names);
    if (failed(main.insertArgument(index, type, attributes.getDictionary(&context), location)))
      return {};
    state.shapes.nameDims(main.getArgument(index), names);
    return main.getArgument(index);
  };
  const onnx::TypeProto *type = &input.type();
  if (type->has_map_type() && type->map_type().value_type().has_tensor_type()) {
    // As many keys as values.
    std::vector<std::string> size = {input.name() + ".size"};
    onnx::TypeProto key;
    key.mutable_tensor_type()->set_elem_type(type->map_type().key_type());
    auto addList = [&](const onnx::TypeProto &element, StringRef part) -> Value {
      Type elementType = readElementType(input.name(), element);
      if (!elementType)
        return {};
      return add(RankedTensorType::get(ShapedType::kDynamic, elementType), size, part);
    };
    Value keys = addList(key, "keys"), values = addList(type->map_type().value_type(), "values");
    return keys && values ? state.structured.make(state, location, MapValue{keys, values})
                          : Value();
  }
  Structure structure;
  structure.isOptional = type->has_optional_type();
  if (structure.isOptional)
    type = &type->optional_type().elem_type();
  SmallVector<std::string> names;
  RankedTensorType tensorType;
  if (type->has_sequence_type() && type->sequence_type().elem_type().has_tensor_type()) {
    const onnx::TypeProto &item = type->sequence_type().elem_type();
    structure.kind = Structure::Packed;
    structure.elementType = readElementType(input.name(), item);
    structure.rank = item.tensor_type().has_shape()
                      ? ItemRank(item.tensor_type().shape().dim_size())
                      : ItemRank::unknown();
  } else {
    tensorType = readInputType(input.name(), *type, names);
  }
  if (!tensorType && !structure.elementType)
    return {};
  if (tensorType && !structure.isOptional)
    return add(tensorType, names, "");

  // Without names of dimensions, because an absent value does not have these sizes.
  SmallVector<Value> parts;
  int64_t any = ShapedType::kDynamic;
  auto addPart = [&](StringRef part, ArrayRef<int64_t> shape, Type elementType) {
    parts.push_back(add(RankedTensorType::get(shape, elementType),
                        SmallVector<std::string>(shape.size()), part));
  };
  if (structure.isOptional)
    addPart("present", {}, builder.getI1Type());
  if (tensorType) {
    addPart("value", tensorType.getShape(), tensorType.getElementType());
  } else {
    addPart("elements", {any}, structure.elementType);
    addPart("sizes", {any}, builder.getI64Type());
    addPart("items", {any, 2}, builder.getI64Type());
  }
  ArrayRef<Value> tensors = parts;
  return importer::putTogether(state, location, structure, tensors);
}

void Importer::checkSetDims() {
  for (const auto &[key, size] : options.setDims) {
    NodeInfo info;
    info.name = key;
    if (size < 0) {
      reportProblem(info, "sizes are not negative", Twine(size), "",
                    Remedy::FixOption);
    } else if (!usedSetDims.contains(key)) {
      SmallVector<std::string> known;
      for (const auto &entry : symbols)
        known.push_back(entry.getKey().str());
      llvm::sort(known);
      for (const auto &input : model.graph().input())
        if (input.type().tensor_type().shape().dim_size())
          known.push_back(input.name() + ":0 ... " +
                          std::to_string(
                              input.type().tensor_type().shape().dim_size() - 1));
      if (known.size() > 20)
        known.resize(20);
      reportProblem(info, "--set-dim names a dimension of an input", "'" + key + "'",
                    llvm::join(known, ", "), Remedy::FixOption);
    }
  }
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

void Importer::addResult(Value value, const onnx::ValueInfoProto &output, StringRef part,
                         SmallVectorImpl<Value> &results,
                         SmallVectorImpl<DictionaryAttr> &attributes) {
  Builder builder(&context);
  SmallVector<std::string> names(cast<RankedTensorType>(value.getType()).getRank());
  const auto &declared = output.type().tensor_type().shape();
  bool isHint = part.empty() && output.type().tensor_type().has_shape() &&
                declared.dim_size() == int(names.size());
  contradictsOutputs |=
      part.empty() && output.type().tensor_type().has_shape() && !isHint;
  // First names that are proven, then those that the model declares.
  for (size_t i = 0; i < names.size(); ++i) {
    if (!cast<RankedTensorType>(value.getType()).isDynamicDim(i))
      continue;
    names[i] = state.shapes.getDimName(value, i).str();
    if (names[i].empty() && isHint && !symbols.contains(getSymbol(declared.dim(i))))
      names[i] = getSymbol(declared.dim(i)).str();
  }
  NamedAttrList attrs = describeTensor(builder, output.name(), part, names);
  Operation *op = value.getDefiningOp();
  if (op && !op->hasAttr("nn.origin"))
    op->setAttr("nn.origin", builder.getArrayAttr(OriginAttr::get(
                                 &context, cast<OpResult>(value).getResultNumber(),
                                 cast<StringAttr>(attrs.get("nn.name")), {})));
  attributes.push_back(attrs.getDictionary(&context));
  results.push_back(value);
}

void Importer::importOutput(Value value, const onnx::ValueInfoProto &output,
                            SmallVectorImpl<Value> &results,
                            SmallVectorImpl<DictionaryAttr> &attributes) {
  NodeInfo info;
  info.name = output.name();
  Location location = value.getLoc();
  // A loop that carries an optional may end with its value.
  const OptionalValue *optional = state.structured.getOptional(value);
  if (optional && output.type().has_sequence_type()) {
    Value holds =
        tensor::ExtractOp::create(state.builder, location, optional->isPresent, ValueRange());
    cf::AssertOp::create(state.builder, location, holds,
                         "output '" + output.name() + "' is a sequence, which is missing");
    value = optional->content;
  }
  Structure structure = Structure::of(state, value).withoutLists();
  SmallVector<Value> parts;
  if (!takeApart(value, structure, info, location, parts))
    return;
  for (auto [part, name] : llvm::zip(parts, structure.getPartNames()))
    addResult(part, output, name, results, attributes);
}

void Importer::importOutputs(func::FuncOp main, Scope &scope) {
  Builder builder(&context);
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> attributes;
  llvm::StringSet<> seen;
  for (const auto &output : model.graph().output()) {
    NodeInfo info;
    info.name = output.name();
    if (!seen.insert(output.name()).second) {
      reportProblem(info, "outputs have names of their own",
                    "the name of another output", "");
      continue;
    }
    if (!scope.values.count(output.name())) {
      reportProblem(info, "something produces the model's output",
                    "nothing of this name", "");
      continue;
    }
    Value value = getValue(output.name(), scope);
    if (!value) // Reported where it should have been made.
      continue;
    importOutput(value, output, results, attributes);
  }
  if (model.graph().output_size() == 0)
    reportProblem({}, "the model has an output", "none", "");

  func::ReturnOp::create(state.builder, main.getLoc(), results);
  main.setType(builder.getFunctionType(main.getArgumentTypes(),
                                       ValueRange(results).getTypes()));
  for (auto [index, attrs] : llvm::enumerate(attributes))
    main.setResultAttrs(index, attrs);
}
