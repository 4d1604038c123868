//===- Elements.h - what the families of operators share ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_INTERPRETER_ELEMENTS_H
#define NN_LIB_INTERPRETER_ELEMENTS_H

#include "Registry.h"
#include "dialects/NN/IR/NN.h"
#include <vector>

namespace mlir::nn::interpreter {

using Shape = SmallVector<int64_t>;
using Doubles = std::vector<double>;
/// Integers of all types; uint64 as the same bits.
using Ints = std::vector<int64_t>;

//===----------------------------------------------------------------------===//
// Elements as numbers
//===----------------------------------------------------------------------===//

Doubles readDoubles(const HostTensor &tensor);
Ints readInts(const HostTensor &tensor);
HostTensor makeTensor(DataType type, ArrayRef<int64_t> dims,
                      const Doubles &values);
HostTensor makeTensor(DataType type, ArrayRef<int64_t> dims,
                      const Ints &values);

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

int64_t product(ArrayRef<int64_t> dims);
/// Row-major strides, in elements.
Shape getStrides(ArrayRef<int64_t> dims);
inline int64_t normalizeAxis(int64_t axis, int64_t rank) {
  return axis < 0 ? axis + rank : axis;
}
/// Axes counted from the front; all dimensions if `axes` is empty.
Shape normalizeAxes(ArrayRef<int64_t> axes, int64_t rank);

/// Steps to the next index in row-major order.
inline void advance(Shape &index, ArrayRef<int64_t> dims) {
  for (int64_t d = int64_t(dims.size()) - 1; d >= 0; --d) {
    if (++index[d] < dims[d])
      return;
    index[d] = 0;
  }
}

/// Calls `action(index)` for each index in row-major order.
template <typename Action>
void forEachIndex(ArrayRef<int64_t> dims, Action action) {
  int64_t count = product(dims);
  Shape index(dims.size(), 0);
  for (int64_t i = 0; i < count; ++i, advance(index, dims))
    action(ArrayRef<int64_t>(index));
}

inline int64_t dot(ArrayRef<int64_t> index, ArrayRef<int64_t> strides) {
  int64_t sum = 0;
  for (size_t d = 0; d < index.size(); ++d)
    sum += index[d] * strides[d];
  return sum;
}

//===----------------------------------------------------------------------===//
// Broadcasting
//===----------------------------------------------------------------------===//

/// numpy's broadcast of the operands' shapes; fails through the call.
FailureOr<Shape> broadcastShapes(Call &call, ArrayRef<HostTensor> tensors);

/// For each element of `to`, the linear index of the element of `from` that is
/// broadcast to it.
std::vector<int64_t> getBroadcastIndices(ArrayRef<int64_t> from,
                                         ArrayRef<int64_t> to);

template <typename T>
std::vector<T> broadcast(std::vector<T> values, ArrayRef<int64_t> from,
                         ArrayRef<int64_t> to) {
  if (from == to)
    return values;
  std::vector<T> result;
  result.reserve(product(to));
  for (int64_t i : getBroadcastIndices(from, to))
    result.push_back(values[i]);
  return result;
}

//===----------------------------------------------------------------------===//
// Moving elements of any type
//===----------------------------------------------------------------------===//

/// Copies element `from` of `source` to element `to` of `target`.
void copyElement(const HostTensor &source, int64_t from, HostTensor &target,
                 int64_t to);

/// A tensor of shape `dims` whose element at each index is element `pick(index)`
/// (linear) of `input`, or zero if that is negative.
template <typename Pick>
HostTensor pickElements(const HostTensor &input, ArrayRef<int64_t> dims,
                        Pick pick) {
  HostTensor result = HostTensor::allocate(input.getType(), dims);
  int64_t to = 0;
  forEachIndex(dims, [&](ArrayRef<int64_t> index) {
    int64_t from = pick(index);
    if (from >= 0)
      copyElement(input, from, result, to);
    ++to;
  });
  return result;
}

HostTensor broadcast(const HostTensor &input, ArrayRef<int64_t> dims);
HostTensor transpose(const HostTensor &input, ArrayRef<int64_t> perm);

/// N x D1 x ... x Dk x C to N x C x D1 x ... x Dk and back.
HostTensor toChannelsFirst(const HostTensor &input);
HostTensor toChannelsLast(const HostTensor &input);

/// Spatial operators are written for channels-first tensors: the data tensor in
/// that layout, and the result in the operator's.
template <typename OpT>
HostTensor readSpatial(OpT op, const HostTensor &input) {
  return op.getLayout() == Layout::ChannelsLast ? toChannelsFirst(input) : input;
}
template <typename OpT>
HostTensor writeSpatial(OpT op, const HostTensor &result) {
  return op.getLayout() == Layout::ChannelsLast ? toChannelsLast(result)
                                                : result;
}

} // namespace mlir::nn::interpreter

#endif // NN_LIB_INTERPRETER_ELEMENTS_H
