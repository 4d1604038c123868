//===- Elements.cpp - what the families of operators share ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Elements.h"
#include <cstring>
#include <numeric>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

//===----------------------------------------------------------------------===//
// Elements as numbers
//===----------------------------------------------------------------------===//

Doubles interpreter::readDoubles(const HostTensor &tensor) {
  if (tensor.getType() == DataType::Float32) {
    ArrayRef<float> values = tensor.get<float>();
    return Doubles(values.begin(), values.end());
  }
  Doubles values(tensor.getNumElements());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = tensor.getDouble(i);
  return values;
}

Ints interpreter::readInts(const HostTensor &tensor) {
  Ints values(tensor.getNumElements());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = tensor.getInt(i);
  return values;
}

HostTensor interpreter::makeTensor(DataType type, ArrayRef<int64_t> dims,
                                   const Doubles &values) {
  HostTensor tensor = HostTensor::allocate(type, dims);
  for (size_t i = 0; i < values.size(); ++i)
    tensor.setDouble(i, values[i]);
  return tensor;
}

HostTensor interpreter::makeTensor(DataType type, ArrayRef<int64_t> dims,
                                   const Ints &values) {
  HostTensor tensor = HostTensor::allocate(type, dims);
  for (size_t i = 0; i < values.size(); ++i)
    tensor.setInt(i, values[i]);
  return tensor;
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

int64_t interpreter::product(ArrayRef<int64_t> dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t(1),
                         std::multiplies<int64_t>());
}

Shape interpreter::getStrides(ArrayRef<int64_t> dims) {
  Shape strides(dims.size(), 1);
  for (int64_t d = int64_t(dims.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * dims[d + 1];
  return strides;
}

Shape interpreter::normalizeAxes(ArrayRef<int64_t> axes, int64_t rank) {
  Shape result;
  if (axes.empty())
    for (int64_t d = 0; d < rank; ++d)
      result.push_back(d);
  for (int64_t axis : axes)
    result.push_back(normalizeAxis(axis, rank));
  return result;
}

//===----------------------------------------------------------------------===//
// Broadcasting
//===----------------------------------------------------------------------===//

FailureOr<Shape> interpreter::broadcastShapes(Call &call,
                                              ArrayRef<HostTensor> tensors) {
  Shape result;
  for (const HostTensor &tensor : tensors) {
    ArrayRef<int64_t> dims = tensor.getDims();
    if (dims.size() > result.size())
      result.insert(result.begin(), dims.size() - result.size(), 1);
    for (size_t d = 0; d < dims.size(); ++d) {
      int64_t &size = result[result.size() - dims.size() + d];
      if (size == 1)
        size = dims[d];
      else if (dims[d] != 1 && dims[d] != size)
        return call.fail("operands of the shapes " +
                         formatDims(tensors.front().getDims()) + " and " +
                         formatDims(dims) + " do not broadcast");
    }
  }
  return result;
}

std::vector<int64_t>
interpreter::getBroadcastIndices(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  Shape strides(to.size(), 0), own = getStrides(from);
  for (size_t d = 0; d < from.size(); ++d)
    if (from[d] != 1)
      strides[to.size() - from.size() + d] = own[d];
  std::vector<int64_t> result;
  result.reserve(product(to));
  forEachIndex(to, [&](ArrayRef<int64_t> index) {
    result.push_back(dot(index, strides));
  });
  return result;
}

//===----------------------------------------------------------------------===//
// Moving elements of any type
//===----------------------------------------------------------------------===//

void interpreter::copyElement(const HostTensor &source, int64_t from,
                              HostTensor &target, int64_t to) {
  if (source.getType() == DataType::String) {
    target.getMutableStrings()[to] = source.getStrings()[from];
    return;
  }
  unsigned size = getByteSize(source.getType());
  std::memcpy(static_cast<char *>(target.getMutableData()) + to * size,
              static_cast<const char *>(source.getData()) + from * size, size);
}

HostTensor interpreter::broadcast(const HostTensor &input,
                                  ArrayRef<int64_t> dims) {
  if (input.getDims() == dims)
    return input;
  HostTensor result = HostTensor::allocate(input.getType(), dims);
  int64_t to = 0;
  for (int64_t from : getBroadcastIndices(input.getDims(), dims))
    copyElement(input, from, result, to++);
  return result;
}

HostTensor interpreter::transpose(const HostTensor &input,
                                  ArrayRef<int64_t> perm) {
  Shape dims, strides, inputStrides = getStrides(input.getDims());
  for (int64_t axis : perm) {
    dims.push_back(input.getDim(axis));
    strides.push_back(inputStrides[axis]);
  }
  return pickElements(input, dims, [&](ArrayRef<int64_t> index) {
    return dot(index, strides);
  });
}

HostTensor interpreter::toChannelsFirst(const HostTensor &input) {
  Shape perm{0, input.getRank() - 1};
  for (int64_t d = 1; d < input.getRank() - 1; ++d)
    perm.push_back(d);
  return transpose(input, perm);
}

HostTensor interpreter::toChannelsLast(const HostTensor &input) {
  Shape perm{0};
  for (int64_t d = 2; d < input.getRank(); ++d)
    perm.push_back(d);
  perm.push_back(1);
  return transpose(input, perm);
}
