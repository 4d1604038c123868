//===- ControlFlow.cpp - nodes with graphs, and If ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Control flow becomes scf operations with nn operations inside. Conditions that
// shapes and constants decide are decided here: exporters write many branches of
// which only one is meant, and whose other one would not even have a type.
//
//===----------------------------------------------------------------------===//

#include "ControlFlow.h"
#include "Registry.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "nn/Interpreter/Interpreter.h"
#include "nn/Support/Constants.h"
#include "nn/Support/HostTensor.h"
#include "llvm/ADT/ScopeExit.h"

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
    scope.used.insert(output.name());
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

std::optional<HostTensor> Importer::evaluate(Value value, unsigned &budget) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() > 64 || budget == 0)
    return std::nullopt;
  --budget;
  std::optional<DataType> dataType = getDataType(type.getElementType());
  if (!dataType)
    return std::nullopt;
  Operation *op = value.getDefiningOp();
  if (auto constant = dyn_cast_or_null<ConstantOp>(op)) {
    FailureOr<HostTensor> tensor = toHostTensor(constant.getValue());
    return succeeded(tensor) ? std::optional(*tensor) : std::nullopt;
  }
  if (!type.getElementType().isInteger(1))
    if (auto contents = state.shapes.getConstantContents(value)) {
      HostTensor tensor = HostTensor::allocate(*dataType, type.getShape());
      for (auto [index, element] : llvm::enumerate(*contents))
        tensor.setInt(index, element);
      return tensor;
    }
  if (!op)
    return std::nullopt;
  if (!canInterpret(op) || !isPure(op))
    return std::nullopt;
  HostTensors operands, results;
  for (Value operand : op->getOperands()) {
    std::optional<HostTensor> tensor = evaluate(operand, budget);
    if (!tensor)
      return std::nullopt;
    operands.push_back(*tensor);
  }
  std::string error;
  if (failed(interpretOp(op, operands, results, error)))
    return std::nullopt;
  return results[cast<OpResult>(value).getResultNumber()];
}

std::optional<int64_t> Importer::evaluateScalar(Value value) {
  unsigned budget = 1000;
  std::optional<HostTensor> tensor = evaluate(value, budget);
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
  bool isOne = type.getRank() == 0 || (type.getRank() == 1 && type.getDimSize(0) == 1);
  if (isOne && type.getElementType() == elementType)
    return true;
  reportProblem(info, "operand '" + name + "' is one element of the right type",
                show(type), show(RankedTensorType::get({}, elementType)));
  return false;
}

Value Importer::extractScalar(Value tensor, Location location) {
  SmallVector<Value> indices;
  if (tensorType(tensor).getRank() == 1)
    indices.push_back(arith::ConstantIndexOp::create(state.builder, location, 0));
  return tensor::ExtractOp::create(state.builder, location, tensor, indices);
}

Value Importer::castTensor(Value value, RankedTensorType type, Location location) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(state.builder, location, type, value);
}

/// The sizes on which both types agree.
static RankedTensorType joinTypes(RankedTensorType lhs, RankedTensorType rhs) {
  SmallVector<int64_t> shape(lhs.getShape());
  for (auto [size, other] : llvm::zip(shape, rhs.getShape()))
    if (size != other)
      size = ShapedType::kDynamic;
  return lhs.clone(shape);
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

/// What both branches give as tensors, by structures that fit both.
bool Importer::takeBranchesApart(const NodeInfo &info, Location location,
                                 ArrayRef<std::unique_ptr<Region>> regions,
                                 MutableArrayRef<SmallVector<Value>> values,
                                 SmallVectorImpl<Structure> &structures) {
  for (auto [left, right] : llvm::zip(values[0], values[1])) {
    std::optional<Structure> structure =
        Structure::join(Structure::of(state, left), Structure::of(state, right));
    if (!structure) {
      reportProblem(info, "branches give values of one kind and element type",
                    state.structured.describe(left) + " and " +
                        state.structured.describe(right), "");
      return false;
    }
    structures.push_back(*structure);
  }
  for (auto [region, branch] : llvm::zip(regions, values)) {
    OpBuilder::InsertionGuard guard(state.builder);
    state.builder.setInsertionPointToEnd(&region->front());
    SmallVector<Value> tensors;
    if (!takeApart(branch, structures, info, location, tensors))
      return false;
    branch = std::move(tensors);
  }
  return true;
}

bool Importer::importIf(onnx::NodeProto &node, const NodeInfo &info,
                        ArrayRef<Value> operands, Location location, Scope &scope,
                        SmallVectorImpl<Value> &results) {
  if (operands.size() != 1 || !operands[0]) {
    reportProblem(info, "an If has one operand", Twine(operands.size()), "1");
    return false;
  }
  if (!checkScalar(operands[0], "cond", state.builder.getI1Type(), info))
    return false;
  onnx::GraphProto *graphs[] = {findGraph(node, info, "then_branch"),
                                findGraph(node, info, "else_branch")};
  StringRef names[] = {"then", "else"};
  for (onnx::GraphProto *graph : graphs) {
    if (!graph)
      return false;
    if (graph->output_size() != node.output_size()) {
      reportProblem(info, "branches have as many outputs as the node",
                    Twine(graph->output_size()), Twine(node.output_size()));
      return false;
    }
  }
  if (std::optional<int64_t> known = evaluateScalar(operands[0])) {
    int taken = *known ? 0 : 1;
    Scope inner = makeInnerScope(scope, info, names[taken]);
    return importGraph(*graphs[taken], info, inner, results);
  }

  SmallVector<Value> values[2];
  std::unique_ptr<Region> regions[2];
  llvm::scope_exit keepRegions([&] {
    for (std::unique_ptr<Region> &region : regions)
      discarded.push_back(std::move(region));
  });
  bool isValid[2];
  size_t problems[3] = {report.getProblems().size()};
  for (int i : {0, 1}) {
    OpBuilder::InsertionGuard guard(state.builder);
    regions[i] = std::make_unique<Region>();
    state.builder.setInsertionPointToEnd(&regions[i]->emplaceBlock());
    Scope inner = makeInnerScope(scope, info, names[i]);
    isValid[i] = importGraph(*graphs[i], info, inner, values[i]);
    problems[i + 1] = report.getProblems().size();
  }
  if (!isValid[0] && !isValid[1])
    return false;
  SmallVector<Structure> structures;
  if (isValid[0] && isValid[1] &&
      !takeBranchesApart(info, location, regions, values, structures))
    return false;

  // A branch may have no type here: it is for inputs that the model is not run
  // with. Then the other one is taken, and the run checks that it is right to.
  bool haveSameRanks = isValid[0] && isValid[1];
  if (haveSameRanks)
    for (auto [left, right] : llvm::zip(values[0], values[1])) {
      if (tensorType(left).getElementType() != tensorType(right).getElementType()) {
        reportProblem(info, "branches give the same element types",
                      show(left.getType()) + Twine(" and ") + show(right.getType()), "");
        return false;
      }
      haveSameRanks &= tensorType(left).getRank() == tensorType(right).getRank();
    }
  Value condition = extractScalar(operands[0], location);
  if (!haveSameRanks) {
    int taken = isValid[0] ? 0 : 1;
    if (!isValid[1 - taken])
      report.erase(problems[1 - taken], problems[2 - taken]);
    if (taken == 1) {
      Value one = arith::ConstantIntOp::create(state.builder, location, 1, 1);
      condition = arith::XOrIOp::create(state.builder, location, condition, one);
    }
    std::string message =
        "node '" + info.name + "' (If) takes its " + names[1 - taken].str() +
        " branch, whose results have other ranks than those of the " +
        names[taken].str() + " branch, for which the model is compiled; give it "
        "inputs of other sizes, or compile with these sizes set (--set-dim)";
    cf::AssertOp::create(state.builder, location, condition, message);
    state.builder.getBlock()->getOperations().splice(
        state.builder.getInsertionPoint(), regions[taken]->front().getOperations());
    llvm::append_range(results, structures.empty()
                                    ? values[taken]
                                    : putTogether(structures, values[taken], location));
    return true;
  }

  SmallVector<Type> types;
  for (auto [left, right] : llvm::zip(values[0], values[1]))
    types.push_back(joinTypes(tensorType(left), tensorType(right)));
  auto op = scf::IfOp::create(state.builder, location, types, condition,
                              /*addThenBlock=*/false, /*addElseBlock=*/false);
  for (int i : {0, 1}) {
    OpBuilder::InsertionGuard guard(state.builder);
    state.builder.setInsertionPointToEnd(&regions[i]->front());
    SmallVector<Value> yielded;
    for (auto [value, type] : llvm::zip(values[i], types))
      yielded.push_back(castTensor(value, cast<RankedTensorType>(type), location));
    scf::YieldOp::create(state.builder, location, yielded);
    op->getRegion(i).takeBody(*regions[i]);
  }
  for (auto [result, left, right] : llvm::zip(op.getResults(), values[0], values[1])) {
    // Sizes that are the same expression in both branches are known outside.
    Dims dims = state.shapes.getDims(result);
    for (auto [dim, l, r] : llvm::zip(dims, state.shapes.getDims(left),
                                      state.shapes.getDims(right)))
      if (l == r)
        dim = l;
    state.shapes.setDims(result, dims);
  }
  llvm::append_range(
      results, putTogether(structures, SmallVector<Value>(op.getResults()), location));
  return true;
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
  r.onOp("Scan", 9, importByImporter);
}
