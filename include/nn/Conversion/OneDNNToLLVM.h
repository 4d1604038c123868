//===- OneDNNToLLVM.h - calls of oneDNN -------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_CONVERSION_ONEDNNTOLLVM_H
#define NN_CONVERSION_ONEDNNTOLLVM_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::nn {

/// Patterns from primitives on memrefs to calls of the runtime's entry
/// `onednn`. The function around a primitive has the context (!llvm.ptr) as
/// argument 0 and returns an i32; a call that fails makes it return the status.
/// Primitives must stand in the function's own blocks: run scf-to-cf before.
/// Each site's message and profile name is the ONNX names of its location.
void populateOneDNNToLLVMPatterns(const LLVMTypeConverter &converter,
                                  RewritePatternSet &patterns);

} // namespace mlir::nn

#endif // NN_CONVERSION_ONEDNNTOLLVM_H
