//===- Opsets.cpp - which opset a node needs ------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Opsets.h"
#include "onnx/defs/data_type_utils.h"
#include "onnx/defs/schema.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include <limits>
#include <map>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;
using onnx::OpSchema;
using TypeUtils = onnx::Utils::DataTypeUtils;

static const OpSchema *findSchema(const std::string &op, int version) {
  try {
    return onnx::OpSchemaRegistry::Schema(op, version, "");
  } catch (const std::exception &) {
    return nullptr;
  }
}

static const OpSchema *findNewest(const std::string &op) {
  return findSchema(op, std::numeric_limits<int>::max());
}

TypeName exporter::getTypeName(const onnx::TypeProto &type) {
  return TypeUtils::ToType(type);
}

static TypeName getTensorTypeName(int64_t elementType) {
  onnx::TypeProto type;
  type.mutable_tensor_type()->set_elem_type(int32_t(elementType));
  return getTypeName(type);
}

static const onnx::AttributeProto *findAttribute(const onnx::NodeProto &node,
                                                 StringRef name) {
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (name == attribute.name())
      return &attribute;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// A node and a schema
//===----------------------------------------------------------------------===//

namespace {
using GetType = llvm::function_ref<TypeName(const std::string &)>;

/// The formal parameter of operand or result number `index`; null if there is none.
const OpSchema::FormalParameter *
findParameter(const std::vector<OpSchema::FormalParameter> &parameters, int index) {
  if (index < int(parameters.size()))
    return &parameters[index];
  if (!parameters.empty() && parameters.back().GetOption() == OpSchema::Variadic)
    return &parameters.back();
  return nullptr;
}

/// What fits a schema.
struct Fit {
  std::string problem;
  bool areTypesKnown = true;
  /// Of the schema's type parameters.
  std::map<std::string, TypeName> types;
};
} // namespace

static Fit fit(const onnx::NodeProto &node, const OpSchema &schema,
               GetType getType) {
  Fit result;
  auto refuse = [&](const std::string &why) {
    if (result.problem.empty())
      result.problem = "ONNX's " + node.op_type() + " " + why;
  };
  auto check = [&](const std::string &name, const OpSchema::FormalParameter &parameter,
                   StringRef what) {
    TypeName type = name.empty() ? nullptr : getType(name);
    if (!type) {
      result.areTypesKnown &= name.empty();
      return;
    }
    bool isOneType =
        parameter.GetOption() != OpSchema::Variadic || parameter.GetIsHomogeneous();
    if (!parameter.GetTypes().count(type))
      refuse("does not take " + *type + " as " + what.str() + " '" + parameter.GetName() +
             "'");
    else if (isOneType &&
             result.types.try_emplace(parameter.GetTypeStr(), type).first->second != type)
      refuse("does not take several element types");
  };
  for (int i = 0; i < node.input_size(); ++i) {
    const OpSchema::FormalParameter *parameter = findParameter(schema.inputs(), i);
    if (!parameter && !node.input(i).empty())
      refuse("has fewer operands");
    else if (parameter)
      check(node.input(i), *parameter, "operand");
  }
  for (int i = 0; i < node.output_size(); ++i) {
    const OpSchema::FormalParameter *parameter = findParameter(schema.outputs(), i);
    if (!parameter)
      refuse("has fewer results");
    else
      check(node.output(i), *parameter, "result");
  }
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (!schema.attributes().count(attribute.name()))
      refuse("has no attribute '" + attribute.name() + "'");
  return result;
}

//===----------------------------------------------------------------------===//
// Older opsets
//===----------------------------------------------------------------------===//

// From opset 21 on, ONNX gave operators more element types, attributes and operands, and
// new words for the same; what did mean something else before is listed here. Newer
// opsets than those that were compared may hold more of that.
static constexpr int firstCompared = 21, lastCompared = 28;

namespace {
struct Change {
  StringLiteral op;
  int version;
  /// Whether it matters to a node, whose first operand has the type.
  bool (*matters)(const onnx::NodeProto &node, TypeName type);
};
} // namespace

static bool hasCeilMode(const onnx::NodeProto &node, TypeName) {
  return findAttribute(node, "ceil_mode");
}
static bool doesNotSaturate(const onnx::NodeProto &node, TypeName) {
  return findAttribute(node, "saturate");
}
static bool isModOfFloats(const onnx::NodeProto &node, TypeName type) {
  return !findAttribute(node, "fmod") &&
         (!type || StringRef(*type).contains("float") || StringRef(*type).contains("double"));
}

static constexpr Change changes[] = {
    {"AveragePool", 22, hasCeilMode},
    {"Cast", 24, doesNotSaturate},
    {"LpPool", 22, hasCeilMode},
    {"MaxPool", 22, hasCeilMode},
    {"Mod", 28, isModOfFloats},
};

static bool isSameBefore(const onnx::NodeProto &node, int version, TypeName type) {
  if (version < firstCompared || version > lastCompared)
    return false;
  return llvm::none_of(changes, [&](const Change &change) {
    return change.op == node.op_type() && change.version == version &&
           change.matters(node, type);
  });
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

NodeTypes exporter::checkNode(const onnx::NodeProto &node, GetType getType) {
  NodeTypes result;
  const OpSchema *schema = findNewest(node.op_type());
  if (!schema) {
    result.problem = "ONNX has no operator " + node.op_type();
    return result;
  }
  Fit newest = fit(node, *schema, getType);
  result.problem = newest.problem;
  for (int i = 0; i < node.output_size() && result.problem.empty(); ++i) {
    const OpSchema::FormalParameter &parameter = *findParameter(schema->outputs(), i);
    auto known = newest.types.find(parameter.GetTypeStr());
    TypeName type = nullptr;
    if (known != newest.types.end())
      type = known->second;
    else if (parameter.GetTypes().size() == 1)
      type = *parameter.GetTypes().begin();
    else if (const onnx::AttributeProto *to = findAttribute(node, "to"))
      type = getTensorTypeName(to->i());
    result.results.push_back(type);
  }
  // What is made on the way has the types that the node gives it.
  llvm::StringMap<TypeName> results;
  for (auto [name, type] : llvm::zip(node.output(), result.results))
    results[name] = type;
  auto getKnownType = [&](const std::string &name) {
    TypeName type = getType(name);
    return type ? type : results.lookup(name);
  };
  TypeName first = node.input_size() ? getType(node.input(0)) : nullptr;
  while (true) {
    int version = schema->SinceVersion();
    const OpSchema *older =
        isSameBefore(node, version, first) ? findSchema(node.op_type(), version - 1) : nullptr;
    if (!older)
      break;
    Fit before = fit(node, *older, getKnownType);
    if (!before.problem.empty() || !before.areTypesKnown)
      break;
    schema = older;
  }
  result.opset = schema->SinceVersion();
  return result;
}

const onnx::AttributeProto *exporter::getDefault(StringRef op, const std::string &attribute) {
  const OpSchema *schema = findNewest(op.str());
  if (!schema)
    return nullptr;
  auto it = schema->attributes().find(attribute);
  if (it == schema->attributes().end() || it->second.default_value.name().empty())
    return nullptr;
  return &it->second.default_value;
}

int64_t exporter::getIRVersion(int64_t opset) {
  // Of the release of ONNX that had the opset first.
  static constexpr std::pair<int64_t, int64_t> versions[] = {
      {28, 14}, {25, 13}, {24, 12}, {23, 11}, {21, 10}, {19, 9}};
  for (auto [first, version] : versions)
    if (opset >= first)
      return version;
  return 8;
}
