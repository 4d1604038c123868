//===- AbiTable.cpp - What generated code calls ---------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Generated code has no unwind tables: no exception may leave these functions.
//
//===----------------------------------------------------------------------===//

#include "CPU/Reference/Reference.h"
#include "Core/Session.h"

#include <algorithm>
#include <chrono>

namespace nnrt {

void Session::fail(nnrt_status_code code, const char *message) {
  if (failed.exchange(true))
    return;
  nnrt_status_free(failure);
  failure = makeStatus(code, "%s", message ? message : "unknown failure");
}

void Session::failedAt(const char *nodes) {
  if (!failure)
    return;
  Status named = makeStatus(nnrt_status_get_code(failure), "node '%s': %s", nodes,
                            nnrt_status_message(failure));
  nnrt_status_free(std::exchange(failure, named));
}

/// Fails with the message that `makeMessage` builds, or with the lack of memory
/// for it.
template <typename Make>
static void failWith(Session &session, nnrt_status_code code,
                     Make makeMessage) noexcept {
  try {
    std::string message = makeMessage();
    session.fail(code, message.c_str());
  } catch (const std::bad_alloc &) {
    session.fail(NNRT_OUT_OF_MEMORY, "out of memory");
  }
}

void *Session::getArena(int64_t bytes) {
  void *block = bytes < 0 ? nullptr : arena.ensure(static_cast<size_t>(bytes));
  if (!block)
    failWith(*this, NNRT_OUT_OF_MEMORY, [&] {
      return "no memory for the values of the model: " + std::to_string(bytes) +
             " bytes";
    });
  return block;
}

void *Session::getBlock(int64_t bytes) {
  void *block = bytes < 0 ? nullptr : pool.allocate(static_cast<size_t>(bytes));
  if (!block)
    failWith(*this, NNRT_OUT_OF_MEMORY, [&] {
      return "no memory for a value of " + std::to_string(bytes) + " bytes";
    });
  return block;
}

void *Session::getOutput(int32_t index, int32_t rank, const int64_t *dims) {
  if (index < 0 || static_cast<size_t>(index) >= outputs.size() ||
      static_cast<size_t>(rank) != outputs[index].dims.size()) {
    fail(NNRT_INTERNAL, "the model's code and manifest disagree on outputs");
    return nullptr;
  }
  Output &output = outputs[index];
  const Tensor &expected = module->outputs[index];
  int64_t bytes = denseBytes(dims, rank, expected.elementType->bits());
  if (bytes < 0) {
    failWith(*this, NNRT_FAILED_PRECONDITION, [&] {
      return "output '" + expected.name + "' would have the impossible shape " +
             shapeText(dims, rank);
    });
    return nullptr;
  }
  std::copy(dims, dims + rank, output.dims.begin());
  output.produced = true;
  if (DLTensor *given = output.given) {
    if (!std::equal(dims, dims + rank, given->shape)) {
      failWith(*this, NNRT_INVALID_ARGUMENT, [&] {
        return "output '" + expected.name + "' has shape " +
               shapeText(given->shape, rank) + ", the result has " +
               shapeText(dims, rank);
      });
      return nullptr;
    }
  }
  uint8_t *block = output.given
                       ? static_cast<uint8_t *>(output.given->data) +
                             output.given->byte_offset
                       : static_cast<uint8_t *>(output.own.ensure(bytes));
  bool isString = expected.elementType->isString();
  if (block && (isString || expected.elementType->isPacked())) {
    // The generated code writes a byte or a number per element; see Session::convert.
    int64_t unpacked = denseBytes(dims, rank, isString ? 64 : 8);
    block = unpacked < 0
                ? nullptr
                : static_cast<uint8_t *>(output.unpacked.ensure(unpacked));
  }
  if (!block)
    failWith(*this, NNRT_OUT_OF_MEMORY, [&] {
      return "no memory for output '" + expected.name +
             "': " + std::to_string(bytes) + " bytes";
    });
  return block;
}

int32_t Session::take(Status status) {
  if (!status)
    return 0;
  fail(nnrt_status_get_code(status), nnrt_status_message(status));
  nnrt_status_free(status);
  return 1;
}

/// Memory on the GPU for what `what` names, or a failure.
static void *orNoDeviceMemory(Session &session, void *block, const char *what, int64_t bytes) {
  if (!block)
    failWith(session, NNRT_OUT_OF_MEMORY, [&] {
      return "no memory on the GPU for " + std::string(what) + ": " +
             std::to_string(bytes) + " bytes";
    });
  return block;
}

void *Session::getDeviceArena(int64_t bytes) {
  void *block = bytes < 0 ? nullptr : deviceArena.ensure(static_cast<size_t>(bytes));
  const char *values = "the values of the model";
  const std::string &formula = module->code->deviceArena;
  if (block || formula.empty())
    return orNoDeviceMemory(*this, block, values, bytes);
  return orNoDeviceMemory(*this, block, (values + (" (" + formula + ")")).c_str(), bytes);
}

void *Session::getDeviceBlock(int64_t bytes) {
  void *block = bytes < 0 ? nullptr
                          : pool.allocate(static_cast<size_t>(bytes), module->device->getDevice());
  return orNoDeviceMemory(*this, block, "a value", bytes);
}

void *Session::getDeviceWeights() {
  if (!module->device->weights)
    fail(NNRT_INTERNAL, "the model's code and manifest disagree on weights");
  return module->device->weights;
}

int32_t Session::copyOnDevice(void *target, const void *source, int64_t bytes,
                              int32_t direction) {
  return take(guarded([&] { return stream->copy(target, source, bytes, direction); }));
}

int32_t Session::launchOnDevice(const char *kernel, const int64_t *arguments,
                                int64_t numArguments, int64_t count) {
  return take(guarded(
      [&] { return stream->launch(kernel, arguments, numArguments, count); }));
}

int32_t Session::callLibrary(LibraryId id, const void *site, const nnrt_abi_tensor *args) {
  LibrarySession *session = librarySessions[id];
  if (!session) {
    fail(NNRT_INTERNAL, "the model calls a library that its manifest does not name");
    return 1;
  }
  int32_t result = module->libraries[id].table->execute(session, site, args, &libraryError);
  if (result)
    fail(static_cast<nnrt_status_code>(libraryError.code), libraryError.message);
  return result;
}

static int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void Session::beginKernel(int32_t index) {
  if (index < 0 || static_cast<size_t>(index) >= kernels.size())
    return;
  if (kernels[index].calls == 0)
    kernelOrder.push_back(index); // within what was reserved
  ++kernels[index].calls;
  kernels[index].startNs = now();
}

void Session::endKernel(int32_t index) {
  if (index < 0 || static_cast<size_t>(index) >= kernels.size())
    return;
  kernels[index].totalNs += now() - kernels[index].startNs;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static Session *get(nnrt_abi_context *ctx) {
  return static_cast<Session *>(ctx);
}

static void *arena(nnrt_abi_context *ctx, int64_t bytes) noexcept {
  return get(ctx)->getArena(bytes);
}

static void *output(nnrt_abi_context *ctx, int32_t index, int32_t rank,
                    const int64_t *dims) noexcept {
  return get(ctx)->getOutput(index, rank, dims);
}

static void fail(nnrt_abi_context *ctx, const char *message) noexcept {
  get(ctx)->fail(NNRT_FAILED_PRECONDITION, message);
}

static void parallel_for(nnrt_abi_context *ctx, nnrt_abi_range_fn fn, void *arg,
                         int64_t count, int64_t grain) noexcept {
  get(ctx)->getThreads().loop(fn, arg, count, grain);
}

static int32_t onednn(nnrt_abi_context *ctx, const nnrt_abi_onednn_site *site,
                      const nnrt_abi_tensor *args) noexcept {
  return get(ctx)->callLibrary(OneDNN, site, args);
}

static void kernel_begin(nnrt_abi_context *ctx, int32_t index) noexcept {
  get(ctx)->beginKernel(index);
}

static void kernel_end(nnrt_abi_context *ctx, int32_t index) noexcept {
  get(ctx)->endKernel(index);
}

static void *allocate(nnrt_abi_context *ctx, int64_t bytes) noexcept {
  return get(ctx)->getBlock(bytes);
}

static int64_t mark(nnrt_abi_context *ctx) noexcept {
  return get(ctx)->getPool().mark();
}

static void release(nnrt_abi_context *ctx, int64_t mark, int64_t count,
                    const void *const *kept) noexcept {
  get(ctx)->getPool().release(mark, count, kept);
}

static void failed_at(nnrt_abi_context *ctx, const char *nodes) noexcept {
  get(ctx)->failedAt(nodes);
}

static int32_t kernel(nnrt_abi_context *ctx, int32_t kernel,
                      const int64_t *parameters,
                      const nnrt_abi_tensor *args) noexcept {
  const char *error =
      runReferenceKernel(kernel, parameters, args, get(ctx)->getServices());
  if (error)
    get(ctx)->fail(NNRT_FAILED_PRECONDITION, error);
  return error != nullptr;
}

static void *device_arena(nnrt_abi_context *ctx, int64_t bytes) noexcept {
  return get(ctx)->getDeviceArena(bytes);
}

static void *device_allocate(nnrt_abi_context *ctx, int64_t bytes) noexcept {
  return get(ctx)->getDeviceBlock(bytes);
}

static void *device_weights(nnrt_abi_context *ctx) noexcept {
  return get(ctx)->getDeviceWeights();
}

static int32_t device_copy(nnrt_abi_context *ctx, void *target, const void *source,
                           int64_t bytes, int32_t direction) noexcept {
  return get(ctx)->copyOnDevice(target, source, bytes, direction);
}

static int32_t device_launch(nnrt_abi_context *ctx, const char *kernel,
                             const int64_t *arguments, int64_t num_arguments,
                             int64_t count) noexcept {
  return get(ctx)->launchOnDevice(kernel, arguments, num_arguments, count);
}

const nnrt_abi_table abiTable = {
#define NNRT_ABI_ENTRY(name, result, parameters) name,
#include "entries.def"
};

} // namespace nnrt
