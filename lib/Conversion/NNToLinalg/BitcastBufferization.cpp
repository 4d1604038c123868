//===- BitcastBufferization.cpp - buffers of changed signedness -----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "nn/Conversion/NNToLinalg.h"

using namespace mlir;
using namespace mlir::bufferization;

namespace {
struct BitcastBufferization
    : BufferizableOpInterface::ExternalModel<BitcastBufferization,
                                             tensor::BitcastOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &,
                              const AnalysisState &) const {
    return false;
  }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &,
                               const AnalysisState &) const {
    return false;
  }
  AliasingValueList getAliasingValues(Operation *op, OpOperand &,
                                      const AnalysisState &) const {
    return {{op->getResult(0), BufferRelation::Equivalent}};
  }

  static FailureOr<BufferLikeType> getType(tensor::BitcastOp op,
                                           BufferLikeType source) {
    auto memref = dyn_cast<MemRefType>(source);
    if (!memref)
      return op.emitOpError("has a source without a ranked buffer");
    return cast<BufferLikeType>(MemRefType::get(
        memref.getShape(), cast<TensorType>(op.getType()).getElementType(),
        memref.getLayout(), memref.getMemorySpace()));
  }

  FailureOr<BufferLikeType>
  getBufferType(Operation *op, Value, const BufferizationOptions &options,
                const BufferizationState &state,
                SmallVector<Value> &invocationStack) const {
    auto bitcast = cast<tensor::BitcastOp>(op);
    FailureOr<BufferLikeType> source = bufferization::getBufferType(
        bitcast.getSource(), options, state, invocationStack);
    if (failed(source))
      return failure();
    return getType(bitcast, *source);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto bitcast = cast<tensor::BitcastOp>(op);
    FailureOr<Value> source =
        getBuffer(rewriter, bitcast.getSource(), options, state);
    if (failed(source))
      return failure();
    FailureOr<BufferLikeType> type =
        getType(bitcast, cast<BufferLikeType>(source->getType()));
    if (failed(type))
      return failure();
    replaceOpWithNewBufferizedOp<UnrealizedConversionCastOp>(
        rewriter, op, Type(*type), *source);
    return success();
  }
};
} // namespace

void nn::registerBitcastBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, tensor::TensorDialect *) {
    tensor::BitcastOp::attachInterface<BitcastBufferization>(*context);
  });
}
