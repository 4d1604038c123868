//===- ForeignOperators.h - operators that others wrote ---------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_FOREIGNOPERATORS_H
#define NN_LIB_IMPORT_ONNX_FOREIGNOPERATORS_H

#include "nn/Import/Triage.h"

namespace mlir::nn::importer {

/// The ways out for a node whose operator is not supported, by who writes such nodes.
std::string getAdviceForOperator(const NodeInfo &node);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_FOREIGNOPERATORS_H
