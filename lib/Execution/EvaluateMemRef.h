//===- EvaluateMemRef.h - memory when IR is executed ------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_EXECUTION_EVALUATEMEMREF_H
#define NN_LIB_EXECUTION_EVALUATEMEMREF_H

#include "mlir/IR/Operation.h"
#include "nn/Execution/Buffer.h"

namespace mlir::nn {

/// Executes an operation of the memref dialect, a conversion between memrefs, or an nn
/// operation that allocates. nullopt if the operation is not one of these; a failure
/// sets `message`.
std::optional<LogicalResult>
evaluateMemRef(Operation *op, llvm::function_ref<Datum(Value)> getValue,
               SmallVectorImpl<Datum> &results, std::string &message);

} // namespace mlir::nn

#endif // NN_LIB_EXECUTION_EVALUATEMEMREF_H
