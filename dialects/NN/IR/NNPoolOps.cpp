//===- NNPoolOps.cpp - pooling -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/IR/SpatialShapes.h"

using namespace mlir;
using namespace mlir::nn;

template <typename Adaptor>
static LogicalResult inferPool(ShapeEnv &env, Adaptor adaptor,
                               SmallVectorImpl<InferredTensor> &results) {
  auto type = cast<RankedTensorType>(adaptor.getInput().getType());
  // pool_c1
  if (type.getRank() < 3)
    return env.fail("the input must have rank 3 or more, not " +
                    Twine(type.getRank()));
  SpatialDims where(adaptor.getLayout(), type.getRank());
  ArrayRef<int64_t> kernel = adaptor.getKernelShape();
  if (int64_t(kernel.size()) != where.count)
    return env.fail("kernel_shape has " + Twine(kernel.size()) +
                    " entries, not " + Twine(where.count));
  // pool_c2
  if ((!adaptor.getStrides().empty() &&
       int64_t(adaptor.getStrides().size()) != where.count) ||
      (!adaptor.getDilations().empty() &&
       int64_t(adaptor.getDilations().size()) != where.count) ||
      (!adaptor.getPads().empty() &&
       int64_t(adaptor.getPads().size()) != 2 * where.count))
    return env.fail("strides, dilations and pads must fit " +
                    Twine(where.count) + " spatial dimensions");
  Window window(where.count, adaptor.getStrides(), adaptor.getDilations(),
                adaptor.getPads());
  if (llvm::any_of(window.strides, [](int64_t s) { return s < 1; }))
    return env.fail("strides must be positive");
  Dims dims = env.getDims(adaptor.getInput());
  // As conv_c6.
  if (failed(countWindows(env, MutableArrayRef(dims).slice(where.firstSpatial, where.count),
                          kernel, window, adaptor.getCeilMode(), adaptor.getAutoPad())))
    return failure();
  results.push_back({dims, type.getElementType()});
  return success();
}

template <typename OpTy> static LogicalResult verifyPool(OpTy op) {
  for (int64_t size : op.getKernelShape())
    if (size < 1)
      return op.emitOpError("kernel_shape holds ") << size;
  return verifyWindow(op, op.getInput().getType().getRank() - 2,
                      op.getStrides(), op.getDilations(), op.getPads());
}

LogicalResult MaxPoolOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                     SmallVectorImpl<InferredTensor> &results) {
  return inferPool(env, adaptor, results);
}
LogicalResult MaxPoolOp::verify() { return verifyPool(*this); }

LogicalResult
AveragePoolOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                           SmallVectorImpl<InferredTensor> &results) {
  return inferPool(env, adaptor, results);
}
LogicalResult AveragePoolOp::verify() { return verifyPool(*this); }

LogicalResult
MaxPoolIndicesOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                              SmallVectorImpl<InferredTensor> &results) {
  if (failed(inferPool(env, adaptor, results)))
    return failure();
  results.back().elementType = IntegerType::get(env.getContext(), 64);
  return success();
}
LogicalResult MaxPoolIndicesOp::verify() { return verifyPool(*this); }

LogicalResult LpPoolOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                    SmallVectorImpl<InferredTensor> &results) {
  return inferPool(env, adaptor, results);
}
LogicalResult LpPoolOp::verify() {
  if (int64_t(getP()) < 1)
    return emitOpError("p must be positive");
  return verifyPool(*this);
}
