//===- Device.cpp - A GPU that models compute on --------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// The device is the process', its code and weights are a module's, a stream and the rest of
// the memory are a session's.
//
//===----------------------------------------------------------------------===//

#include "CUDA/Device.h"
#include "CUDA/Driver.h"
#include "Core/Hash.h"
#include "Core/Verbose.h"
#include "nnrt_abi.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <dlfcn.h>

namespace nnrt {

namespace {

class CudaDevice : public Device {
public:
  Status initialize();

  void *allocate(size_t bytes) noexcept override;
  void release(void *block) noexcept override;
  Status enter() const override;
  Status load(const Manifest &manifest, const uint8_t *bytes, WeightsImage weights,
              std::unique_ptr<DeviceModule> &module) override;

  /// What a call of the driver has failed of; null for success. `what` says what was tried.
  Status check(int result, const char *what) const;

  const CudaDriver *driver = nullptr;
  /// 80 of "sm_80".
  int capability = 0;
  std::string name;

private:
  void *context = nullptr;
};

class CudaModule : public DeviceModule {
public:
  explicit CudaModule(CudaDevice &device) : device(device) {}
  ~CudaModule() override;
  Status loadCode(const Manifest &manifest, const uint8_t *bytes);
  Status loadWeights(WeightsImage image);

  Device &getDevice() const override { return device; }
  Status createStream(std::unique_ptr<DeviceStream> &stream) override;
  /// The handle of a kernel. INTERNAL if there is none of that name.
  Status find(const char *kernel, void *&function);

  CudaDevice &device;

private:
  void *handle = nullptr;
  std::mutex mutex;
  std::unordered_map<std::string, void *> functions;
};

class CudaStream : public DeviceStream {
public:
  explicit CudaStream(CudaModule &module) : module(module) {}
  ~CudaStream() override;
  Status create();

  Status copy(void *target, const void *source, int64_t bytes, int32_t direction) override;
  Status launch(const char *kernel, const int64_t *arguments, int64_t numArguments,
                int64_t count) override;
  Status finish() override;

private:
  CudaModule &module;
  void *handle = nullptr;
  std::vector<int64_t> parameters;
};

} // namespace

//===----------------------------------------------------------------------===//
// Driver
//===----------------------------------------------------------------------===//

static std::atomic<const CudaDriver *> standIn{nullptr};

static Status loadDriver(const CudaDriver *&driver) {
  if ((driver = standIn))
    return nullptr;
  static CudaDriver loaded;
  constexpr char file[] = "libcuda.so.1";
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return makeStatus(NNRT_INCOMPATIBLE,
                      "this model was compiled for a GPU of NVIDIA, and its driver could "
                      "not be loaded: %s. Install the driver, or compile the model for the "
                      "CPU (--target=cpu)",
                      dlerror());
  auto find = [&](auto &function, const char *symbol) -> Status {
    function = reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(library, symbol));
    if (function)
      return nullptr;
    return makeStatus(NNRT_INCOMPATIBLE,
                      "%s has no function %s. Install a driver for CUDA 11 or later", file,
                      symbol);
  };
#define NNRT_CUDA(name, symbol, parameters)                                              \
  if (Status status = find(loaded.name, symbol))                                         \
    return status;
#include "CUDA/driver.def"
  driver = &loaded;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// CudaDevice
//===----------------------------------------------------------------------===//

namespace {
/// The GPU of each driver so far, of which the last is in use. Never destroyed: sessions may
/// be freed very late.
struct KnownDevices {
  std::mutex mutex;
  std::vector<std::unique_ptr<CudaDevice>> devices;
  bool isCurrent = false;
};
} // namespace

static KnownDevices &knownDevices() {
  static KnownDevices *instance = new KnownDevices;
  return *instance;
}

Status getCudaDevice(Device *&device) {
  KnownDevices &known = knownDevices();
  std::lock_guard<std::mutex> lock(known.mutex);
  if (!known.isCurrent) {
    auto made = std::make_unique<CudaDevice>();
    if (Status status = made->initialize())
      return status;
    known.devices.push_back(std::move(made));
    known.isCurrent = true;
  }
  device = known.devices.back().get();
  return nullptr;
}

Status CudaDevice::initialize() {
  if (Status status = loadDriver(driver))
    return status;
  int result = driver->init(0), count = 0;
  if (result == CudaSuccess)
    result = driver->getDeviceCount(&count);
  if (result == CudaNoDevice || (result == CudaSuccess && count == 0))
    return makeStatus(NNRT_INCOMPATIBLE,
                      "this model was compiled for a GPU of NVIDIA, and this machine has "
                      "none that its driver knows. Compile the model for the CPU "
                      "(--target=cpu)");
  if (Status status = check(result, "the driver of the GPU cannot start"))
    return status;
  const char *chosen = std::getenv("NNRT_CUDA_DEVICE");
  int ordinal = chosen && *chosen ? std::atoi(chosen) : 0;
  if (ordinal < 0 || ordinal >= count)
    return makeStatus(NNRT_INCOMPATIBLE,
                      "there is no GPU %s (NNRT_CUDA_DEVICE); there are %d, from 0 on",
                      chosen, count);
  int handle = 0, major = 0, minor = 0;
  constexpr int majorAttribute = 75, minorAttribute = 76; // of the compute capability
  char text[256] = "";
  for (int status : {driver->getDevice(&handle, ordinal),
                     driver->getDeviceName(text, sizeof(text), handle),
                     driver->getDeviceAttribute(&major, majorAttribute, handle),
                     driver->getDeviceAttribute(&minor, minorAttribute, handle),
                     driver->retainContext(&context, handle)})
    if (Status failure = check(status, "the GPU cannot be used"))
      return failure;
  name = text;
  capability = 10 * major + minor;
  NNRT_VERBOSE_LINE(1, gpu, ordinal, name.c_str(), capability);
  return nullptr;
}

Status CudaDevice::enter() const {
  return check(driver->setContext(context), "the GPU cannot be used");
}

Status CudaDevice::check(int result, const char *what) const {
  if (result == CudaSuccess)
    return nullptr;
  const char *text = nullptr;
  if (driver->getErrorString(result, &text) != CudaSuccess || !text)
    text = "unknown error";
  nnrt_status_code code = result == CudaOutOfMemory ? NNRT_OUT_OF_MEMORY
                          : result == CudaIllegalAddress ? NNRT_INTERNAL
                                                         : NNRT_INCOMPATIBLE;
  return makeStatus(code, "%s: %s (CUDA's error %d)", what, text, result);
}

void *CudaDevice::allocate(size_t bytes) noexcept {
  uint64_t address = 0;
  if (driver->setContext(context) != CudaSuccess ||
      driver->allocate(&address, std::max<size_t>(bytes, 1)) != CudaSuccess)
    return nullptr;
  return reinterpret_cast<void *>(address);
}

void CudaDevice::release(void *block) noexcept {
  if (block && driver->setContext(context) == CudaSuccess)
    driver->free(reinterpret_cast<uint64_t>(block));
}

//===----------------------------------------------------------------------===//
// CudaModule
//===----------------------------------------------------------------------===//

/// 80 of "sm_80".
static int capabilityOf(const Section &section) {
  return section.name.rfind("sm_", 0) == 0 ? std::atoi(section.name.c_str() + 3) : 0;
}

Status CudaDevice::load(const Manifest &manifest, const uint8_t *bytes,
                        WeightsImage weights, std::unique_ptr<DeviceModule> &module) {
  auto loaded = std::make_unique<CudaModule>(*this);
  if (Status status = enter())
    return status;
  if (Status status = loaded->loadCode(manifest, bytes))
    return status;
  if (Status status = loaded->loadWeights(weights))
    return status;
  module = std::move(loaded);
  return nullptr;
}

Status CudaModule::loadCode(const Manifest &manifest, const uint8_t *bytes) {
  // Machine code runs on GPUs of the same major number, PTX on all later ones; both best
  // with the highest number that the GPU has.
  const Section *best = nullptr;
  int least = 0;
  auto isBetter = [&](const Section &section) {
    return !best || section.kind < best->kind ||
           (section.kind == best->kind && capabilityOf(section) > capabilityOf(*best));
  };
  static_assert(SectionKind::Cubin < SectionKind::PTX, "the order of preference");
  for (const Section &section : manifest.sections) {
    int needed = capabilityOf(section);
    bool fits = false;
    if (device.driver->loadBitcode)
      fits = section.kind == SectionKind::Bitcode;
    else if (section.kind == SectionKind::Cubin)
      fits = needed / 10 == device.capability / 10 && needed <= device.capability;
    else if (section.kind == SectionKind::PTX)
      fits = needed <= device.capability;
    else
      continue;
    least = least ? std::min(least, needed) : needed;
    if (fits && isBetter(section))
      best = &section;
  }
  if (!best && !least)
    return nullptr; // A model without kernels.
  if (!best)
    return makeStatus(NNRT_INCOMPATIBLE,
                      "the GPU '%s' has compute capability %d.%d, and the model's kernels "
                      "need %d.%d or later. Compile the model for the CPU (--target=cpu)",
                      device.name.c_str(), device.capability / 10, device.capability % 10,
                      least / 10, least % 10);
  const uint8_t *image = bytes + best->offset;
  if (hash(image, best->size) != best->hash)
    return makeStatus(NNRT_DATA_LOSS,
                      "the model is damaged: its kernels for %s do not have the checksum that "
                      "the compiler wrote. Compile it again",
                      best->name.c_str());
  int result = device.driver->loadBitcode
                   ? device.driver->loadBitcode(&handle, image, best->size)
                   : device.driver->loadModule(&handle, image);
  NNRT_VERBOSE_LINE(1, gpuCode, best->name.c_str(), size_t(best->size));
  return device.check(result, "the GPU does not take the model's kernels");
}

Status CudaModule::loadWeights(WeightsImage image) {
  if (image.size == 0)
    return nullptr;
  weights = device.allocate(image.size);
  if (!weights)
    return makeStatus(NNRT_OUT_OF_MEMORY,
                      "no memory on the GPU '%s' for the model's weights, %llu bytes",
                      device.name.c_str(), static_cast<unsigned long long>(image.size));
  int result = device.driver->copyToDevice(reinterpret_cast<uint64_t>(weights), image.data,
                                           image.size, nullptr);
  if (result == CudaSuccess)
    result = device.driver->synchronize(nullptr);
  return device.check(result, "the weights cannot be copied to the GPU");
}

Status CudaModule::find(const char *kernel, void *&function) {
  std::lock_guard<std::mutex> lock(mutex);
  void *&known = functions[kernel];
  if (!known)
    if (int result = device.driver->getFunction(&known, handle, kernel))
      return makeStatus(NNRT_INTERNAL, "the model has no kernel '%s' (CUDA's error %d)",
                        kernel, result);
  function = known;
  return nullptr;
}

CudaModule::~CudaModule() {
  device.release(weights);
  nnrt_status_free(device.enter());
  if (handle)
    device.driver->unloadModule(handle);
}

//===----------------------------------------------------------------------===//
// CudaStream
//===----------------------------------------------------------------------===//

Status CudaModule::createStream(std::unique_ptr<DeviceStream> &stream) {
  auto created = std::make_unique<CudaStream>(*this);
  if (Status status = created->create())
    return status;
  stream = std::move(created);
  return nullptr;
}

Status CudaStream::create() {
  if (Status status = module.device.enter())
    return status;
  constexpr unsigned nonBlocking = 1;
  return module.device.check(module.device.driver->createStream(&handle, nonBlocking),
                             "the GPU has no stream for the session");
}

CudaStream::~CudaStream() {
  if (handle)
    module.device.driver->destroyStream(handle);
}

Status CudaStream::copy(void *target, const void *source, int64_t bytes,
                        int32_t direction) {
  if (bytes <= 0)
    return nullptr;
  const CudaDriver &driver = *module.device.driver;
  auto from = reinterpret_cast<uint64_t>(source), to = reinterpret_cast<uint64_t>(target);
  int result = 0;
  switch (direction) {
  case NNRT_ABI_TO_DEVICE:
    result = driver.copyToDevice(to, source, size_t(bytes), handle);
    break;
  case NNRT_ABI_FROM_DEVICE:
    result = driver.copyFromDevice(target, from, size_t(bytes), handle);
    if (result == CudaSuccess)
      result = driver.synchronize(handle);
    break;
  default:
    result = driver.copyWithinDevice(to, from, size_t(bytes), handle);
  }
  return module.device.check(result, "a copy on the GPU failed");
}

Status CudaStream::launch(const char *kernel, const int64_t *arguments,
                          int64_t numArguments, int64_t count) {
  if (count <= 0)
    return nullptr;
  void *function = nullptr;
  if (Status status = module.find(kernel, function))
    return status;
  constexpr int64_t block = 128, mostBlocks = INT32_MAX;
  int64_t blocks = (count - 1) / block + 1;
  if (blocks > mostBlocks)
    return makeStatus(NNRT_FAILED_PRECONDITION,
                      "a kernel of %lld threads is more than a GPU can run",
                      static_cast<long long>(count));
  parameters.assign(arguments, arguments + numArguments);
  parameters.push_back(count);
  size_t bytes = parameters.size() * sizeof(int64_t);
  // CU_LAUNCH_PARAM_BUFFER_POINTER, _SIZE and _END.
  void *extra[] = {reinterpret_cast<void *>(1), parameters.data(),
                   reinterpret_cast<void *>(2), &bytes, nullptr};
  int result = module.device.driver->launch(function, unsigned(blocks), 1, 1, block, 1, 1, 0,
                                            handle, nullptr, extra);
  if (result == CudaSuccess)
    return nullptr;
  return module.device.check(
      result, (std::string("kernel '") + kernel + "' failed").c_str());
}

Status CudaStream::finish() {
  return module.device.check(module.device.driver->synchronize(handle),
                             "a kernel of the model failed");
}

} // namespace nnrt

void nnrt_use_cuda_driver(const nnrt::CudaDriver *driver) {
  nnrt::KnownDevices &known = nnrt::knownDevices();
  std::lock_guard<std::mutex> lock(known.mutex);
  nnrt::standIn = driver;
  known.isCurrent = false;
}
