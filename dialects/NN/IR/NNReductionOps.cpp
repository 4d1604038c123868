//===- NNReductionOps.cpp - reductions -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;

template <typename Adaptor>
static LogicalResult inferArg(ShapeEnv &env, Adaptor adaptor,
                              SmallVectorImpl<InferredTensor> &results) {
  if (failed(shapes::inferReduction(env, adaptor.getInput(),
                                    {int64_t(adaptor.getAxis())},
                                    adaptor.getKeepdims(), results)))
    return failure();
  results.back().elementType = IntegerType::get(env.getContext(), 64);
  return success();
}

LogicalResult ArgMaxOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                    SmallVectorImpl<InferredTensor> &results) {
  return inferArg(env, adaptor, results);
}

LogicalResult ArgMinOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                    SmallVectorImpl<InferredTensor> &results) {
  return inferArg(env, adaptor, results);
}
