//===- CustomOperators.h - nodes that libraries of users compute *- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_CUSTOMOPERATORS_H
#define NN_LIB_IMPORT_ONNX_CUSTOMOPERATORS_H

#include "NodeBinder.h"

namespace mlir::nn::importer {

/// Imports a node whose operator the library computes, which says types and shapes.
LogicalResult importCustom(NodeBinder &node, const NodeInfo &info, llvm::StringRef library);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_CUSTOMOPERATORS_H
