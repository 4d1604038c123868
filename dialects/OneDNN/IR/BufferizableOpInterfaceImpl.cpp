//===- BufferizableOpInterfaceImpl.cpp - primitives on memrefs ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/OneDNN/IR/OneDNN.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "nn/Support/Bufferization.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::nn::onednn;

namespace {
/// A product takes strided buffers. Calls of the other primitives pass strides too, but
/// oneDNN is fast only on contiguous buffers.
template <typename Op>
struct PrimitiveModel
    : DstBufferizableOpInterfaceExternalModel<PrimitiveModel<Op>, Op> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &state) const {
    // dst is only overwritten, and needs no copy of its contents.
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto destinationOp = cast<DestinationStyleOpInterface>(op);
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands;
    Value dst, target;
    for (OpOperand &operand : op->getOpOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand.get(), options, state);
      if (failed(buffer))
        return failure();
      bool isDst = destinationOp.isDpsInit(&operand);
      Value used = *buffer;
      if (!isa<MatMulOp>(op) && !memref::isStaticShapeAndContiguousRowMajor(
                                    cast<MemRefType>(used.getType())))
        used = mlir::nn::getContiguousBuffer(
            rewriter, op->getLoc(), *buffer, /*copyContents=*/!isDst);
      operands.push_back(used);
      if (isDst) {
        dst = used;
        target = *buffer;
      }
    }
    OperationState newOp(op->getLoc(), op->getName());
    newOp.addOperands(operands);
    newOp.addAttributes(llvm::to_vector(op->getDiscardableAttrs()));
    newOp.propertiesAttr = op->getPropertiesAsAttribute();
    rewriter.create(newOp);
    if (dst != target)
      memref::CopyOp::create(rewriter, op->getLoc(), dst, target);
    replaceOpWithBufferizedValues(rewriter, op, target);
    return success();
  }
};
} // namespace

void mlir::nn::onednn::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, OneDNNDialect *) {
    ConvolutionOp::attachInterface<PrimitiveModel<ConvolutionOp>>(*context);
    DeconvolutionOp::attachInterface<PrimitiveModel<DeconvolutionOp>>(*context);
    LRNOp::attachInterface<PrimitiveModel<LRNOp>>(*context);
    MatMulOp::attachInterface<PrimitiveModel<MatMulOp>>(*context);
    PoolingOp::attachInterface<PrimitiveModel<PoolingOp>>(*context);
    SoftmaxOp::attachInterface<PrimitiveModel<SoftmaxOp>>(*context);
  });
}
