//===- Mutations.cpp - models as an enemy would write them ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Mutations.h"
#include <algorithm>
#include <limits>

using namespace mlir::nn::mutated;

uint64_t Random::next() { // splitmix64
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

int64_t Random::number() {
  static constexpr int64_t odd[] = {
      0,  1,   -1,   2,       -2,         3,          7,
      64, 255, 1024, 1 << 20, 1ll << 31,  -(1ll << 31), 1ll << 32,
      1ll << 40, 1ll << 62, std::numeric_limits<int64_t>::max(),
      std::numeric_limits<int64_t>::min()};
  return pick(odd);
}

namespace {

/// A model's parts that a mutation can choose among.
struct Parts {
  std::vector<onnx::GraphProto *> graphs;
  std::vector<google::protobuf::RepeatedPtrField<onnx::NodeProto> *> nodeLists;
  std::vector<onnx::NodeProto *> nodes;
  std::vector<onnx::AttributeProto *> attributes;
  std::vector<onnx::TensorProto *> tensors;
  std::vector<onnx::ValueInfoProto *> values;
  std::vector<std::string> names;

  explicit Parts(onnx::ModelProto &model) {
    addGraph(*model.mutable_graph());
    for (auto &function : *model.mutable_functions())
      addNodes(*function.mutable_node());
    for (onnx::NodeProto *node : nodes)
      for (const auto *list : {&node->input(), &node->output()})
        names.insert(names.end(), list->begin(), list->end());
    for (onnx::TensorProto *tensor : tensors)
      names.push_back(tensor->name());
    names.push_back("");
    names.push_back("nowhere");
  }

private:
  void addGraph(onnx::GraphProto &graph) {
    graphs.push_back(&graph);
    addNodes(*graph.mutable_node());
    for (auto &tensor : *graph.mutable_initializer())
      tensors.push_back(&tensor);
    for (auto *list : {graph.mutable_input(), graph.mutable_output(),
                       graph.mutable_value_info()})
      for (auto &value : *list)
        values.push_back(&value);
  }
  void addNodes(google::protobuf::RepeatedPtrField<onnx::NodeProto> &list) {
    nodeLists.push_back(&list);
    for (auto &node : list) {
      nodes.push_back(&node);
      for (auto &attribute : *node.mutable_attribute()) {
        attributes.push_back(&attribute);
        if (attribute.has_t())
          tensors.push_back(attribute.mutable_t());
        if (attribute.has_g())
          addGraph(*attribute.mutable_g());
      }
    }
  }
};

template <typename List> void removeOne(List &list, Random &random) {
  if (list.size())
    list.DeleteSubrange(random.below(list.size()), 1);
}

std::string makeName(Random &random) {
  static const std::string odd[] = {"", "x", std::string("a\0b", 3), "\xff\xfe",
                                    "../x", "%s%n", std::string(5000, 'n'), "?"};
  return random.pick(odd);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

void changeList(Parts &parts, Random &random) {
  auto &list = *random.pick(parts.nodeLists);
  switch (random.below(4)) {
  case 0:
    return removeOne(list, random);
  case 1: // Its results are defined twice.
    if (list.size()) {
      onnx::NodeProto copy = list[random.below(list.size())];
      *list.Add() = copy;
    }
    return;
  case 2:
    if (list.size() > 1)
      list.SwapElements(random.below(list.size()), random.below(list.size()));
    return;
  case 3:
    std::reverse(list.begin(), list.end());
  }
}

void changeOperands(Parts &parts, Random &random) {
  if (parts.nodes.empty())
    return;
  onnx::NodeProto &node = *random.pick(parts.nodes);
  auto &list = random.oneIn(4) ? *node.mutable_output() : *node.mutable_input();
  switch (random.below(6)) {
  case 0:
    return removeOne(list, random);
  case 1:
    *list.Add() = random.pick(parts.names);
    return;
  case 2: // A cycle of one node.
    if (node.output_size())
      *node.add_input() = node.output(random.below(node.output_size()));
    return;
  case 3:
    if (list.size() > 1)
      list.SwapElements(0, random.below(list.size()));
    return;
  default: // Other operands; at times of a later node, which makes cycles.
    if (list.size())
      list[random.below(list.size())] = random.pick(parts.names);
  }
}

void changeOperator(Parts &parts, Random &random,
                    const std::vector<std::string> &operators) {
  if (parts.nodes.empty())
    return;
  onnx::NodeProto &node = *random.pick(parts.nodes);
  if (random.oneIn(6))
    node.set_domain(random.oneIn(2) ? "com.microsoft" : makeName(random));
  else if (random.oneIn(12))
    node.set_op_type(makeName(random));
  else if (!operators.empty())
    node.set_op_type(operators[random.below(operators.size())]);
}

//===----------------------------------------------------------------------===//
// Tensors, types, attributes
//===----------------------------------------------------------------------===//

void changeTensor(onnx::TensorProto &tensor, Random &random) {
  switch (random.below(9)) {
  case 0: // Less data than the shape says, or more.
    if (tensor.has_raw_data()) {
      size_t size = tensor.raw_data().size();
      tensor.mutable_raw_data()->resize(random.oneIn(3) ? size + random.below(64)
                                                        : random.below(size + 1));
    } else {
      tensor.mutable_float_data()->Clear();
      tensor.mutable_int64_data()->Clear();
    }
    return;
  case 1:
    if (tensor.dims_size())
      tensor.set_dims(random.below(tensor.dims_size()), random.number());
    return;
  case 2:
    tensor.add_dims(random.number());
    return;
  case 3:
    tensor.clear_dims();
    return;
  case 4:
    tensor.set_data_type(random.below(30));
    return;
  case 5: { // What a tensor says of sizes, axes, steps.
    if (tensor.data_type() != onnx::TensorProto::INT64)
      break;
    if (tensor.int64_data_size()) {
      tensor.set_int64_data(random.below(tensor.int64_data_size()), random.number());
    } else if (size_t count = tensor.raw_data().size() / 8) {
      int64_t value = random.number();
      memcpy(&(*tensor.mutable_raw_data())[8 * random.below(count)], &value, 8);
    }
    return;
  }
  case 6: { // Weights in a file, or in one that is none of the model's business.
    static const char *const files[] = {"weights.bin", "../weights.bin", "/etc/passwd",
                                        "", ".", "a/../weights.bin", "missing.bin",
                                        "/dev/zero", "link.bin"};
    tensor.clear_raw_data();
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    auto set = [&](const char *key, const std::string &value) {
      auto *entry = tensor.add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    };
    set("location", random.pick(files));
    if (random.oneIn(2))
      set("offset", random.oneIn(8) ? "much" : std::to_string(random.number()));
    if (random.oneIn(2))
      set("length", std::to_string(random.number()));
    return;
  }
  case 7:
    tensor.mutable_segment()->set_begin(random.number());
    tensor.mutable_segment()->set_end(random.number());
    return;
  }
  tensor.set_name(makeName(random));
}

void changeType(onnx::TypeProto &type, Random &random) {
  switch (random.below(8)) {
  case 0:
    return type.Clear();
  case 1:
    type.mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type();
    return;
  case 2:
    type.mutable_optional_type();
    return;
  case 3:
    type.mutable_tensor_type()->set_elem_type(random.below(30));
    return;
  case 4:
    type.mutable_tensor_type()->clear_shape();
    return;
  }
  auto &shape = *type.mutable_tensor_type()->mutable_shape();
  if (!shape.dim_size() || random.oneIn(3))
    shape.add_dim();
  auto &dim = *shape.mutable_dim(random.below(shape.dim_size()));
  switch (random.below(4)) {
  case 0:
    return dim.set_dim_param(makeName(random));
  case 1:
    return dim.Clear();
  case 2:
    return removeOne(*shape.mutable_dim(), random);
  default:
    dim.set_dim_value(random.number());
  }
}

void setAttribute(onnx::AttributeProto &attribute, Random &random, Parts &parts) {
  std::string name = attribute.name();
  attribute.Clear();
  attribute.set_name(name);
  switch (random.below(9)) {
  case 0:
    attribute.set_type(onnx::AttributeProto::INT);
    return attribute.set_i(random.number());
  case 1: {
    attribute.set_type(onnx::AttributeProto::FLOAT);
    static constexpr float odd[] = {0, -1, 1e30f, -1e30f, 1e-40f,
                                    std::numeric_limits<float>::infinity(),
                                    std::numeric_limits<float>::quiet_NaN()};
    return attribute.set_f(random.pick(odd));
  }
  case 2:
    attribute.set_type(onnx::AttributeProto::STRING);
    return attribute.set_s(makeName(random));
  case 3:
    attribute.set_type(onnx::AttributeProto::TENSOR);
    attribute.mutable_t()->set_data_type(random.below(30));
    return changeTensor(*attribute.mutable_t(), random);
  case 4: { // A graph, also one that holds this very node.
    attribute.set_type(onnx::AttributeProto::GRAPH);
    onnx::GraphProto copy = *random.pick(parts.graphs);
    *attribute.mutable_g() = copy;
    return;
  }
  case 5: // No value, or that of another type.
    return attribute.set_type(onnx::AttributeProto::AttributeType(random.below(15)));
  default:
    attribute.set_type(onnx::AttributeProto::INTS);
    for (size_t i = random.below(6); i--;)
      attribute.add_ints(random.number());
  }
}

void changeAttributes(Parts &parts, Random &random) {
  if (parts.attributes.empty() || random.oneIn(4)) {
    if (parts.nodes.empty())
      return;
    static const char *const common[] = {
        "axis",  "axes",   "perm",       "kernel_shape", "strides", "pads",
        "group", "to",     "keepdims",   "dilations",    "shape",   "value",
        "mode",  "blocksize", "auto_pad", "hidden_size", "then_branch", "body",
        "equation", "num_outputs", "direction", "output_shape"};
    onnx::NodeProto &node = *random.pick(parts.nodes);
    onnx::AttributeProto &added = *node.add_attribute();
    added.set_name(random.pick(common));
    return setAttribute(added, random, parts);
  }
  onnx::AttributeProto &attribute = *random.pick(parts.attributes);
  switch (random.below(6)) {
  case 0:
    return setAttribute(attribute, random, parts);
  case 1:
    return attribute.set_name(makeName(random));
  case 2:
    if (attribute.ints_size()) {
      attribute.set_ints(random.below(attribute.ints_size()), random.number());
      return;
    }
    [[fallthrough]];
  case 3:
    if (attribute.has_i())
      return attribute.set_i(random.number());
    attribute.add_ints(random.number());
    return;
  case 4:
    if (attribute.ints_size())
      return attribute.mutable_ints()->RemoveLast();
    [[fallthrough]];
  default:
    attribute.Clear();
  }
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

void changeModel(onnx::ModelProto &model, Parts &parts, Random &random) {
  switch (random.below(7)) {
  case 0:
    if (model.opset_import_size())
      return model.mutable_opset_import(0)->set_version(
          random.oneIn(3) ? random.number() : random.below(28));
    [[fallthrough]];
  case 1:
    return removeOne(*model.mutable_opset_import(), random);
  case 2:
    return model.set_ir_version(random.number());
  case 3:
    return removeOne(*model.mutable_graph()->mutable_output(), random);
  case 4: { // A graph in a graph in a graph ...
    onnx::GraphProto inner = model.graph();
    for (size_t depth = random.below(100); depth--;) {
      onnx::GraphProto outer;
      onnx::NodeProto &node = *outer.add_node();
      node.set_op_type("If");
      node.add_input(parts.names.front());
      node.add_output("nested");
      onnx::AttributeProto &branch = *node.add_attribute();
      branch.set_name("then_branch");
      branch.set_type(onnx::AttributeProto::GRAPH);
      branch.mutable_g()->Swap(&inner);
      inner.Swap(&outer);
      // A copy of a large graph in each would be another test.
      if (inner.ByteSizeLong() > (1 << 20))
        break;
    }
    *model.mutable_graph()->mutable_node() = inner.node();
    return;
  }
  default: { // A function that calls itself, or takes an operator's place.
    onnx::FunctionProto &function = *model.add_functions();
    bool replaces = !parts.nodes.empty() && random.oneIn(2);
    function.set_name(replaces ? random.pick(parts.nodes)->op_type() : "Own");
    function.set_domain(replaces ? "" : "own");
    function.add_input("a");
    function.add_output("b");
    onnx::NodeProto &call = *function.add_node();
    call.set_op_type(random.oneIn(3) ? "Relu" : function.name());
    call.set_domain(function.domain());
    call.add_input("a");
    call.add_output("b");
    auto &opset = *model.add_opset_import();
    opset.set_domain("own");
    opset.set_version(1);
    if (!replaces && !parts.nodes.empty()) {
      onnx::NodeProto &node = *random.pick(parts.nodes);
      node.set_op_type("Own");
      node.set_domain("own");
    }
  }
  }
}

} // namespace

void mlir::nn::mutated::mutateModel(onnx::ModelProto &model, Random &random,
                                    const std::vector<std::string> &operators,
                                    std::string &what) {
  // One change leaves a model that is right but for it: those get furthest.
  for (size_t count = random.oneIn(3) ? 2 + random.below(3) : 1; count--;) {
    Parts parts(model);
    const char *name = "";
    switch (random.below(12)) {
    case 0:
      name = "list of nodes";
      changeList(parts, random);
      break;
    case 1:
    case 2:
      name = "operands";
      changeOperands(parts, random);
      break;
    case 3:
      name = "operator";
      changeOperator(parts, random, operators);
      break;
    case 4:
    case 5:
    case 6:
      name = "attributes";
      changeAttributes(parts, random);
      break;
    case 7:
    case 8:
      name = "tensor";
      if (!parts.tensors.empty())
        changeTensor(*random.pick(parts.tensors), random);
      break;
    case 9:
    case 10:
      name = "type";
      if (!parts.values.empty())
        changeType(*random.pick(parts.values)->mutable_type(), random);
      break;
    default:
      name = "model";
      changeModel(model, parts, random);
    }
    what += (what.empty() ? "" : ", ") + std::string(name);
  }
}

void mlir::nn::mutated::mutateBytes(std::string &bytes, Random &random,
                                    std::string &what) {
  what += (what.empty() ? "" : ", ") + std::string("bytes");
  if (bytes.empty())
    return;
  size_t at = random.below(bytes.size()), size = bytes.size();
  switch (random.below(5)) {
  case 0:
    bytes.resize(at);
    return;
  case 1:
    bytes.insert(at, bytes.substr(random.below(size), random.below(64)));
    return;
  case 2:
    bytes.erase(at, random.below(64));
    return;
  default: // Near the front more often: the graph comes before the weights.
    for (size_t flips = 1 + random.below(8); flips--;) {
      size_t limit = random.oneIn(2) ? size : std::min<size_t>(size, 512);
      bytes[random.below(limit)] = char(random.next());
    }
  }
}
