//===- NNNormalizationOps.cpp - normalizations and softmax -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/IR/SpatialShapes.h"

using namespace mlir;
using namespace mlir::nn;

/// Rank-1 operands with one entry per channel.
template <typename OpTy>
static LogicalResult verifyPerChannel(OpTy op, ValueRange parameters,
                                      int64_t minRank) {
  auto type = op.getInput().getType();
  if (type.getRank() < minRank)
    return op.emitOpError("the input must have rank ")
           << minRank << " or more, not " << type.getRank();
  int64_t channels =
      type.getDimSize(SpatialDims(op.getLayout(), type.getRank()).channel);
  for (Value parameter : parameters) {
    auto parameterType = cast<RankedTensorType>(parameter.getType());
    if (parameterType.getRank() != 1 ||
        failed(verifyCompatibleDims({parameterType.getDimSize(0), channels})))
      return op.emitOpError("scale, bias, mean and variance must have one entry "
                            "a channel, not ")
             << parameterType;
  }
  return success();
}

// batch_norm_c1
LogicalResult BatchNormOp::verify() {
  return verifyPerChannel(*this, getOperands().drop_front(), 2);
}

// instance_norm_c1
LogicalResult InstanceNormOp::verify() {
  return verifyPerChannel(*this, getOperands().drop_front(), 3);
}

template <typename OpTy> static LogicalResult verifyAxis(OpTy op) {
  int64_t rank = op.getInput().getType().getRank();
  if (op.getAxis() < -rank || op.getAxis() >= rank)
    return op.emitOpError("axis ") << op.getAxis() << " is not in [" << -rank
                                   << ", " << rank << ")";
  return success();
}

LogicalResult LayerNormOp::verify() { return verifyAxis(*this); }
LogicalResult SoftmaxOp::verify() { return verifyAxis(*this); }
LogicalResult LogSoftmaxOp::verify() { return verifyAxis(*this); }

// lrn_c1
LogicalResult LRNOp::verify() {
  if (getInput().getType().getRank() < 3)
    return emitOpError("the input must have rank 3 or more");
  if (int64_t(getSize()) < 1)
    return emitOpError("size must be positive");
  return success();
}
