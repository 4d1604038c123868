//===- ImportFunctions.cpp - functions are inlined ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ForeignOperators.h"
#include "Importer.h"
#include "OnnxLibrary.h"
#include "Registry.h"
#include "nn/Support/DataType.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static std::string getKey(StringRef domain, StringRef name, StringRef overload) {
  return ((domain == "ai.onnx" ? "" : domain) + "\n" + name + "\n" + overload).str();
}

void Importer::readFunctions() {
  for (const onnx::FunctionProto &function : model.functions()) {
    std::string key =
        getKey(function.domain(), function.name(), function.overload());
    if (!functions.try_emplace(key, &function).second) {
      NodeInfo info;
      info.name = function.name();
      reportProblem(info, "each function has one definition", "two", "");
    }
  }
}

const onnx::FunctionProto *
Importer::findFunction(const onnx::NodeProto &node) const {
  return functions.lookup(getKey(node.domain(), node.op_type(), node.overload()));
}

/// Replaces references to the function's attributes by the caller's values. Attributes
/// without a value count as absent.
static void
bindAttributes(onnx::NodeProto &node,
               llvm::function_ref<const onnx::AttributeProto *(const std::string &)>
                   find) {
  onnx::NodeProto bound;
  for (onnx::AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.ref_attr_name().empty()) {
      bound.add_attribute()->Swap(&attribute);
    } else if (const onnx::AttributeProto *value = find(attribute.ref_attr_name())) {
      onnx::AttributeProto &copy = *bound.add_attribute();
      copy = *value;
      copy.set_name(attribute.name());
      copy.clear_ref_attr_name();
    }
  }
  node.mutable_attribute()->Swap(bound.mutable_attribute());
}

bool Importer::inlineFunction(const onnx::FunctionProto &function,
                              const onnx::OpSchema *schema,
                              onnx::NodeProto &node, const NodeInfo &info,
                              ArrayRef<Value> operands, Location location,
                              Scope &scope) {
  // Library functions are created for each node, and do not recurse forever.
  constexpr unsigned maxDepth = 64;
  if (scope.depth >= maxDepth ||
      (!schema && llvm::is_contained(callStack, &function))) {
    reportProblem(info, "functions do not call themselves, and not more than " +
                            Twine(maxDepth) + " deep",
                  "'" + function.name() + "' does", "");
    return false;
  }
  if (int64_t(operands.size()) > function.input_size() ||
      node.output_size() > function.output_size()) {
    reportProblem(info, "the function takes the node's operands and outputs",
                  Twine(operands.size()) + " operands, " +
                      Twine(node.output_size()) + " outputs",
                  Twine(function.input_size()) + " and " +
                      Twine(function.output_size()));
    return false;
  }

  Scope inner;
  inner.caller = &info;
  inner.depth = scope.depth + 1;
  inner.location = scope.location;
  if (schema && !inner.location)
    inner.location = location;
  for (const auto &opset : function.opset_import())
    inner.opsets[opset.domain() == "ai.onnx" ? "" : StringRef(opset.domain())] =
        std::max<int64_t>(opset.version(), 1);
  // Opsets that the function does not declare are those of the caller.
  for (const auto &opset : scope.opsets)
    inner.opsets.try_emplace(opset.first(), opset.second);
  for (int i = 0, e = function.input_size(); i < e; ++i) {
    Binding binding;
    binding.value = i < int(operands.size()) ? operands[i] : Value();
    binding.isAbsent = !binding.value;
    inner.values[function.input(i)] = binding;
  }
  for (const std::string &output : function.output())
    inner.addOutput(output, {});

  auto findAttribute =
      [&](const std::string &name) -> const onnx::AttributeProto * {
    for (const onnx::AttributeProto &attribute : node.attribute())
      if (attribute.name() == name)
        return &attribute;
    for (const onnx::AttributeProto &attribute : function.attribute_proto())
      if (attribute.name() == name)
        return &attribute;
    return schema ? getDefault(*schema, name) : nullptr;
  };
  Nodes nodes = function.node();
  for (onnx::NodeProto &copy : nodes)
    bindAttributes(copy, findAttribute);

  callStack.push_back(&function);
  importNodes(nodes, inner);
  callStack.pop_back();

  bool areKnown = true;
  for (int i = 0, e = node.output_size(); i < e; ++i) {
    if (node.output(i).empty())
      continue;
    auto it = inner.values.find(function.output(i));
    if (it == inner.values.end()) {
      reportProblem(info, "the function makes its outputs",
                    "nothing makes '" + function.output(i) + "'", "");
      return false;
    }
    areKnown &= bool(it->second.value);
    bindOutput(node.output(i), it->second.value, scope);
  }
  return areKnown; // Otherwise, it is reported.
}

//===----------------------------------------------------------------------===//
// Functions that define operators of the standard
//===----------------------------------------------------------------------===//

void Importer::findUnsupported(const onnx::FunctionProto &function, unsigned depth,
                               std::set<std::string> &missing) const {
  llvm::StringMap<int64_t> imported;
  for (const auto &opset : function.opset_import())
    imported[opset.domain()] = opset.version();
  for (const onnx::NodeProto &node : function.node()) {
    auto it = imported.find(node.domain());
    int64_t opset = it == imported.end() ? opsets.lookup("") : it->second;
    if (Registry::get().find(node.domain(), node.op_type(), opset) ||
        options.customOps.count({node.domain(), node.op_type()}))
      continue;
    const onnx::OpSchema *schema = findSchema(node.op_type(), opset, node.domain());
    std::optional<onnx::FunctionProto> body;
    if (schema && mayHaveFunction(*schema) && depth < 8)
      body = getFunction(*schema, node, opset, {});
    if (body)
      findUnsupported(*body, depth + 1, missing);
    else if (!schema || !mayHaveFunction(*schema))
      missing.insert(node.op_type());
  }
}

onnx::TypeProto Importer::getONNXType(Value value) {
  auto getNumber = [](Type elementType) {
    return static_cast<int32_t>(isString(elementType)
                                    ? DataType::String
                                    : getDataType(elementType).value_or(DataType::Undefined));
  };
  onnx::TypeProto type;
  if (const OptionalValue *optional = state.structured.getOptional(value)) {
    *type.mutable_optional_type()->mutable_elem_type() = getONNXType(optional->content);
  } else if (const SequenceValue *sequence = state.structured.getSequence(value)) {
    type.mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type()->set_elem_type(
        getNumber(sequence->elementType));
  } else {
    auto tensor = cast<RankedTensorType>(value.getType());
    type.mutable_tensor_type()->set_elem_type(getNumber(tensor.getElementType()));
    auto *shape = type.mutable_tensor_type()->mutable_shape();
    for (int64_t size : tensor.getShape())
      if (auto *dim = shape->add_dim(); !ShapedType::isDynamic(size))
        dim->set_dim_value(size);
  }
  return type;
}

bool Importer::inlineLibraryFunction(const onnx::OpSchema &schema,
                                     onnx::NodeProto &node, const NodeInfo &info,
                                     ArrayRef<Value> operands, Location location,
                                     Scope &scope) {
  std::vector<onnx::TypeProto> types;
  for (Value operand : operands)
    types.push_back(operand ? getONNXType(operand) : onnx::TypeProto());
  std::optional<onnx::FunctionProto> function =
      getFunction(schema, node, info.opset, types);
  std::set<std::string> missing;
  if (function)
    findUnsupported(*function, 0, missing);
  if (!function || !missing.empty()) {
    reportProblem(info, "the operator is supported",
                  function ? "an operator that nn-mlir cannot import yet (its "
                             "definition needs " + llvm::join(missing, ", ") + ")"
                           : "an operator that nn-mlir cannot import yet in this form",
                  "", Remedy::ReplaceOp, getAdviceForOperator(info));
    return false;
  }
  return inlineFunction(*function, &schema, node, info, operands, location, scope);
}
