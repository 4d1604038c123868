//===- Device.h - A GPU that models compute on ------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// The device is the process', its code and weights are a module's, a stream and the rest of
// the memory are a session's. All functions may be called from any thread.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CUDA_DEVICE_H
#define NNRT_CUDA_DEVICE_H

#include "CUDA/Driver.h"
#include "Core/Manifest.h"
#include "Core/Memory.h"
#include "Core/Status.h"

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace nnrt {

/// A GPU. Its memory is that of an allocator.
class CudaDevice : public Allocator {
public:
  /// The GPU of this process, which NNRT_CUDA_DEVICE chooses (its number, 0 by default).
  /// INCOMPATIBLE if there is none, or no driver.
  static Status get(CudaDevice *&device);

  void *allocate(size_t bytes) noexcept override;
  void release(void *block) noexcept override;

  /// What a call of the driver has failed of; null for success. `what` says what was tried.
  Status check(int result, const char *what) const;
  /// Makes the driver's calls of this thread mean this GPU.
  Status enter() const;

  const CudaDriver *driver = nullptr;
  /// 80 of "sm_80".
  int capability = 0;
  std::string name;

private:
  Status initialize();
  void *context = nullptr;
};

/// What all sessions of a model share: its kernels and weights on the GPU.
class CudaModule {
public:
  /// `bytes` is the model's file. INCOMPATIBLE if it has no code for the GPU.
  static Status load(CudaDevice &device, const Manifest &manifest, const uint8_t *bytes,
                     std::unique_ptr<CudaModule> &module);
  ~CudaModule();

  CudaDevice &device;
  /// Of the weights section; null if there is none.
  void *weights = nullptr;
  /// The handle of a kernel. INTERNAL if there is none of that name.
  Status find(const char *kernel, void *&function);

private:
  explicit CudaModule(CudaDevice &device) : device(device) {}
  Status loadCode(const Manifest &manifest, const uint8_t *bytes);
  Status loadWeights(const Manifest &manifest, const uint8_t *bytes);

  void *handle = nullptr;
  std::mutex mutex;
  std::unordered_map<std::string, void *> functions;
};

/// The stream of a session.
class CudaStream {
public:
  explicit CudaStream(CudaModule &module) : module(module) {}
  ~CudaStream();
  Status create();

  /// As the entries of the ABI say.
  Status copy(void *target, const void *source, int64_t bytes, int32_t direction);
  Status launch(const char *kernel, const int64_t *arguments, int64_t numArguments,
                int64_t count);
  /// Waits for all that was launched.
  Status finish();

private:
  CudaModule &module;
  void *handle = nullptr;
  std::vector<int64_t> parameters;
};

} // namespace nnrt

#endif // NNRT_CUDA_DEVICE_H
