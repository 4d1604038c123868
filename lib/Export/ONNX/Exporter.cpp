//===- Exporter.cpp - from a module to an ONNX model ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Exporter.h"
#include "Registry.h"
#include "dialects/NN/IR/NN.h"
#include "nn/Support/Activity.h"
#include "nn/Support/Locations.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

Name UniqueNames::take(StringRef wanted) {
  auto [it, isNew] = taken.try_emplace(wanted, 0);
  if (isNew)
    return wanted.str();
  // The entry may move when others are added.
  unsigned number = it->second;
  std::string name;
  do
    name = (wanted + "_" + Twine(++number)).str();
  while (!taken.try_emplace(name, 0).second);
  taken[wanted] = number;
  return name;
}

/// What the nodes of an operation are called after.
static std::string getBaseName(Operation *op) {
  std::string name = getONNXNames(op->getLoc());
  return name.empty() ? op->getName().stripDialect().str() : name;
}

Name Exporter::getName(Value value) {
  auto it = names.find(value);
  // What makes it could not be written, which is reported.
  return it == names.end() ? "" : it->second;
}

/// The ONNX tensor that the result is, by `nn.origin`.
static StringRef getOrigin(OpResult result) {
  auto origins = result.getOwner()->getAttrOfType<ArrayAttr>("nn.origin");
  if (origins)
    for (auto origin : origins.getAsRange<OriginAttr>())
      if (origin.getResult() == int64_t(result.getResultNumber()) &&
          origin.getPermutation().empty())
        return origin.getTensor();
  return "";
}

Name Exporter::makeName(OpResult result) {
  Name name = outputs.lookup(result);
  if (name.empty()) {
    StringRef origin = getOrigin(result);
    name = tensors.take(!origin.empty() ? origin.str() : getBaseName(result.getOwner()));
    onnx::ValueInfoProto *info = graph->add_value_info();
    info->set_name(name);
    *info->mutable_type() = getType(result.getType());
  }
  types[name] = getTypeName(getType(result.getType()));
  names[result] = name;
  return name;
}

Name Exporter::makeName(Operation *op, StringRef what) {
  return tensors.take(getBaseName(op) + "/" + what.str());
}

onnx::TypeProto Exporter::getType(Type type) {
  onnx::TypeProto proto;
  onnx::TypeProto::Tensor *tensor = proto.mutable_tensor_type();
  auto shaped = dyn_cast<RankedTensorType>(type);
  std::optional<DataType> element =
      getDataType(shaped ? shaped.getElementType() : type);
  tensor->set_elem_type(element ? int32_t(*element) : 0);
  onnx::TensorShapeProto *shape = tensor->mutable_shape();
  if (shaped)
    for (int64_t size : shaped.getShape()) {
      onnx::TensorShapeProto::Dimension *dim = shape->add_dim();
      if (!ShapedType::isDynamic(size))
        dim->set_dim_value(size);
    }
  return proto;
}

//===----------------------------------------------------------------------===//
// Nodes and constants
//===----------------------------------------------------------------------===//

onnx::NodeProto &Exporter::startNode(Operation *op, StringRef onnx, ArrayRef<Name> operands,
                                     ArrayRef<Name> results, bool isMain) {
  onnx::NodeProto &node = *graph->add_node();
  node.set_op_type(onnx.str());
  node.set_name(nodes.take(isMain ? getBaseName(op) : getBaseName(op) + "/" + onnx.str()));
  while (!operands.empty() && operands.back().empty())
    operands = operands.drop_back();
  while (!results.empty() && results.back().empty())
    results = results.drop_back();
  for (const Name &operand : operands)
    node.add_input(operand);
  for (const Name &result : results) {
    node.add_output(result);
    produced.insert(result);
  }
  return node;
}

void Exporter::addForeignNode(Operation *op, StringRef name, StringRef domain,
                              int64_t version, ArrayRef<Name> operands,
                              ArrayRef<Name> results, Attributes attributes) {
  onnx::NodeProto &node = startNode(op, name, operands, results, /*isMain=*/true);
  node.set_domain(domain.str());
  for (onnx::AttributeProto &attribute : attributes)
    *node.add_attribute() = std::move(attribute);
  int64_t &known = foreignOpsets[domain.str()];
  known = std::max(known, version);
}

bool Exporter::addNode(Operation *op, StringRef onnx, ArrayRef<Name> operands,
                       ArrayRef<Name> results, Attributes attributes, bool isMain) {
  onnx::NodeProto &node = startNode(op, onnx, operands, results, isMain);
  for (onnx::AttributeProto &attribute : attributes) {
    const onnx::AttributeProto *otherwise = getDefault(onnx, attribute.name());
    bool isDefault = otherwise && otherwise->SerializeAsString() == attribute.SerializeAsString();
    if (!isDefault)
      *node.add_attribute() = std::move(attribute);
  }
  NodeTypes checked =
      checkNode(node, [&](const std::string &name) { return types.lookup(name); });
  if (!checked.problem.empty()) {
    emitError(op->getLoc()) << "'" << op->getName()
                            << "' cannot be written as ONNX: " << checked.problem;
    return false;
  }
  opset = std::max(opset, checked.opset);
  for (auto [result, type] : llvm::zip(results, checked.results))
    types.try_emplace(result, type);
  return true;
}

Name Exporter::addTensor(StringRef wanted, const HostTensor &tensor) {
  Name name = tensors.take(wanted);
  // Nested graphs see those of the model, too.
  onnx::TensorProto &proto = *model.mutable_graph()->add_initializer();
  proto.set_name(name);
  weights.write(tensor, proto);
  onnx::TypeProto type;
  type.mutable_tensor_type()->set_elem_type(proto.data_type());
  types[name] = getTypeName(type);
  return name;
}

Name Exporter::addConstant(Operation *op, const HostTensor &tensor) {
  constexpr size_t most = 1024;
  std::string bytes;
  if (tensor.getNumBytes() <= most)
    bytes = tensor.describe() + Weights::getBytes(tensor);
  if (!bytes.empty())
    if (auto it = smallConstants.find(bytes); it != smallConstants.end())
      return it->second;
  Name name = addTensor(getBaseName(op) + "/value", tensor);
  if (!bytes.empty())
    smallConstants[bytes] = name;
  return name;
}

Name Exporter::addConstant(Operation *op, ElementsAttr value) {
  auto [it, isNew] = constants.try_emplace(value);
  if (!isNew)
    return it->second;
  FailureOr<HostTensor> tensor = toHostTensor(value);
  if (failed(tensor)) {
    emitError(op->getLoc()) << "the contents of a constant are missing";
    return it->second;
  }
  Name name = addTensor(getBaseName(op), *tensor);
  contents[name] = value;
  return constants[value] = name;
}

std::optional<HostTensor> Exporter::findConstant(const Name &name) {
  auto it = contents.find(name);
  if (it == contents.end())
    return std::nullopt;
  FailureOr<HostTensor> tensor = toHostTensor(it->second);
  return failed(tensor) ? std::nullopt : std::optional(*tensor);
}

//===----------------------------------------------------------------------===//
// Operations and graphs
//===----------------------------------------------------------------------===//

bool Exporter::writeOperation(Operation *op) {
  setCurrentNode(op->getLoc());
  const Registry::Entry *entry = Registry::get().find(op->getName().getStringRef());
  if (!entry || !entry->write) {
    emitError(op->getLoc()) << "'" << op->getName() << "' cannot be written as ONNX: "
                            << (entry ? entry->refusal
                              : "it is not of the model; write the module as it is before "
                                "the phase 'place'");
    return false;
  }
  // Attributes that are not written out have nn's default values.
  if (op->getPropertiesStorageSize())
    op->getName().populateDefaultProperties(op->getPropertiesStorage());
  NodeWriter writer(*this, op);
  return succeeded(entry->write(op, writer));
}

bool Exporter::writeBlock(Block &block) {
  bool isWritten = true;
  for (Operation &op : block.without_terminator())
    isWritten &= writeOperation(&op);
  return isWritten;
}

bool Exporter::nest(onnx::GraphProto &nested, const Name &name,
                    llvm::function_ref<bool()> fill) {
  nested.set_name(name);
  llvm::StringSet<> inner;
  std::swap(produced, inner);
  onnx::GraphProto *outer = std::exchange(graph, &nested);
  bool isFilled = fill();
  graph = outer;
  std::swap(produced, inner);
  return isFilled;
}

Name Exporter::addInput(const onnx::TypeProto &type, StringRef wanted) {
  Name name = tensors.take(wanted);
  onnx::ValueInfoProto *input = graph->add_input();
  input->set_name(name);
  *input->mutable_type() = type;
  types[name] = getTypeName(type);
  return name;
}

bool Exporter::addOutputs(Operation *op, ArrayRef<Name> tensors,
                          ArrayRef<onnx::TypeProto> outputTypes) {
  bool isWritten = true;
  llvm::StringSet<> seen;
  for (auto [tensor, type] : llvm::zip(tensors, outputTypes)) {
    // Outputs are made in the graph, each by another node.
    Name name = tensor;
    if (!produced.contains(name) || !seen.insert(name).second) {
      name = makeName(op, "output");
      isWritten &= addNode(op, "Identity", {tensor}, {name}, {}, /*isMain=*/false);
    }
    onnx::ValueInfoProto *output = graph->add_output();
    output->set_name(name);
    *output->mutable_type() = type;
  }
  return isWritten;
}

static void collectUses(const onnx::GraphProto &graph, llvm::StringSet<> &used) {
  for (const onnx::NodeProto &node : graph.node()) {
    for (const std::string &operand : node.input())
      used.insert(operand);
    for (const onnx::AttributeProto &attribute : node.attribute())
      if (attribute.has_g())
        collectUses(attribute.g(), used);
  }
}

void Exporter::dropUnusedConstants() {
  llvm::StringSet<> used;
  collectUses(*graph, used);
  auto &tensors = *graph->mutable_initializer();
  tensors.erase(std::remove_if(tensors.begin(), tensors.end(),
                               [&](const onnx::TensorProto &tensor) {
                                 return !used.contains(tensor.name());
                               }),
                tensors.end());
}

bool Exporter::run() {
  func::FuncOp main = findMain();
  if (!main)
    return false;
  graph = model.mutable_graph();
  measureConstants(main);
  bool isWritten = writeInputs(main) && reserveOutputs(main);
  if (!isWritten || !writeBlock(main.getBody().front()))
    return false;
  writeOutputs(main);
  dropUnusedConstants();
  setMetadata(main);
  return true;
}
