//===- TensorProto.cpp - tensors as ONNX messages -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorProto.h"
#include "onnx/onnx_pb.h"
#include "llvm/Support/MathExtras.h"
#include <climits>
#include <cstring>

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

static llvm::Error wrongLength(uint64_t seen, const HostTensor &tensor) {
  return createStringError("the tensor holds " + Twine(seen) +
                           " bytes or elements, which do not fit " +
                           tensor.describe());
}

Expected<HostTensor> nn::parseTensorProto(StringRef bytes, std::string &name) {
  onnx::TensorProto proto;
  if (bytes.size() > INT_MAX || !proto.ParseFromArray(bytes.data(), bytes.size()))
    return createStringError("this is not an ONNX TensorProto");
  if (!isKnownDataType(proto.data_type()))
    return createStringError("the tensor has the unknown element type " +
                             Twine(proto.data_type()));
  if (proto.data_location() == onnx::TensorProto::EXTERNAL)
    return createStringError("the tensor's elements are in another file, which is "
                             "not supported here");
  name = proto.name();
  auto type = DataType(proto.data_type());
  // No more than the message can fill is allocated.
  SmallVector<int64_t> dims(proto.dims().begin(), proto.dims().end());
  uint64_t count = 1;
  for (int64_t dim : dims) {
    if (dim < 0)
      return createStringError("the tensor has a negative dimension");
    count = llvm::SaturatingMultiply<uint64_t>(count, dim);
  }
  if (count > 4 * uint64_t(bytes.size()))
    return createStringError("the tensor claims more elements than the file has "
                             "bytes");
  HostTensor tensor = HostTensor::allocate(type, dims);

  if (type == DataType::String) {
    if (uint64_t(proto.string_data_size()) != count)
      return wrongLength(proto.string_data_size(), tensor);
    std::copy(proto.string_data().begin(), proto.string_data().end(),
              tensor.getMutableStrings().begin());
    return tensor;
  }
  if (proto.has_raw_data()) {
    const std::string &raw = proto.raw_data();
    if (raw.size() != getPackedBytes(type, count))
      return wrongLength(raw.size(), tensor);
    if (isPacked(type))
      return unpackElements(type, dims, raw.data());
    std::memcpy(tensor.getMutableData(), raw.data(), raw.size());
    return tensor;
  }

  auto copy = [&](const auto &field, auto set) -> llvm::Error {
    if (uint64_t(field.size()) != count)
      return wrongLength(field.size(), tensor);
    for (uint64_t i = 0; i < count; ++i)
      set(i, field[i]);
    return llvm::Error::success();
  };
  llvm::Error error = llvm::Error::success();
  switch (type) {
  case DataType::Float32:
    error = copy(proto.float_data(), [&](int64_t i, float value) {
      tensor.getMutable<float>()[i] = value;
    });
    break;
  case DataType::Float64:
    error = copy(proto.double_data(), [&](int64_t i, double value) {
      tensor.getMutable<double>()[i] = value;
    });
    break;
  case DataType::Int64:
    error = copy(proto.int64_data(), [&](int64_t i, int64_t value) {
      tensor.getMutable<int64_t>()[i] = value;
    });
    break;
  case DataType::UInt32:
  case DataType::UInt64:
    error = copy(proto.uint64_data(), [&](int64_t i, uint64_t value) {
      tensor.setInt(i, int64_t(value));
    });
    break;
  case DataType::Float16:
  case DataType::BFloat16:
    error = copy(proto.int32_data(), [&](int64_t i, int32_t bits) {
      tensor.getMutable<uint16_t>()[i] = uint16_t(bits);
    });
    break;
  case DataType::Complex64:
  case DataType::Complex128:
    error = createStringError("complex tensors are only read from raw_data");
    break;
  default:
    if (isPacked(type)) { // a packed byte an entry
      if (uint64_t(proto.int32_data_size()) != getPackedBytes(type, count)) {
        error = wrongLength(proto.int32_data_size(), tensor);
      } else {
        std::string packed(proto.int32_data().begin(), proto.int32_data().end());
        tensor = unpackElements(type, dims, packed.data());
      }
    } else if (getByteSize(type) == 1) { // int8, uint8, bool, the bits of f8
      error = copy(proto.int32_data(), [&](int64_t i, int32_t value) {
        tensor.getMutable<uint8_t>()[i] =
            type == DataType::Bool ? value != 0 : uint8_t(value);
      });
    } else {
      error = copy(proto.int32_data(), [&](int64_t i, int32_t value) {
        tensor.setInt(i, value);
      });
    }
  }
  if (error)
    return error;
  return tensor;
}

std::string nn::formatTensorProto(const HostTensor &tensor, StringRef name) {
  onnx::TensorProto proto;
  proto.set_name(name.str());
  proto.set_data_type(int32_t(tensor.getType()));
  for (int64_t dim : tensor.getDims())
    proto.add_dims(dim);
  if (tensor.getType() == DataType::String) {
    for (const std::string &text : tensor.getStrings())
      proto.add_string_data(text);
  } else if (isPacked(tensor.getType())) {
    proto.set_raw_data(packElements(tensor));
  } else {
    proto.set_raw_data(tensor.getData(), tensor.getNumBytes());
  }
  std::string bytes;
  proto.SerializeToString(&bytes);
  return bytes;
}
