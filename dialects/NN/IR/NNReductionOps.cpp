//===- NNReductionOps.cpp - reductions -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;

void ReduceProdOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                                 SmallVectorImpl<Contents> &results) {
  if (cast<RankedTensorType>(adaptor.getInput().getType()).getRank() > 1)
    return;
  if (Contents input = env.getContents(adaptor.getInput()))
    results.push_back(Dims{env.product(*input)});
}

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

template <typename Adaptor>
static LogicalResult inferCumulative(ShapeEnv &env, Adaptor adaptor,
                                     SmallVectorImpl<InferredTensor> &results) {
  // cumulative_c1
  int64_t rank = cast<RankedTensorType>(adaptor.getInput().getType()).getRank();
  if (failed(shapes::normalizeAxis(env, adaptor.getAxis(), rank)))
    return failure();
  return shapes::inferLike(env, adaptor.getInput(), results);
}

LogicalResult CumSumOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                    SmallVectorImpl<InferredTensor> &results) {
  return inferCumulative(env, adaptor, results);
}

LogicalResult CumProdOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                     SmallVectorImpl<InferredTensor> &results) {
  return inferCumulative(env, adaptor, results);
}
