//===- Extract.cpp - the parts of a model that are supported --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A node that is not supported cuts the model: what needs its results is in a later part than
// what does not. Each node has a level, the largest number of refused nodes on a path to it;
// those of one level, without the refused ones, are a part.
//
//===----------------------------------------------------------------------===//

#include "Graphs.h"
#include "OnnxLibrary.h"
#include "nn/Import/ONNX.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <fstream>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

namespace {
class Extractor {
public:
  Extractor(const onnx::ModelProto &model, StringRef prefix);

  /// Each of these returns why it failed.
  std::optional<std::string> assignLevels(const TriageReport &report);
  std::optional<std::string> write(llvm::raw_ostream &os);

private:
  int getNumNodes() const { return model.graph().node_size(); }
  const onnx::NodeProto &getNode(int index) const { return model.graph().node(index); }
  bool orderNodes();
  onnx::ModelProto makePart(int level, llvm::raw_ostream &os);
  void describeRefused(int level, llvm::raw_ostream &os);
  std::optional<std::string> writePart(const onnx::ModelProto &part, const std::string &path);

  const onnx::ModelProto &model;
  std::string prefix;
  llvm::StringMap<const onnx::ValueInfoProto *> types;
  llvm::StringMap<const onnx::TensorProto *> weights;
  llvm::StringMap<const onnx::SparseTensorProto *> sparseWeights;
  llvm::StringSet<> inputs;
  llvm::StringMap<int> producers;
  std::vector<SmallVector<StringRef>> readNames; ///< By node.
  std::vector<int> order, levels;
  std::vector<bool> isRefused;
};
} // namespace

Extractor::Extractor(const onnx::ModelProto &model, StringRef prefix)
    : model(model), prefix(prefix) {
  for (const auto *list : {&model.graph().value_info(), &model.graph().input(),
                           &model.graph().output()})
    for (const onnx::ValueInfoProto &info : *list)
      types[info.name()] = &info;
  for (const onnx::TensorProto &tensor : model.graph().initializer())
    weights[tensor.name()] = &tensor;
  for (const onnx::SparseTensorProto &tensor : model.graph().sparse_initializer())
    sparseWeights[tensor.values().name()] = &tensor;
  for (const onnx::ValueInfoProto &input : model.graph().input())
    inputs.insert(input.name());
  for (int index = 0; index < getNumNodes(); ++index) {
    readNames.push_back(getReadNames(getNode(index)));
    for (const std::string &output : getNode(index).output())
      if (!output.empty())
        producers[output] = index;
  }
}

/// Producers first. False if there is a cycle.
bool Extractor::orderNodes() {
  std::vector<int> numMissing(getNumNodes(), 0);
  std::vector<std::vector<int>> users(getNumNodes());
  for (int index = 0; index < getNumNodes(); ++index) {
    llvm::SmallSetVector<int, 8> needed;
    for (StringRef name : readNames[index])
      if (auto it = producers.find(name); it != producers.end() && it->second != index)
        needed.insert(it->second);
    numMissing[index] = needed.size();
    for (int producer : needed)
      users[producer].push_back(index);
  }
  for (int index = 0; index < getNumNodes(); ++index)
    if (numMissing[index] == 0)
      order.push_back(index);
  for (size_t next = 0; next < order.size(); ++next)
    for (int user : users[order[next]])
      if (--numMissing[user] == 0)
        order.push_back(user);
  return int(order.size()) == getNumNodes();
}

std::optional<std::string> Extractor::assignLevels(const TriageReport &report) {
  // Problems inside of a node, as in its graphs, are named NODE/INNER.
  llvm::StringSet<> refused;
  for (const Problem &problem : report.getProblems()) {
    if (problem.node.op.empty())
      continue;
    StringRef name = problem.node.name;
    for (size_t end = name.size(); end != StringRef::npos; end = name.rfind('/', end))
      refused.insert(name.take_front(end));
  }
  for (int index = 0; index < getNumNodes(); ++index)
    isRefused.push_back(refused.contains(getNodeName(getNode(index), index)));
  bool hasRefused = llvm::is_contained(isRefused, true);
  if (!hasRefused)
    return "no node of the main graph is refused, so that there is nothing to cut";
  if (!orderNodes())
    return "the nodes form a cycle";
  levels.assign(getNumNodes(), 0);
  for (int index : order)
    for (StringRef name : readNames[index])
      if (auto it = producers.find(name); it != producers.end() && it->second != index)
        levels[index] = std::max(levels[index], levels[it->second] + isRefused[it->second]);
  return std::nullopt;
}

/// A list for people.
template <typename Names>
static void print(llvm::raw_ostream &os, StringRef what, const Names &names) {
  os << "  " << what << ": "
     << (names.empty() ? "none" : llvm::join(names.begin(), names.end(), ", ")) << "\n";
}

onnx::ModelProto Extractor::makePart(int level, llvm::raw_ostream &os) {
  onnx::ModelProto part;
  part.set_ir_version(model.ir_version());
  part.set_producer_name("nn-translate --extract");
  *part.mutable_opset_import() = model.opset_import();
  *part.mutable_functions() = model.functions();
  onnx::GraphProto &graph = *part.mutable_graph();
  graph.set_name(model.graph().name());

  llvm::StringSet<> needed, seen;
  for (const onnx::ValueInfoProto &output : model.graph().output())
    needed.insert(output.name());
  auto isInPart = [&](int index) { return !isRefused[index] && levels[index] == level; };
  for (int index = 0; index < getNumNodes(); ++index)
    if (!isInPart(index))
      needed.insert(readNames[index].begin(), readNames[index].end());

  std::vector<std::string> inputNames, outputNames, untyped;
  auto describe = [&](StringRef name, onnx::ValueInfoProto &info) {
    if (auto it = types.find(name); it != types.end())
      info = *it->second;
    info.set_name(name.str());
    return info.has_type();
  };
  for (int index : order) {
    if (!isInPart(index))
      continue;
    onnx::NodeProto &node = *graph.add_node();
    node = getNode(index);
    node.set_name(getNodeName(node, index));
    for (StringRef name : readNames[index]) {
      auto producer = producers.find(name);
      bool isProduced = producer != producers.end();
      if (name.empty() || (isProduced && isInPart(producer->second)) ||
          !seen.insert(name).second)
        continue;
      if (auto it = weights.find(name); it != weights.end()) {
        *graph.add_initializer() = *it->second;
      } else if (auto it = sparseWeights.find(name); it != sparseWeights.end()) {
        *graph.add_sparse_initializer() = *it->second;
      } else if (isProduced || inputs.contains(name)) {
        inputNames.push_back(name.str());
        if (!describe(name, *graph.add_input()))
          untyped.push_back(name.str());
      } // Else it is local to a graph of the node.
    }
    for (const std::string &output : node.output())
      if (!output.empty() && needed.contains(output)) {
        outputNames.push_back(output);
        describe(output, *graph.add_output());
      }
  }
  for (const onnx::ValueInfoProto &info : model.graph().value_info())
    if (auto it = producers.find(info.name()); it != producers.end() && isInPart(it->second))
      *graph.add_value_info() = info;
  if (graph.node_size()) {
    os << prefix << "." << level << ".onnx: " << graph.node_size()
       << (graph.node_size() == 1 ? " node\n" : " nodes\n");
    print(os, "inputs", inputNames);
    print(os, "outputs", outputNames);
    if (!untyped.empty())
      print(os, "to be given a type and shape before it can be compiled", untyped);
  }
  return part;
}

void Extractor::describeRefused(int level, llvm::raw_ostream &os) {
  for (int index : order) {
    if (!isRefused[index] || levels[index] != level)
      continue;
    const onnx::NodeProto &node = getNode(index);
    os << "not supported: node '" << getNodeName(node, index) << "' (" << node.op_type()
       << ")\n";
    // With what its graphs read of the model's.
    llvm::SmallSetVector<StringRef, 8> inputs(node.input().begin(), node.input().end());
    for (StringRef name : readNames[index])
      if (auto it = producers.find(name); it != producers.end() && it->second != index)
        inputs.insert(name);
    inputs.remove("");
    print(os, "inputs", inputs);
    print(os, "outputs", node.output());
  }
}

std::optional<std::string> Extractor::writePart(const onnx::ModelProto &part,
                                                const std::string &path) {
  if (part.ByteSizeLong() > size_t(INT32_MAX))
    return "'" + path + "' would have more than 2 GB: keep the weights in a file beside the "
                        "model (onnx.save with save_as_external_data)";
  std::ofstream file(path, std::ios::binary);
  if (!file || !part.SerializeToOstream(&file) || !file.flush())
    return "cannot write '" + path + "'";
  return std::nullopt;
}

std::optional<std::string> Extractor::write(llvm::raw_ostream &os) {
  int last = *std::max_element(levels.begin(), levels.end());
  for (int level = 0; level <= last; ++level) {
    onnx::ModelProto part = makePart(level, os);
    if (part.graph().node_size())
      if (auto error = writePart(part, prefix + "." + std::to_string(level) + ".onnx"))
        return error;
    describeRefused(level, os);
  }
  return std::nullopt;
}

/// Whether weights are in files, which are named from the model's folder.
static bool hasExternalData(const onnx::ModelProto &model) {
  return llvm::any_of(model.graph().initializer(), [](const onnx::TensorProto &tensor) {
    return tensor.data_location() == onnx::TensorProto::EXTERNAL;
  });
}

std::optional<std::string> nn::extractSupportedParts(StringRef path,
                                                     const TriageReport &report,
                                                     StringRef prefix,
                                                     llvm::raw_ostream &os) {
  if (report.empty())
    return "the model is supported as a whole";
  onnx::ModelProto model;
  if (std::optional<ReadError> error = readModel(path, model))
    return "the model cannot be read: " + error->seen;
  auto folderOf = [](StringRef file) {
    StringRef folder = llvm::sys::path::parent_path(file);
    return folder.empty() ? std::string(".") : folder.str();
  };
  if (hasExternalData(model) && !llvm::sys::fs::equivalent(folderOf(path), folderOf(prefix)))
    return "the model's weights are in files beside it: give a prefix in its folder";
  inferTypes(model);
  Extractor extractor(model, prefix);
  if (auto error = extractor.assignLevels(report))
    return error;
  return extractor.write(os);
}
