//===- Model.cpp - models that can run ------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Execution/Model.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

/// "float32[N,3,?,224]"
static std::string describeType(const TensorInfo &info) {
  std::string text = getName(info.type).str() + "[";
  for (auto [d, dim] : llvm::enumerate(info.dims)) {
    if (d)
      text += ",";
    if (dim >= 0)
      text += std::to_string(dim);
    else
      text += d < info.dimNames.size() && !info.dimNames[d].empty() ? info.dimNames[d]
                                                                  : "?";
  }
  return text + "]";
}

std::string TensorInfo::describe() const { return name + ": " + describeType(*this); }

std::string ValueInfo::describe() const {
  return name + ": " + (type.isOptional ? "optional " : "") +
         (type.isSequence ? "sequence of " + getName(type.type).str()
                          : describeType(tensor));
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Whether type and shape are those of the part.
static bool fitsPart(const TensorInfo &info) {
  switch (info.part) {
  case ValuePart::Present:
    return info.type == DataType::Bool && info.dims.empty();
  case ValuePart::Elements:
    return info.dims.size() == 1;
  case ValuePart::Sizes:
    return info.type == DataType::Int64 && info.dims.size() == 1;
  case ValuePart::Items:
    return info.type == DataType::Int64 && info.dims.size() == 2 && info.dims[1] == 2;
  default:
    return true;
  }
}

Expected<std::vector<ValueInfo>> nn::groupValues(ArrayRef<TensorInfo> tensors) {
  std::vector<ValueInfo> values;
  for (size_t at = 0; at < tensors.size();) {
    const TensorInfo &first = tensors[at];
    ValueInfo value;
    value.first = at;
    value.name = first.part == ValuePart::Tensor ? first.name : first.value;
    value.type.isOptional = first.part == ValuePart::Present;
    size_t content = at + value.type.isOptional;
    value.type.isSequence =
        content < tensors.size() && tensors[content].part == ValuePart::Elements;
    SmallVector<ValuePart, 4> parts = value.type.getParts();
    value.count = parts.size();
    for (ValuePart part : parts) {
      if (at >= tensors.size() || tensors[at].part != part || !fitsPart(tensors[at]) ||
          (part != ValuePart::Tensor && tensors[at].value != value.name))
        return createStringError("tensor '" + first.name + "' begins the parts of '" +
                                 value.name + "', which are not those of a sequence or "
                                              "an optional");
      ++at;
    }
    value.tensor = tensors[content];
    value.tensor.name = value.name;
    value.type.type = value.tensor.type;
    value.type.dims = value.tensor.dims;
    values.push_back(std::move(value));
  }
  return values;
}

llvm::Error Model::initializeValues() {
  for (auto [tensors, values] : {std::pair(&inputs, &inputValues),
                                 std::pair(&outputs, &outputValues)}) {
    Expected<std::vector<ValueInfo>> grouped = groupValues(*tensors);
    if (!grouped)
      return grouped.takeError();
    *values = std::move(*grouped);
  }
  return llvm::Error::success();
}
