//===- Model.cpp - A compiled model with one input and one output ---------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Model.h"
#include <chrono>
#include <stdexcept>

using namespace ocr;

Model::Model(const std::string &role, const std::string &path, int threads)
    : name(role + " " + path) {
  nnrt_module *openedModule = nullptr;
  check(nnrt_module_open(path.c_str(), &openedModule));
  module.reset(openedModule);
  if (nnrt_module_num_inputs(openedModule) != 1 ||
      nnrt_module_num_outputs(openedModule) != 1)
    fail("a model with one input and one output is wanted here");
  nnrt_tensor_info info;
  check(nnrt_module_output(openedModule, 0, &info));
  if (info.dtype.code != kDLFloat || info.dtype.bits != 32)
    fail("a model with a float output is wanted here");

  nnrt_session_options options = {};
  options.struct_size = sizeof(options);
  options.num_threads = threads;
  nnrt_session *createdSession = nullptr;
  check(nnrt_session_create(openedModule, &options, &createdSession));
  session.reset(createdSession);
}

TensorView Model::run(const std::vector<int64_t> &shape,
                      std::vector<float> &input) {
  DLTensor in = {};
  in.data = input.data();
  in.device = {kDLCPU, 0};
  in.ndim = int32_t(shape.size());
  in.dtype = {kDLFloat, 32, 1};
  in.shape = const_cast<int64_t *>(shape.data());

  // Without data, the session provides memory, type and shape.
  DLTensor out = {};
  auto start = std::chrono::steady_clock::now();
  check(nnrt_session_run(session.get(), &in, 1, &out, 1, nullptr));
  elapsed += std::chrono::duration<double, std::milli>(
                 std::chrono::steady_clock::now() - start)
                 .count();

  TensorView result;
  result.shape.assign(out.shape, out.shape + out.ndim);
  result.data = reinterpret_cast<const float *>(
      static_cast<const char *>(out.data) + out.byte_offset);
  return result;
}

const char *Model::metadata(const char *key) const {
  return nnrt_module_find_metadata(module.get(), key);
}

void Model::fail(const std::string &reason) const {
  throw std::runtime_error(name + ": " + reason);
}

void Model::check(nnrt_status *status) const {
  if (!status)
    return;
  std::string message = nnrt_status_message(status);
  nnrt_status_free(status);
  fail(message);
}
