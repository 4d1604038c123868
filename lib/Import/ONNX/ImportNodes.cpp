//===- ImportNodes.cpp - the nodes of a graph -----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Importer.h"
#include "CustomOperators.h"
#include "ForeignOperators.h"
#include "OnnxLibrary.h"
#include "Registry.h"
#include "nn/Support/Activity.h"
#include "nn/Support/Sizes.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

NodeInfo Importer::describe(const onnx::NodeProto &node, int64_t index,
                            const Scope &scope) const {
  NodeInfo info;
  info.op = node.op_type();
  info.domain = node.domain() == "ai.onnx" ? "" : node.domain();
  info.name = (node.name().empty() ? scope.prefix : "") + getNodeName(node, index);
  if (scope.caller)
    info.name = scope.caller->name + "/" + info.name;
  auto it = scope.opsets.find(info.domain);
  info.opset = it == scope.opsets.end() ? 1 : it->second;
  return info;
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

SmallVector<int> Importer::orderNodes(const Nodes &nodes, Scope &scope) {
  llvm::StringMap<int> producers;
  for (int i = 0, e = nodes.size(); i < e; ++i)
    for (const std::string &output : nodes[i].output()) {
      if (output.empty())
        continue;
      bool isNew = producers.try_emplace(output, i).second;
      if (!isNew || scope.values.count(output))
        reportProblem(describe(nodes[i], i, scope),
                      "each tensor has one definition",
                      "'" + output + "' is also the output of another node, an "
                                     "input or an initializer",
                      "");
    }

  llvm::DenseMap<int, SmallVector<StringRef>> readNames;
  auto getNames = [&](int index) -> const SmallVector<StringRef> & {
    auto [it, isNew] = readNames.try_emplace(index);
    if (isNew)
      it->second = getReadNames(nodes[index]);
    return it->second;
  };

  // Depth first, without recursion: models are deep.
  enum { New, Open, Done };
  SmallVector<char> states(nodes.size(), New);
  SmallVector<int> order;
  SmallVector<std::pair<int, int>> stack; // node, next input
  for (int root = 0, e = nodes.size(); root < e; ++root) {
    if (states[root] != New)
      continue;
    stack.push_back({root, 0});
    states[root] = Open;
    while (!stack.empty()) {
      auto &[index, next] = stack.back();
      const onnx::NodeProto &node = nodes[index];
      // Names that only nested graphs read may be local to them, which importing them
      // finds out.
      const SmallVector<StringRef> &names = getNames(index);
      if (next == int(names.size())) {
        states[index] = Done;
        order.push_back(index);
        stack.pop_back();
        continue;
      }
      bool isOwn = next < node.input_size();
      std::string input = names[next++].str();
      if (input.empty())
        continue;
      auto producer = producers.find(input);
      if (producer == producers.end()) {
        if (isOwn && !findBinding(input, scope)) {
          reportProblem(describe(node, index, scope),
                        "something produces each input of the node",
                        "nothing produces '" + input + "'", "");
          scope.values[input] = {};
        }
        continue;
      }
      int before = producer->second;
      if (states[before] == Open && isOwn)
        reportProblem(describe(node, index, scope), "the graph has no cycles",
                      "'" + input + "' depends on this node's outputs", "");
      else if (states[before] == New) {
        states[before] = Open;
        stack.push_back({before, 0});
      }
    }
  }
  return order;
}

/// Names that nodes of nested graphs read may be those of this scope.
static void collectUsed(const google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes,
                        llvm::StringSet<> &used) {
  for (const onnx::NodeProto &node : nodes) {
    for (const std::string &input : node.input())
      used.insert(input);
    for (const onnx::AttributeProto &attribute : node.attribute()) {
      auto visit = [&](const onnx::GraphProto &graph) {
        collectUsed(graph.node(), used);
        for (const auto &output : graph.output())
          used.insert(output.name());
      };
      if (attribute.has_g())
        visit(attribute.g());
      for (const onnx::GraphProto &graph : attribute.graphs())
        visit(graph);
    }
  }
}

/// Takes back those problems from `first` on that may only follow from others, as of
/// operands whose shapes these have left unknown.
static void dropFollowing(TriageReport &report, size_t first) {
  for (size_t i = report.getProblems().size(); i-- > first;) {
    Remedy remedy = report.getProblems()[i].remedy;
    bool standsAlone = remedy == Remedy::ReplaceOp || remedy == Remedy::ConvertType ||
                       remedy == Remedy::FixData || remedy == Remedy::FixOption;
    if (!standsAlone)
      report.erase(i, i + 1);
  }
}

void Importer::importNodes(Nodes &nodes, Scope &scope) {
  collectUsed(nodes, scope.used);
  SmallVector<int> order = orderNodes(nodes, scope);
  llvm::StringMap<size_t> lastReads;
  for (auto [position, index] : llvm::enumerate(order))
    for (StringRef name : getReadNames(nodes[index]))
      lastReads[name] = position;
  // A list, because inlining may change what `describe` sees.
  for (auto [position, index] : llvm::enumerate(order)) {
    NodeInfo info = describe(nodes[index], index, scope);
    if (scope.depth == 0)
      report.countOperator(info);
    // An operand may be unknown because of another problem.
    bool follows = llvm::any_of(getReadNames(nodes[index]), [&](StringRef name) {
      Binding *binding = name.empty() ? nullptr : findBinding(name, scope);
      return binding && !binding->weight && !binding->sparseWeight && !binding->isAbsent &&
             (!binding->value || state.uncertain.contains(binding->value));
    });
    size_t known = report.getProblems().size();
    importNode(nodes[index], info, scope);
    if (follows)
      dropFollowing(report, known);
    closeIf(scope, [&, position = position](StringRef name) {
      auto it = lastReads.find(name);
      return scope.outputs.count(name) || (it != lastReads.end() && it->second > position);
    }, /*mustClose=*/position + 1 == order.size());
  }
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Importer::Binding *Importer::findBinding(StringRef name, Scope &scope) {
  for (Scope *current = &scope; current; current = current->parent) {
    auto it = current->values.find(name);
    if (it != current->values.end())
      return &it->second;
  }
  return nullptr;
}

Value Importer::getValue(StringRef name, Scope &scope) {
  Binding *found = findBinding(name, scope);
  Binding &binding = found ? *found : scope.values[name];
  if (!binding.weight && !binding.sparseWeight)
    return binding.value;
  // A value first used in a nested graph may be used outside of it later.
  OpBuilder::InsertionGuard guard(state.builder);
  if (!scope.values.count(name))
    state.builder.setInsertionPointToStart(mainBlock);
  auto result = binding.weight ? state.weights.read(*binding.weight)
                               : state.weights.read(*binding.sparseWeight);
  binding.weight = nullptr;
  binding.sparseWeight = nullptr;
  if (auto *problem = std::get_if<Problem>(&result)) {
    problem->node.name = name.str();
    report.add(*problem);
    return {};
  }
  Location location = NameLoc::get(StringAttr::get(&context, name));
  auto value = std::get<ElementsAttr>(result);
  binding.value =
      ConstantOp::create(state.builder, location, value.getType(), value);
  return binding.value;
}

bool Importer::getOperands(const onnx::NodeProto &node, Scope &scope,
                           SmallVectorImpl<Value> &operands) {
  bool areKnown = true;
  for (const std::string &name : node.input()) {
    Binding *binding = findBinding(name, scope);
    bool isAbsent = name.empty() || (binding && binding->isAbsent);
    operands.push_back(isAbsent ? Value() : getValue(name, scope));
    areKnown &= isAbsent || operands.back();
  }
  // Trailing absent operands count as not written.
  while (!operands.empty() && !operands.back() && areKnown)
    operands.pop_back();
  return areKnown;
}

void Importer::addOrigin(Value value, StringRef tensor, const Scope &scope) {
  Operation *op = value.getDefiningOp();
  // For constants the location is enough, and tensors inside library functions are not
  // part of the model.
  if (!op || isa<ConstantOp>(op) || scope.location || scope.isRepeated)
    return;
  std::string name = scope.caller ? scope.caller->name + "/" + tensor.str() : tensor.str();
  auto origin = OriginAttr::get(&context, cast<OpResult>(value).getResultNumber(),
                                StringAttr::get(&context, name), {});
  SmallVector<Attribute> origins;
  if (auto known = op->getAttrOfType<ArrayAttr>("nn.origin"))
    origins.assign(known.begin(), known.end());
  if (!llvm::is_contained(origins, origin))
    origins.push_back(origin);
  op->setAttr("nn.origin", ArrayAttr::get(&context, origins));
}

void Importer::bindOutput(StringRef name, Value value, Scope &scope) {
  if (name.empty())
    return;
  scope.values[name] = Binding{value};
  if (value)
    addOrigin(value, name, scope);
}

RankedTensorType Importer::getTensorType(const onnx::TypeProto &type) {
  if (!type.has_tensor_type() || !type.tensor_type().has_shape())
    return {};
  Type elementType =
      getTensorElementType(&context, type.tensor_type().elem_type());
  SmallVector<int64_t> shape;
  for (const auto &dim : type.tensor_type().shape().dim())
    shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0
                        ? dim.dim_value()
                        : ShapedType::kDynamic);
  if (!elementType || !isReasonableShape(shape))
    return {};
  return RankedTensorType::get(shape, elementType);
}

RankedTensorType Importer::getDeclaredType(StringRef name) {
  if (!hasDeclaredTypes) {
    hasDeclaredTypes = true;
    // Functions that call themselves would keep ONNX's inference busy forever.
    if (functions.empty())
      inferTypes(model);
    for (const auto &info : model.graph().output())
      declaredTypes[info.name()] = &info.type();
    for (const auto &info : model.graph().value_info())
      declaredTypes[info.name()] = &info.type();
  }
  const onnx::TypeProto *type = declaredTypes.lookup(name);
  return type ? getTensorType(*type) : RankedTensorType();
}

void Importer::bindPlaceholder(StringRef name, Scope &scope, Location location) {
  if (name.empty())
    return;
  scope.values[name] = {};
  if (scope.depth > 0)
    return;
  if (RankedTensorType type = getDeclaredType(name)) {
    auto placeholder = UnrealizedConversionCastOp::create(
        state.builder, location, TypeRange(type), ValueRange());
    scope.values[name].value = placeholder.getResult(0);
    state.uncertain.insert(placeholder.getResult(0));
  }
}

//===----------------------------------------------------------------------===//
// A node
//===----------------------------------------------------------------------===//

void Importer::importNode(onnx::NodeProto &node, const NodeInfo &info,
                          Scope &scope) {
  Location location =
      scope.location ? *scope.location
                     : Location(NameLoc::get(StringAttr::get(&context, info.name)));
  setCurrentNode(location);
  auto giveUp = [&] {
    for (const std::string &output : node.output())
      bindPlaceholder(output, scope, location);
  };
  // Functions that call functions could keep us busy forever.
  if (++numNodes > 2'000'000) {
    if (numNodes == 2'000'001)
      reportProblem(info, "the model has, after inlining, less than 2,000,000 nodes",
                    "more", "");
    return giveUp();
  }

  if (scope.openIf && dependsOn(*scope.openIf, node))
    return importIntoBranches(node, info, scope);
  auto custom = options.customOps.find({info.domain, info.op});
  bool isCustom = custom != options.customOps.end();
  if (isCustom)
    usedCustomOps.insert(custom->first);
  if (!isCustom && isControlFlow(info)) {
    if (!importControlFlow(node, info, location, scope))
      giveUp();
    return;
  }

  const onnx::OpSchema *schema = findSchema(info.op, info.opset, info.domain);
  const RegisteredOperator *handler =
      isCustom ? nullptr : Registry::get().find(info.domain, info.op, info.opset);
  const onnx::FunctionProto *function =
      handler || isCustom ? nullptr : findFunction(node);
  if (!handler && !isCustom && !function && (!schema || !mayHaveFunction(*schema))) {
    bool isLater = !schema && importer::findSchema(info.op, INT32_MAX, info.domain);
    reportProblem(info, "the operator is supported",
                  schema    ? "an operator that nn-mlir cannot import yet"
                  : isLater ? "an operator that ONNX defines only in later opsets"
                            : "an operator that ONNX does not define",
                  "", Remedy::ReplaceOp, getAdviceForOperator(info));
    return giveUp();
  }

  SmallVector<Value> operands;
  if (!getOperands(node, scope, operands))
    return giveUp(); // The reason why the operand is unknown is reported.

  bool wasEmpty = state.builder.getBlock()->empty();
  Operation *before = wasEmpty ? nullptr : &state.builder.getBlock()->back();
  bool succeeded = false, expand = !handler && !isCustom;
  if (!expand) {
    SmallVector<bool> used;
    for (const std::string &output : node.output())
      used.push_back(!output.empty() && scope.used.contains(output));
    auto importPart = [&](onnx::NodeProto &part, ArrayRef<Value> partOperands,
                          int64_t opset) {
      return this->importPart(part, partOperands, opset, info, location, scope);
    };
    NodeBinder binder(state, info, node, schema, operands, used, location, report,
                      isCustom ? ArrayRef<std::string>() : ArrayRef(handler->operands),
                      importPart);
    LogicalResult result = isCustom ? importCustom(binder, info, custom->second)
                                    : handler->handler(binder);
    if (binder.wantsDefinition() && schema && mayHaveFunction(*schema)) {
      expand = true;
    } else if (mlir::succeeded(binder.finishNode(result))) {
      succeeded = true;
      for (auto [name, value] : llvm::zip(node.output(), binder.getOutputs()))
        bindOutput(name, value, scope);
    }
  }
  if (expand)
    succeeded =
        function ? inlineFunction(*function, nullptr, node, info, operands,
                                  location, scope)
                 : inlineLibraryFunction(*schema, node, info, operands, location,
                                         scope);
  if (!succeeded)
    return giveUp();

  if (llvm::any_of(operands, [&](Value operand) {
        return state.uncertain.contains(operand);
      }))
    for (const std::string &output : node.output())
      if (Value value = scope.values[output].value)
        state.uncertain.insert(value);
  // A node is checked with all its parts.
  if (options.checkCapability && !expand && !partDepth)
    for (auto it = before ? std::next(before->getIterator())
                          : state.builder.getBlock()->begin(),
              end = state.builder.getBlock()->end();
         it != end; ++it)
      options.checkCapability(&*it, info, report);
}

SmallVector<Value> Importer::importPart(onnx::NodeProto &part, ArrayRef<Value> operands,
                                        int64_t opset, const NodeInfo &whole,
                                        Location location, Scope &scope) {
  Scope inner;
  inner.caller = &whole;
  inner.depth = scope.depth + 1;
  inner.location = scope.location ? *scope.location : location;
  inner.opsets[""] = opset;
  for (auto [index, operand] : llvm::enumerate(operands)) {
    std::string name = operand ? "operand" + std::to_string(index) : "";
    part.add_input(name);
    if (operand)
      inner.values[name].value = operand;
  }
  for (const std::string &output : part.output())
    inner.addOutput(output, {});
  part.set_name(part.op_type());
  ++partDepth;
  importNode(part, describe(part, 0, inner), inner);
  --partDepth;
  SmallVector<Value> results;
  for (const std::string &output : part.output())
    results.push_back(inner.values[output].value);
  return results;
}
