//===- PassBase.td - what passes within the nn dialect share --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TRANSFORMS_PASSBASE_TD
#define NN_TRANSFORMS_PASSBASE_TD

include "mlir/Pass/PassBase.td"

/// A pass over one function of the model.
class NN_FunctionPass<string flag> : Pass<flag, "::mlir::func::FuncOp"> {
  let dependentDialects = ["::mlir::nn::NNDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // NN_TRANSFORMS_PASSBASE_TD
