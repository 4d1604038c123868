//===- NodeBuilding.cpp - what a handler makes of an ONNX node ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "LoopBuilding.h"
#include "NodeBinder.h"
#include "OnnxLibrary.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

SmallVector<Value> NodeBinder::getIterations() {
  SmallVector<Value> numbers;
  for (Value iteration : state.iterations)
    numbers.push_back(makeIndexTensor(state.builder, location, iteration));
  return numbers;
}

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
    if (remedy == Remedy::FixModel)
      report.markAsMisfit();
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
      message = "a result would have more than 2^40 elements";
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

//===----------------------------------------------------------------------===//
// Operators within operators
//===----------------------------------------------------------------------===//

OperatorCall NodeBinder::call(StringRef op, ArrayRef<Value> operands) {
  return OperatorCall(*this, op, operands);
}

OperatorCall::OperatorCall(NodeBinder &node, StringRef op, ArrayRef<Value> operands)
    : node(node), operands(operands), opset(getNewestOpset("")) {
  part.set_op_type(op.str());
}

onnx::AttributeProto &OperatorCall::add(StringRef name,
                                        onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto &attribute = *part.add_attribute();
  attribute.set_name(name.str());
  attribute.set_type(type);
  return attribute;
}

OperatorCall &OperatorCall::attr(StringRef name, int64_t value) {
  add(name, onnx::AttributeProto::INT).set_i(value);
  return *this;
}

OperatorCall &OperatorCall::attr(StringRef name, float value) {
  add(name, onnx::AttributeProto::FLOAT).set_f(value);
  return *this;
}

OperatorCall &OperatorCall::attr(StringRef name, StringRef value) {
  add(name, onnx::AttributeProto::STRING).set_s(value.str());
  return *this;
}

OperatorCall &OperatorCall::attr(StringRef name, ArrayRef<int64_t> values) {
  onnx::AttributeProto &attribute = add(name, onnx::AttributeProto::INTS);
  for (int64_t value : values)
    attribute.add_ints(value);
  return *this;
}

OperatorCall &OperatorCall::pass(ArrayRef<StringRef> names) {
  for (StringRef name : names)
    if (const onnx::AttributeProto *attribute = node.find(name))
      *part.add_attribute() = *attribute;
  node.ignoreAttrs(names);
  return *this;
}

SmallVector<Value> OperatorCall::get(size_t numResults) {
  SmallVector<Value> results(numResults);
  if (node.hasFailed)
    return results;
  for (size_t i = 0; i < numResults; ++i)
    part.add_output("result" + std::to_string(i));
  results = node.importPart(part, operands, opset);
  node.hasFailed |= llvm::is_contained(results, Value());
  return results;
}

//===----------------------------------------------------------------------===//
// Constants and checks
//===----------------------------------------------------------------------===//

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
  if (isString(elementType))
    return constantString("");
  Attribute attribute;
  if (isa<FloatType>(elementType))
    attribute = FloatAttr::get(elementType, value);
  else
    attribute = IntegerAttr::get(elementType, int64_t(value));
  return constant(
      DenseElementsAttr::get(RankedTensorType::get({}, elementType), attribute));
}

void NodeBinder::checkAtRun(Value holds, const Twine &problem) {
  if (!holds || hasFailed ||
      require(cast<RankedTensorType>(holds.getType()).getRank() == 0,
              "operands that the run checks are scalars", "lists", "").failed())
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
