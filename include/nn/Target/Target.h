//===- Target.h - what a model is compiled for ------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TARGET_TARGET_H
#define NN_TARGET_TARGET_H

#include "nn/Target/CPU.h"

namespace mlir::nn {

/// Reads a target as command lines have it, and checks its names:
///   cpu                    portable code for any CPU
///   cpu:znver4,x86-64-v3   code for these; native is this machine's
///   cuda                   code for any GPU of CUDA from sm_80 on
///   cuda:sm_86,sm_90       code for these
llvm::Expected<TargetAttr> parseTarget(MLIRContext *context, StringRef text);

/// The target of a module: `nn.target`, or portable code for CPUs if it has none.
TargetAttr getTarget(ModuleOp module);

/// The variant of the host's code that a module is lowered for: its target's first. Fails
/// with a message if there is no such CPU.
FailureOr<CodeVariant> getVariant(ModuleOp module);

} // namespace mlir::nn

#endif // NN_TARGET_TARGET_H
