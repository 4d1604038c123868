//===- CudaStandIn.cpp - a stand-in for CUDA's driver ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Emulation/CudaStandIn.h"
#include "HostKernels.h"
#include "Machine.h"
#include <cstring>

using namespace mlir::nn;
using namespace mlir::nn::emulation;
using namespace nnrt;

/// Runs `body`, which says whether it succeeded, on the machine; `failure` if it did not.
template <typename Body> static int onMachine(CudaResult failure, Body body) {
  Machine &machine = Machine::get();
  std::lock_guard<std::mutex> lock(machine.mutex);
  return body(machine) ? CudaSuccess : failure;
}

template <typename T> static void *toPointer(T address) {
  return reinterpret_cast<void *>(address);
}

static int doNothing(unsigned) { return CudaSuccess; }

static int getErrorString(int error, const char **text) {
  // Valid until the next error.
  *text = error == CudaOutOfMemory ? "out of memory" : Machine::get().error.c_str();
  return CudaSuccess;
}

static int getDeviceName(char *name, int size, int) {
  std::strncpy(name, "emulated GPU", size_t(size));
  return CudaSuccess;
}

/// Compute capability 9.0.
static int getDeviceAttribute(int *value, int attribute, int) {
  constexpr int majorAttribute = 75;
  *value = attribute == majorAttribute ? 9 : 0;
  return CudaSuccess;
}

static int loadBitcode(void **module, const void *bitcode, size_t bytes) {
  return onMachine(CudaInvalidImage, [&](Machine &machine) {
    auto kernels = HostKernels::load({static_cast<const char *>(bitcode), bytes});
    if (!kernels) {
      machine.error = llvm::toString(kernels.takeError());
      return false;
    }
    *module = kernels->release();
    return true;
  });
}

static int unloadModule(void *module) {
  delete static_cast<HostKernels *>(module);
  return CudaSuccess;
}

static int getFunction(void **function, void *module, const char *name) {
  const HostKernel *kernel = static_cast<HostKernels *>(module)->find(name);
  *function = const_cast<HostKernel *>(kernel);
  return kernel ? CudaSuccess : CudaNotFound;
}

static int allocate(uint64_t *address, size_t bytes) {
  return onMachine(CudaOutOfMemory, [&](Machine &machine) {
    void *block = machine.allocate(bytes);
    *address = reinterpret_cast<uint64_t>(block);
    return block != nullptr;
  });
}

static int release(uint64_t address) {
  return onMachine(CudaInvalidValue,
                   [&](Machine &machine) { return machine.release(toPointer(address)); });
}

static int copyToDevice(uint64_t target, const void *source, size_t bytes, void *) {
  return onMachine(CudaInvalidValue, [&](Machine &machine) {
    return machine.copyIn(toPointer(target), source, bytes);
  });
}

static int copyFromDevice(void *target, uint64_t source, size_t bytes, void *) {
  return onMachine(CudaInvalidValue, [&](Machine &machine) {
    return machine.copyOut(target, toPointer(source), bytes);
  });
}

static int copyWithinDevice(uint64_t target, uint64_t source, size_t bytes, void *) {
  return onMachine(CudaInvalidValue, [&](Machine &machine) {
    return machine.copyWithin(toPointer(target), toPointer(source), bytes);
  });
}

static int launch(void *function, unsigned gridX, unsigned gridY, unsigned gridZ,
                  unsigned blockX, unsigned blockY, unsigned blockZ, unsigned, void *,
                  void **, void **extra) {
  // CU_LAUNCH_PARAM_BUFFER_POINTER and _SIZE.
  return onMachine(CudaIllegalAddress, [&](Machine &machine) {
    return machine.launch(*static_cast<const HostKernel *>(function), {gridX, gridY, gridZ},
                          {blockX, blockY, blockZ}, extra[1],
                          *static_cast<const size_t *>(extra[3]));
  });
}

const CudaDriver &mlir::nn::getCudaStandIn() {
  static const CudaDriver driver = [] {
    CudaDriver table;
    table.init = doNothing;
    table.getErrorString = getErrorString;
    table.getDeviceCount = [](int *count) { return *count = 1, int(CudaSuccess); };
    table.getDevice = [](int *device, int) { return *device = 0, int(CudaSuccess); };
    table.getDeviceName = getDeviceName;
    table.getDeviceAttribute = getDeviceAttribute;
    table.retainContext = [](void **context, int) { return *context = nullptr, int(CudaSuccess); };
    table.setContext = [](void *) { return int(CudaSuccess); };
    table.loadModule = [](void **, const void *) { return int(CudaInvalidImage); };
    table.unloadModule = unloadModule;
    table.getFunction = getFunction;
    table.allocate = allocate;
    table.free = release;
    table.copyToDevice = copyToDevice;
    table.copyFromDevice = copyFromDevice;
    table.copyWithinDevice = copyWithinDevice;
    table.createStream = [](void **stream, unsigned) { return *stream = nullptr, int(CudaSuccess); };
    table.synchronize = [](void *) { return int(CudaSuccess); };
    table.destroyStream = [](void *) { return int(CudaSuccess); };
    table.launch = launch;
    table.loadBitcode = loadBitcode;
    return table;
  }();
  return driver;
}
