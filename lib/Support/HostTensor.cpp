//===- HostTensor.cpp - tensors in host memory ----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/HostTensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>
#include <new>

using namespace mlir;
using namespace mlir::nn;

/// The number of elements. Where there is no memory for so many it is some number for
/// which there is none either, and allocating ends the program (Tool.h).
static int64_t countElements(ArrayRef<int64_t> dims) {
  constexpr int64_t tooMany = int64_t(1) << 58;
  int64_t count = 1;
  for (int64_t dim : dims)
    if (llvm::MulOverflow(count, dim, count) || count > tooMany)
      count = tooMany;
  return llvm::is_contained(dims, 0) ? 0 : count;
}

HostTensor HostTensor::allocate(DataType type, ArrayRef<int64_t> dims) {
  HostTensor tensor;
  tensor.type = type;
  tensor.dims.assign(dims.begin(), dims.end());
  tensor.numElements = countElements(dims);
  if (type == DataType::String) {
    auto strings =
        std::make_shared<std::vector<std::string>>(tensor.numElements);
    tensor.data = strings->data();
    tensor.owner = std::move(strings);
    return tensor;
  }
  constexpr auto alignment = std::align_val_t(64);
  size_t bytes = std::max<size_t>(tensor.getNumBytes(), 1);
  void *memory = ::operator new(bytes, alignment);
  std::memset(memory, 0, bytes);
  tensor.data = memory;
  tensor.owner = std::shared_ptr<void>(
      memory, [=](void *memory) { ::operator delete(memory, alignment); });
  return tensor;
}

HostTensor HostTensor::view(DataType type, ArrayRef<int64_t> dims,
                            const void *data, std::shared_ptr<void> owner) {
  HostTensor tensor;
  tensor.type = type;
  tensor.dims.assign(dims.begin(), dims.end());
  tensor.numElements = countElements(dims);
  tensor.data = data;
  tensor.owner = std::move(owner);
  return tensor;
}

HostTensor HostTensor::scalar(int64_t value) {
  return list({value}).withDims({});
}

HostTensor HostTensor::list(ArrayRef<int64_t> values) {
  HostTensor tensor = allocate(DataType::Int64, int64_t(values.size()));
  llvm::copy(values, tensor.getMutable<int64_t>().begin());
  return tensor;
}

HostTensor HostTensor::withDims(ArrayRef<int64_t> newDims) const {
  assert(countElements(newDims) == numElements && "reshape changes the size");
  HostTensor tensor = *this;
  tensor.dims.assign(newDims.begin(), newDims.end());
  return tensor;
}

HostTensor HostTensor::withType(DataType newType) const {
  assert(getByteSize(newType) == getByteSize(type));
  HostTensor tensor = *this;
  tensor.type = newType;
  return tensor;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

static bool isSmallFloat(DataType type) { return isSmall(type) && isFloat(type); }

/// Calls `action` with a value of the C++ type that holds an element; not for
/// strings, complex numbers and floats of 8 bits or less.
template <typename Action> static auto dispatch(DataType type, Action action) {
  switch (type) {
  case DataType::Float32:
    return action(float());
  case DataType::Float64:
    return action(double());
  case DataType::Float16:
    return action(Half());
  case DataType::BFloat16:
    return action(BFloat());
  case DataType::Int2:
  case DataType::Int4:
  case DataType::Int8:
    return action(int8_t());
  case DataType::Bool:
  case DataType::UInt2:
  case DataType::UInt4:
  case DataType::UInt8:
    return action(uint8_t());
  case DataType::Int16:
    return action(int16_t());
  case DataType::UInt16:
    return action(uint16_t());
  case DataType::Int32:
    return action(int32_t());
  case DataType::UInt32:
    return action(uint32_t());
  case DataType::Int64:
    return action(int64_t());
  case DataType::UInt64:
    return action(uint64_t());
  default:
    llvm_unreachable("no number of this type can be read");
  }
}

/// The lowest bits of a number, as an integer of 4 or 2 bits.
static int64_t wrap(DataType type, int64_t value) {
  unsigned unused = 64 - getBitWidth(type);
  uint64_t high = uint64_t(value) << unused;
  return isSignedInteger(type) ? int64_t(high) >> unused : int64_t(high >> unused);
}

double HostTensor::getDouble(int64_t index) const {
  if (isSmallFloat(type))
    return decodeSmallFloat(type, get<uint8_t>()[index]);
  return dispatch(type, [&](auto kind) {
    return double(static_cast<const decltype(kind) *>(data)[index]);
  });
}

int64_t HostTensor::getInt(int64_t index) const {
  if (isSmallFloat(type))
    return int64_t(getDouble(index));
  return dispatch(type, [&](auto kind) {
    return int64_t(static_cast<const decltype(kind) *>(data)[index]);
  });
}

void HostTensor::setDouble(int64_t index, double value) {
  if (isSmallFloat(type)) {
    getMutable<uint8_t>()[index] = encodeSmallFloat(type, value);
    return;
  }
  if (isSmall(type))
    return setInt(index, int64_t(value));
  dispatch(type, [&](auto kind) {
    using T = decltype(kind);
    T &element = static_cast<T *>(getMutableData())[index];
    if constexpr (std::is_integral_v<T>)
      element = type == DataType::Bool ? T(value != 0) : T(int64_t(value));
    else
      element = T(value);
  });
}

void HostTensor::setInt(int64_t index, int64_t value) {
  if (isFloat(type))
    return setDouble(index, double(value));
  dispatch(type, [&](auto kind) {
    using T = decltype(kind);
    if constexpr (std::is_integral_v<T>) {
      if (type == DataType::Bool)
        value = value != 0;
      else if (isPacked(type))
        value = wrap(type, value);
      static_cast<T *>(getMutableData())[index] = T(value);
    }
  });
}

SmallVector<int64_t> HostTensor::toInts() const {
  SmallVector<int64_t> values(numElements);
  for (auto [index, value] : llvm::enumerate(values))
    value = getInt(index);
  return values;
}

//===----------------------------------------------------------------------===//
// Packed elements
//===----------------------------------------------------------------------===//

std::string nn::packElements(const HostTensor &tensor) {
  unsigned width = getBitWidth(tensor.getType()), perByte = 8 / width;
  std::string bytes(getPackedBytes(tensor.getType(), tensor.getNumElements()), '\0');
  for (auto [i, element] : llvm::enumerate(tensor.get<uint8_t>()))
    bytes[i / perByte] |= (element & ((1 << width) - 1)) << (i % perByte * width);
  return bytes;
}

HostTensor nn::unpackElements(DataType type, ArrayRef<int64_t> dims, const void *bytes) {
  unsigned width = getBitWidth(type), perByte = 8 / width;
  HostTensor tensor = HostTensor::allocate(type, dims);
  for (auto [i, element] : llvm::enumerate(tensor.getMutable<uint8_t>())) {
    unsigned packed = static_cast<const uint8_t *>(bytes)[i / perByte];
    element = uint8_t(wrap(type, packed >> (i % perByte * width)));
  }
  return tensor;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

std::string nn::formatDims(ArrayRef<int64_t> dims) {
  if (dims.empty())
    return "scalar";
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::interleave(dims, stream, "x");
  return text;
}

std::string nn::formatType(DataType type, ArrayRef<int64_t> dims) {
  std::string text = getName(type).str() + "[";
  llvm::raw_string_ostream stream(text);
  llvm::interleave(
      dims, stream,
      [&](int64_t dim) {
        if (dim < 0)
          stream << '?';
        else
          stream << dim;
      },
      ",");
  return text + "]";
}

std::string HostTensor::describe() const {
  return isValid() ? formatType(type, dims) : "no tensor";
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

FailureOr<HostTensor> nn::toHostTensor(ElementsAttr attr) {
  ShapedType shapedType = attr.getShapedType();
  std::optional<DataType> type = getDataType(shapedType.getElementType());
  if (!type || !shapedType.hasStaticShape())
    return failure();
  ArrayRef<int64_t> dims = shapedType.getShape();

  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    HostTensor tensor = HostTensor::view(
        *type, dims, blob ? blob->getData().data() : nullptr, nullptr);
    if (!blob || blob->getData().size() != tensor.getNumBytes())
      return failure();
    return tensor;
  }

  auto dense = dyn_cast<DenseIntOrFPElementsAttr>(attr);
  if (!dense) {
    // What computes its elements.
    if (*type != DataType::Float32)
      return failure();
    auto elements = attr.tryGetValues<float>();
    if (!elements)
      return failure();
    HostTensor tensor = HostTensor::allocate(*type, dims);
    llvm::copy(*elements, tensor.getMutable<float>().begin());
    return tensor;
  }
  // How an attribute stores i1 differs between versions of MLIR.
  if (*type == DataType::Bool) {
    HostTensor tensor = HostTensor::allocate(*type, dims);
    if (tensor.getNumElements() > 0)
      llvm::copy(dense.getValues<bool>(), tensor.getMutable<uint8_t>().begin());
    return tensor;
  }
  // Integers of few bits lie in bytes, but without their sign.
  if (isPacked(*type) && isSignedInteger(*type)) {
    HostTensor tensor = HostTensor::allocate(*type, dims);
    for (auto [i, value] : llvm::enumerate(dense.getValues<APInt>()))
      tensor.setInt(i, value.getSExtValue());
    return tensor;
  }
  if (!dense.isSplat() || dense.getNumElements() == 1)
    return HostTensor::view(*type, dims, dense.getRawData().data(), nullptr);
  HostTensor tensor = HostTensor::allocate(*type, dims);
  unsigned size = getByteSize(*type);
  auto *bytes = static_cast<char *>(tensor.getMutableData());
  for (int64_t i = 0; i < tensor.getNumElements(); ++i)
    std::memcpy(bytes + i * size, dense.getRawData().data(), size);
  return tensor;
}
