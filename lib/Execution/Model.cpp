//===- Model.cpp - models that can run ------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Execution/Model.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

std::string TensorInfo::describe() const {
  std::string text = name + ": " + getName(type).str() + "[";
  for (auto [d, dim] : llvm::enumerate(dims)) {
    if (d)
      text += ",";
    if (dim >= 0)
      text += std::to_string(dim);
    else
      text += d < dimNames.size() && !dimNames[d].empty() ? dimNames[d] : "?";
  }
  return text + "]";
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

static std::string listInputs(const Model &model) {
  if (model.getInputs().empty())
    return "the model has no inputs";
  std::string text = "the model's inputs are";
  for (const TensorInfo &input : model.getInputs())
    text += "\n  " + input.describe();
  return text;
}

static llvm::Error checkShape(const TensorInfo &info, const HostTensor &tensor) {
  bool fits = int64_t(info.dims.size()) == tensor.getRank();
  for (auto [want, size] : llvm::zip(info.dims, tensor.getDims()))
    fits &= want < 0 || want == size;
  if (fits)
    return llvm::Error::success();
  return createStringError("has the shape " + formatDims(tensor.getDims()));
}

Expected<HostTensors> nn::bindInputs(const Model &model,
                                     const NamedTensors &arrays) {
  ArrayRef<TensorInfo> inputs = model.getInputs();
  HostTensors bound(inputs.size());
  SmallVector<const NamedTensor *> unnamed;
  for (const NamedTensor &array : arrays) {
    auto *it = llvm::find_if(inputs, [&](const TensorInfo &input) {
      return input.name == array.name;
    });
    if (it != inputs.end() && !bound[it - inputs.begin()].isValid())
      bound[it - inputs.begin()] = array.tensor;
    else if (array.name.empty())
      unnamed.push_back(&array);
    else
      return createStringError("there is no input '" + array.name + "'; " +
                               listInputs(model));
  }
  SmallVector<size_t> missing;
  for (auto [i, tensor] : llvm::enumerate(bound))
    if (!tensor.isValid())
      missing.push_back(i);
  // Arrays without names (.npy) are in the model's order.
  for (const NamedTensor *array : unnamed) {
    if (missing.empty())
      return createStringError("there are more arrays than inputs; " +
                               listInputs(model));
    bound[missing.front()] = array->tensor;
    missing.erase(missing.begin());
  }
  if (!missing.empty())
    return createStringError("input '" + inputs[missing.front()].name +
                             "' is missing; " + listInputs(model));

  for (auto [info, tensor] : llvm::zip(inputs, bound)) {
    std::string where = "input '" + info.name + "' ";
    Expected<HostTensor> typed = reinterpretAs(tensor, info.type);
    if (!typed)
      return createStringError(where + llvm::toString(typed.takeError()) + "; " +
                               listInputs(model));
    tensor = *typed;
    if (llvm::Error error = checkShape(info, tensor))
      return createStringError(where + llvm::toString(std::move(error)) + "; " +
                               listInputs(model));
  }
  return bound;
}
