//===- ControlFlow.cpp - what nodes with graphs share ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Control flow becomes scf operations with nn operations inside.
//
//===----------------------------------------------------------------------===//

#include "ControlFlow.h"
#include "Registry.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

bool Importer::isControlFlow(const NodeInfo &node) {
  return node.domain.empty() &&
         (node.op == "If" || node.op == "Loop" || node.op == "Scan");
}

bool Importer::importControlFlow(onnx::NodeProto &node, const NodeInfo &info,
                                 Location location, Scope &scope) {
  SmallVector<Value> operands;
  if (!getOperands(node, scope, operands))
    return false; // What made the operand unknown is reported.
  SmallVector<Value> results;
  bool succeeded =
      info.op == "If"     ? importIf(node, info, operands, location, scope, results)
      : info.op == "Loop" ? importLoop(node, info, operands, location, scope, results)
                          : importScan(node, info, operands, location, scope, results);
  if (!succeeded)
    return false;
  for (auto [name, value] : llvm::zip(node.output(), results))
    bindOutput(name, value, scope);
  return true;
}

//===----------------------------------------------------------------------===//
// Nested graphs
//===----------------------------------------------------------------------===//

onnx::GraphProto *Importer::findGraph(onnx::NodeProto &node, const NodeInfo &info,
                                      StringRef name) {
  for (onnx::AttributeProto &attribute : *node.mutable_attribute())
    if (attribute.name() == name && attribute.has_g())
      return attribute.mutable_g();
  reportProblem(info, "attribute '" + name + "' is a graph", "none", "");
  return nullptr;
}

Importer::Scope Importer::makeInnerScope(Scope &outer, const NodeInfo &info,
                                         StringRef graphName) {
  Scope inner;
  inner.parent = &outer;
  inner.opsets = outer.opsets;
  inner.caller = outer.caller;
  inner.location = outer.location;
  inner.depth = outer.depth;
  inner.isRepeated = outer.isRepeated;
  inner.prefix = info.name + "/" + graphName.str() + "/";
  return inner;
}

bool Importer::importGraph(onnx::GraphProto &graph, const NodeInfo &info,
                           Scope &scope, SmallVectorImpl<Value> &results) {
  // Nested graphs that nest deeper than any model does could exhaust the stack.
  constexpr unsigned maxDepth = 64;
  if (graphDepth >= maxDepth) {
    reportProblem(info, "graphs nest less than " + Twine(maxDepth) + " deep",
                  "deeper", "");
    return false;
  }
  ++graphDepth;
  bindWeights(graph, scope);
  for (const auto &output : graph.output())
    scope.addOutput(output.name(), getTensorType(output.type()));
  importNodes(*graph.mutable_node(), scope);
  --graphDepth;
  for (const auto &output : graph.output()) {
    if (!findBinding(output.name(), scope)) {
      reportProblem(info, "something produces each output of the nested graph",
                    "nothing produces '" + output.name() + "'", "");
      return false;
    }
    results.push_back(getValue(output.name(), scope));
    if (!results.back() || state.uncertain.contains(results.back()))
      return false; // Reported where it should have been made.
  }
  return true;
}

std::optional<int64_t> Importer::evaluateScalar(Value value) {
  std::optional<HostTensor> tensor = state.shapes.evaluate(value);
  if (!tensor || tensor->getNumElements() != 1)
    return std::nullopt;
  return tensor->getInt(0);
}

bool Importer::takeApart(ArrayRef<Value> values, ArrayRef<Structure> structures,
                         const NodeInfo &info, Location location,
                         SmallVectorImpl<Value> &tensors) {
  onnx::NodeProto none;
  NodeBinder builder(state, info, none, nullptr, {}, {}, location, report);
  for (auto [value, structure] : llvm::zip(values, structures))
    if (!importer::takeApart(builder, value, structure, tensors))
      return false;
  return true;
}

SmallVector<Value> Importer::putTogether(ArrayRef<Structure> structures, ArrayRef<Value> tensors,
                                         Location location) {
  SmallVector<Value> values;
  for (const Structure &structure : structures)
    values.push_back(importer::putTogether(state, location, structure, tensors));
  return values;
}

bool Importer::checkTensors(ArrayRef<Value> values, const NodeInfo &info) {
  for (Value value : values)
    if (!isa<RankedTensorType>(value.getType())) {
      reportProblem(info, "what is collected or decides is a tensor",
                    state.structured.describe(value), "a tensor");
      return false;
    }
  return true;
}

bool Importer::checkScalar(Value value, StringRef name, Type elementType,
                           const NodeInfo &info) {
  if (!checkTensors(value, info))
    return false;
  auto type = tensorType(value);
  bool mayBeOne = llvm::all_of(type.getShape(), [](int64_t size) {
    return size == 1 || ShapedType::isDynamic(size);
  });
  if (mayBeOne && type.getElementType() == elementType)
    return true;
  reportProblem(info, "operand '" + name + "' is one element of the right type",
                show(type), show(RankedTensorType::get({}, elementType)));
  return false;
}

Value Importer::extractScalar(Value tensor, StringRef name, const NodeInfo &info,
                              Location location) {
  OpBuilder &b = state.builder;
  auto type = tensorType(tensor);
  Value one = type.hasStaticShape() ? Value()
                                    : arith::ConstantIndexOp::create(b, location, 1);
  for (int64_t i = 0; i < type.getRank(); ++i) {
    if (!type.isDynamicDim(i))
      continue;
    Value size = tensor::DimOp::create(b, location, tensor, i);
    Value isOne = arith::CmpIOp::create(b, location, arith::CmpIPredicate::eq, size, one);
    cf::AssertOp::create(b, location, isOne,
                         "node '" + info.name + "' (" + info.op + ") gets a tensor as '" +
                             name.str() + "' that does not have one element");
  }
  SmallVector<Value> indices;
  if (type.getRank() != 0)
    indices.assign(type.getRank(), arith::ConstantIndexOp::create(b, location, 0));
  return tensor::ExtractOp::create(b, location, tensor, indices);
}

Value Importer::castTensor(Value value, RankedTensorType type, Location location) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(state.builder, location, type, value);
}

//===----------------------------------------------------------------------===//
// The registry
//===----------------------------------------------------------------------===//

/// Nodes with graphs need more than a binder gives: the importer takes them before
/// it asks the registry, which lists them.
static LogicalResult importByImporter(NodeBinder &node) {
  return node.fail("the importer takes nodes with graphs itself", "", "");
}

void importer::registerControlFlow(Registry &r) {
  r.onOp("If", 1, importByImporter);
  r.onOp("Loop", 1, importByImporter);
  r.onOp("Scan", 8, importByImporter);
}
