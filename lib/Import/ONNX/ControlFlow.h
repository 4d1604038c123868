//===- ControlFlow.h - what nodes with graphs share -------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_CONTROLFLOW_H
#define NN_LIB_IMPORT_ONNX_CONTROLFLOW_H

#include "Importer.h"

namespace mlir::nn::importer {

inline RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_CONTROLFLOW_H
