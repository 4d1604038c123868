//===- NNQuantizationOps.cpp - quantization -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;

LogicalResult QuantizeOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                      SmallVectorImpl<InferredTensor> &results) {
  results.push_back({env.getDims(adaptor.getInput()), adaptor.getTo()});
  return success();
}

LogicalResult
DequantizeOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                          SmallVectorImpl<InferredTensor> &results) {
  results.push_back(
      {env.getDims(adaptor.getInput()),
       cast<ShapedType>(adaptor.getScale().getType()).getElementType()});
  return success();
}

template <typename OpTy> static LogicalResult verifyQuantization(OpTy op) {
  auto input = cast<RankedTensorType>(op.getInput().getType());
  auto scale = cast<RankedTensorType>(op.getScale().getType());
  // quantize_c1
  if (Value zeroPoint = op.getZeroPoint())
    if (failed(verifyCompatibleShape(zeroPoint.getType(), scale)))
      return op.emitOpError("zero_point has the shape of ")
             << zeroPoint.getType() << ", scale that of " << scale;
  // quantize_c2
  int64_t axis = op.getAxis(), rank = input.getRank();
  if (scale.getRank() == 0)
    return success();
  if (axis < -rank || axis >= rank)
    return op.emitOpError("axis ") << axis << " is not in [" << -rank << ", "
                                   << rank << ")";
  if (scale.getRank() == 1 && op.getBlockSize() == 0) {
    int64_t size = input.getDimSize(shapes::normalizeAxis(axis, rank));
    if (failed(verifyCompatibleDims({scale.getDimSize(0), size})))
      return op.emitOpError("scale has ")
             << scale.getDimSize(0) << " entries, dimension " << axis << " "
             << size;
    return success();
  }
  if (scale.getRank() != rank || int64_t(op.getBlockSize()) <= 0)
    return op.emitOpError("scale has rank ")
           << scale.getRank()
           << "; blocks need the input's rank and a positive block_size";
  return success();
}

LogicalResult QuantizeOp::verify() { return verifyQuantization(*this); }
LogicalResult DequantizeOp::verify() { return verifyQuantization(*this); }
