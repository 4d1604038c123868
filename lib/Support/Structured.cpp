//===- Structured.cpp - sequences and optionals as tensors ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/Structured.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

static constexpr StringLiteral partNames[] = {"",         "present", "value",
                                              "elements", "sizes",   "items"};

StringRef nn::getName(ValuePart part) { return partNames[size_t(part)]; }

std::optional<ValuePart> nn::findPart(StringRef name) {
  for (size_t part = 1; part < std::size(partNames); ++part)
    if (name == partNames[part])
      return ValuePart(part);
  return std::nullopt;
}

SmallVector<ValuePart, 4> ValueType::getParts() const {
  SmallVector<ValuePart, 4> parts;
  if (isOptional)
    parts.push_back(ValuePart::Present);
  if (isSequence)
    parts.append({ValuePart::Elements, ValuePart::Sizes, ValuePart::Items});
  else
    parts.push_back(isOptional ? ValuePart::Value : ValuePart::Tensor);
  return parts;
}

//===----------------------------------------------------------------------===//
// To parts
//===----------------------------------------------------------------------===//

/// Strings are objects.
static size_t getHostBytes(DataType type) {
  return type == DataType::String ? sizeof(std::string) : getByteSize(type);
}

static void copyElements(HostTensor &to, int64_t offset, const HostTensor &from) {
  if (to.getType() == DataType::String)
    llvm::copy(from.getStrings(), to.getMutableStrings().begin() + offset);
  else if (from.getNumBytes())
    std::memcpy(static_cast<char *>(to.getMutableData()) +
                    offset * getByteSize(to.getType()),
                from.getData(), from.getNumBytes());
}

Expected<SmallVector<HostTensor>> nn::toParts(const ValueType &type,
                                              const StructuredValue &value) {
  SmallVector<HostTensor> parts;
  if (type.isOptional) {
    HostTensor present = HostTensor::allocate(DataType::Bool, {});
    present.getMutable<uint8_t>()[0] = value.isPresent;
    parts.push_back(present);
  }
  for (auto [i, item] : llvm::enumerate(value.items))
    if (item.getType() != type.type)
      return createStringError("item " + Twine(i) + " is " + item.describe() + ", not of " +
                               getName(type.type));
  if (!type.isSequence) {
    if (value.isPresent) {
      if (value.items.size() != 1)
        return createStringError("is a sequence of " + Twine(value.items.size()) +
                                 " tensors, not one tensor");
      parts.push_back(value.items.front());
    } else {
      SmallVector<int64_t> dims(type.dims);
      llvm::replace(dims, -1, 0);
      parts.push_back(HostTensor::allocate(type.type, dims));
    }
    return parts;
  }
  int64_t numElements = 0;
  SmallVector<int64_t> sizes;
  for (const HostTensor &item : value.items) {
    numElements += item.getNumElements();
    sizes.append(item.getDims().begin(), item.getDims().end());
  }
  HostTensor elements = HostTensor::allocate(type.type, numElements);
  HostTensor items = HostTensor::allocate(DataType::Int64,
                                          {int64_t(value.items.size()), 2});
  int64_t offset = 0;
  for (auto [i, item] : llvm::enumerate(value.items)) {
    copyElements(elements, offset, item);
    offset += item.getNumElements();
    items.getMutable<int64_t>()[2 * i] = item.getRank();
    items.getMutable<int64_t>()[2 * i + 1] = item.getNumElements();
  }
  parts.append({elements, HostTensor::list(sizes), items});
  return parts;
}

//===----------------------------------------------------------------------===//
// From parts
//===----------------------------------------------------------------------===//

Expected<StructuredValue> nn::fromParts(const ValueType &type,
                                        ArrayRef<HostTensor> parts) {
  assert(parts.size() == type.getParts().size() && "other parts than the type's");
  StructuredValue value;
  if (type.isOptional) {
    value.isPresent = parts.front().getInt(0) != 0;
    parts = parts.drop_front();
  }
  if (!type.isSequence) {
    if (value.isPresent)
      value.items.push_back(parts.front());
    return value;
  }
  const HostTensor &elements = parts[0];
  ArrayRef<int64_t> sizes = parts[1].get<int64_t>(), items = parts[2].get<int64_t>();
  auto owner = std::make_shared<HostTensor>(elements);
  const char *data = static_cast<const char *>(elements.getData());
  int64_t left = elements.getNumElements();
  for (size_t i = 0; i < items.size() / 2; ++i) {
    int64_t rank = items[2 * i], count = items[2 * i + 1];
    bool fits = rank >= 0 && rank <= int64_t(sizes.size()) && count >= 0 && count <= left;
    uint64_t product = 1;
    for (int64_t d = 0; fits && d < rank; ++d) {
      fits = sizes[d] >= 0;
      product = llvm::SaturatingMultiply<uint64_t>(product, sizes[d]);
    }
    if (!fits || product != uint64_t(count))
      return createStringError(
          "item " + Twine(i) + " of rank " + Twine(rank) + " with " + Twine(count) +
          " elements does not fit what its sizes and elements say");
    value.items.push_back(HostTensor::view(type.type, sizes.take_front(rank), data, owner));
    sizes = sizes.drop_front(rank);
    data += count * getHostBytes(type.type);
    left -= count;
  }
  if (!sizes.empty() || left)
    return createStringError("the items leave " + Twine(sizes.size()) + " sizes and " +
                             Twine(left) + " elements over");
  return value;
}

std::string nn::compareStructure(const StructuredValue &got,
                                 const StructuredValue &want) {
  if (got.isPresent != want.isPresent)
    return got.isPresent ? "is there, and should be absent"
                         : "is absent, and should be there";
  if (got.items.size() == want.items.size())
    return "";
  return "has " + std::to_string(got.items.size()) + " items, not " +
         std::to_string(want.items.size());
}
