//===- DeviceToLLVM.cpp - copies and kernels of the device -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "RuntimeToLLVM.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "nn/Target/GPU.h"
#include "nn/Target/Weights.h"
#include "runtime/abi/nnrt_abi.h"

using namespace mlir;
using namespace mlir::nn;

namespace {

struct CopyLowering : ConvertOpToLLVMPattern<rt::CopyOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(rt::CopyOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getSource().getType());
    auto targetType = cast<MemRefType>(op.getTarget().getType());
    MemRefDescriptor source(adaptor.getSource()), target(adaptor.getTarget());
    Value bytes = createI64(rewriter, loc, getElementBytes(type.getElementType()));
    for (int64_t i = 0; i < type.getRank(); ++i)
      bytes = LLVM::MulOp::create(rewriter, loc, bytes, source.size(rewriter, loc, i));
    int32_t direction = !isOnDevice(targetType) ? NNRT_ABI_FROM_DEVICE
                        : isOnDevice(type)      ? NNRT_ABI_WITHIN_DEVICE
                                                : NNRT_ABI_TO_DEVICE;
    Value status = emitRuntimeCall(
        rewriter, loc, getRuntimeContext(op), RuntimeEntry::device_copy,
        {target.bufferPtr(rewriter, loc, *getTypeConverter(), targetType),
         source.bufferPtr(rewriter, loc, *getTypeConverter(), type), bytes,
         createI32(rewriter, loc, direction)});
    emitStatusCheck(rewriter, op, status);
    rewriter.eraseOp(op);
    return success();
  }
};

struct LaunchDeviceLowering : ConvertOpToLLVMPattern<rt::LaunchDeviceOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(rt::LaunchDeviceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> fields;
    for (auto [original, value] : llvm::zip(op.getArguments(), adaptor.getArguments())) {
      auto type = dyn_cast<MemRefType>(original.getType());
      if (!type) {
        fields.push_back(value);
        continue;
      }
      MemRefDescriptor descriptor(value);
      Value address = LLVM::PtrToIntOp::create(rewriter, loc, rewriter.getI64Type(),
                                               descriptor.alignedPtr(rewriter, loc));
      fields.append({address, address, descriptor.offset(rewriter, loc)});
      for (int64_t i = 0; i < type.getRank(); ++i)
        fields.push_back(descriptor.size(rewriter, loc, i));
      for (int64_t i = 0; i < type.getRank(); ++i)
        fields.push_back(descriptor.stride(rewriter, loc, i));
    }
    StackRoom room(rewriter, op);
    Value list = room.store(rewriter.getI64Type(), fields);
    Value name = emitGlobalString(rewriter, loc, op->getParentOfType<ModuleOp>(),
                                  op.getKernel());
    Value status = emitRuntimeCall(rewriter, loc, getRuntimeContext(op),
                                   RuntimeEntry::device_launch,
                                   {name, list, createI64(rewriter, loc, fields.size()),
                                    adaptor.getCount()});
    emitStatusCheck(rewriter, op, status);
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void nn::populateDeviceToLLVM(const LLVMTypeConverter &converter,
                              RewritePatternSet &patterns) {
  patterns.add<CopyLowering, LaunchDeviceLowering>(converter);
}
