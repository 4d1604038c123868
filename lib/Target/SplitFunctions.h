//===- SplitFunctions.h - functions of a size that LLVM is made for -*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_TARGET_SPLITFUNCTIONS_H
#define NN_LIB_TARGET_SPLITFUNCTIONS_H

#include "llvm/IR/Module.h"

namespace mlir::nn {

/// Splits functions of thousands of instructions, of which the model's own is one with a
/// call per operator, into functions that are called once each and are not inlined.
/// Several parts of LLVM, the register allocator above all, take time quadratic in the
/// size of a function.
void splitLargeFunctions(llvm::Module &module);

} // namespace mlir::nn

#endif // NN_LIB_TARGET_SPLITFUNCTIONS_H
