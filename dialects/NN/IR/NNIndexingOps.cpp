//===- NNIndexingOps.cpp - operators that pick elements by index -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;

LogicalResult GatherOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                    SmallVectorImpl<InferredTensor> &results) {
  Dims input = env.getDims(adaptor.getInput());
  Dims indices = env.getDims(adaptor.getIndices());
  FailureOr<int64_t> axis =
      shapes::normalizeAxis(env, adaptor.getAxis(), input.size());
  if (failed(axis))
    return failure();
  Dims dims(input.begin(), input.begin() + *axis);
  dims.append(indices);
  dims.append(input.begin() + *axis + 1, input.end());
  results.push_back(
      {dims, cast<ShapedType>(adaptor.getInput().getType()).getElementType()});
  return success();
}

void GatherOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                             SmallVectorImpl<Contents> &results) {
  if (cast<RankedTensorType>(adaptor.getInput().getType()).getRank() != 1 ||
      cast<RankedTensorType>(adaptor.getIndices().getType()).getRank() > 1)
    return;
  Contents input = env.getContents(adaptor.getInput());
  auto indices = env.getConstantContents(adaptor.getIndices());
  if (!input || !indices)
    return;
  Dims contents;
  for (int64_t index : *indices) {
    int64_t size = input->size();
    if (index < -size || index >= size)
      return;
    contents.push_back((*input)[index < 0 ? index + size : index]);
  }
  results.push_back(std::move(contents));
}
