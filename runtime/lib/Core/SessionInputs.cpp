//===- SessionInputs.cpp - Checking and copying inputs --------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/Session.h"
#include "Core/Verbose.h"

#include <algorithm>
#include <cstring>

namespace nnrt {

Status Session::checkInputs(const DLTensor *tensors) {
  std::fill(symbolSizes.begin(), symbolSizes.end(), -1);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (Status status = checkInput(i, tensors[i]))
      return status;
    if (Status status = takeInput(i, tensors[i]))
      return status;
  }
  for (size_t elements : module->inputSequences)
    if (Status status = checkSequence(elements))
      return status;
  return keepOutputsThatAreInputs();
}

/// Checks that the parts of a sequence agree, since generated code relies on each of
/// them.
Status Session::checkSequence(size_t elements) {
  const char *value = module->inputs[elements].value.c_str();
  size_t sizes = elements + 1, items = elements + 2;
  int64_t numElements = inputs[elements].dims[0];
  int64_t numSizes = inputs[sizes].dims[0], numItems = inputs[items].dims[0];
  auto size = static_cast<const int64_t *>(abiInputs[sizes].data);
  auto row = static_cast<const int64_t *>(abiInputs[items].data);
  int64_t sizesLeft = numSizes, elementsLeft = numElements;
  for (int64_t i = 0; i < numItems; ++i, row += 2) {
    int64_t rank = row[0], count = row[1];
    if (rank < 0 || rank > sizesLeft || count < 0 || count > elementsLeft)
      return makeStatus(NNRT_INVALID_ARGUMENT,
                        "input '%s': item %lld of rank %lld with %lld elements, "
                        "where %lld sizes and %lld elements are left",
                        value, static_cast<long long>(i),
                        static_cast<long long>(rank),
                        static_cast<long long>(count),
                        static_cast<long long>(sizesLeft),
                        static_cast<long long>(elementsLeft));
    // A product that overflows exceeds the count, unless a later size is 0.
    bool isEmpty = false, isNegative = false, isLarger = false;
    int64_t product = 1;
    for (int64_t d = 0; d < rank; ++d, ++size) {
      isEmpty |= *size == 0;
      isNegative |= *size < 0;
      isLarger |= __builtin_mul_overflow(product, *size, &product);
    }
    if (isNegative || (isEmpty ? 0 : product) != count || (isLarger && !isEmpty))
      return makeStatus(NNRT_INVALID_ARGUMENT,
                        "input '%s': item %lld has %lld elements, which are not "
                        "as many as its sizes say",
                        value, static_cast<long long>(i),
                        static_cast<long long>(count));
    sizesLeft -= rank;
    elementsLeft -= count;
  }
  if (sizesLeft || elementsLeft)
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "input '%s': its %lld items leave %lld sizes and %lld "
                      "elements over",
                      value, static_cast<long long>(numItems),
                      static_cast<long long>(sizesLeft),
                      static_cast<long long>(elementsLeft));
  bool isOptional =
      elements && module->inputs[elements - 1].part == NNRT_PART_PRESENT;
  if (isOptional && numItems &&
      !*static_cast<const uint8_t *>(abiInputs[elements - 1].data))
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "input '%s' is absent, but has %lld items", value,
                      static_cast<long long>(numItems));
  return nullptr;
}

/// If an output of the last run is an input of this one, the new output is written to
/// the session's other buffer: the two alternate.
Status Session::keepOutputsThatAreInputs() {
  auto findInput = [&](const Buffer &buffer) {
    auto begin = reinterpret_cast<uintptr_t>(buffer.data());
    return std::find_if(inputs.begin(), inputs.end(), [&](const Input &input) {
      auto data = reinterpret_cast<uintptr_t>(input.data);
      return input.bytes && data < begin + buffer.capacity() &&
             begin < data + input.bytes;
    });
  };
  for (size_t i = 0; i < outputs.size(); ++i) {
    Output &output = outputs[i];
    if (findInput(output.own) == inputs.end())
      continue;
    std::swap(output.own, output.spare);
    auto stale = findInput(output.own);
    if (stale != inputs.end())
      return makeStatus(
          NNRT_INVALID_ARGUMENT,
          "input '%s' lies in the memory of output '%s' as it was before the "
          "last run; only the last run's outputs can be inputs",
          module->inputs[stale - inputs.begin()].name.c_str(),
          module->outputs[i].name.c_str());
  }
  return nullptr;
}

Status Session::checkInput(size_t index, const DLTensor &tensor) {
  const Tensor &expected = module->inputs[index];
  const char *name = expected.name.c_str();
  if (tensor.device.device_type != kDLCPU)
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "input '%s' is on DLPack device %d, only the CPU (1) is "
                      "supported",
                      name, int(tensor.device.device_type));
  if (!(tensor.dtype == expected.elementType->dlpack))
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "input '%s' has element type %s, the model expects %s",
                      name, typeName(tensor.dtype).c_str(),
                      expected.elementType->name);
  int rank = static_cast<int>(expected.dims.size());
  if (tensor.ndim != rank || (rank && !tensor.shape))
    return makeStatus(
        NNRT_INVALID_ARGUMENT,
        "input '%s' has %d dimensions, the model expects %d: %s", name,
        tensor.shape || !tensor.ndim ? tensor.ndim : 0, rank,
        shapeText(expected.dims.data(), rank, expected.dimNames.data())
            .c_str());
  for (int i = 0; i < rank; ++i) {
    inputs[index].dims[i] = tensor.shape[i];
    if (Status status = checkDim(index, i, tensor.shape[i]))
      return status;
  }
  return nullptr;
}

Status Session::checkDim(size_t index, size_t dim, int64_t size) {
  const Tensor &expected = module->inputs[index];
  const char *name = expected.name.c_str();
  if (size < 0)
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "input '%s': dimension %zu is negative (%lld)", name, dim,
                      static_cast<long long>(size));
  if (size > mostElements)
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "input '%s': dimension %zu is too large (%lld)", name,
                      dim, static_cast<long long>(size));
  if (expected.dims[dim] >= 0 && expected.dims[dim] != size)
    return makeStatus(
        NNRT_INVALID_ARGUMENT,
        "input '%s': dimension %zu is %lld, the model expects %lld: %s", name,
        dim, static_cast<long long>(size),
        static_cast<long long>(expected.dims[dim]),
        shapeText(expected.dims.data(), static_cast<int>(expected.dims.size()),
                  expected.dimNames.data())
            .c_str());
  int symbol = expected.symbols[dim];
  if (symbol < 0)
    return nullptr;
  if (symbolSizes[symbol] < 0) {
    symbolSizes[symbol] = size;
    symbolInputs[symbol] = index;
  } else if (symbolSizes[symbol] != size) {
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "input '%s': dimension %zu, '%s', is %lld, but it is "
                      "%lld in input '%s'",
                      name, dim, module->symbolNames[symbol].c_str(),
                      static_cast<long long>(size),
                      static_cast<long long>(symbolSizes[symbol]),
                      module->inputs[symbolInputs[symbol]].name.c_str());
  }
  return nullptr;
}

static bool isContiguous(const DLTensor &tensor) {
  if (!tensor.strides)
    return true;
  int64_t expected = 1;
  for (int i = tensor.ndim - 1; i >= 0; --i) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != expected)
      return false;
    expected *= tensor.shape[i];
  }
  return true;
}

/// Copies elements of `bytes` bytes from any strides to row-major order.
static void copyStrided(uint8_t *to, const uint8_t *from,
                        const DLTensor &tensor, int dim, int64_t bytes,
                        int64_t elementsBelow) {
  if (dim == tensor.ndim) {
    std::memcpy(to, from, bytes);
    return;
  }
  int64_t size = tensor.shape[dim];
  int64_t stride = tensor.strides[dim] * bytes;
  elementsBelow /= size;
  if (dim + 1 < tensor.ndim) {
    for (int64_t i = 0; i < size; ++i)
      copyStrided(to + i * elementsBelow * bytes, from + i * stride, tensor,
                  dim + 1, bytes, elementsBelow);
    return;
  }
  if (tensor.strides[dim] == 1) {
    std::memcpy(to, from, size * bytes);
    return;
  }
  // With a constant element size, each copy compiles to one move.
  auto copy = [&](auto element) {
    for (int64_t i = 0; i < size; ++i)
      std::memcpy(to + i * sizeof(element), from + i * stride, sizeof(element));
  };
  switch (bytes) {
  case 1:
    return copy(uint8_t());
  case 2:
    return copy(uint16_t());
  case 4:
    return copy(uint32_t());
  case 8:
    return copy(uint64_t());
  default:
    for (int64_t i = 0; i < size; ++i)
      std::memcpy(to + i * bytes, from + i * stride, bytes);
  }
}

Status Session::takeInput(size_t index, const DLTensor &tensor) {
  Input &input = inputs[index];
  const Tensor &expected = module->inputs[index];
  const char *name = expected.name.c_str();
  int rank = tensor.ndim;
  int bits = expected.elementType->bits();
  input.bytes = denseBytes(input.dims.data(), rank, bits);
  if (input.bytes < 0)
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "input '%s': shape %s is too large", name,
                      shapeText(input.dims.data(), rank).c_str());
  if (!tensor.data && input.bytes)
    return makeStatus(NNRT_INVALID_ARGUMENT, "input '%s' has no data", name);

  const uint8_t *data =
      static_cast<const uint8_t *>(tensor.data) + tensor.byte_offset;
  static const uint64_t nothing = 0;
  if (input.bytes == 0)
    data = reinterpret_cast<const uint8_t *>(&nothing);
  bool dense = input.bytes == 0 || isContiguous(tensor);
  if (bits < 8 && !dense)
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "input '%s' is not contiguous, which %s must be", name,
                      expected.elementType->name);
  int64_t elementBytes = std::max(bits / 8, 1);
  bool aligned =
      reinterpret_cast<uintptr_t>(data) % std::min<int64_t>(elementBytes, 8) ==
      0;
  input.data = data;
  if (!dense || !aligned || bits < 8) {
    NNRT_VERBOSE_LINE(2, copied, name);
    int64_t copied = denseBytes(input.dims.data(), rank, elementBytes * 8);
    uint8_t *copy = copied < 0 ? nullptr
                               : static_cast<uint8_t *>(input.copy.ensure(copied));
    if (!copy)
      return makeStatus(NNRT_OUT_OF_MEMORY,
                        "no memory for a copy of input '%s' (%lld bytes)", name,
                        static_cast<long long>(copied));
    if (bits < 8)
      unpack(*expected.elementType, copied, data, copy);
    else if (dense)
      std::memcpy(copy, data, input.bytes);
    else
      copyStrided(copy, data, tensor, 0, elementBytes,
                  input.bytes / elementBytes);
    data = copy;
    // The overlap check needs the address of a packed input itself.
    if (bits >= 8)
      input.data = copy;
  }
  abiInputs[index].data = const_cast<uint8_t *>(data);
  if (expected.elementType->isString())
    return takeStrings(index, reinterpret_cast<const nnrt_string *>(data),
                       input.bytes / elementBytes);
  return nullptr;
}

Status Session::takeStrings(size_t index, const nnrt_string *given, int64_t count) {
  const char *name = module->inputs[index].name.c_str();
  auto *numbers = static_cast<int64_t *>(
      inputs[index].numbers.ensure(static_cast<size_t>(count) * sizeof(int64_t)));
  if (!numbers)
    return makeStatus(NNRT_OUT_OF_MEMORY, "no memory for the strings of input '%s'", name);
  StringTable &table = *services.strings;
  for (int64_t i = 0; i < count; ++i) {
    if (!given[i].data && given[i].size)
      return makeStatus(NNRT_INVALID_ARGUMENT, "input '%s': string %lld has no data", name,
                        static_cast<long long>(i));
    std::string_view text(given[i].size ? given[i].data : "", given[i].size);
    size_t invalid = findInvalidUtf8(text);
    if (invalid < text.size())
      return makeStatus(NNRT_INVALID_ARGUMENT,
                        "input '%s': string %lld is not UTF-8, at byte %zu", name,
                        static_cast<long long>(i), invalid);
    numbers[i] = table.getNumber(text);
  }
  abiInputs[index].data = numbers;
  return nullptr;
}

} // namespace nnrt
