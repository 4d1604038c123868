//===- Buffer.h - what memrefs stand for when IR is executed ----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_EXECUTION_BUFFER_H
#define NN_EXECUTION_BUFFER_H

#include "nn/Support/HostTensor.h"

namespace mlir::nn {

/// A strided view of shared memory. Copies are views of the same memory.
struct Buffer {
  DataType type = DataType::Undefined;
  std::shared_ptr<char> memory; ///< from the start of the allocation
  int64_t offset = 0;           ///< of the first element, in elements
  SmallVector<int64_t, 4> sizes, strides;

  /// New memory, filled with poison.
  static Buffer allocate(DataType type, ArrayRef<int64_t> sizes);
  /// A row-major copy of a tensor.
  static Buffer copyOf(const HostTensor &tensor);

  bool isValid() const { return memory != nullptr; }
  char *getElement(ArrayRef<int64_t> index) const;
  /// A row-major copy.
  HostTensor load() const;
  /// Overwrites the elements with those of a tensor of as many elements of the
  /// same size each.
  void store(const HostTensor &tensor) const;
};

/// The value of an SSA value: a tensor, a scalar (a tensor of rank 0), or, for a
/// memref, a view of memory.
struct Datum {
  HostTensor tensor;
  Buffer buffer;

  Datum() = default;
  Datum(HostTensor tensor) : tensor(std::move(tensor)) {}
  Datum(Buffer buffer) : buffer(std::move(buffer)) {}

  int64_t getInt() const { return tensor.getInt(0); }
  /// The tensor, or what the buffer holds now.
  HostTensor read() const { return buffer.isValid() ? buffer.load() : tensor; }
};

/// Row-major strides.
SmallVector<int64_t, 4> getRowMajorStrides(ArrayRef<int64_t> sizes);

/// Fills uninitialized memory: NaN for floats, -1 for integers.
constexpr unsigned char kPoison = 0xff;

} // namespace mlir::nn

#endif // NN_EXECUTION_BUFFER_H
