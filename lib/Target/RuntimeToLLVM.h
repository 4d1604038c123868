//===- RuntimeToLLVM.h - what a model asks of the runtime ------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_TARGET_RUNTIMETOLLVM_H
#define NN_LIB_TARGET_RUNTIMETOLLVM_H

namespace mlir {
class LLVMTypeConverter;
class RewritePatternSet;
} // namespace mlir

namespace mlir::nn {

/// Lowers memory, kernels and failed checks to calls through the table in the context,
/// which is argument 0 of the surrounding function.
void populateRuntimeToLLVMPatterns(const LLVMTypeConverter &converter,
                                   RewritePatternSet &patterns);

} // namespace mlir::nn

#endif // NN_LIB_TARGET_RUNTIMETOLLVM_H
