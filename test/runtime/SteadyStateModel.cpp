//===- SteadyStateModel.cpp - Compiled models on random inputs ------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "SteadyState.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

namespace nnrt {
namespace test {

void check(nnrt_status *status) {
  if (!status)
    return;
  std::fprintf(stderr, "nnrt-steady-state: error: %s\n",
               nnrt_status_message(status));
  std::_Exit(1);
}

Model::Model(const std::string &path) {
  nnrt_module *opened = nullptr;
  check(nnrt_module_open(path.c_str(), &opened));
  module.reset(opened);
  inputs.resize(nnrt_module_num_inputs(opened));
  for (size_t i = 0; i < inputs.size(); ++i)
    check(nnrt_module_input(opened, i, &inputs[i]));
  outputs.resize(nnrt_module_num_outputs(opened));
  for (size_t i = 0; i < outputs.size(); ++i)
    check(nnrt_module_output(opened, i, &outputs[i]));
}

static int64_t numElements(const DLTensor &tensor) {
  int64_t count = 1;
  for (int32_t d = 0; d < tensor.ndim; ++d)
    count *= tensor.shape[d];
  return count;
}

static size_t numBytes(const DLTensor &tensor) {
  return size_t(numElements(tensor)) * ((tensor.dtype.bits + 7) / 8);
}

Case::Case(const Model &model, const Ranges &ranges, unsigned seed) {
  std::mt19937 random(seed * 7919 + 1);
  auto pick = [&](Range range) {
    return range.low + int64_t(random() % uint64_t(range.high - range.low + 1));
  };
  for (const nnrt_tensor_info &info : model.inputs) {
    std::vector<int64_t> shape(info.dims, info.dims + info.rank);
    for (int32_t d = 0; d < info.rank; ++d) {
      if (shape[d] >= 0)
        continue;
      std::string name = info.dim_names[d];
      if (name.empty())
        name = std::string(info.name) + ":" + std::to_string(d);
      auto range = ranges.dims.find(name);
      if (range == ranges.dims.end())
        range = ranges.dims.find(std::string(info.name) + ":" +
                                 std::to_string(d));
      auto known = sizes.find(name);
      if (known == sizes.end())
        known = sizes
                    .emplace(name,
                             pick(range == ranges.dims.end() ? ranges.otherDims
                                                             : range->second))
                    .first;
      shape[d] = known->second;
    }
    dims.push_back(shape);
    DLTensor tensor = {};
    tensor.device = {kDLCPU, 0};
    tensor.ndim = info.rank;
    tensor.dtype = info.dtype;
    tensor.shape = dims.back().data();
    std::string bytes(numBytes(tensor), '\0');
    int64_t count = numElements(tensor);
    if (info.dtype.code == kDLFloat && info.dtype.bits == 32) {
      auto *floats = reinterpret_cast<float *>(bytes.data());
      for (int64_t i = 0; i < count; ++i)
        floats[i] = float(random() % 20001) / 10000 - 1;
    } else {
      // Little-endian integers of any width.
      size_t width = (info.dtype.bits + 7) / 8;
      for (int64_t i = 0; i < count; ++i) {
        int64_t value = pick(ranges.ints);
        std::memcpy(bytes.data() + size_t(i) * width, &value, width);
      }
    }
    values.push_back(std::move(bytes));
    tensors.push_back(tensor);
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    tensors[i].data = values[i].data();
    tensors[i].shape = dims[i].data();
  }
}

Session::Session(const Model &model, int threads)
    : outputs(model.outputs.size()), results(model.outputs.size()) {
  nnrt_session_options options = {sizeof(options), threads, 0};
  nnrt_session *created = nullptr;
  check(nnrt_session_create(model.get(), &options, &created));
  session.reset(created);
}

const std::vector<std::string> &Session::run(const Case &inputs) {
  check(nnrt_session_run(session.get(), inputs.tensors.data(),
                         inputs.tensors.size(), outputs.data(), outputs.size(),
                         nullptr));
  for (size_t i = 0; i < outputs.size(); ++i) {
    const DLTensor &output = outputs[i];
    results[i].assign(reinterpret_cast<const char *>(output.shape),
                      size_t(output.ndim) * sizeof(int64_t));
    results[i].append(static_cast<const char *>(output.data), numBytes(output));
  }
  return results;
}

static void writeArray(const std::string &path, const DLTensor &tensor) {
  const char *kind = tensor.dtype.code == kDLFloat  ? "f"
                     : tensor.dtype.code == kDLUInt ? "u"
                     : tensor.dtype.code == kDLBool ? "b"
                                                    : "i";
  std::string header = std::string("{'descr': '<") + kind +
                       std::to_string((tensor.dtype.bits + 7) / 8) +
                       "', 'fortran_order': False, 'shape': (";
  for (int32_t d = 0; d < tensor.ndim; ++d)
    header += std::to_string(tensor.shape[d]) + ",";
  header += ")}";
  header.resize((header.size() + 11 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  file << "\x93NUMPY\x01" << '\0' << char(header.size() & 255)
       << char(header.size() >> 8) << header;
  file.write(static_cast<const char *>(tensor.data),
             std::streamsize(numBytes(tensor)));
}

void Session::write(const Case &inputs, const std::string &folder) const {
  std::filesystem::create_directories(folder);
  for (size_t i = 0; i < inputs.tensors.size(); ++i)
    writeArray(folder + "/in_" + std::to_string(i) + ".npy", inputs.tensors[i]);
  for (size_t i = 0; i < outputs.size(); ++i)
    writeArray(folder + "/out_" + std::to_string(i) + ".npy", outputs[i]);
}

} // namespace test
} // namespace nnrt
