//===- NodeBinder.cpp - what a handler sees of an ONNX node ---------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "NodeBinder.h"
#include "Core/Strings.h"
#include "OnnxLibrary.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;
using onnx::AttributeProto;

std::string importer::show(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

NodeBinder::NodeBinder(ImportState &state, const NodeInfo &info,
                       onnx::NodeProto &node, const onnx::OpSchema *schema,
                       ArrayRef<Value> operands, ArrayRef<bool> usedOutputs,
                       Location location, TriageReport &report,
                       ArrayRef<std::string> operandNames, PartImporter importPart)
    : state(state), info(info), node(node), schema(schema), operandNames(operandNames),
      operands(operands), usedOutputs(usedOutputs), location(location), report(report),
      importPart(importPart), outputs(usedOutputs.size()), takenOperands(operands.size()),
      takenAttrs(node.attribute_size()) {}

int64_t NodeBinder::getSinceVersion() const {
  return schema ? importer::getSinceVersion(*schema) : 1;
}

//===----------------------------------------------------------------------===//
// Reporting
//===----------------------------------------------------------------------===//

LogicalResult NodeBinder::fail(const Twine &constraint, const Twine &seen,
                               const Twine &accepted, Remedy remedy,
                               const Twine &advice) {
  if (!hasFailed)
    report.add({info, constraint.str(), seen.str(), accepted.str(), remedy,
                advice.str()});
  hasFailed = true;
  return failure();
}

NodeBinder &NodeBinder::require(bool holds, const Twine &constraint,
                                const Twine &seen, const Twine &accepted,
                                Remedy remedy) {
  if (hasFailed || holds)
    return *this;
  (void)fail(constraint, seen, accepted, remedy);
  if (remedy == Remedy::FixModel)
    report.markAsMisfit();
  return *this;
}

std::string NodeBinder::describeOperands() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(operands, os, [&](Value operand) {
    if (operand)
      os << operand.getType();
    else
      os << "none";
  });
  return text;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

int64_t NodeBinder::findOperand(StringRef name) const {
  ArrayRef<std::string> names = operandNames;
  if (names.empty() && schema)
    names = getOperandNames(*schema);
  auto it = llvm::find(names, name);
  return it == names.end() ? -1 : it - names.begin();
}

Value NodeBinder::takeTensor(int64_t index) {
  if (index < 0 || index >= int64_t(operands.size()))
    return {};
  takenOperands[index] = true;
  Value value = operands[index];
  if (!value || isa<RankedTensorType>(value.getType()))
    return value;
  (void)fail("operand " + Twine(index) + " is a tensor", state.structured.describe(value),
             "a tensor");
  return {};
}

NodeBinder &NodeBinder::optionalOperand(StringRef name, Value &value) {
  value = takeTensor(findOperand(name));
  return *this;
}

NodeBinder &NodeBinder::operand(StringRef name, Value &value,
                                StringRef alternative) {
  optionalOperand(name, value);
  if (!value && !alternative.empty())
    optionalOperand(alternative, value);
  if (!value && !hasFailed)
    (void)fail("operand '" + name + "' is given", "none", "");
  return *this;
}

NodeBinder &NodeBinder::onlyOperand(Value &value) {
  value = takeTensor(0);
  if (operands.size() != 1)
    value = {};
  return require(value != Value(), "the operator has one operand",
                 Twine(operands.size()), "1");
}

NodeBinder &NodeBinder::bothOperands(Value &lhs, Value &rhs) {
  bool fits = operands.size() == 2 && operands[0] && operands[1];
  require(fits, "the operator has two operands", Twine(operands.size()), "2");
  lhs = fits ? takeTensor(0) : Value();
  rhs = fits ? takeTensor(1) : Value();
  return *this;
}

NodeBinder &NodeBinder::allOperands(SmallVectorImpl<Value> &values) {
  values.clear();
  for (size_t index = 0; index < operands.size(); ++index)
    values.push_back(takeTensor(index));
  return require(!values.empty() && !llvm::is_contained(values, Value()),
                 "the operator has at least one operand, and no gaps",
                 describeOperands(), "");
}

NodeBinder &NodeBinder::eachOperand(SmallVectorImpl<Value> &values) {
  values.clear();
  for (size_t index = 0; index < operands.size(); ++index)
    values.push_back(takeTensor(index));
  return *this;
}

NodeBinder &NodeBinder::anyOperand(Value &value) {
  value = operands.empty() ? Value() : operands[0];
  if (!operands.empty())
    takenOperands[0] = true;
  return *this;
}

template <typename T>
NodeBinder &NodeBinder::structuredOperand(StringRef name,
                                          const T *(StructuredValues::*find)(Value) const,
                                          StringRef what, StringRef accepted, T &taken) {
  int64_t index = findOperand(name);
  Value value =
      index >= 0 && index < int64_t(operands.size()) ? operands[index] : Value();
  const T *found = (state.structured.*find)(value);
  require(found, "operand '" + name + "' is " + what,
          value ? state.structured.describe(value) : "none", accepted);
  if (hasFailed)
    return *this;
  takenOperands[index] = true;
  taken = *found;
  return *this;
}

NodeBinder &NodeBinder::sequenceOperand(StringRef name, SequenceValue &sequence) {
  return structuredOperand(name, &StructuredValues::getSequence, "a sequence", "a sequence",
                           sequence);
}

NodeBinder &NodeBinder::mapOperand(StringRef name, MapValue &map) {
  return structuredOperand(name, &StructuredValues::getMap, "a map, an input of the model", "",
                           map);
}

NodeBinder &
NodeBinder::constantInts(StringRef name,
                         std::optional<SmallVector<int64_t>> &values) {
  values = std::nullopt;
  Value operand;
  optionalOperand(name, operand);
  if (!operand) {
    if (const AttributeProto *attribute = take(name, AttributeProto::INTS))
      values = SmallVector<int64_t>(attribute->ints().begin(),
                                    attribute->ints().end());
    return *this;
  }
  if (hasFailed)
    return *this;
  auto type = cast<RankedTensorType>(operand.getType());
  if (!type.getElementType().isSignlessInteger(64) &&
      !type.getElementType().isSignlessInteger(32)) {
    std::string seen;
    llvm::raw_string_ostream(seen) << type;
    (void)fail("operand '" + name + "' is a list of integers", seen,
               "int32 or int64");
    return *this;
  }
  values = state.shapes.getConstantContents(operand);
  if (values)
    return *this;
  if (state.uncertain.contains(operand)) {
    hasFailed = true; // It may have been a constant, had all nodes been imported.
    return *this;
  }
  std::string seen;
  llvm::raw_string_ostream(seen) << "a value computed at run time, " << type;
  (void)fail("operand '" + name + "' is known at compile time", seen,
             "constants, and what follows from constants and static shapes",
             Remedy::MakeConstant);
  return *this;
}

NodeBinder &NodeBinder::ints(StringRef name,
                             std::optional<SmallVector<int64_t>> &values,
                             Value &computed) {
  return ints(name, values, computed, /*anyLength=*/false);
}

NodeBinder &NodeBinder::ints(StringRef name,
                             std::optional<SmallVector<int64_t>> &values,
                             Value &computed, bool anyLength) {
  computed = {};
  int64_t index = findOperand(name);
  Value operand =
      index >= 0 && index < int64_t(operands.size()) ? operands[index] : Value();
  if (!operand || !isa<RankedTensorType>(operand.getType()) ||
      state.shapes.getConstantContents(operand) || state.uncertain.contains(operand))
    return constantInts(name, values);
  values = std::nullopt;
  takenOperands[index] = true;
  auto type = cast<RankedTensorType>(operand.getType());
  bool isKnownLength = type.hasStaticShape();
  require(type.getRank() <= 1 && (isKnownLength || anyLength) &&
              isa<IntegerType>(type.getElementType()),
          anyLength ? "operand '" + name + "' is a list of integers"
                    : "operand '" + name + "' is a list of integers of known length",
          show(type), "", Remedy::MakeConstant);
  // Each of them generates code.
  constexpr int64_t most = 64;
  require(hasFailed || !isKnownLength || type.getNumElements() <= most,
          "operand '" + name + "' is a list of a few integers",
          hasFailed || !isKnownLength ? Twine() : Twine(type.getNumElements()),
          Twine(most) + " or less");
  if (hasFailed)
    return *this;
  computed = type.getRank() == 0 ? create<UnsqueezeOp>(operand, ArrayRef<int64_t>{0})
                                 : operand;
  computed = asInt64(computed);
  // An empty list is known.
  if (computed && isKnownLength && type.getNumElements() == 0) {
    values.emplace();
    computed = {};
  }
  return *this;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const AttributeProto *NodeBinder::find(StringRef name) const {
  for (const AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

static StringRef getTypeName(int type) {
  switch (type) {
  case AttributeProto::INT:
    return "an integer";
  case AttributeProto::FLOAT:
    return "a float";
  case AttributeProto::STRING:
    return "a string";
  case AttributeProto::TENSOR:
    return "a tensor";
  case AttributeProto::SPARSE_TENSOR:
    return "a sparse tensor";
  case AttributeProto::INTS:
    return "a list of integers";
  case AttributeProto::FLOATS:
    return "a list of floats";
  case AttributeProto::GRAPH:
    return "a graph";
  case AttributeProto::TYPE_PROTO:
    return "a type";
  default:
    return "of another type";
  }
}

/// The type of an attribute that does not declare it (as in IR version 1).
static int guessType(const AttributeProto &attribute) {
  if (attribute.has_i())
    return AttributeProto::INT;
  if (attribute.has_f())
    return AttributeProto::FLOAT;
  if (attribute.has_s())
    return AttributeProto::STRING;
  if (attribute.has_t())
    return AttributeProto::TENSOR;
  if (attribute.has_sparse_tensor())
    return AttributeProto::SPARSE_TENSOR;
  if (attribute.ints_size())
    return AttributeProto::INTS;
  if (attribute.floats_size())
    return AttributeProto::FLOATS;
  if (attribute.strings_size())
    return AttributeProto::STRINGS;
  return AttributeProto::UNDEFINED;
}

const AttributeProto *NodeBinder::take(StringRef name, int type) {
  for (int i = 0, e = node.attribute_size(); i < e; ++i) {
    const AttributeProto &attribute = node.attribute(i);
    if (attribute.name() != name)
      continue;
    takenAttrs[i] = true;
    int seen = attribute.type() ? int(attribute.type()) : guessType(attribute);
    bool isEmptyList = !seen && (type == AttributeProto::INTS ||
                                 type == AttributeProto::FLOATS ||
                                 type == AttributeProto::STRINGS);
    if (seen == type || isEmptyList)
      return &attribute;
    (void)fail("attribute '" + name + "' has the right type", getTypeName(seen),
               getTypeName(type));
    return nullptr;
  }
  return nullptr;
}

NodeBinder &NodeBinder::attr(StringRef name, int64_t &value, int64_t otherwise) {
  const AttributeProto *attribute = take(name, AttributeProto::INT);
  value = attribute ? attribute->i() : otherwise;
  return *this;
}

NodeBinder &NodeBinder::attr(StringRef name, bool &value, bool otherwise) {
  const AttributeProto *attribute = take(name, AttributeProto::INT);
  value = attribute ? attribute->i() != 0 : otherwise;
  return *this;
}

NodeBinder &NodeBinder::attr(StringRef name, float &value, float otherwise) {
  const AttributeProto *attribute = take(name, AttributeProto::FLOAT);
  value = attribute ? attribute->f() : otherwise;
  return *this;
}

NodeBinder &NodeBinder::attr(StringRef name, std::string &value,
                             StringRef otherwise) {
  const AttributeProto *attribute = take(name, AttributeProto::STRING);
  value = attribute ? attribute->s() : otherwise.str();
  return requireText(name, value);
}

NodeBinder &NodeBinder::requireText(StringRef name, StringRef value) {
  return require(nnrt::findInvalidUtf8(value) == value.size(),
                 "attribute '" + name + "' is UTF-8", "other bytes", "", Remedy::FixData);
}

NodeBinder &NodeBinder::attr(StringRef name, std::string &value,
                             StringRef otherwise, ArrayRef<StringRef> accepted) {
  attr(name, value, otherwise);
  return require(llvm::is_contained(accepted, value),
                 "attribute '" + name + "' has a supported value", value,
                 llvm::join(accepted, ", "), Remedy::ChangeForm);
}

NodeBinder &NodeBinder::attr(StringRef name, SmallVector<int64_t> &values) {
  values.clear();
  if (const AttributeProto *attribute = take(name, AttributeProto::INTS))
    values.assign(attribute->ints().begin(), attribute->ints().end());
  return *this;
}

NodeBinder &NodeBinder::attr(StringRef name, SmallVector<float> &values) {
  values.clear();
  if (const AttributeProto *attribute = take(name, AttributeProto::FLOATS))
    values.assign(attribute->floats().begin(), attribute->floats().end());
  return *this;
}

NodeBinder &NodeBinder::attr(StringRef name, SmallVector<std::string> &values) {
  values.clear();
  if (const AttributeProto *attribute = take(name, AttributeProto::STRINGS))
    values.assign(attribute->strings().begin(), attribute->strings().end());
  for (const std::string &value : values)
    requireText(name, value);
  return *this;
}

NodeBinder &NodeBinder::requiredAttr(StringRef name, int64_t &value) {
  if (!find(name) && !hasFailed)
    (void)fail("attribute '" + name + "' is given", "none", "");
  return attr(name, value, 0);
}

NodeBinder &NodeBinder::requiredAttr(StringRef name,
                                     SmallVector<int64_t> &values) {
  if (!find(name) && !hasFailed)
    (void)fail("attribute '" + name + "' is given", "none", "");
  return attr(name, values);
}

NodeBinder &NodeBinder::optionalAttr(StringRef name,
                                     std::optional<int64_t> &value) {
  value = std::nullopt;
  if (const AttributeProto *attribute = take(name, AttributeProto::INT))
    value = attribute->i();
  return *this;
}

NodeBinder &NodeBinder::optionalAttr(StringRef name,
                                     std::optional<float> &value) {
  value = std::nullopt;
  if (const AttributeProto *attribute = take(name, AttributeProto::FLOAT))
    value = attribute->f();
  return *this;
}

NodeBinder &NodeBinder::tensorAttr(StringRef name, ElementsAttr &value) {
  value = {};
  const AttributeProto *attribute = take(name, AttributeProto::TENSOR);
  if (!attribute || hasFailed)
    return *this;
  // The data is moved out of the node, which nobody else uses.
  value = acceptTensor(
      state.weights.read(*const_cast<AttributeProto *>(attribute)->mutable_t()));
  return *this;
}

NodeBinder &NodeBinder::sparseTensorAttr(StringRef name, ElementsAttr &value) {
  value = {};
  const AttributeProto *attribute = take(name, AttributeProto::SPARSE_TENSOR);
  if (attribute && !hasFailed)
    value = acceptTensor(state.weights.read(
        *const_cast<AttributeProto *>(attribute)->mutable_sparse_tensor()));
  return *this;
}

ElementsAttr NodeBinder::acceptTensor(std::variant<ElementsAttr, Problem> result) {
  if (auto *value = std::get_if<ElementsAttr>(&result))
    return *value;
  const Problem &problem = std::get<Problem>(result);
  (void)fail(problem.constraint, problem.seen, problem.accepted, problem.remedy,
             problem.advice);
  return {};
}

NodeBinder &NodeBinder::typeAttr(StringRef name, const onnx::TypeProto *&type) {
  const AttributeProto *attribute = take(name, AttributeProto::TYPE_PROTO);
  type = attribute ? &attribute->tp() : nullptr;
  return *this;
}

NodeBinder &NodeBinder::allAttrs(NamedAttrList &attributes) {
  Builder &b = state.builder;
  for (const AttributeProto &attribute : node.attribute()) {
    StringRef name = attribute.name();
    int type = attribute.type() ? int(attribute.type()) : guessType(attribute);
    Attribute value;
    std::string text;
    SmallVector<std::string> texts;
    SmallVector<int64_t> integers;
    SmallVector<float> floats;
    ElementsAttr tensor;
    if (type == AttributeProto::INT) {
      value = b.getI64IntegerAttr(take(name, type)->i());
    } else if (type == AttributeProto::FLOAT) {
      value = b.getF32FloatAttr(take(name, type)->f());
    } else if (type == AttributeProto::STRING) {
      attr(name, text, "");
      value = b.getStringAttr(text);
    } else if (type == AttributeProto::INTS) {
      attr(name, integers);
      value = b.getDenseI64ArrayAttr(integers);
    } else if (type == AttributeProto::FLOATS) {
      attr(name, floats);
      value = b.getDenseF32ArrayAttr(floats);
    } else if (type == AttributeProto::STRINGS) {
      attr(name, texts);
      SmallVector<StringRef> references(texts.begin(), texts.end());
      value = b.getStrArrayAttr(references);
    } else if (type == AttributeProto::TENSOR) {
      tensorAttr(name, tensor);
      value = tensor;
    } else {
      (void)fail("attribute '" + name + "' can be passed to a library", getTypeName(type),
                 "an integer, a float, a string, a list of these, a tensor",
                 Remedy::ChangeForm);
    }
    if (value)
      attributes.set(name, value);
  }
  return *this;
}

NodeBinder &NodeBinder::ignoreAttrs(ArrayRef<StringRef> names) {
  for (int i = 0, e = node.attribute_size(); i < e; ++i)
    if (llvm::is_contained(names, node.attribute(i).name()))
      takenAttrs[i] = true;
  return *this;
}

//===----------------------------------------------------------------------===//
// After the handler
//===----------------------------------------------------------------------===//

LogicalResult NodeBinder::finishNode(LogicalResult result) {
  if (mlir::failed(result) || hasFailed) {
    if (!hasFailed)
      return fail("the operator is imported", "it was not", "",
                  Remedy::ChangeForm);
    return failure();
  }
  for (auto [index, taken] : llvm::enumerate(takenOperands)) {
    if (taken || !operands[index])
      continue;
    if (index < operandNames.size())
      return fail("operand '" + operandNames[index] + "' is supported",
                  "the operand is given", "", Remedy::ChangeForm,
                  "export the operator without this operand");
    return fail("operand " + Twine(index) + " belongs to the operator",
                Twine(operands.size()) + " operands", "");
  }
  for (auto [index, taken] : llvm::enumerate(takenAttrs))
    if (!taken)
      return fail("attribute '" + node.attribute(index).name() +
                      "' is known to the operator at this opset",
                  getTypeName(node.attribute(index).type()), "",
                  Remedy::ChangeForm);
  for (auto [index, used] : llvm::enumerate(usedOutputs))
    if (used && !outputs[index])
      return fail("output " + Twine(index) + " ('" + node.output(index) +
                      "') is supported",
                  "the output is used", "", Remedy::ChangeForm,
                  "remove what uses this output");
  return success();
}
