//===- LoopBuilding.h - loops that handlers make ----------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_LOOPBUILDING_H
#define NN_LIB_IMPORT_ONNX_LOOPBUILDING_H

#include "NodeBinder.h"

namespace mlir::nn::importer {

/// The number of an iteration, of index type, as an i64 scalar.
Value makeIndexTensor(OpBuilder &builder, Location location, Value index);

/// Emits a loop from `from` to `to` (i64 scalars) over tensors, whose types become
/// those of `types`. `body` gives the next values.
SmallVector<Value>
createLoop(NodeBinder &node, Value from, Value to, ArrayRef<Value> initial,
           ArrayRef<RankedTensorType> types,
           llvm::function_ref<SmallVector<Value>(Value iteration, ValueRange)> body);

/// Emits a loop over tensors that keep their types. It ends when the last one that `body`
/// gives besides the next values, an i1 scalar, is false, or after `most` iterations.
SmallVector<Value>
createLoopWhile(NodeBinder &node, int64_t most, ArrayRef<Value> initial,
                llvm::function_ref<SmallVector<Value>(ValueRange)> body);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_LOOPBUILDING_H
