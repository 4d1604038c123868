//===- CodeToLLVM.h - what code for all machines goes through ---*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_TARGET_CODETOLLVM_H
#define NN_LIB_TARGET_CODETOLLVM_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::nn {

/// Rewrites vector operations to forms that can be converted one by one.
LogicalResult lowerVectors(Operation *module);

/// Conversion of upstream's dialects: functions, control flow, arithmetic, buffers, vectors.
void populateCodeToLLVMPatterns(const LLVMTypeConverter &converter,
                                RewritePatternSet &patterns);

/// Makes the functions of a converted module private, and says of their parameters what is
/// known of kernels.
void finishFunctions(Block &module);

} // namespace mlir::nn

#endif // NN_LIB_TARGET_CODETOLLVM_H
