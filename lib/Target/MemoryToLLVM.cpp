//===- MemoryToLLVM.cpp - buffers that the runtime gives -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "RuntimeToLLVM.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "nn/Target/GPU.h"

using namespace mlir;
using namespace mlir::nn;

namespace {

void emitNullCheck(ConversionPatternRewriter &rewriter, Location loc, Value pointer,
                   function_ref<void()> onFailure) {
  Value null = LLVM::ZeroOp::create(rewriter, loc, pointer.getType());
  Value isNull = LLVM::ICmpOp::create(rewriter, loc, LLVM::ICmpPredicate::eq,
                                      pointer, null);
  emitFailure(rewriter, loc, isNull, onFailure);
}

/// A descriptor of a row-major buffer at `pointer`.
Value createDescriptor(ConversionPatternRewriter &rewriter, Location loc,
                       const LLVMTypeConverter &converter, MemRefType type,
                       Value pointer, ValueRange dynamicSizes) {
  auto descriptor =
      MemRefDescriptor::poison(rewriter, loc, converter.convertType(type));
  descriptor.setAllocatedPtr(rewriter, loc, pointer);
  descriptor.setAlignedPtr(rewriter, loc, pointer);
  descriptor.setConstantOffset(rewriter, loc, 0);
  SmallVector<Value> sizes;
  unsigned next = 0;
  for (int64_t size : type.getShape())
    sizes.push_back(ShapedType::isDynamic(size) ? dynamicSizes[next++]
                                                : createI64(rewriter, loc, size));
  Value stride = createI64(rewriter, loc, 1);
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    descriptor.setSize(rewriter, loc, i, sizes[i]);
    descriptor.setStride(rewriter, loc, i, stride);
    if (i > 0)
      stride = LLVM::MulOp::create(rewriter, loc, stride, sizes[i]);
  }
  return descriptor;
}

struct WeightLowering : ConvertOpToLLVMPattern<rt::WeightOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(rt::WeightOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op.getOffset())
      return op.emitOpError("has no place in the weights section yet");
    Location loc = op.getLoc();
    Value context = getRuntimeContext(op), base;
    if (isOnDevice(op.getType())) {
      base = emitRuntimeCall(rewriter, loc, context, RuntimeEntry::device_weights, {});
      emitNullCheck(rewriter, loc, base, [] {});
    } else {
      base = emitWeightsPointer(rewriter, loc, context);
    }
    Value pointer = LLVM::GEPOp::create(
        rewriter, loc, base.getType(), rewriter.getI8Type(), base,
        ArrayRef<LLVM::GEPArg>{createI64(rewriter, loc, *op.getOffset())});
    rewriter.replaceOp(op, createDescriptor(rewriter, loc, *getTypeConverter(),
                                            cast<MemRefType>(op.getType()), pointer, {}));
    return success();
  }
};

/// Replaces `op` by the buffer of these dynamic sizes that the runtime gives; the
/// model's function ends where it gives none.
void replaceByRuntimeBuffer(ConversionPatternRewriter &rewriter, Operation *op,
                            const LLVMTypeConverter &converter, RuntimeEntry entry,
                            ValueRange arguments, ValueRange sizes) {
  Location loc = op->getLoc();
  Value context = getRuntimeContext(op);
  Value pointer = emitRuntimeCall(rewriter, loc, context, entry, arguments);
  // The runtime knows the names of outputs, and the arena is no node's.
  emitNullCheck(rewriter, loc, pointer, [&] {
    if (entry == RuntimeEntry::allocate || entry == RuntimeEntry::device_allocate)
      emitFailedAt(rewriter, op);
  });
  rewriter.replaceOp(
      op, createDescriptor(rewriter, loc, converter,
                           cast<MemRefType>(op->getResult(0).getType()), pointer, sizes));
}

struct OutputLowering : ConvertOpToLLVMPattern<rt::OutputOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(rt::OutputOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getType());
    SmallVector<Value> sizes;
    unsigned next = 0;
    for (int64_t size : type.getShape())
      sizes.push_back(ShapedType::isDynamic(size) ? adaptor.getSizes()[next++]
                                                  : createI64(rewriter, loc, size));
    StackRoom room(rewriter, op);
    Value dims = room.store(rewriter.getI64Type(), sizes);
    replaceByRuntimeBuffer(rewriter, op, *getTypeConverter(), RuntimeEntry::output,
                           {createI32(rewriter, loc, op.getIndex()),
                            createI32(rewriter, loc, type.getRank()), dims},
                           adaptor.getSizes());
    return success();
  }
};

struct ArenaLowering : ConvertOpToLLVMPattern<rt::ArenaOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(rt::ArenaOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RuntimeEntry entry =
        isOnDevice(op.getType()) ? RuntimeEntry::device_arena : RuntimeEntry::arena;
    replaceByRuntimeBuffer(rewriter, op, *getTypeConverter(), entry, {adaptor.getBytes()},
                           adaptor.getBytes());
    return success();
  }
};

struct AllocateLowering : ConvertOpToLLVMPattern<rt::AllocateOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(rt::AllocateOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getType());
    Type element = getTypeConverter()->convertType(type.getElementType());
    int64_t factor = llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
    for (int64_t size : type.getShape())
      if (!ShapedType::isDynamic(size))
        factor *= size;
    Value bytes = createI64(rewriter, loc, factor);
    for (Value size : adaptor.getSizes())
      bytes = LLVM::MulOp::create(rewriter, loc, bytes, size);
    RuntimeEntry entry =
        isOnDevice(type) ? RuntimeEntry::device_allocate : RuntimeEntry::allocate;
    replaceByRuntimeBuffer(rewriter, op, *getTypeConverter(), entry, {bytes},
                           adaptor.getSizes());
    return success();
  }
};

struct MarkLowering : ConvertOpToLLVMPattern<rt::MarkOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(rt::MarkOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, emitRuntimeCall(rewriter, op.getLoc(), getRuntimeContext(op),
                                           RuntimeEntry::mark, {}));
    return success();
  }
};

struct ReleaseLowering : ConvertOpToLLVMPattern<rt::ReleaseOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(rt::ReleaseOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> addresses;
    for (Value kept : adaptor.getKept())
      addresses.push_back(MemRefDescriptor(kept).alignedPtr(rewriter, loc));
    auto pointer = LLVM::LLVMPointerType::get(getContext());
    StackRoom room(rewriter, op);
    Value list = room.store(pointer, addresses);
    emitRuntimeCall(rewriter, loc, getRuntimeContext(op), RuntimeEntry::release,
                    {adaptor.getMark(),
                     createI64(rewriter, loc, int64_t(addresses.size())), list});
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void nn::populateMemoryToLLVM(const LLVMTypeConverter &converter,
                              RewritePatternSet &patterns) {
  patterns.add<WeightLowering, OutputLowering, ArenaLowering, AllocateLowering, MarkLowering,
               ReleaseLowering>(converter);
}
