//===- RuntimeToLLVM.cpp - what a model asks of the runtime, as calls -----===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "RuntimeToLLVM.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "nn/Support/Locations.h"

using namespace mlir;
using namespace mlir::nn;

Value nn::getRuntimeContext(Operation *op) {
  return op->getParentOfType<FunctionOpInterface>().getArgument(0);
}

Value nn::createI64(OpBuilder &builder, Location loc, int64_t value) {
  return LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                                  builder.getI64IntegerAttr(value));
}

Value nn::createI32(OpBuilder &builder, Location loc, int64_t value) {
  return LLVM::ConstantOp::create(builder, loc, builder.getI32Type(),
                                  builder.getI32IntegerAttr(value));
}

void nn::emitFailure(ConversionPatternRewriter &rewriter, Location loc, Value failed,
                     function_ref<void()> onFailure) {
  Block *block = rewriter.getInsertionBlock();
  Block *rest = rewriter.splitBlock(block, rewriter.getInsertionPoint());
  Block *failure = rewriter.createBlock(block->getParent());
  if (onFailure)
    onFailure();
  LLVM::ReturnOp::create(rewriter, loc, createI32(rewriter, loc, 1));
  rewriter.setInsertionPointToEnd(block);
  LLVM::CondBrOp::create(rewriter, loc, failed, failure, ValueRange(), rest,
                         ValueRange(), std::make_pair(1u, 1u << 20));
  rewriter.setInsertionPointToStart(rest);
}

void nn::emitFailedAt(ConversionPatternRewriter &rewriter, Operation *op) {
  std::string nodes = getONNXNames(op->getLoc());
  if (nodes.empty())
    return;
  Value list = emitGlobalString(rewriter, op->getLoc(), op->getParentOfType<ModuleOp>(), nodes);
  emitRuntimeCall(rewriter, op->getLoc(), getRuntimeContext(op), RuntimeEntry::failed_at, {list});
}

void nn::emitStatusCheck(ConversionPatternRewriter &rewriter, Operation *op, Value status) {
  Location loc = op->getLoc();
  Value failed = LLVM::ICmpOp::create(rewriter, loc, LLVM::ICmpPredicate::ne, status,
                                      createI32(rewriter, loc, 0));
  emitFailure(rewriter, loc, failed, [&] { emitFailedAt(rewriter, op); });
}

namespace {
/// A check of the model: records the message and ends the run.
struct AssertLowering : ConvertOpToLLVMPattern<cf::AssertOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult
  matchAndRewrite(cf::AssertOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value context = getRuntimeContext(op);
    Value one = LLVM::ConstantOp::create(rewriter, loc, rewriter.getI1Type(),
                                         rewriter.getBoolAttr(true));
    Value failed = LLVM::XOrOp::create(rewriter, loc, adaptor.getArg(), one);
    auto module = op->getParentOfType<ModuleOp>();
    emitFailure(rewriter, loc, failed, [&] {
      Value message = emitGlobalString(rewriter, loc, module, op.getMsg());
      emitRuntimeCall(rewriter, loc, context, RuntimeEntry::fail, {message});
    });
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void nn::populateRuntimeToLLVMPatterns(const LLVMTypeConverter &converter,
                                       RewritePatternSet &patterns) {
  populateMemoryToLLVM(converter, patterns);
  populateKernelsToLLVM(converter, patterns);
  populateDeviceToLLVM(converter, patterns);
  patterns.add<AssertLowering>(converter);
}
