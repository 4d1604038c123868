//===- Session.cpp - Running a model --------------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/Session.h"
#include "Core/Verbose.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>

namespace nnrt {

Session::Session(std::shared_ptr<Module> sharedModule, int numThreads)
    : module(std::move(sharedModule)),
      workers(numThreads, module->libraries[OneDNN].table != nullptr),
      strings{StringTable(*module->strings), StringTable(*module->strings)} {
  table = &abiTable;
  weights = module->weights;
  profiling = 0;
  threads = workers.count();
  inputs.resize(module->inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor &tensor = module->inputs[i];
    inputs[i].dims.resize(tensor.dims.size());
    nnrt_abi_tensor abi = {};
    abi.dims = inputs[i].dims.data();
    abi.rank = static_cast<int32_t>(tensor.dims.size());
    abi.type = tensor.elementType->isString() ? int32_t(NNRT_ABI_S64) : tensor.type;
    abiInputs.push_back(abi);
  }
  outputs.resize(module->outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputs[i].dims.resize(module->outputs[i].dims.size());
    outputs[i].strides.resize(module->outputs[i].dims.size());
  }
  symbolSizes.resize(module->symbolNames.size());
  symbolInputs.resize(module->symbolNames.size());
  services.loop = [this](nnrt_abi_range_fn fn, void *arg, int64_t count, int64_t grain) {
    workers.loop(fn, arg, count, grain);
  };
  services.match = [this](std::string_view pattern, const std::string_view *texts,
                          int64_t count, bool *matches) {
    MatchSite site = {pattern, texts, count, matches};
    if (callLibrary(RE2, &site, nullptr))
      throw std::runtime_error("a regular expression does not match"); // `failure` says why
  };
  services.find = [this](std::string_view pattern, std::string_view text, int64_t least,
                         std::vector<std::string_view> &parts) {
    MatchSite site = {pattern, &text, 1, nullptr, &parts, least};
    if (callLibrary(RE2, &site, nullptr))
      throw std::runtime_error("a regular expression does not match");
  };
  services.custom = [this](int64_t index, bool onlyShapes, const int64_t *parameters,
                           const nnrt_abi_tensor *args) {
    // The manifest may be of other code.
    if (index < 0 || index >= int64_t(module->customOperators.size())) {
      services.message = "the model's code and manifest disagree on operators of libraries";
      return false;
    }
    return module->customOperators[index]->callKernel(onlyShapes, parameters, args,
                                                      services.loop, services.message);
  };
}

Status Session::create(std::shared_ptr<Module> module,
                       const nnrt_session_options *options,
                       std::unique_ptr<Session> &session) {
  nnrt_session_options chosen = {sizeof(chosen), 0, 0};
  if (options) {
    if (options->struct_size < sizeof(chosen))
      return makeStatus(NNRT_INVALID_ARGUMENT,
                        "struct_size of the session's options is %zu, it must "
                        "be sizeof(nnrt_session_options), %zu",
                        options->struct_size, sizeof(chosen));
    chosen = *options;
  }
  constexpr int maxThreads = 1024;
  if (chosen.num_threads < 0 || chosen.num_threads > maxThreads)
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "num_threads is %d, it must be 0 (one per core) to %d",
                      chosen.num_threads, maxThreads);
  session = std::make_unique<Session>(
      std::move(module), chosen.num_threads ? chosen.num_threads : numCores());
  const Module &shared = *session->module;
  if (chosen.profile) {
    session->profiling = 1;
    session->kernels.resize(shared.manifest.kernels.size());
    session->kernelOrder.reserve(session->kernels.size());
  }
  for (int id = 0; id < numLibraries; ++id) {
    const Module::UsedLibrary &used = shared.libraries[id];
    if (!used.table)
      continue;
    session->librarySessions[id] = used.table->createSession(used.module, &session->workers);
    if (!session->librarySessions[id])
      return outOfMemory();
  }
  NNRT_VERBOSE_LINE(1, session, session->threads,
                    chosen.profile ? ", profile" : "");
  if (shared.device) {
    session->deviceArena = Buffer(shared.device->getDevice());
    if (Status status = shared.device->createStream(session->stream))
      return status;
  }
  return nullptr;
}

Session::~Session() {
  for (int id = 0; id < numLibraries; ++id)
    if (librarySessions[id])
      module->libraries[id].table->destroySession(librarySessions[id]);
  nnrt_status_free(failure);
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

/// Checks the caller's outputs as far as possible before the run. Dimensions known
/// only at run time are checked when the run asks for the buffer.
Status Session::checkOutputs(DLTensor *tensors) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    Output &output = outputs[i];
    DLTensor &tensor = tensors[i];
    output.produced = false;
    output.given = nullptr;
    // Callers may pass back a tensor that an earlier run filled in.
    if (!tensor.data || tensor.data == output.own.data() ||
        tensor.data == output.spare.data())
      continue;
    output.given = &tensor;
    const Tensor &expected = module->outputs[i];
    const char *name = expected.name.c_str();
    int rank = static_cast<int>(expected.dims.size());
    if (tensor.device.device_type != kDLCPU)
      return makeStatus(NNRT_INVALID_ARGUMENT,
                        "output '%s' is on DLPack device %d, only the CPU (1) "
                        "is supported",
                        name, int(tensor.device.device_type));
    if (!(tensor.dtype == expected.elementType->dlpack))
      return makeStatus(NNRT_INVALID_ARGUMENT,
                        "output '%s' has element type %s, the model gives %s",
                        name, typeName(tensor.dtype).c_str(),
                        expected.elementType->name);
    if (tensor.ndim != rank || (rank && !tensor.shape))
      return makeStatus(
          NNRT_INVALID_ARGUMENT,
          "output '%s' has %d dimensions, the model gives %d: %s", name,
          tensor.ndim, rank,
          shapeText(expected.dims.data(), rank, expected.dimNames.data())
              .c_str());
    int64_t rowMajor = 1;
    for (int d = rank - 1; d >= 0; --d) {
      if (tensor.strides && tensor.shape[d] != 1 &&
          tensor.strides[d] != rowMajor)
        return makeStatus(NNRT_INVALID_ARGUMENT,
                          "output '%s' must be row-major without gaps, its "
                          "stride of dimension %d is %lld instead of %lld",
                          name, d, static_cast<long long>(tensor.strides[d]),
                          static_cast<long long>(rowMajor));
      if (__builtin_mul_overflow(rowMajor, tensor.shape[d], &rowMajor))
        break;
    }
    int64_t bytes =
        denseBytes(tensor.shape, rank, expected.elementType->bits());
    if (bytes < 0)
      return makeStatus(NNRT_INVALID_ARGUMENT,
                        "output '%s': shape %s is too large or negative", name,
                        shapeText(tensor.shape, rank).c_str());
    if (Status status = checkOverlap(
            i, static_cast<uint8_t *>(tensor.data) + tensor.byte_offset, bytes))
      return status;
  }
  return nullptr;
}

/// Results are written while inputs are still read, so their buffers must not overlap.
Status Session::checkOverlap(size_t output, const uint8_t *data,
                             int64_t bytes) {
  auto overlaps = [&](const uint8_t *other, int64_t otherBytes) {
    auto begin = reinterpret_cast<uintptr_t>(data);
    auto otherBegin = reinterpret_cast<uintptr_t>(other);
    return bytes && otherBytes && begin < otherBegin + otherBytes &&
           otherBegin < begin + bytes;
  };
  const char *name = module->outputs[output].name.c_str();
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (overlaps(inputs[i].data, inputs[i].bytes))
      return makeStatus(NNRT_INVALID_ARGUMENT,
                        "output '%s' overlaps the memory of input '%s', which "
                        "the model does not allow",
                        name, module->inputs[i].name.c_str());
  }
  for (size_t i = 0; i < output; ++i) {
    const DLTensor *other = outputs[i].given;
    if (other &&
        overlaps(static_cast<uint8_t *>(other->data) + other->byte_offset,
                 denseBytes(other->shape, other->ndim, other->dtype.bits)))
      return makeStatus(NNRT_INVALID_ARGUMENT,
                        "outputs '%s' and '%s' overlap in memory",
                        module->outputs[i].name.c_str(), name);
  }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

Status Session::run(const DLTensor *inputTensors, size_t numInputs,
                    DLTensor *outputTensors, size_t numOutputs) {
  if (numInputs != inputs.size() || numOutputs != outputs.size())
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "the model has %zu inputs and %zu outputs, but %zu and "
                      "%zu were given",
                      inputs.size(), outputs.size(), numInputs, numOutputs);
  if ((numInputs && !inputTensors) || (numOutputs && !outputTensors))
    return makeStatus(NNRT_INVALID_ARGUMENT, "%s is null",
                      numInputs && !inputTensors ? "inputs" : "outputs");
  services.strings = &strings[!isSecondLast];
  services.strings->clear();
  if (Status status = checkInputs(inputTensors))
    return status;
  if (Status status = checkOutputs(outputTensors))
    return status;

  int32_t result = 0;
  auto start = std::chrono::steady_clock::now();
  workers.run([&] {
    if (stream && take(module->device->getDevice().enter()))
      return;
    result = module->run(this, abiInputs.data());
    if (stream)
      take(stream->finish());
  });
  pool.endRun();
  std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;
  NNRT_VERBOSE_LINE(2, ran, elapsed.count());
  if (verboseLevel() >= 1)
    sayMemory();
  return finish(outputTensors, result);
}

/// Prints the memory that the session holds if it has changed.
void Session::sayMemory() {
  nnrt_session_memory_info now = memory();
  if (std::memcmp(&now, &saidMemory, sizeof(now)) == 0)
    return;
  saidMemory = now;
  verbosePrint(verbose::memory, now.arena, now.blocks, now.outputs, now.inputs,
               now.scratchpad, now.device_arena);
}

Status Session::finish(DLTensor *outputTensors, int32_t result) {
  if (failed.exchange(false))
    return std::exchange(failure, nullptr);
  if (result != 0)
    return makeStatus(NNRT_INTERNAL,
                      "the model's code failed (%d) without saying why",
                      result);
  for (size_t i = 0; i < outputs.size(); ++i)
    if (!outputs[i].produced)
      return makeStatus(NNRT_INTERNAL,
                        "the model's code did not produce output '%s'",
                        module->outputs[i].name.c_str());
  for (size_t i = 0; i < outputs.size(); ++i) {
    Output &output = outputs[i];
    const ElementType &type = *module->outputs[i].elementType;
    if (type.isPacked() || type.isString())
      if (Status status = convert(module->outputs[i], output))
        return status;
    if (output.given)
      continue;
    DLTensor &tensor = outputTensors[i];
    tensor.data = output.own.data();
    tensor.device = {kDLCPU, 0};
    tensor.ndim = static_cast<int32_t>(output.dims.size());
    tensor.dtype = type.dlpack;
    int64_t stride = 1;
    for (int d = tensor.ndim - 1; d >= 0; --d) {
      output.strides[d] = stride;
      stride *= std::max<int64_t>(output.dims[d], 1);
    }
    tensor.shape = output.dims.data();
    tensor.strides = output.strides.data();
    tensor.byte_offset = 0;
  }
  isSecondLast = !isSecondLast;
  return nullptr;
}

Status Session::convert(const Tensor &expected, Output &output) {
  void *to = output.given
                 ? static_cast<uint8_t *>(output.given->data) + output.given->byte_offset
                 : output.own.data();
  int64_t count =
      denseBytes(output.dims.data(), static_cast<int>(output.dims.size()), 8);
  if (expected.elementType->isPacked()) {
    pack(*expected.elementType, count, static_cast<const uint8_t *>(output.unpacked.data()),
         static_cast<uint8_t *>(to));
    return nullptr;
  }
  auto *numbers = static_cast<const int64_t *>(output.unpacked.data());
  const StringTable &table = *services.strings;
  for (int64_t i = 0; i < count; ++i) {
    if (!table.contains(numbers[i]))
      return makeStatus(NNRT_INTERNAL, "output '%s' has a number that no string has",
                        expected.name.c_str());
    std::string_view text = table[numbers[i]];
    static_cast<nnrt_string *>(to)[i] = {text.data(), text.size()};
  }
  return nullptr;
}

void Session::resetProfile() {
  std::fill(kernels.begin(), kernels.end(), Kernel());
  kernelOrder.clear();
}

nnrt_session_memory_info Session::memory() const {
  nnrt_session_memory_info info = {};
  info.arena = arena.capacity();
  info.blocks = pool.capacity();
  for (const Output &output : outputs)
    info.outputs += output.own.capacity() + output.spare.capacity() +
                    output.unpacked.capacity();
  for (const Input &input : inputs)
    info.inputs += input.copy.capacity() + input.numbers.capacity();
  for (const StringTable &table : strings)
    info.blocks += table.bytes();
  for (int id = 0; id < numLibraries; ++id)
    if (librarySessions[id])
      info.scratchpad += module->libraries[id].table->sessionMemory(librarySessions[id]);
  info.device_arena = deviceArena.capacity();
  return info;
}

} // namespace nnrt
