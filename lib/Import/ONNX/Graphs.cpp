//===- Graphs.cpp - names in graphs of ONNX -------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Graphs.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::nn;

SmallVector<StringRef> importer::getReadNames(const onnx::NodeProto &node) {
  SmallVector<StringRef> names;
  for (const std::string &input : node.input())
    names.push_back(input);
  auto visit = [&](const onnx::GraphProto &graph) {
    for (const onnx::NodeProto &inner : graph.node())
      llvm::append_range(names, getReadNames(inner));
    for (const auto &output : graph.output())
      names.push_back(output.name());
  };
  for (const onnx::AttributeProto &attribute : node.attribute()) {
    if (attribute.has_g())
      visit(attribute.g());
    for (const onnx::GraphProto &graph : attribute.graphs())
      visit(graph);
  }
  return names;
}

std::string importer::getNodeName(const onnx::NodeProto &node, int64_t index) {
  return node.name().empty() ? node.op_type() + "_" + std::to_string(index) : node.name();
}
