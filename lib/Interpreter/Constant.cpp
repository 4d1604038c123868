//===- Constant.cpp - constants -------------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Elements.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

static LogicalResult constant(ConstantOp op, Call &call) {
  FailureOr<HostTensor> value = toHostTensor(op.getValue());
  if (failed(value))
    return call.fail("the elements of the constant are not at hand");
  return call.give(*value);
}

static LogicalResult constantOfShape(ConstantOfShapeOp op, Call &call) {
  FailureOr<HostTensor> value = toHostTensor(op.getValue());
  if (failed(value))
    return call.fail("the value is not at hand");
  Shape dims = call[op.getShape()].toInts();
  for (int64_t dim : dims)
    if (dim < 0)
      return call.fail("the shape has the negative entry " + Twine(dim));
  return call.give(pickElements(*value, dims, [](ArrayRef<int64_t>) { return 0; }));
}

void interpreter::registerConstant(Registry &registry) {
  registry.add<ConstantOp>(constant);
  registry.add<ConstantOfShapeOp>(constantOfShape);
}
