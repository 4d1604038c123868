//===- Indexing.cpp - operators that pick elements by index ---------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Elements.h"
#include <cmath>

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

/// Indices that are in bounds, counted from the front.
static FailureOr<int64_t> checkIndex(Call &call, int64_t index, int64_t size) {
  if (index < -size || index >= size)
    return call.fail("index " + Twine(index) + " is out of bounds for a dimension of "
                     "size " + Twine(size));
  return normalizeAxis(index, size);
}

/// Fails if indices reach beyond the data in a dimension that they don't index.
static LogicalResult checkInside(Call &call, const HostTensor &indices,
                                 const HostTensor &data, int64_t axis) {
  for (int64_t i = 0; i < data.getRank(); ++i)
    if (i != axis && indices.getDim(i) > data.getDim(i))
      return call.fail("there are more indices than data in dimension " + Twine(i));
  return success();
}

static LogicalResult gatherElements(GatherElementsOp op, Call &call) {
  const HostTensor &input = call[op.getInput()], &indices = call[op.getIndices()];
  int64_t axis = normalizeAxis(op.getAxis(), input.getRank());
  if (failed(checkInside(call, indices, input, axis)))
    return failure();
  Shape strides = getStrides(input.getDims());
  HostTensor result = HostTensor::allocate(input.getType(), indices.getDims());
  bool isFine = true;
  int64_t to = 0;
  forEachIndex(indices.getDims(), [&](ArrayRef<int64_t> index) {
    Shape from(index);
    FailureOr<int64_t> place = checkIndex(call, indices.getInt(to), input.getDim(axis));
    isFine &= succeeded(place);
    from[axis] = isFine ? *place : 0;
    if (isFine)
      copyElement(input, dot(from, strides), result, to);
    ++to;
  });
  return isFine ? call.give(std::move(result)) : failure();
}

/// The element that tuple number `tuple` of `indices` refers to in `dims`, whose
/// strides are given.
static FailureOr<int64_t> readTuple(Call &call, const HostTensor &indices, int64_t tuple,
                                    ArrayRef<int64_t> dims, ArrayRef<int64_t> strides) {
  int64_t length = indices.getDims().back(), offset = 0;
  for (int64_t i = 0; i < length; ++i) {
    FailureOr<int64_t> place =
        checkIndex(call, indices.getInt(tuple * length + i), dims[i]);
    if (failed(place))
      return failure();
    offset += *place * strides[i];
  }
  return offset;
}

static LogicalResult gatherND(GatherNDOp op, Call &call) {
  const HostTensor &input = call[op.getInput()], &indices = call[op.getIndices()];
  int64_t batch = op.getBatchDims(), length = indices.getDims().back();
  for (int64_t i = 0; i < batch; ++i)
    if (input.getDim(i) != indices.getDim(i))
      return call.fail("data and indices differ in batch dimension " + Twine(i));
  Shape strides = getStrides(input.getDims());
  int64_t batches = product(input.getDims().take_front(batch));
  int64_t perBatch = product(input.getDims().drop_front(batch));
  int64_t slice = product(input.getDims().drop_front(batch + length));
  Shape dims(indices.getDims().drop_back());
  int64_t tuples = product(dims);
  dims.append(input.getDims().begin() + batch + length, input.getDims().end());
  HostTensor result = HostTensor::allocate(input.getType(), dims);
  for (int64_t tuple = 0; tuple < tuples; ++tuple) {
    FailureOr<int64_t> from =
        readTuple(call, indices, tuple, input.getDims().drop_front(batch),
                  ArrayRef(strides).drop_front(batch));
    if (failed(from))
      return failure();
    int64_t base = tuple / (tuples / batches) * perBatch + *from;
    for (int64_t i = 0; i < slice; ++i)
      copyElement(input, base + i, result, tuple * slice + i);
  }
  return call.give(std::move(result));
}

/// Combines element `from` of `updates` with element `to` of the result.
static void update(StringRef reduction, const HostTensor &updates, int64_t from,
                   HostTensor &result, int64_t to) {
  if (reduction == "none")
    return copyElement(updates, from, result, to);
  auto combine = [&](auto x, auto y) {
    if (y != y) // NaN, which the comparisons below would lose
      return y;
    return reduction == "add"   ? x + y
           : reduction == "mul" ? x * y
           : reduction == "max" ? std::max(x, y)
                                : std::min(x, y);
  };
  if (isFloat(result.getType()))
    result.setDouble(to, combine(result.getDouble(to), updates.getDouble(from)));
  else if (result.getType() == DataType::UInt64)
    result.setInt(to, combine(uint64_t(result.getInt(to)), uint64_t(updates.getInt(from))));
  else
    result.setInt(to, combine(result.getInt(to), updates.getInt(from)));
}

/// A copy, because a scatter must not write to a tensor that others read.
static HostTensor copyOf(const HostTensor &tensor) {
  int64_t from = 0;
  return pickElements(tensor, tensor.getDims(),
                      [&](ArrayRef<int64_t>) { return from++; });
}

static LogicalResult scatterElements(ScatterElementsOp op, Call &call) {
  const HostTensor &input = call[op.getInput()], &indices = call[op.getIndices()];
  const HostTensor &updates = call[op.getUpdates()];
  if (indices.getDims() != updates.getDims())
    return call.fail("indices have the shape " + formatDims(indices.getDims()) +
                     ", updates " + formatDims(updates.getDims()));
  int64_t axis = normalizeAxis(op.getAxis(), input.getRank());
  if (failed(checkInside(call, indices, input, axis)))
    return failure();
  Shape strides = getStrides(input.getDims());
  HostTensor result = copyOf(input);
  bool isFine = true;
  int64_t from = 0;
  forEachIndex(indices.getDims(), [&](ArrayRef<int64_t> index) {
    Shape to(index);
    FailureOr<int64_t> place =
        checkIndex(call, indices.getInt(from), input.getDim(axis));
    isFine &= succeeded(place);
    to[axis] = isFine ? *place : 0;
    if (isFine)
      update(op.getReduction(), updates, from, result, dot(to, strides));
    ++from;
  });
  return isFine ? call.give(std::move(result)) : failure();
}

static LogicalResult scatterND(ScatterNDOp op, Call &call) {
  const HostTensor &input = call[op.getInput()], &indices = call[op.getIndices()];
  const HostTensor &updates = call[op.getUpdates()];
  int64_t length = indices.getDims().back();
  Shape strides = getStrides(input.getDims());
  int64_t slice = product(input.getDims().drop_front(length));
  int64_t tuples = product(indices.getDims().drop_back());
  if (updates.getNumElements() != tuples * slice)
    return call.fail("updates of the shape " + formatDims(updates.getDims()) +
                     " do not fit indices of the shape " + formatDims(indices.getDims()));
  HostTensor result = copyOf(input);
  for (int64_t tuple = 0; tuple < tuples; ++tuple) {
    FailureOr<int64_t> to = readTuple(call, indices, tuple, input.getDims(), strides);
    if (failed(to))
      return failure();
    for (int64_t i = 0; i < slice; ++i)
      update(op.getReduction(), updates, tuple * slice + i, result, *to + i);
  }
  return call.give(std::move(result));
}

static LogicalResult range(RangeOp op, Call &call) {
  const HostTensor &start = call[op.getStart()], &limit = call[op.getLimit()];
  const HostTensor &delta = call[op.getDelta()];
  if (delta.getDouble(0) == 0)
    return call.fail("delta is 0");
  if (isFloat(start.getType())) {
    double first = start.getDouble(0), step = delta.getDouble(0);
    double count = std::ceil((limit.getDouble(0) - first) / step);
    Doubles values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(first + double(i) * step);
    return call.give(makeTensor(start.getType(), int64_t(values.size()), values));
  }
  Ints values;
  int64_t end = limit.getInt(0), step = delta.getInt(0);
  for (int64_t value = start.getInt(0); step > 0 ? value < end : value > end; value += step)
    values.push_back(value);
  return call.give(makeTensor(start.getType(), int64_t(values.size()), values));
}

void interpreter::registerIndexing(Registry &registry) {
  registry.add<GatherOp>(gather);
  registry.add<GatherElementsOp>(gatherElements);
  registry.add<GatherNDOp>(gatherND);
  registry.add<ScatterElementsOp>(scatterElements);
  registry.add<ScatterNDOp>(scatterND);
  registry.add<RangeOp>(range);
  registerSelection(registry);
  registerSampling(registry);
}
