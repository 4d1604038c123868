//===- CudaTest.cpp - Models for GPUs without one -------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// A driver of the test's own, whose memory is the host's and whose only kernel adds 1.
//
//===----------------------------------------------------------------------===//

#include "CUDA/Driver.h"
#include "TestModel.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

using namespace nnrt;
using namespace nnrt::test;

namespace {

int capability = 80, numDevices = 1;
bool kernelFails = false;
size_t freeMemory = 1 << 20;
/// What is allocated, and what the model was loaded from.
int numBlocks = 0;
std::string image;

int launch(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
           void *, void **, void **extra) {
  if (kernelFails)
    return CudaIllegalAddress;
  auto parameters = static_cast<const int64_t *>(extra[1]);
  auto values = reinterpret_cast<float *>(parameters[0]);
  for (int64_t i = 0, count = parameters[1]; i < count; ++i)
    values[i] += 1;
  return CudaSuccess;
}

CudaDriver makeDriver() {
  CudaDriver driver;
  driver.init = [](unsigned) { return int(CudaSuccess); };
  driver.getErrorString = [](int, const char **text) {
    return *text = "an error of the test", int(CudaSuccess);
  };
  driver.getDeviceCount = [](int *count) { return *count = numDevices, int(CudaSuccess); };
  driver.getDevice = [](int *device, int) { return *device = 0, int(CudaSuccess); };
  driver.getDeviceName = [](char *name, int size, int) {
    return std::strncpy(name, "Test GPU", size_t(size)), int(CudaSuccess);
  };
  driver.getDeviceAttribute = [](int *value, int attribute, int) {
    return *value = attribute == 75 ? capability / 10 : capability % 10, int(CudaSuccess);
  };
  driver.retainContext = [](void **, int) { return int(CudaSuccess); };
  driver.setContext = [](void *) { return int(CudaSuccess); };
  driver.loadModule = [](void **module, const void *bytes) {
    image = static_cast<const char *>(bytes);
    return *module = &image, int(CudaSuccess);
  };
  driver.unloadModule = [](void *) { return int(CudaSuccess); };
  driver.getFunction = [](void **function, void *, const char *name) {
    *function = &image;
    return std::strcmp(name, "add_one") == 0 ? int(CudaSuccess) : int(CudaNotFound);
  };
  driver.allocate = [](uint64_t *address, size_t bytes) {
    if (bytes > freeMemory)
      return int(CudaOutOfMemory);
    ++numBlocks;
    return *address = reinterpret_cast<uint64_t>(std::malloc(bytes)), int(CudaSuccess);
  };
  driver.free = [](uint64_t address) {
    --numBlocks;
    return std::free(reinterpret_cast<void *>(address)), int(CudaSuccess);
  };
  driver.copyToDevice = [](uint64_t target, const void *source, size_t bytes, void *) {
    return std::memcpy(reinterpret_cast<void *>(target), source, bytes), int(CudaSuccess);
  };
  driver.copyFromDevice = [](void *target, uint64_t source, size_t bytes, void *) {
    return std::memcpy(target, reinterpret_cast<void *>(source), bytes), int(CudaSuccess);
  };
  driver.copyWithinDevice = [](uint64_t, uint64_t, size_t, void *) {
    return int(CudaInvalidValue);
  };
  driver.createStream = [](void **, unsigned) { return int(CudaSuccess); };
  driver.synchronize = [](void *) { return int(CudaSuccess); };
  driver.destroyStream = [](void *) { return int(CudaSuccess); };
  driver.launch = launch;
  return driver;
}

/// A model that computes y = x + 1 on a GPU.
class Cuda : public testing::Test {
protected:
  void SetUp() override {
    static const CudaDriver driver = makeDriver();
    nnrt_use_cuda_driver(&driver);
    capability = 80;
    numDevices = 1;
    kernelFails = false;
    freeMemory = 1 << 20;
    Manifest manifest = makeManifest("device");
    manifest.flags |= NeedsCUDA;
    manifest.sections[0].deviceArena = "16*N";
    static const std::string texts[] = {"cubin of 80", "ptx of 80", "cubin of 90"};
    writeModel(file.path, manifest,
               {makeCode(SectionKind::Cubin, "sm_80", texts[0]),
                makeCode(SectionKind::PTX, "sm_80", texts[1]),
                makeCode(SectionKind::Cubin, "sm_90", texts[2])});
  }
  static DeviceCodeBlob makeCode(SectionKind kind, const char *name, const std::string &code) {
    DeviceCodeBlob blob;
    blob.section.kind = kind;
    blob.section.name = name;
    blob.data = code.c_str();
    blob.size = code.size() + 1;
    return blob;
  }
  std::string openError(nnrt_status_code *code = nullptr) {
    nnrt_module *module = nullptr;
    std::string message = text(nnrt_module_open(file.path.c_str(), &module), code);
    nnrt_module_free(module);
    return message;
  }
  std::string run(nnrt_session *session, int64_t rows, std::vector<float> &result,
                  nnrt_status_code *code = nullptr) {
    FloatTensor x({rows, 4}, std::vector<float>(rows * 4, 2));
    DLTensor input = x, output = {};
    std::string message = text(nnrt_session_run(session, &input, 1, &output, 1, nullptr), code);
    if (message.empty())
      result = values(output);
    return message;
  }
  TemporaryFile file;
};

} // namespace

TEST_F(Cuda, Computes) {
  int before = numBlocks;
  {
    ModulePtr module = open(file.path);
    SessionPtr session = createSession(module.get());
    std::vector<float> result;
    for (int64_t rows : {1, 3, 2}) {
      EXPECT_EQ(run(session.get(), rows, result), "");
      EXPECT_EQ(result, std::vector<float>(rows * 4, 3));
    }
    nnrt_session_memory_info memory;
    ASSERT_EQ(text(nnrt_session_memory_parts(session.get(), &memory)), "");
    EXPECT_EQ(memory.device_arena, 64u);
    EXPECT_EQ(memory.arena, 0u);
  }
  EXPECT_EQ(numBlocks, before);
}

TEST_F(Cuda, TakesTheBestCode) {
  for (auto [gpu, wanted] : {std::pair(80, "cubin of 80"), std::pair(86, "cubin of 80"),
                             std::pair(90, "cubin of 90"), std::pair(120, "ptx of 80")}) {
    SetUp();
    capability = gpu;
    ModulePtr module = open(file.path);
    EXPECT_EQ(image, wanted) << gpu;
  }
}

TEST_F(Cuda, TooOldGPU) {
  capability = 75;
  nnrt_status_code code;
  EXPECT_EQ(openError(&code), "the GPU 'Test GPU' has compute capability 7.5, and the model's "
                              "kernels need 8.0 or later. Compile the model for the CPU "
                              "(--target=cpu)");
  EXPECT_EQ(code, NNRT_INCOMPATIBLE);
}

TEST_F(Cuda, NoGPU) {
  numDevices = 0;
  nnrt_status_code code;
  EXPECT_NE(openError(&code).find("this machine has none"), std::string::npos);
  EXPECT_EQ(code, NNRT_INCOMPATIBLE);
}

TEST_F(Cuda, OutOfMemoryLeavesTheSessionUsable) {
  ModulePtr module = open(file.path);
  SessionPtr session = createSession(module.get());
  std::vector<float> result;
  nnrt_status_code code;
  EXPECT_EQ(run(session.get(), 1 << 20, result, &code),
            "no memory on the GPU for the values of the model (16*N): 16777216 bytes");
  EXPECT_EQ(code, NNRT_OUT_OF_MEMORY);
  EXPECT_EQ(run(session.get(), 2, result), "");
  EXPECT_EQ(result, std::vector<float>(8, 3));
}

TEST_F(Cuda, NamesTheKernelAndTheNode) {
  ModulePtr module = open(file.path);
  SessionPtr session = createSession(module.get());
  std::vector<float> result;
  kernelFails = true;
  nnrt_status_code code;
  EXPECT_EQ(run(session.get(), 2, result, &code),
            "node 'Add_0': kernel 'add_one' failed: an error of the test (CUDA's error 700)");
  EXPECT_EQ(code, NNRT_INTERNAL);
  kernelFails = false;
  EXPECT_EQ(run(session.get(), 2, result), "");
}

TEST_F(Cuda, DamagedKernels) {
  std::string bytes = readFile(file.path);
  bytes[bytes.find("cubin of 80")] = 'x';
  writeFile(file.path, bytes);
  nnrt_status_code code;
  EXPECT_EQ(openError(&code), "the model is damaged: its kernels for sm_80 do not have the "
                              "checksum that the compiler wrote. Compile it again");
  EXPECT_EQ(code, NNRT_DATA_LOSS);
}

TEST_F(Cuda, NoMemoryForTheWeights) {
  freeMemory = 16;
  nnrt_status_code code;
  EXPECT_EQ(openError(&code),
            "no memory on the GPU 'Test GPU' for the model's weights, 80 bytes");
  EXPECT_EQ(code, NNRT_OUT_OF_MEMORY);
}
