//===- Device.cpp - Machines with memory of their own ---------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/Device.h"
#include "CUDA/Device.h"

namespace nnrt {

namespace {
struct DeviceKind {
  uint32_t flag; // of the manifest
  Status (*get)(Device *&device);
};
} // namespace

static const DeviceKind deviceKinds[] = {{NeedsCUDA, getCudaDevice}};

Status findDevice(const Manifest &manifest, Device *&device) {
  device = nullptr;
  for (const DeviceKind &kind : deviceKinds)
    if (manifest.flags & kind.flag)
      return kind.get(device);
  return nullptr;
}

} // namespace nnrt
