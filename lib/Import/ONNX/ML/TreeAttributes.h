//===- TreeAttributes.h - decision trees in attributes ----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_ML_TREEATTRIBUTES_H
#define NN_LIB_IMPORT_ONNX_ML_TREEATTRIBUTES_H

#include "Ensemble.h"

namespace mlir::nn::importer {

/// The numbers of attribute `name`, or of `name`_as_tensor.
NodeBinder &bindNumbers(NodeBinder &node, StringRef name, std::vector<double> &numbers);

/// Reads nodes as of versions 1 and 3, and the weights of attributes PREFIX_treeids, ...,
/// which are for targets or classes. False, and reported, if they do not fit.
bool bindEnsemble(NodeBinder &node, StringRef prefix, int64_t numTargets, Ensemble &ensemble);

/// Reads nodes as of version 5, behind which come the leaves. False, and reported, if they
/// do not fit.
bool bindNodesAndLeaves(NodeBinder &node, Ensemble &ensemble);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_ML_TREEATTRIBUTES_H
