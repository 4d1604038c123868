//===- Transpose.h - kernels that transpose in blocks -----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_CONVERSION_LINALGTOKERNELS_TRANSPOSE_H
#define NN_LIB_CONVERSION_LINALGTOKERNELS_TRANSPOSE_H

#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "nn/Target/CostModel.h"

namespace mlir::nn {

/// A call, before the operation, of a new kernel that computes it.
struct TransposeKernel {
  rt::LaunchOp call;
  func::FuncOp kernel;
};

/// Failure, and nothing changed, if the innermost dimension stays innermost, or if one of
/// the two dimensions that change places is known to be shorter than a block: plain loops
/// do well with these.
FailureOr<TransposeKernel> emitTransposeKernel(linalg::TransposeOp op,
                                               const Thresholds &thresholds);

} // namespace mlir::nn

#endif // NN_LIB_CONVERSION_LINALGTOKERNELS_TRANSPOSE_H
