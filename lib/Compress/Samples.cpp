//===- Samples.cpp - what a model is calibrated on ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Compress/Samples.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;

/// How many runs an array is for; 0 if it does not fit the input.
static size_t countRuns(const HostTensor &array, const TensorInfo &input) {
  ArrayRef<int64_t> dims = array.getDims(), wanted = input.dims;
  auto fits = [](ArrayRef<int64_t> dims, ArrayRef<int64_t> wanted) {
    return llvm::all_of(llvm::zip_equal(dims, wanted), [](auto pair) {
      auto [size, want] = pair;
      return want < 0 || size == want;
    });
  };
  if (dims.size() == wanted.size() + 1)
    return fits(dims.drop_front(), wanted) ? dims.front() : 0;
  if (dims.size() != wanted.size())
    return 0;
  if (fits(dims, wanted))
    return 1;
  return wanted.front() > 0 && dims.front() % wanted.front() == 0 &&
                 fits(dims.drop_front(), wanted.drop_front())
             ? dims.front() / wanted.front()
             : 0;
}

static bool isFinite(const HostTensor &tensor) {
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i)
    if (!std::isfinite(tensor.getDouble(i)))
      return false;
  return true;
}

/// Reads a file and returns how many runs it is for.
llvm::Expected<size_t> Samples::load(size_t file) {
  llvm::Expected<NamedTensors> tensors = readTensorFile(files[file]);
  if (!tensors)
    return tensors.takeError();
  arrays.clear();
  loaded.reset();
  size_t count = 1;
  std::string counted;
  for (const TensorInfo &input : inputs) {
    const NamedTensor *found = nullptr;
    for (const NamedTensor &tensor : *tensors)
      if (tensor.name == input.name || tensor.name == "in:" + input.name ||
          (tensor.name.empty() && inputs.size() == 1))
        found = &tensor;
    if (!found)
      return createStringError(files[file] + ": there is no array for the input " +
                               input.describe() + "; name it '" + input.name + "' or 'in:" +
                               input.name + "'");
    size_t own = countRuns(found->tensor, input);
    if (own == 0)
      return createStringError(files[file] + ": the array '" + found->name + "' is " +
                               found->tensor.describe() + ", but the input is " +
                               input.describe() +
                               "; several runs lie along a dimension in front");
    if (own != 1 && count != 1 && own != count)
      return createStringError(files[file] + ": the array '" + found->name + "' is for " +
                               Twine(own) + " runs, but '" + counted + "' for " +
                               Twine(count));
    if (own != 1) {
      count = own;
      counted = found->name;
    }
    llvm::Expected<HostTensor> tensor = reinterpretAs(found->tensor, input.type);
    if (!tensor)
      return createStringError(files[file] + ": the array '" + found->name +
                               "': " + llvm::toString(tensor.takeError()));
    if (isFloat(input.type) && !isFinite(*tensor))
      return createStringError(files[file] + ": the array '" + found->name +
                               "' has elements that are NaN or infinite");
    arrays.emplace_back(*tensor, own);
  }
  loaded = file;
  return count;
}

llvm::Expected<Samples> Samples::open(ArrayRef<std::string> files,
                                      ArrayRef<TensorInfo> inputs) {
  Samples samples;
  samples.files.assign(files.begin(), files.end());
  samples.inputs.assign(inputs.begin(), inputs.end());
  for (size_t file = 0; file < files.size(); ++file) {
    llvm::Expected<size_t> count = samples.load(file);
    if (!count)
      return count.takeError();
    for (size_t run = 0; run < *count; ++run)
      samples.runs.emplace_back(file, run);
  }
  return samples;
}

std::string Samples::describe(size_t run) const {
  return files[runs[run].first] + ", run " + std::to_string(runs[run].second);
}

llvm::Expected<HostTensors> Samples::get(size_t run) {
  auto [file, index] = runs[run];
  if (loaded != file)
    if (llvm::Expected<size_t> count = load(file); !count)
      return count.takeError();
  HostTensors tensors;
  for (auto [input, array] : llvm::zip_equal(inputs, arrays)) {
    auto &[tensor, count] = array;
    SmallVector<int64_t> dims(tensor.getDims());
    if (dims.size() != input.dims.size())
      dims.erase(dims.begin());
    else if (count != 1)
      dims.front() = input.dims.front();
    int64_t bytes = getByteSize(input.type);
    for (int64_t dim : dims)
      bytes *= dim;
    // The file stays in memory as long as its tensors do.
    auto owner = std::make_shared<HostTensor>(tensor);
    tensors.push_back(HostTensor::view(
        input.type, dims, static_cast<const char *>(tensor.getData()) + (count == 1 ? 0 : index) * bytes,
        owner));
  }
  return tensors;
}
