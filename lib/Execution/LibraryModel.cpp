//===- LibraryModel.cpp - models run by libnnrt ---------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Execution/Model.h"
#include "nnrt/nnrt.h"
#include <cstring>

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

static llvm::Error toError(nnrt_status *status) {
  if (!status)
    return llvm::Error::success();
  std::string message = nnrt_status_message(status);
  nnrt_status_free(status);
  return createStringError(message);
}

namespace {
struct ModuleCloser {
  void operator()(nnrt_module *module) const { nnrt_module_free(module); }
};
struct SessionCloser {
  void operator()(nnrt_session *session) const { nnrt_session_free(session); }
};

class LibraryModel : public Model {
public:
  llvm::Error open(StringRef path, const LibraryOptions &options);
  Expected<HostTensors> run(ArrayRef<HostTensor> inputs) override;
  llvm::Error runOnly(ArrayRef<HostTensor> inputs) override;
  std::vector<KernelTime> getProfile() override;
  Expected<std::optional<LibraryInfo>> getLibraryInfo() override;

private:
  std::unique_ptr<nnrt_module, ModuleCloser> module;
  std::unique_ptr<nnrt_session, SessionCloser> session;
  std::vector<DLTensor> results; // of the last run; owned by the session
};
} // namespace

static Expected<TensorInfo> getInfo(const nnrt_tensor_info &info) {
  if (!isKnownDataType(info.onnx_type))
    return createStringError(Twine("'") + info.name +
                             "' has the unknown element type " +
                             Twine(info.onnx_type));
  TensorInfo result;
  result.name = info.name;
  result.type = DataType(info.onnx_type);
  for (int32_t d = 0; d < info.rank; ++d) {
    result.dims.push_back(info.dims[d]);
    result.dimNames.push_back(info.dim_names[d]);
  }
  // The runtime has checked the number.
  result.part = ValuePart(info.part);
  if (result.part != ValuePart::Tensor)
    result.value = info.value;
  return result;
}

llvm::Error LibraryModel::open(StringRef path, const LibraryOptions &options) {
  nnrt_module *opened = nullptr;
  if (llvm::Error error =
          toError(nnrt_module_open(path.str().c_str(), &opened)))
    return error;
  module.reset(opened);
  nnrt_session_options sessionOptions{sizeof(nnrt_session_options),
                                      options.threads, options.profile};
  nnrt_session *created = nullptr;
  if (llvm::Error error = toError(
          nnrt_session_create(module.get(), &sessionOptions, &created)))
    return error;
  session.reset(created);

  auto collect = [&](size_t count, auto query,
                     std::vector<TensorInfo> &infos) -> llvm::Error {
    for (size_t i = 0; i < count; ++i) {
      nnrt_tensor_info info;
      if (llvm::Error error = toError(query(module.get(), i, &info)))
        return error;
      Expected<TensorInfo> converted = getInfo(info);
      if (!converted)
        return converted.takeError();
      infos.push_back(*converted);
    }
    return llvm::Error::success();
  };
  if (llvm::Error error = collect(nnrt_module_num_inputs(module.get()),
                                  nnrt_module_input, inputs))
    return error;
  if (llvm::Error error = collect(nnrt_module_num_outputs(module.get()),
                                  nnrt_module_output, outputs))
    return error;
  return initializeValues();
}

static HostTensor copyOut(const DLTensor &from, DataType type) {
  ArrayRef<int64_t> dims(from.shape, size_t(from.ndim));
  const auto *bytes = static_cast<const uint8_t *>(from.data) + from.byte_offset;
  if (isPacked(type))
    return unpackElements(type, dims, bytes);
  HostTensor tensor = HostTensor::allocate(type, dims);
  if (type == DataType::String) {
    auto *strings = reinterpret_cast<const nnrt_string *>(bytes);
    for (std::string &text : tensor.getMutableStrings()) {
      text.assign(strings->data, strings->size);
      ++strings;
    }
    return tensor;
  }
  std::memcpy(tensor.getMutableData(), bytes, tensor.getNumBytes());
  return tensor;
}

llvm::Error LibraryModel::runOnly(ArrayRef<HostTensor> tensors) {
  std::vector<DLTensor> arguments(tensors.size());
  std::vector<SmallVector<int64_t>> shapes(tensors.size());
  std::vector<std::string> packed(tensors.size());
  std::vector<std::vector<nnrt_string>> strings(tensors.size());
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    nnrt_tensor_info info;
    if (llvm::Error error = toError(nnrt_module_input(module.get(), i, &info)))
      return error;
    const void *data = tensor.getData();
    if (isPacked(tensor.getType())) {
      packed[i] = packElements(tensor);
      data = packed[i].data();
    }
    if (tensor.getType() == DataType::String) {
      for (const std::string &text : tensor.getStrings())
        strings[i].push_back({text.data(), text.size()});
      data = strings[i].data();
    }
    shapes[i].assign(tensor.getDims().begin(), tensor.getDims().end());
    DLTensor &argument = arguments[i];
    argument = DLTensor();
    argument.data = const_cast<void *>(data);
    argument.device = {kDLCPU, 0};
    argument.ndim = int32_t(tensor.getRank());
    argument.dtype = info.dtype;
    argument.shape = shapes[i].data();
  }
  results.assign(getOutputs().size(), DLTensor());
  return toError(nnrt_session_run(session.get(), arguments.data(),
                                  arguments.size(), results.data(),
                                  results.size(), nullptr));
}

Expected<HostTensors> LibraryModel::run(ArrayRef<HostTensor> tensors) {
  if (llvm::Error error = runOnly(tensors))
    return std::move(error);
  HostTensors copies;
  for (auto [result, info] : llvm::zip(results, outputs))
    copies.push_back(copyOut(result, info.type));
  return copies;
}

std::vector<KernelTime> LibraryModel::getProfile() {
  std::vector<KernelTime> times;
  for (size_t i = 0; i < nnrt_session_num_kernels(session.get()); ++i) {
    nnrt_kernel_info info;
    if (nnrt_status *status = nnrt_session_kernel(session.get(), i, &info)) {
      nnrt_status_free(status);
      continue;
    }
    times.push_back({info.kind, info.nodes, info.calls, info.total_ns});
  }
  return times;
}

Expected<std::optional<LibraryInfo>> LibraryModel::getLibraryInfo() {
  nnrt_module_memory_info shared;
  nnrt_session_memory_info own;
  if (llvm::Error error = toError(nnrt_module_memory(module.get(), &shared)))
    return std::move(error);
  if (llvm::Error error = toError(nnrt_session_memory_parts(session.get(), &own)))
    return std::move(error);
  LibraryInfo info;
  info.variant = nnrt_module_variant(module.get());
  info.weights = shared.weights;
  info.packedWeights = shared.packed_weights;
  info.arenaFormula = shared.arena;
  info.deviceArenaFormula = shared.device_arena;
  info.numDataDependent = shared.num_data_dependent;
  info.arena = own.arena;
  info.dataDependent = own.blocks;
  info.outputs = own.outputs;
  info.inputCopies = own.inputs;
  info.scratchpad = own.scratchpad;
  info.deviceArena = own.device_arena;
  return info;
}

Expected<std::unique_ptr<Model>>
nn::openLibrary(StringRef path, const LibraryOptions &options) {
  auto model = std::make_unique<LibraryModel>();
  if (llvm::Error error = model->open(path, options))
    return std::move(error);
  return model;
}
