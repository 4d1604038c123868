//===- Indexing.cpp - operators that pick elements by index ---------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Elements.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

static LogicalResult gather(GatherOp op, Call &call) {
  const HostTensor &input = call[op.getInput()], &indices = call[op.getIndices()];
  int64_t axis = normalizeAxis(op.getAxis(), input.getRank());
  int64_t size = input.getDim(axis);
  Ints places = readInts(indices);
  for (int64_t &place : places) {
    if (place < -size || place >= size)
      return call.fail("index " + Twine(place) + " is out of bounds for axis " +
                       Twine(axis) + " of size " + Twine(size));
    place = normalizeAxis(place, size);
  }
  // input[before.., place, after..] goes to result[before.., j.., after..].
  int64_t before = product(input.getDims().take_front(axis));
  int64_t after = product(input.getDims().drop_front(axis + 1));
  Shape dims(input.getDims().take_front(axis));
  dims.append(indices.getDims().begin(), indices.getDims().end());
  dims.append(input.getDims().begin() + axis + 1, input.getDims().end());
  HostTensor result = HostTensor::allocate(input.getType(), dims);
  int64_t to = 0;
  for (int64_t b = 0; b < before; ++b)
    for (int64_t place : places)
      for (int64_t a = 0; a < after; ++a)
        copyElement(input, (b * size + place) * after + a, result, to++);
  return call.give(std::move(result));
}

void interpreter::registerIndexing(Registry &registry) {
  registry.add<GatherOp>(gather);
}
