//===- Buffer.cpp - what memrefs stand for when IR is executed ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Execution/Buffer.h"
#include "mlir/IR/BuiltinTypes.h"
#include <cstdlib>
#include <cstring>

using namespace mlir;
using namespace mlir::nn;

SmallVector<int64_t, 4> nn::getRowMajorStrides(ArrayRef<int64_t> sizes) {
  SmallVector<int64_t, 4> strides(sizes.size(), 1);
  for (int64_t d = int64_t(sizes.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * sizes[d + 1];
  return strides;
}

Buffer Buffer::allocate(DataType type, ArrayRef<int64_t> sizes) {
  Buffer buffer;
  buffer.type = type;
  buffer.sizes.assign(sizes.begin(), sizes.end());
  buffer.strides = getRowMajorStrides(sizes);
  // Whole vectors may be read at the end, as from a real arena.
  size_t bytes = (ShapedType::getNumElements(sizes) * getByteSize(type) + 127) / 64 * 64;
  buffer.memory.reset(static_cast<char *>(std::aligned_alloc(64, bytes)), std::free);
  std::memset(buffer.memory.get(), kPoison, bytes);
  return buffer;
}

Buffer Buffer::copyOf(const HostTensor &tensor) {
  Buffer buffer = allocate(tensor.getType(), tensor.getDims());
  std::memcpy(buffer.memory.get(), tensor.getData(), tensor.getNumBytes());
  return buffer;
}

char *Buffer::getElement(ArrayRef<int64_t> index) const {
  int64_t place = offset;
  for (auto [i, stride] : llvm::zip_equal(index, strides))
    place += i * stride;
  return memory.get() + place * int64_t(getByteSize(type));
}

/// Calls `action` with the address of each element and its number, in row-major
/// order.
template <typename Action>
static void forEachElement(const Buffer &buffer, Action action) {
  SmallVector<int64_t, 4> index(buffer.sizes.size(), 0);
  for (int64_t i = 0, e = ShapedType::getNumElements(buffer.sizes); i < e; ++i) {
    action(buffer.getElement(index), i);
    for (int64_t d = int64_t(index.size()) - 1; d >= 0; --d) {
      if (++index[d] < buffer.sizes[d])
        break;
      index[d] = 0;
    }
  }
}

static bool isRowMajor(const Buffer &buffer) {
  SmallVector<int64_t, 4> dense = getRowMajorStrides(buffer.sizes);
  for (size_t d = 0; d < dense.size(); ++d)
    if (buffer.sizes[d] != 1 && buffer.strides[d] != dense[d])
      return false;
  return true;
}

HostTensor Buffer::load() const {
  HostTensor tensor = HostTensor::allocate(type, sizes);
  if (tensor.getNumElements() == 0)
    return tensor;
  size_t bytes = getByteSize(type);
  char *to = static_cast<char *>(tensor.getMutableData());
  if (isRowMajor(*this))
    std::memcpy(to, memory.get() + offset * int64_t(bytes), tensor.getNumBytes());
  else
    forEachElement(*this, [&](const char *from, int64_t i) {
      std::memcpy(to + i * bytes, from, bytes);
    });
  return tensor;
}

void Buffer::store(const HostTensor &tensor) const {
  assert(tensor.getNumElements() == ShapedType::getNumElements(sizes) &&
         getByteSize(tensor.getType()) == getByteSize(type));
  if (tensor.getNumElements() == 0)
    return;
  size_t bytes = getByteSize(type);
  const char *from = static_cast<const char *>(tensor.getData());
  if (isRowMajor(*this))
    std::memcpy(memory.get() + offset * int64_t(bytes), from, tensor.getNumBytes());
  else
    forEachElement(*this, [&](char *to, int64_t i) {
      std::memcpy(to, from + i * bytes, bytes);
    });
}
