//===- TensorProto.cpp - tensors as ONNX messages -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorProto.h"
#include "onnx/onnx_pb.h"
#include "onnx/onnx-data.pb.h"
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

/// The tensor of a message that takes up `numBytes` of a file.
static Expected<HostTensor> readTensor(const onnx::TensorProto &proto,
                                       uint64_t numBytes) {
  if (!isKnownDataType(proto.data_type()))
    return createStringError("the tensor has the unknown element type " +
                             Twine(proto.data_type()));
  if (proto.data_location() == onnx::TensorProto::EXTERNAL)
    return createStringError("the tensor's elements are in another file, which is "
                             "not supported here");
  auto type = DataType(proto.data_type());
  // Allocate no more than the message can fill.
  SmallVector<int64_t> dims(proto.dims().begin(), proto.dims().end());
  uint64_t count = 1;
  for (int64_t dim : dims) {
    if (dim < 0)
      return createStringError("the tensor has a negative dimension");
    count = llvm::SaturatingMultiply<uint64_t>(count, dim);
  }
  if (count > 4 * numBytes)
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

template <typename Proto> static bool parse(StringRef bytes, Proto &proto) {
  return bytes.size() <= INT_MAX && proto.ParseFromArray(bytes.data(), bytes.size());
}

Expected<HostTensor> nn::parseTensorProto(StringRef bytes, std::string &name) {
  onnx::TensorProto proto;
  if (!parse(bytes, proto))
    return createStringError("this is not an ONNX TensorProto");
  name = proto.name();
  return readTensor(proto, bytes.size());
}

//===----------------------------------------------------------------------===//
// Sequences and optionals
//===----------------------------------------------------------------------===//

static Expected<StructuredValue> readSequence(const onnx::SequenceProto &proto) {
  // Its declared kind may be missing: an empty list says nothing.
  if (proto.sparse_tensor_values_size() || proto.sequence_values_size() ||
      proto.map_values_size() || proto.optional_values_size())
    return createStringError("the sequence holds other values than tensors, which is "
                             "not supported");
  StructuredValue value;
  for (const onnx::TensorProto &item : proto.tensor_values()) {
    Expected<HostTensor> tensor = readTensor(item, item.ByteSizeLong());
    if (!tensor)
      return createStringError("item " + Twine(value.items.size()) + ": " +
                               llvm::toString(tensor.takeError()));
    value.items.push_back(*tensor);
  }
  return value;
}

// These messages look alike; unknown fields show that a file holds another kind.

Expected<ParsedValue> nn::parseSequenceProto(StringRef bytes, std::string &name) {
  onnx::SequenceProto proto;
  if (!parse(bytes, proto) || !proto.unknown_fields().empty())
    return createStringError("this is not an ONNX SequenceProto");
  name = proto.name();
  Expected<StructuredValue> value = readSequence(proto);
  if (!value)
    return value.takeError();
  return ParsedValue{std::move(*value), /*isSequence=*/true};
}

Expected<ParsedValue> nn::parseOptionalProto(StringRef bytes, std::string &name) {
  onnx::OptionalProto proto;
  if (!parse(bytes, proto) || !proto.unknown_fields().empty())
    return createStringError("this is not an ONNX OptionalProto");
  name = proto.name();
  if (proto.has_sparse_tensor_value() || proto.has_map_value() ||
      proto.has_optional_value() ||
      (proto.has_tensor_value() && proto.has_sequence_value()))
    return createStringError("the optional holds something else than a tensor or a "
                             "sequence of tensors, which is not supported");
  if (proto.has_sequence_value()) {
    Expected<StructuredValue> value = readSequence(proto.sequence_value());
    if (!value)
      return value.takeError();
    return ParsedValue{std::move(*value), /*isSequence=*/true};
  }
  if (proto.has_tensor_value()) {
    Expected<HostTensor> tensor =
        readTensor(proto.tensor_value(), proto.tensor_value().ByteSizeLong());
    if (!tensor)
      return tensor.takeError();
    return ParsedValue{{/*isPresent=*/true, {*tensor}}, /*isSequence=*/false};
  }
  ParsedValue absent{{/*isPresent=*/false, {}}};
  if (proto.elem_type() != onnx::OptionalProto::UNDEFINED)
    absent.isSequence = proto.elem_type() == onnx::OptionalProto::SEQUENCE;
  return absent;
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
