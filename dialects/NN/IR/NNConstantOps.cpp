//===- NNConstantOps.cpp - constants -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;

LogicalResult ConstantOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                      SmallVectorImpl<InferredTensor> &results) {
  auto type = dyn_cast<RankedTensorType>(adaptor.getValue().getType());
  if (!type)
    return env.fail("value must have a ranked tensor type");
  Dims dims;
  for (int64_t size : type.getShape())
    dims.push_back(env.constant(size));
  results.push_back({dims, type.getElementType()});
  return success();
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

void ConstantOp::inferContents(ShapeEnv &, Adaptor, SmallVectorImpl<Contents> &) {
  // ShapeEnv::getContents reads constants itself.
}

LogicalResult
ConstantOfShapeOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                               SmallVectorImpl<InferredTensor> &results) {
  // constant_of_shape_c1
  auto value = adaptor.getValue();
  if (value.getNumElements() != 1)
    return env.fail("value has " + Twine(value.getNumElements()) +
                    " elements, not 1");
  // constant_of_shape_c2
  Contents shape = env.getContents(adaptor.getShape());
  if (!shape)
    return env.fail("the length of shape must be known at compile time");
  for (Dim dim : *shape)
    if (auto size = dyn_cast<AffineConstantExpr>(dim))
      if (size.getValue() < 0)
        return env.fail("shape holds " + Twine(size.getValue()));
  results.push_back({*shape, value.getElementType()});
  return success();
}

void ConstantOfShapeOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                                      SmallVectorImpl<Contents> &results) {
  auto value = dyn_cast<DenseIntElementsAttr>(adaptor.getValue());
  auto shape = env.getConstantContents(adaptor.getShape());
  if (!value || !shape || shape->size() > 1)
    return;
  int64_t size = shape->empty() ? 1 : shape->front();
  if (size < 0 || size > 64)
    return;
  // Unsigned numbers are wrapped to their type when they are recorded.
  APInt number = *value.begin();
  results.push_back(Dims(size, env.constant(number.getSExtValue())));
}
