//===- Device.h - Machines with memory of their own -------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_DEVICE_H
#define NNRT_CORE_DEVICE_H

#include "Core/Manifest.h"
#include "Core/Memory.h"
#include "Core/Status.h"

#include <memory>

namespace nnrt {

/// What a session does on a device, in order; used by one thread at a time.
class DeviceStream {
public:
  virtual ~DeviceStream() = default;
  /// As the entries of the ABI say.
  virtual Status copy(void *target, const void *source, int64_t bytes, int32_t direction) = 0;
  virtual Status launch(const char *kernel, const int64_t *arguments, int64_t numArguments,
                        int64_t count) = 0;
  /// Waits for all that was launched.
  virtual Status finish() = 0;
};

class Device;

/// A model's constants in the host's memory; null if there are none.
struct WeightsImage {
  const uint8_t *data;
  size_t size;
};

/// A model's kernels and weights on a device. Safe to use from many threads.
class DeviceModule {
public:
  virtual ~DeviceModule() = default;
  virtual Device &getDevice() const = 0;
  virtual Status createStream(std::unique_ptr<DeviceStream> &stream) = 0;
  /// Of the weights section; null if there is none.
  void *weights = nullptr;
};

/// Allocates the device's memory.
class Device : public Allocator {
public:
  /// Makes the calls of this thread mean this device.
  virtual Status enter() const = 0;
  /// `bytes` is the model's file. INCOMPATIBLE if it has no code for the device.
  virtual Status load(const Manifest &manifest, const uint8_t *bytes, WeightsImage weights,
                      std::unique_ptr<DeviceModule> &module) = 0;
};

/// The device that a model needs, of which the process uses one of each kind; null if it
/// needs none. INCOMPATIBLE if this machine has none.
Status findDevice(const Manifest &manifest, Device *&device);

} // namespace nnrt

#endif // NNRT_CORE_DEVICE_H
