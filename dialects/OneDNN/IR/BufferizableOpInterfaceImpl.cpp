//===- BufferizableOpInterfaceImpl.cpp - primitives on memrefs ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/OneDNN/IR/OneDNN.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::nn::onednn;

namespace {
/// A primitive takes buffers of any layout, as its call carries strides.
template <typename Op>
struct PrimitiveModel
    : DstBufferizableOpInterfaceExternalModel<PrimitiveModel<Op>, Op> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &state) const {
    if (!cast<DestinationStyleOpInterface>(op).isDpsInit(&operand))
      return true;
    // A dst that is only overwritten needs no copy of what it held.
    return cast<PrimitiveOpInterface>(op).readsDestination();
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      operands.push_back(*buffer);
    }
    rewriter.setInsertionPoint(op);
    OperationState newOp(op->getLoc(), op->getName());
    newOp.addOperands(operands);
    newOp.addAttributes(llvm::to_vector(op->getDiscardableAttrs()));
    newOp.propertiesAttr = op->getPropertiesAsAttribute();
    rewriter.create(newOp);
    Value dst = operands[cast<DestinationStyleOpInterface>(op)
                             .getDpsInitOperand(0)
                             ->getOperandNumber()];
    replaceOpWithBufferizedValues(rewriter, op, dst);
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
    ReorderOp::attachInterface<PrimitiveModel<ReorderOp>>(*context);
    SoftmaxOp::attachInterface<PrimitiveModel<SoftmaxOp>>(*context);
  });
}
