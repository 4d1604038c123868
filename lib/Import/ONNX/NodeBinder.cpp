//===- NodeBinder.cpp - what a handler sees of an ONNX node ---------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "NodeBinder.h"
#include "OnnxLibrary.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "nn/Support/Constants.h"
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
                       Location location, TriageReport &report)
    : state(state), info(info), node(node), schema(schema), operands(operands),
      usedOutputs(usedOutputs), location(location), report(report),
      outputs(usedOutputs.size()), takenOperands(operands.size()),
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
  if (!hasFailed && !holds)
    (void)fail(constraint, seen, accepted, remedy);
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
  if (!schema)
    return -1;
  for (auto [index, operandName] : llvm::enumerate(getOperandNames(*schema)))
    if (operandName == name)
      return index;
  return -1;
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
  return require(value != Value(), "operand '" + name + "' is given", "none", "");
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

NodeBinder &NodeBinder::anyOperand(Value &value) {
  value = operands.empty() ? Value() : operands[0];
  if (!operands.empty())
    takenOperands[0] = true;
  return *this;
}

NodeBinder &NodeBinder::sequenceOperand(StringRef name, SequenceValue &sequence) {
  int64_t index = findOperand(name);
  Value value =
      index >= 0 && index < int64_t(operands.size()) ? operands[index] : Value();
  const SequenceValue *found = state.structured.getSequence(value);
  require(found, "operand '" + name + "' is a sequence",
          value ? state.structured.describe(value) : "none", "a sequence");
  if (hasFailed)
    return *this;
  takenOperands[index] = true;
  sequence = *found;
  return *this;
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
  require(type.getRank() <= 1 && type.hasStaticShape() &&
              isa<IntegerType>(type.getElementType()),
          "operand '" + name + "' is a list of integers of known length",
          "another shape or type", "", Remedy::MakeConstant);
  // Code is made for each of them.
  constexpr int64_t most = 64;
  require(hasFailed || type.getNumElements() <= most,
          "operand '" + name + "' is a list of a few integers",
          hasFailed ? Twine() : Twine(type.getNumElements()), Twine(most) + " or less");
  if (hasFailed)
    return *this;
  computed = type.getRank() == 0 ? create<UnsqueezeOp>(operand, ArrayRef<int64_t>{0})
                                 : operand;
  computed = asInt64(computed);
  // An empty list is known.
  if (computed && type.getNumElements() == 0) {
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

/// The type of an attribute that does not say it (as in IR version 1).
static int guessType(const AttributeProto &attribute) {
  if (attribute.has_i())
    return AttributeProto::INT;
  if (attribute.has_f())
    return AttributeProto::FLOAT;
  if (attribute.has_s())
    return AttributeProto::STRING;
  if (attribute.has_t())
    return AttributeProto::TENSOR;
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
  return *this;
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
  return *this;
}

NodeBinder &NodeBinder::requiredAttr(StringRef name, int64_t &value) {
  require(find(name), "attribute '" + name + "' is given", "none", "");
  return attr(name, value, 0);
}

NodeBinder &NodeBinder::requiredAttr(StringRef name,
                                     SmallVector<int64_t> &values) {
  require(find(name), "attribute '" + name + "' is given", "none", "");
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
  // The data is moved out of the node, which only the importer sees.
  auto result =
      state.weights.read(*const_cast<AttributeProto *>(attribute)->mutable_t());
  if (const auto *problem = std::get_if<Problem>(&result))
    (void)fail(problem->constraint, problem->seen, problem->accepted,
               problem->remedy, problem->advice);
  else
    value = std::get<ElementsAttr>(result);
  return *this;
}

NodeBinder &NodeBinder::typeAttr(StringRef name, const onnx::TypeProto *&type) {
  const AttributeProto *attribute = take(name, AttributeProto::TYPE_PROTO);
  type = attribute ? &attribute->tp() : nullptr;
  return *this;
}

NodeBinder &NodeBinder::ignoreAttrs(ArrayRef<StringRef> names) {
  for (int i = 0, e = node.attribute_size(); i < e; ++i)
    if (llvm::is_contained(names, node.attribute(i).name()))
      takenAttrs[i] = true;
  return *this;
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

LogicalResult NodeBinder::setOutput(Value value, int64_t index) {
  if (!value || hasFailed)
    return failure();
  if (index < int64_t(outputs.size()))
    outputs[index] = value;
  return success();
}

Operation *NodeBinder::finish(
    OperationState &op,
    function_ref<LogicalResult(ShapeEnv &, SmallVectorImpl<InferredTensor> &)>
        inferShapes,
    function_ref<void(ShapeEnv &, SmallVectorImpl<Contents> &)> inferContents) {
  std::string message;
  ScopedDiagnosticHandler handler(getContext(), [&](Diagnostic &diagnostic) {
    if (message.empty())
      message = diagnostic.str();
  });
  auto reject = [&](Remedy remedy) {
    // Messages of verifiers begin with "'nn.conv' op ".
    StringRef text = message;
    text.consume_front(("'" + op.name.getStringRef() + "' op ").str());
    (void)fail("operands and attributes fit the operator",
               text + " (operands: " + describeOperands() + ")", "", remedy);
    return nullptr;
  };

  // A handler may have had nothing to make a value of, as from a tensor's
  // dimensions where it has none.
  if (llvm::is_contained(op.operands, Value())) {
    message = "a value is missing that the operator is computed with";
    return reject(Remedy::ChangeForm);
  }
  state.shapes.setOperation(location, op.name.getStringRef());
  SmallVector<InferredTensor> results;
  if (mlir::failed(inferShapes(state.shapes, results)))
    return reject(Remedy::FixModel);
  op.types.clear();
  for (const InferredTensor &result : results) {
    SmallVector<int64_t> shape;
    for (Dim dim : result.dims) {
      auto constant = dyn_cast<AffineConstantExpr>(dim);
      shape.push_back(constant ? constant.getValue() : ShapedType::kDynamic);
      if (constant && shape.back() < 0) {
        message = "a result's dimension would be " + std::to_string(shape.back());
        return reject(Remedy::FixModel);
      }
    }
    if (!isReasonableShape(shape)) {
      message = "a result would have more than 2^48 elements";
      return reject(Remedy::FixModel);
    }
    op.types.push_back(RankedTensorType::get(shape, result.elementType));
  }

  Operation *created = state.builder.create(op);
  if (mlir::failed(verify(created))) {
    created->erase();
    bool isType = StringRef(message).contains(", but got");
    return reject(isType ? Remedy::ConvertType : Remedy::FixModel);
  }
  for (auto [value, result] : llvm::zip(created->getResults(), results))
    state.shapes.setDims(value, result.dims);
  SmallVector<Contents> contents;
  inferContents(state.shapes, contents);
  for (auto [value, content] : llvm::zip(created->getResults(), contents))
    state.shapes.setContents(value, content);
  return created;
}

void NodeBinder::check(Value holds, const Twine &message) {
  if (!holds || hasFailed ||
      require(cast<RankedTensorType>(holds.getType()).getRank() == 0,
              "operands that the run checks are scalars", "lists", "").failed())
    return;
  OpBuilder &b = state.builder;
  Value bit = tensor::ExtractOp::create(b, location, holds, ValueRange());
  cf::AssertOp::create(b, location, bit,
                       ("node '" + info.name + "' (" + info.op + ") " + message).str());
}

Value NodeBinder::constant(ElementsAttr value) {
  return create<ConstantOp>(value);
}

Value NodeBinder::constantList(ArrayRef<int64_t> values) {
  return constant(state.builder.getI64TensorAttr(values));
}

Value NodeBinder::constantFloats(ArrayRef<float> values) {
  auto type = RankedTensorType::get(int64_t(values.size()),
                                    state.builder.getF32Type());
  return constant(DenseElementsAttr::get(type, values));
}

Value NodeBinder::constantScalar(double value, Type elementType) {
  Attribute attribute;
  if (isa<FloatType>(elementType))
    attribute = FloatAttr::get(elementType, value);
  else
    attribute = IntegerAttr::get(elementType, int64_t(value));
  return constant(
      DenseElementsAttr::get(RankedTensorType::get({}, elementType), attribute));
}

void NodeBinder::checkAtRun(Value holds, const Twine &problem) {
  if (!holds || hasFailed)
    return;
  Value scalar = tensor::ExtractOp::create(state.builder, location, holds);
  cf::AssertOp::create(state.builder, location, scalar,
                       ("node '" + info.name + "' (" + info.op + ") " + problem).str());
}

bool NodeBinder::assumeIsOne(Value tensor, int64_t dim) {
  bool isOne = state.unknownDimsAreOne;
  if (state.shapes.isKnownNotEqual(state.shapes.getDims(tensor)[dim], 1))
    return false;
  state.assumedDims = true;
  OpBuilder &b = state.builder;
  Value size = tensor::DimOp::create(b, location, tensor, dim);
  Value one = arith::ConstantIndexOp::create(b, location, 1);
  auto expected = isOne ? arith::CmpIPredicate::eq : arith::CmpIPredicate::ne;
  Value holds = arith::CmpIOp::create(b, location, expected, size, one);
  cf::AssertOp::create(b, location, holds,
                       "node '" + info.name + "' (" + info.op +
                           ") has no axes, and dimension " + std::to_string(dim) +
                           " of its input " + (isOne ? "is not 1" : "is 1") +
                           ", for which the model is not compiled; give it inputs of "
                           "other sizes, or compile with this size set (--set-dim)");
  return isOne;
}

Value NodeBinder::asInt64(Value value) {
  if (!value || hasFailed)
    return {};
  Type i64 = state.builder.getI64Type();
  return cast<RankedTensorType>(value.getType()).getElementType() == i64
             ? value
             : create<CastOp>(value, i64);
}

Value NodeBinder::asScalar(Value value) {
  if (!value || hasFailed)
    return {};
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getRank() != 1 || type.getDimSize(0) != 1)
    return value;
  return create<SqueezeOp>(value, ArrayRef<int64_t>{0});
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
  for (auto [index, taken] : llvm::enumerate(takenOperands))
    if (!taken && operands[index])
      return fail("operand " + Twine(index) + " belongs to the operator",
                  Twine(operands.size()) + " operands", "");
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
