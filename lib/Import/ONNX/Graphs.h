//===- Graphs.h - names in graphs of ONNX -----------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_GRAPHS_H
#define NN_LIB_IMPORT_ONNX_GRAPHS_H

#include "mlir/Support/LLVM.h"
#include "onnx/onnx_pb.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace mlir::nn::importer {

/// The names that a node reads: its inputs, and those that its graphs read, with names that
/// are local to these. Absent inputs are empty.
SmallVector<llvm::StringRef> getReadNames(const onnx::NodeProto &node);

/// The name of node number `index` of a graph; unnamed ones get one of their operator.
std::string getNodeName(const onnx::NodeProto &node, int64_t index);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_GRAPHS_H
