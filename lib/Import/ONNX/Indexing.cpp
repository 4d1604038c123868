//===- Indexing.cpp - import of operators that pick by index --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static LogicalResult importGather(NodeBinder &node) {
  Value data, indices;
  int64_t axis;
  if (node.operand("data", data).operand("indices", indices)
          .attr("axis", axis, 0).failed())
    return failure();
  return node.replaceWith<GatherOp>(data, indices, axis);
}

void importer::registerIndexing(Registry &r) {
  r.onOp("Gather", 1, importGather);
}
