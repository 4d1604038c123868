//===- RuntimeToLLVM.h - what a model asks of the runtime ------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Private to this folder: lowers memory, kernels and failed checks to calls through the table
// in the context, which is argument 0 of the surrounding function.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_TARGET_RUNTIMETOLLVM_H
#define NN_LIB_TARGET_RUNTIMETOLLVM_H

#include "dialects/RT/IR/RT.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "nn/Conversion/RuntimeCalls.h"

namespace mlir::nn {

/// All of them: those below and failed checks.
void populateRuntimeToLLVMPatterns(const LLVMTypeConverter &converter,
                                   RewritePatternSet &patterns);
/// Weights, outputs, arenas and other buffers.
void populateMemoryToLLVM(const LLVMTypeConverter &converter, RewritePatternSet &patterns);
/// Kernels that are generated, and those of the runtime.
void populateKernelsToLLVM(const LLVMTypeConverter &converter, RewritePatternSet &patterns);
/// Copies from and to the device, and its kernels.
void populateDeviceToLLVM(const LLVMTypeConverter &converter, RewritePatternSet &patterns);

/// The context: argument 0 of the function around the operation.
Value getRuntimeContext(Operation *op);
Value createI64(OpBuilder &builder, Location loc, int64_t value);
Value createI32(OpBuilder &builder, Location loc, int64_t value);

/// Leaves the function with status 1 where `failed` (i1) holds; goes on behind
/// the rewriter's insertion point else. `onFailure` emits what happens before.
void emitFailure(ConversionPatternRewriter &rewriter, Location loc, Value failed,
                 function_ref<void()> onFailure = {});
/// Names the ONNX nodes of `op` in the failure that the runtime has recorded.
void emitFailedAt(ConversionPatternRewriter &rewriter, Operation *op);
/// Ends the run where an entry gives a status that is not 0; it has recorded the failure,
/// to which the names of the ONNX nodes are added.
void emitStatusCheck(ConversionPatternRewriter &rewriter, Operation *op, Value status);

} // namespace mlir::nn

#endif // NN_LIB_TARGET_RUNTIMETOLLVM_H
