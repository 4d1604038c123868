//===- Weights.cpp - from ONNX tensors to constants -----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Weights.h"
#include "Core/Strings.h"
#include "Strings.h"
#include "dialects/NN/IR/NN.h"
#include "nn/Support/Constants.h"
#include "nn/Support/HostTensor.h"
#include "nn/Support/Sizes.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include <cstring>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

Type importer::getTensorElementType(MLIRContext *context, int64_t dataType) {
  if (dataType < 1 || dataType > INT32_MAX || !isKnownDataType(dataType))
    return {};
  auto type = static_cast<DataType>(dataType);
  if (type == DataType::String)
    return StringType::get(context);
  return isComplex(type) ? Type() : getElementType(context, type);
}

llvm::StringRef importer::getAcceptedTypes() {
  return "float16, bfloat16, float32, float64, int2 to int64, uint2 to uint64, bool, "
         "float8 of all kinds, float4e2m1, string";
}

std::string importer::getDataTypeName(int64_t dataType) {
  if (dataType == 0)
    return "no type";
  if (dataType > 0 && dataType < INT32_MAX && isKnownDataType(dataType))
    return getName(static_cast<DataType>(dataType)).str();
  return "type number " + std::to_string(dataType);
}

bool importer::isReasonableShape(ArrayRef<int64_t> dims) {
  return nn::isReasonableShape(dims);
}

template <typename Proto> static std::string describeDims(const Proto &tensor) {
  std::string text = "[";
  for (int i = 0, e = std::min(tensor.dims_size(), 16); i < e; ++i)
    text += (i ? ", " : "") + std::to_string(tensor.dims(i));
  return text + (tensor.dims_size() > 16 ? ", ...]" : "]");
}

static Problem problem(std::string constraint, std::string seen,
                       std::string accepted, Remedy remedy) {
  Problem problem;
  problem.constraint = std::move(constraint);
  problem.seen = std::move(seen);
  problem.accepted = std::move(accepted);
  problem.remedy = remedy;
  return problem;
}

//===----------------------------------------------------------------------===//
// Inline data
//===----------------------------------------------------------------------===//

/// All resource blobs have the same alignment, so that equal weights are printed alike.
static constexpr size_t blobAlignment = 16;

/// A blob of `count` elements of type `To`, converted from a typed field.
template <typename To, typename Field>
static AsmResourceBlob convertField(const Field &field) {
  AsmResourceBlob blob = HeapAsmResourceBlob::allocate(
      std::max<size_t>(field.size() * sizeof(To), 1), 64);
  To *to = reinterpret_cast<To *>(blob.getMutableData().data());
  for (int i = 0, e = field.size(); i < e; ++i)
    to[i] = static_cast<To>(field.Get(i));
  // The allocation is not empty even where the tensor is.
  const char *data = blob.getData().data();
  size_t size = field.size() * sizeof(To);
  auto owner = std::make_shared<AsmResourceBlob>(std::move(blob));
  return AsmResourceBlob(
      ArrayRef<char>(data, size), blobAlignment,
      [owner](void *, size_t, size_t) {}, /*dataIsMutable=*/false);
}

/// The typed field that ONNX prescribes for the data type, as a blob, and the number of
/// its entries, which are bytes for packed types.
static std::pair<AsmResourceBlob, int64_t>
readTypedField(const onnx::TensorProto &tensor) {
  switch (static_cast<DataType>(tensor.data_type())) {
  case DataType::Float32:
    return {convertField<float>(tensor.float_data()), tensor.float_data_size()};
  case DataType::Float64:
    return {convertField<double>(tensor.double_data()), tensor.double_data_size()};
  case DataType::Int64:
    return {convertField<int64_t>(tensor.int64_data()), tensor.int64_data_size()};
  case DataType::UInt64:
    return {convertField<uint64_t>(tensor.uint64_data()), tensor.uint64_data_size()};
  case DataType::UInt32:
    return {convertField<uint32_t>(tensor.uint64_data()), tensor.uint64_data_size()};
  case DataType::Int32:
    return {convertField<int32_t>(tensor.int32_data()), tensor.int32_data_size()};
  case DataType::Bool:
    return {convertField<bool>(tensor.int32_data()), tensor.int32_data_size()};
  case DataType::Int8:
  case DataType::UInt8:
    return {convertField<uint8_t>(tensor.int32_data()), tensor.int32_data_size()};
  default:
    if (isSmall(static_cast<DataType>(tensor.data_type())))
      return {convertField<uint8_t>(tensor.int32_data()), tensor.int32_data_size()};
    // int16, uint16, and the bits of float16, bfloat16
    return {convertField<uint16_t>(tensor.int32_data()), tensor.int32_data_size()};
  }
}

/// Whether the representation in the file differs from that in memory.
static bool needsNormalization(RankedTensorType type) {
  return type.getElementType().isInteger(1) ||
         isPacked(*getDataType(type.getElementType()));
}

/// In memory, bools are 0 or 1, whatever the file contains, and packed elements have a
/// byte each.
static ElementsAttr normalize(RankedTensorType type, ArrayRef<char> bytes) {
  DataType dataType = *getDataType(type.getElementType());
  HostTensor tensor;
  if (isPacked(dataType)) {
    tensor = unpackElements(dataType, type.getShape(), bytes.data());
  } else {
    tensor = HostTensor::allocate(dataType, type.getShape());
    for (auto [element, byte] : llvm::zip_equal(tensor.getMutable<uint8_t>(), bytes))
      element = byte != 0;
  }
  return makeConstantAttr(type.getContext(), tensor, type.getElementType());
}

static std::variant<ElementsAttr, Problem> readStrings(const onnx::TensorProto &tensor,
                                                       RankedTensorType type) {
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL || tensor.has_raw_data())
    return problem("strings are in the field 'string_data'",
                   tensor.has_raw_data() ? "raw data" : "external data", "",
                   Remedy::FixModel);
  if (tensor.string_data_size() != type.getNumElements())
    return problem("the tensor has as many elements as its dimensions say",
                   std::to_string(tensor.string_data_size()) + " strings",
                   std::to_string(type.getNumElements()) + " for " + describeDims(tensor),
                   Remedy::FixModel);
  std::vector<std::string> texts(tensor.string_data().begin(), tensor.string_data().end());
  for (auto [index, text] : llvm::enumerate(texts))
    if (nnrt::findInvalidUtf8(text) < text.size())
      return problem("strings are UTF-8", "string " + std::to_string(index) + " is not", "",
                     Remedy::FixData);
  return ElementsAttr(makeStrings(type.getContext(), type.getShape(), texts));
}

WeightReader::WeightReader(MLIRContext &context, llvm::StringRef modelPath)
    : context(context) {
  SmallString<256> parent(modelPath), real;
  path::remove_filename(parent);
  if (parent.empty())
    parent = ".";
  if (!fs::real_path(parent, real))
    folder = real.str().str();
}

std::variant<ElementsAttr, Problem> WeightReader::read(onnx::TensorProto &tensor) {
  Type elementType = getTensorElementType(&context, tensor.data_type());
  if (!elementType)
    return problem("the tensor's element type is supported",
                   getDataTypeName(tensor.data_type()), getAcceptedTypes().str(),
                   tensor.data_type() ? Remedy::ConvertType : Remedy::FixModel);
  SmallVector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  if (llvm::any_of(dims, [](int64_t dim) { return dim < 0; }) ||
      !isReasonableShape(dims))
    return problem("the tensor's dimensions are not negative and its size is "
                   "that of its data",
                   "dimensions " + describeDims(tensor), "", Remedy::FixModel);
  if (tensor.has_segment())
    return problem("the tensor is whole", "a segment of a tensor", "",
                   Remedy::FixModel);

  auto type = RankedTensorType::get(dims, elementType);
  if (isString(elementType))
    return readStrings(tensor, type);
  auto dataType = static_cast<DataType>(tensor.data_type());
  uint64_t size = getPackedBytes(dataType, type.getNumElements());
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL)
    return readExternal(tensor, type, size);

  if (tensor.has_raw_data()) {
    if (tensor.raw_data().size() != size)
      return problem("the tensor's data has the size that its type says",
                     std::to_string(tensor.raw_data().size()) + " bytes",
                     std::to_string(size) + " bytes for " + describeDims(tensor) +
                         " of " + getDataTypeName(tensor.data_type()),
                     Remedy::FixModel);
    // Parsing made the only copy that is needed; ownership is transferred.
    std::shared_ptr<std::string> bytes(tensor.release_raw_data());
    ArrayRef<char> data(bytes->data(), bytes->size());
    if (needsNormalization(type))
      return normalize(type, data);
    return makeConstantAttr(
        type, AsmResourceBlob(data, blobAlignment,
                              [bytes](void *, size_t, size_t) {}, false));
  }

  auto [blob, count] = readTypedField(tensor);
  bool packed = isPacked(dataType);
  int64_t expected = packed ? int64_t(size) : type.getNumElements();
  if (count != expected)
    return problem("the tensor has as many elements as its dimensions say",
                   std::to_string(count) + (packed ? " packed bytes" : " elements"),
                   std::to_string(expected) +
                       (packed ? " packed bytes for " : " elements for ") +
                       describeDims(tensor) + " of " +
                       getDataTypeName(tensor.data_type()),
                   Remedy::FixModel);
  tensor.clear_float_data();
  tensor.clear_int32_data();
  tensor.clear_int64_data();
  tensor.clear_uint64_data();
  tensor.clear_double_data();
  if (packed)
    return normalize(type, blob.getData());
  return makeConstantAttr(type, std::move(blob));
}

//===----------------------------------------------------------------------===//
// Sparse tensors
//===----------------------------------------------------------------------===//

/// The places of the values in row-major order, from linear indices or a row of
/// coordinates for each; or what is wrong with them.
static std::variant<SmallVector<int64_t>, Problem>
readPlaces(const HostTensor &indices, int64_t count, ArrayRef<int64_t> dims) {
  int64_t rank = dims.size(), size = 1;
  for (int64_t dim : dims)
    size *= dim;
  bool isLinear = indices.getRank() == 1;
  if (indices.getType() != DataType::Int64 ||
      !(isLinear || (indices.getRank() == 2 && indices.getDim(1) == rank)) ||
      indices.getDim(0) != count)
    return problem("a sparse tensor has an index, or a row of coordinates, for each value",
                   "indices " + indices.describe() + " for " + std::to_string(count) +
                       " values",
                   "int64[values] or int64[values, rank]", Remedy::FixModel);
  ArrayRef<int64_t> numbers = indices.get<int64_t>();
  SmallVector<int64_t> places;
  llvm::DenseSet<int64_t> seen;
  for (int64_t i = 0; i < count; ++i) {
    int64_t place = 0;
    bool isInside = true;
    if (isLinear) {
      place = numbers[i];
      isInside = place >= 0 && place < size;
    } else {
      for (int64_t d = 0; d < rank; ++d) {
        int64_t coordinate = numbers[i * rank + d];
        isInside &= coordinate >= 0 && coordinate < dims[d];
        place = isInside ? place * dims[d] + coordinate : 0;
      }
    }
    if (!isInside || !seen.insert(place).second)
      return problem("each value of a sparse tensor has its own place within the dimensions",
                     isInside ? "two values at one place, number " + std::to_string(i)
                              : "value number " + std::to_string(i) + " lies outside",
                     "", Remedy::FixModel);
    places.push_back(place);
  }
  return places;
}

std::variant<ElementsAttr, Problem> WeightReader::read(onnx::SparseTensorProto &tensor) {
  SmallVector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  // Larger tensors are presumably sparse for a reason.
  constexpr int64_t mostElements = int64_t(1) << 32;
  if (llvm::any_of(dims, [](int64_t dim) { return dim < 0; }) || !isReasonableShape(dims) ||
      ShapedType::getNumElements(dims) > mostElements)
    return problem("a sparse tensor has a size that memory holds when it is dense",
                   "dimensions " + describeDims(tensor), "2^32 elements or less",
                   Remedy::ChangeForm);
  auto values = read(*tensor.mutable_values());
  if (std::holds_alternative<Problem>(values))
    return values;
  auto indices = read(*tensor.mutable_indices());
  if (std::holds_alternative<Problem>(indices))
    return indices;
  FailureOr<HostTensor> elements = toHostTensor(std::get<ElementsAttr>(values));
  FailureOr<HostTensor> numbers = toHostTensor(std::get<ElementsAttr>(indices));
  if (failed(elements) || failed(numbers) || elements->getRank() != 1)
    return problem("the values of a sparse tensor are a list", "another shape", "",
                   Remedy::FixModel);
  auto places = readPlaces(*numbers, elements->getNumElements(), dims);
  if (auto *wrong = std::get_if<Problem>(&places))
    return *wrong;

  HostTensor dense = HostTensor::allocate(elements->getType(), dims);
  size_t bytes = getByteSize(elements->getType());
  for (auto [i, place] : llvm::enumerate(std::get<SmallVector<int64_t>>(places)))
    std::memcpy(static_cast<char *>(dense.getMutableData()) + place * bytes,
                static_cast<const char *>(elements->getData()) + i * bytes, bytes);
  return makeConstantAttr(&context, dense,
                          std::get<ElementsAttr>(values).getElementType());
}

//===----------------------------------------------------------------------===//
// External data
//===----------------------------------------------------------------------===//

const WeightReader::ExternalFile &WeightReader::open(llvm::StringRef location) {
  auto [it, inserted] = files.try_emplace(location);
  ExternalFile &file = it->second;
  if (!inserted)
    return file;
  auto fail = [&](const llvm::Twine &why) -> const ExternalFile & {
    file.error = why.str();
    return file;
  };

  if (location.empty() || location.contains('\0'))
    return fail("the location is no file name");
  if (path::is_absolute(location))
    return fail("the location is an absolute path");
  for (auto part = path::begin(location), end = path::end(location); part != end; ++part)
    if (*part == "..")
      return fail("the location leaves the model's folder");

  SmallString<256> full(folder), real;
  path::append(full, location);
  if (std::error_code code = fs::real_path(full, real))
    return fail(code.message());
  SmallString<256> prefix(folder);
  if (!path::is_separator(prefix.back()))
    prefix += path::get_separator();
  if (!real.starts_with(prefix))
    return fail("a symbolic link leaves the model's folder");

  fs::file_status status;
  if (std::error_code code = fs::status(real, status))
    return fail(code.message());
  if (!fs::is_regular_file(status))
    return fail("the location is not a regular file");
  auto handle = fs::openNativeFileForRead(real);
  if (!handle)
    return fail(llvm::toString(handle.takeError()));
  file.size = status.getSize();
  if (file.size) {
    std::error_code code;
    file.mapping = std::make_shared<fs::mapped_file_region>(
        *handle, fs::mapped_file_region::readonly, file.size, 0, code);
    if (code)
      file.error = code.message();
  }
  fs::closeFile(*handle);
  return file;
}

std::variant<ElementsAttr, Problem>
WeightReader::readExternal(const onnx::TensorProto &tensor,
                           RankedTensorType type, uint64_t size) {
  llvm::StringRef location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
  for (const auto &entry : tensor.external_data()) {
    llvm::StringRef key = entry.key(), value = entry.value();
    uint64_t number = 0;
    if (key == "location") {
      location = value;
    } else if (key == "offset" || key == "length") {
      if (value.getAsInteger(10, number))
        return problem("external data's " + key.str() + " is a number of bytes",
                       value.str(), "", Remedy::FixModel);
      if (key == "offset")
        offset = number;
      else
        length = number;
    }
  }
  if (length && *length != size)
    return problem("external data has the length that the tensor's type says",
                   std::to_string(*length) + " bytes",
                   std::to_string(size) + " bytes for " + describeDims(tensor) +
                       " of " + getDataTypeName(tensor.data_type()),
                   Remedy::FixModel);

  const ExternalFile &file = open(location);
  if (!file.error.empty()) {
    Problem found = problem("external data is a file in the model's folder",
                            "'" + location.str() + "': " + file.error, "",
                            Remedy::FixData);
    found.advice = "put the file '" + location.str() +
                   "' beside the model; files elsewhere are not read";
    return found;
  }
  if (offset > file.size || size > file.size - offset)
    return problem("external data lies within its file",
                   "bytes " + std::to_string(offset) + " to " +
                       std::to_string(offset) + "+" + std::to_string(size) +
                       " of '" + location.str() + "', which has " +
                       std::to_string(file.size),
                   "", Remedy::FixData);

  const char *data = file.mapping ? file.mapping->const_data() + offset : "";
  if (needsNormalization(type))
    return normalize(type, ArrayRef<char>(data, size));
  // The blob keeps the mapping alive.
  return makeConstantAttr(
      type, AsmResourceBlob(ArrayRef<char>(data, size), blobAlignment,
                            [keep = file.mapping](void *, size_t, size_t) {},
                            false));
}
