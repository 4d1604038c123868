//===- Api.cpp - The functions of nnrt.h ----------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Null checks, and nothing thrown; the work is done by Module and Session.
//
//===----------------------------------------------------------------------===//

#include "Core/Session.h"

using namespace nnrt;

const char *nnrt_version(void) { return NNRT_VERSION; }

static Status nullArgument(const char *name) {
  return makeStatus(NNRT_INVALID_ARGUMENT, "%s is null", name);
}

//===----------------------------------------------------------------------===//
// Module
//===----------------------------------------------------------------------===//

nnrt_status *nnrt_module_open(const char *path, nnrt_module **module) {
  if (!path || !module)
    return nullArgument(path ? "module" : "path");
  *module = nullptr;
  return guarded([&]() -> Status {
    auto opened = std::make_unique<nnrt_module>();
    if (Status status = Module::open(path, opened->impl))
      return status;
    *module = opened.release();
    return nullptr;
  });
}

void nnrt_module_free(nnrt_module *module) { delete module; }

size_t nnrt_module_num_inputs(const nnrt_module *module) {
  return module ? module->impl->inputs.size() : 0;
}

size_t nnrt_module_num_outputs(const nnrt_module *module) {
  return module ? module->impl->outputs.size() : 0;
}

static Status describe(const char *what, const std::vector<Tensor> &tensors,
                       size_t index, nnrt_tensor_info *info) {
  if (index >= tensors.size())
    return makeStatus(NNRT_INVALID_ARGUMENT, "there is no %s %zu, only %zu",
                      what, index, tensors.size());
  const Tensor &tensor = tensors[index];
  info->name = tensor.name.c_str();
  info->onnx_type = tensor.type;
  info->dtype = tensor.elementType->dlpack;
  info->rank = static_cast<int32_t>(tensor.dims.size());
  info->dims = tensor.dims.data();
  info->dim_names = tensor.dimNamePointers.data();
  info->part = static_cast<nnrt_part>(tensor.part);
  bool isPart = tensor.part != NNRT_PART_TENSOR;
  info->value = isPart ? tensor.value.c_str() : info->name;
  return nullptr;
}

nnrt_status *nnrt_module_input(const nnrt_module *module, size_t index,
                               nnrt_tensor_info *info) {
  if (!module || !info)
    return nullArgument(module ? "info" : "module");
  return describe("input", module->impl->inputs, index, info);
}

nnrt_status *nnrt_module_output(const nnrt_module *module, size_t index,
                                nnrt_tensor_info *info) {
  if (!module || !info)
    return nullArgument(module ? "info" : "module");
  return describe("output", module->impl->outputs, index, info);
}

size_t nnrt_module_num_metadata(const nnrt_module *module) {
  return module ? module->impl->manifest.metadata.size() : 0;
}

nnrt_status *nnrt_module_metadata(const nnrt_module *module, size_t index,
                                  const char **key, const char **value) {
  if (!module || !key || !value)
    return nullArgument(!module ? "module" : !key ? "key" : "value");
  const auto &metadata = module->impl->manifest.metadata;
  if (index >= metadata.size())
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "there is no metadata entry %zu, only %zu", index,
                      metadata.size());
  *key = metadata[index].first.c_str();
  *value = metadata[index].second.c_str();
  return nullptr;
}

const char *nnrt_module_find_metadata(const nnrt_module *module,
                                      const char *key) {
  if (!module || !key)
    return nullptr;
  for (const auto &entry : module->impl->manifest.metadata)
    if (entry.first == key)
      return entry.second.c_str();
  return nullptr;
}

const char *nnrt_module_variant(const nnrt_module *module) {
  return module ? module->impl->variant.c_str() : "";
}

nnrt_status *nnrt_module_memory(const nnrt_module *module,
                                nnrt_module_memory_info *info) {
  if (!module || !info)
    return nullArgument(module ? "info" : "module");
  *info = module->impl->memory();
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Session
//===----------------------------------------------------------------------===//

nnrt_status *nnrt_session_create(const nnrt_module *module,
                                 const nnrt_session_options *options,
                                 nnrt_session **session) {
  if (!module || !session)
    return nullArgument(module ? "session" : "module");
  *session = nullptr;
  return guarded([&]() -> Status {
    auto created = std::make_unique<nnrt_session>();
    if (Status status = Session::create(module->impl, options, created->impl))
      return status;
    *session = created.release();
    return nullptr;
  });
}

void nnrt_session_free(nnrt_session *session) { delete session; }

nnrt_status *nnrt_session_run(nnrt_session *session, const DLTensor *inputs,
                              size_t num_inputs, DLTensor *outputs,
                              size_t num_outputs, void *stream) {
  if (!session)
    return nullArgument("session");
  if (stream)
    return makeStatus(NNRT_INVALID_ARGUMENT,
                      "stream must be null for a model on the CPU");
  return guarded([&] {
    return session->impl->run(inputs, num_inputs, outputs, num_outputs);
  });
}

size_t nnrt_session_num_kernels(const nnrt_session *session) {
  return session ? session->impl->kernelOrder.size() : 0;
}

nnrt_status *nnrt_session_kernel(const nnrt_session *session, size_t index,
                                 nnrt_kernel_info *info) {
  if (!session || !info)
    return nullArgument(session ? "info" : "session");
  const Session &impl = *session->impl;
  if (index >= impl.kernelOrder.size())
    return makeStatus(NNRT_INVALID_ARGUMENT, "there is no kernel %zu, only %zu",
                      index, impl.kernelOrder.size());
  int32_t kernel = impl.kernelOrder[index];
  const KernelSignature &signature = impl.getModule().manifest.kernels[kernel];
  info->kind = signature.kind.c_str();
  info->nodes = signature.nodes.c_str();
  info->calls = impl.kernels[kernel].calls;
  info->total_ns = impl.kernels[kernel].totalNs;
  return nullptr;
}

void nnrt_session_reset_profile(nnrt_session *session) {
  if (session)
    session->impl->resetProfile();
}

size_t nnrt_session_memory(const nnrt_session *session) {
  if (!session)
    return 0;
  nnrt_session_memory_info info = session->impl->memory();
  return info.arena + info.blocks + info.outputs + info.inputs +
         info.scratchpad;
}

nnrt_status *nnrt_session_memory_parts(const nnrt_session *session,
                                       nnrt_session_memory_info *info) {
  if (!session || !info)
    return nullArgument(session ? "info" : "session");
  *info = session->impl->memory();
  return nullptr;
}
