//===- Passes.h - from bufferized models to code ----------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TARGET_PASSES_H
#define NN_TARGET_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::nn {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "nn/Target/Passes.h.inc"

/// How nn.constant and rt.launch are bufferized.
void registerBufferizationModels(DialectRegistry &registry);

/// The model's function, or null.
func::FuncOp getMain(ModuleOp module);

} // namespace mlir::nn

#endif // NN_TARGET_PASSES_H
