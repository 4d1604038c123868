//===- NamedValues.cpp - values of models among arrays of files -----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Execution/Model.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

/// The number of "NAME[3]".
static std::optional<uint64_t> getItemNumber(StringRef array, StringRef name) {
  uint64_t number;
  if (!array.consume_front(name) || !array.consume_front("[") ||
      array.consumeInteger(10, number) || array != "]")
    return std::nullopt;
  return number;
}

static llvm::Error checkShape(ArrayRef<int64_t> wanted, const HostTensor &tensor) {
  bool fits = int64_t(wanted.size()) == tensor.getRank();
  for (auto [want, size] : llvm::zip(wanted, tensor.getDims()))
    fits &= want < 0 || want == size;
  if (fits)
    return llvm::Error::success();
  return createStringError("has the shape " + formatDims(tensor.getDims()));
}

/// Items with their numbers, as a value.
static Expected<StructuredValue>
orderItems(const ValueInfo &value,
           SmallVector<std::pair<uint64_t, HostTensor>> &items) {
  StructuredValue ordered;
  llvm::sort(items, llvm::less_first());
  for (auto &[number, tensor] : items) {
    if (number < ordered.items.size())
      return createStringError("is given more than once");
    if (number > ordered.items.size())
      return createStringError("has an item " + Twine(number) + ", but no item " +
                               Twine(ordered.items.size()));
    Expected<HostTensor> typed = reinterpretAs(tensor, value.type.type);
    if (!typed)
      return createStringError(
          (value.type.isSequence ? "item " + Twine(number) + " " : Twine()) +
          llvm::toString(typed.takeError()));
    ordered.items.push_back(*typed);
  }
  return ordered;
}

/// Parts that are present under their own names.
static Expected<HostTensors> checkParts(const ValueInfo &value, ArrayRef<ValuePart> kinds,
                                        HostTensors parts) {
  for (auto [kind, part] : llvm::zip(kinds, parts)) {
    if (!part.isValid())
      return createStringError("has no part " + value.name + "." + getName(kind));
    bool isContent = kind == ValuePart::Value || kind == ValuePart::Elements;
    DataType type = isContent               ? value.type.type
                    : kind == ValuePart::Present ? DataType::Bool
                                            : DataType::Int64;
    Expected<HostTensor> typed = reinterpretAs(part, type);
    if (!typed)
      return createStringError("part " + getName(kind) + " " +
                               llvm::toString(typed.takeError()));
    part = *typed;
    if (kind == ValuePart::Value)
      continue;
    SmallVector<int64_t> dims;
    if (kind != ValuePart::Present)
      dims.push_back(-1);
    if (kind == ValuePart::Items)
      dims.push_back(2);
    if (llvm::Error error = checkShape(dims, part))
      return createStringError("part " + getName(kind) + " " +
                               llvm::toString(std::move(error)));
  }
  // Report here, rather than in a run, what does not fit together.
  if (Expected<StructuredValue> read = fromParts(value.type, parts); !read)
    return read.takeError();
  return parts;
}

Expected<std::optional<HostTensors>> nn::findValue(const ValueInfo &value,
                                                   const NamedTensors &arrays,
                                                   std::vector<bool> &used) {
  SmallVector<ValuePart, 4> kinds = value.type.getParts();
  HostTensors parts(kinds.size());
  SmallVector<std::pair<uint64_t, HostTensor>> items;
  bool anyPart = false;
  used.resize(arrays.size());
  for (auto [i, array] : llvm::enumerate(arrays)) {
    if (!value.type.isSequence && array.name == value.name) {
      items.emplace_back(0, array.tensor);
    } else if (value.type.isTensor()) {
      continue;
    } else if (std::optional<uint64_t> number = getItemNumber(array.name, value.name)) {
      // A .pb file with one tensor looks the same for a sequence and an optional.
      items.emplace_back(*number, array.tensor);
    } else {
      auto *kind = llvm::find_if(kinds, [&, &array = array](ValuePart part) {
        return array.name == value.name + "." + getName(part).str();
      });
      if (kind == kinds.end())
        continue;
      anyPart = true;
      parts[kind - kinds.begin()] = array.tensor;
    }
    used[i] = true;
  }

  if (anyPart && !items.empty())
    return createStringError("is given by items and by parts; give one of them");
  HostTensor &last = parts.back();
  bool isEmpty = value.type.isSequence && last.isValid() && last.getNumElements() == 0 &&
                 llvm::none_of(ArrayRef(parts).drop_back(),
                               [](const HostTensor &part) { return part.isValid(); });
  if (anyPart && !isEmpty) {
    Expected<HostTensors> checked = checkParts(value, kinds, parts);
    if (!checked)
      return checked.takeError();
    return std::optional(*checked);
  }
  if (!anyPart && items.empty() && !value.type.isOptional)
    return std::optional<HostTensors>();
  Expected<StructuredValue> ordered = orderItems(value, items);
  if (!ordered)
    return ordered.takeError();
  ordered->isPresent = anyPart || !items.empty();
  Expected<HostTensors> converted = toParts(value.type, *ordered);
  if (!converted)
    return converted.takeError();
  return std::optional(*converted);
}

Expected<NamedTensors> nn::nameResults(const Model &model,
                                       ArrayRef<HostTensor> results) {
  NamedTensors named;
  for (const ValueInfo &value : model.getOutputValues()) {
    ArrayRef<HostTensor> parts = results.slice(value.first, value.count);
    Expected<StructuredValue> read = fromParts(value.type, parts);
    if (!read)
      return createStringError("output '" + value.name +
                               "': " + llvm::toString(read.takeError()));
    for (auto [i, item] : llvm::enumerate(read->items))
      named.push_back({value.type.isSequence ? value.name + "[" + std::to_string(i) + "]"
                                             : value.name,
                       item});
    if (value.type.isSequence && read->isPresent && read->items.empty())
      named.push_back({value.name + ".items", parts.back()});
  }
  return named;
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

static std::string listInputs(const Model &model) {
  if (model.getInputValues().empty())
    return "the model has no inputs";
  std::string text = "the model's inputs are";
  for (const ValueInfo &input : model.getInputValues())
    text += "\n  " + input.describe();
  return text;
}

Expected<HostTensors> nn::bindInputs(const Model &model, const NamedTensors &arrays) {
  auto fail = [&](const Twine &what) {
    return createStringError(what + "; " + listInputs(model));
  };
  ArrayRef<ValueInfo> values = model.getInputValues();
  std::vector<std::optional<HostTensors>> found;
  std::vector<bool> used(arrays.size());
  auto find = [&](const ValueInfo &value, const NamedTensors &among) {
    Expected<std::optional<HostTensors>> parts = findValue(value, among, used);
    if (!parts)
      return llvm::Expected<std::optional<HostTensors>>(
          fail("input '" + value.name + "' " + llvm::toString(parts.takeError())));
    return parts;
  };
  for (const ValueInfo &value : values) {
    auto parts = find(value, arrays);
    if (!parts)
      return parts.takeError();
    found.push_back(std::move(*parts));
  }
  // Arrays without names (.npy) are assigned in order to the inputs without arrays.
  auto missing = [&] {
    return llvm::find_if(found, [](const auto &parts) { return !parts; });
  };
  for (auto [i, array] : llvm::enumerate(arrays)) {
    if (used[i])
      continue;
    if (!array.name.empty())
      return fail("there is no input '" + array.name + "'");
    auto place = missing();
    if (place == found.end())
      return fail("there are more arrays than inputs");
    const ValueInfo &value = values[place - found.begin()];
    auto parts = find(value, {{value.name, array.tensor}});
    if (!parts)
      return parts.takeError();
    if (!*parts)
      return fail("input '" + value.name + "' takes no array without a name");
    *place = std::move(*parts);
  }
  if (auto place = missing(); place != found.end())
    return fail("input '" + values[place - found.begin()].name + "' is missing");

  HostTensors bound;
  for (auto [value, parts] : llvm::zip(values, found))
    for (const HostTensor &tensor : *parts) {
      if (llvm::Error error = checkShape(model.getInputs()[bound.size()].dims, tensor))
        return fail("input '" + value.name + "' " + llvm::toString(std::move(error)));
      bound.push_back(tensor);
    }
  return bound;
}
