//===- OneDNNToLLVM.h - calls of oneDNN -------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_CONVERSION_ONEDNNTOLLVM_H
#define NN_CONVERSION_ONEDNNTOLLVM_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::nn {

/// Patterns that lower primitives on memrefs to calls of the runtime's entry `onednn`.
/// The function around a primitive must have the context (!llvm.ptr) as argument 0 and
/// return an i32; if a call fails, the function returns its status. Primitives must be
/// in blocks of the function itself: run scf-to-cf before. Messages and profiles name a
/// site by the ONNX names of its location.
void populateOneDNNToLLVMPatterns(const LLVMTypeConverter &converter,
                                  RewritePatternSet &patterns);

} // namespace mlir::nn

#endif // NN_CONVERSION_ONEDNNTOLLVM_H
