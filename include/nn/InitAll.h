//===- InitAll.h - registration of dialects and passes ----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_INITALL_H
#define NN_INITALL_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::nn {

/// Our dialects, with those of MLIR that stand beside them, and the extensions
/// (bufferization, inlining, translation interfaces) of both.
void registerAllDialects(DialectRegistry &registry);

/// All passes and pipelines, ours and MLIR's, for the command line.
void registerAllPasses();

} // namespace mlir::nn

#endif // NN_INITALL_H
