//===- HostTensor.h - tensors in host memory --------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The tensors of the interpreter and of files: an element type, a shape, and row-major
// elements in a shared buffer.
//
//===----------------------------------------------------------------------===//

#ifndef NN_SUPPORT_HOSTTENSOR_H
#define NN_SUPPORT_HOSTTENSOR_H

#include "mlir/IR/BuiltinAttributes.h"
#include "nn/Support/DataType.h"
#include "nn/Support/SmallFloat.h"
#include <memory>
#include <string>
#include <vector>

namespace mlir::nn {

/// A value type: copies share the buffer. Elements may only be written through a tensor
/// that was just allocated and not yet copied.
///
/// Bool and elements of less than 8 bits take a byte each; int4 and int2 are sign-extended.
/// f16, bf16, f8 and f4 are stored as bits. Strings are std::string objects.
class HostTensor {
public:
  /// An invalid tensor (type Undefined).
  HostTensor() = default;

  /// A new buffer, aligned to 64 bytes. Elements are zero (strings empty).
  static HostTensor allocate(DataType type, ArrayRef<int64_t> dims);
  /// Elements in external memory, kept alive by `owner` (null for memory that outlives all
  /// tensors).
  static HostTensor view(DataType type, ArrayRef<int64_t> dims,
                         const void *data, std::shared_ptr<void> owner);
  /// Int64 tensors of rank 0 and 1.
  static HostTensor scalar(int64_t value);
  static HostTensor list(ArrayRef<int64_t> values);

  bool isValid() const { return type != DataType::Undefined; }
  DataType getType() const { return type; }
  ArrayRef<int64_t> getDims() const { return dims; }
  int64_t getDim(int64_t index) const { return dims[index]; }
  int64_t getRank() const { return dims.size(); }
  int64_t getNumElements() const { return numElements; }
  /// 0 for strings.
  size_t getNumBytes() const { return numElements * getByteSize(type); }

  /// The same elements with another shape, of as many elements.
  HostTensor withDims(ArrayRef<int64_t> newDims) const;
  /// The same bits read as another type of the same byte size.
  HostTensor withType(DataType newType) const;

  const void *getData() const { return data; }
  void *getMutableData() { return const_cast<void *>(data); }

  /// The elements as T, whose size must be that of the type.
  template <typename T> ArrayRef<T> get() const {
    assert(sizeof(T) == getByteSize(type) && "wrong type of view");
    return {static_cast<const T *>(data), size_t(numElements)};
  }
  template <typename T> MutableArrayRef<T> getMutable() {
    assert(sizeof(T) == getByteSize(type) && "wrong type of view");
    return {static_cast<T *>(getMutableData()), size_t(numElements)};
  }
  ArrayRef<std::string> getStrings() const {
    assert(type == DataType::String);
    return {static_cast<const std::string *>(data), size_t(numElements)};
  }
  MutableArrayRef<std::string> getMutableStrings() {
    assert(type == DataType::String);
    return {static_cast<std::string *>(getMutableData()), size_t(numElements)};
  }

  /// Element `index`, of any numeric type, as a double (64-bit integers lose precision) or
  /// as an integer (floats are truncated).
  double getDouble(int64_t index) const;
  int64_t getInt(int64_t index) const;
  /// Stores an element. Floats are rounded to nearest even (those of 8 bits or less like
  /// encodeSmallFloat by default); integers wrap.
  void setDouble(int64_t index, double value);
  void setInt(int64_t index, int64_t value);

  /// All elements as integers: shapes, axes, pads.
  SmallVector<int64_t> toInts() const;

  /// "float32[2,3]", for messages.
  std::string describe() const;

private:
  DataType type = DataType::Undefined;
  SmallVector<int64_t, 4> dims;
  int64_t numElements = 0;
  const void *data = nullptr;
  std::shared_ptr<void> owner;
};

/// Converts between a tensor of a packed type and the bytes of files and of nnrt.h.
std::string packElements(const HostTensor &tensor);
HostTensor unpackElements(DataType type, ArrayRef<int64_t> dims, const void *bytes);

/// "2x3" ("scalar" for rank 0), for messages.
std::string formatDims(ArrayRef<int64_t> dims);
/// "float32[2,3]", with "?" for negative sizes.
std::string formatType(DataType type, ArrayRef<int64_t> dims);

/// The tensor of a constant. Dense and resource attributes are not copied (their memory
/// belongs to the context), except for splats and i1. Others are read if they have values of f32. Failure if the type is unknown or the
/// resource blob was released.
FailureOr<HostTensor> toHostTensor(ElementsAttr attr);

} // namespace mlir::nn

#endif // NN_SUPPORT_HOSTTENSOR_H
