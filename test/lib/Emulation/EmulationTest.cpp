//===- EmulationTest.cpp - what an emulated GPU reports -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Emulation/CudaStandIn.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

using namespace nnrt;

namespace {

/// Declarations that the kernels here share. Both of a kernel's buffers are lists of f32.
constexpr char kPrefix[] = R"(
target triple = "nvptx64-nvidia-cuda"
@shared = internal addrspace(3) global [4 x float] undef
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
attributes #0 = { "nn-buffers"="1x4,1x4" }
define ptx_kernel void @k(ptr addrspace(1) %xa, ptr addrspace(1) %x, i64 %xo, i64 %xs,
                          i64 %xt, ptr addrspace(1) %ya, ptr addrspace(1) %y, i64 %yo,
                          i64 %ys, i64 %yt) #0 {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %i = zext i32 %t to i64
  %from = getelementptr float, ptr addrspace(1) %x, i64 %i
  %to = getelementptr float, ptr addrspace(1) %y, i64 %i
)";

/// A block of 4 threads of kernel @k, on two buffers of 4 elements of the GPU.
class Emulation : public testing::Test {
protected:
  static constexpr int64_t size = 4;
  const CudaDriver &driver = mlir::nn::getCudaStandIn();
  void *module = nullptr, *function = nullptr;
  uint64_t x = 0, y = 0;

  void SetUp() override {
    ASSERT_EQ(driver.allocate(&x, size * sizeof(float)), CudaSuccess);
    ASSERT_EQ(driver.allocate(&y, size * sizeof(float)), CudaSuccess);
  }
  void TearDown() override {
    driver.free(x);
    driver.free(y);
    if (module)
      driver.unloadModule(module);
  }

  void load(const std::string &body) {
    llvm::LLVMContext context;
    llvm::SMDiagnostic problem;
    std::unique_ptr<llvm::Module> parsed =
        llvm::parseAssemblyString(kPrefix + body + "}\n", problem, context);
    ASSERT_TRUE(parsed) << problem.getMessage().str();
    llvm::SmallVector<char, 0> bitcode;
    llvm::raw_svector_ostream os(bitcode);
    llvm::WriteBitcodeToFile(*parsed, os);
    ASSERT_EQ(driver.loadBitcode(&module, bitcode.data(), bitcode.size()), CudaSuccess)
        << getError(CudaInvalidImage);
    ASSERT_EQ(driver.getFunction(&function, module, "k"), CudaSuccess);
  }
  void setX(const std::vector<float> &values) {
    ASSERT_EQ(driver.copyToDevice(x, values.data(), values.size() * sizeof(float), nullptr),
              CudaSuccess);
  }
  std::vector<float> getY() {
    std::vector<float> values(size);
    EXPECT_EQ(driver.copyFromDevice(values.data(), y, size * sizeof(float), nullptr),
              CudaSuccess);
    return values;
  }
  std::string getError(int result) {
    const char *text = "";
    driver.getErrorString(result, &text);
    return result == CudaSuccess ? "" : text;
  }
  /// What is wrong; "" if nothing is.
  std::string run(uint64_t first, uint64_t second) {
    std::vector<uint64_t> parameters = {first,  first,  0, size, 1,
                                        second, second, 0, size, 1};
    size_t bytes = parameters.size() * sizeof(uint64_t);
    void *extra[] = {reinterpret_cast<void *>(1), parameters.data(),
                     reinterpret_cast<void *>(2), &bytes, nullptr};
    return getError(driver.launch(function, 1, 1, 1, size, 1, 1, 0, nullptr, nullptr, extra));
  }
};

/// y[i] = x[3 - i], by way of shared memory.
std::string reverse(bool withBarrier) {
  return std::string(R"(
  %v = load float, ptr addrspace(1) %from
  %mine = getelementptr [4 x float], ptr addrspace(3) @shared, i64 0, i64 %i
  store float %v, ptr addrspace(3) %mine
)") + (withBarrier ? "  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)\n" : "") +
         R"(
  %j = sub i64 3, %i
  %other = getelementptr [4 x float], ptr addrspace(3) @shared, i64 0, i64 %j
  %w = load float, ptr addrspace(3) %other
  store float %w, ptr addrspace(1) %to
  ret void
)";
}

} // namespace

TEST_F(Emulation, BarriersOrderSharedMemory) {
  load(reverse(true));
  setX({1, 2, 3, 4});
  EXPECT_EQ(run(x, y), "");
  EXPECT_EQ(getY(), (std::vector<float>{4, 3, 2, 1}));
}

TEST_F(Emulation, ReportsMissingBarrier) {
  load(reverse(false));
  setX({1, 2, 3, 4});
  EXPECT_EQ(run(x, y), "thread 0 of block 0 of kernel 'k' reads, before anything has written "
                       "them, 4 bytes at byte 12 of buffer 2, which has 16 bytes");
}

TEST_F(Emulation, ReportsIndexOffByOne) {
  load(R"(
  %next = getelementptr float, ptr addrspace(1) %from, i64 1
  %v = load float, ptr addrspace(1) %next
  store float %v, ptr addrspace(1) %to
  ret void
)");
  setX({1, 2, 3, 4});
  EXPECT_EQ(run(x, y), "thread 3 of block 0 of kernel 'k' reads 4 bytes up to 4 bytes behind "
                       "the end of buffer 0, which has 16 bytes");
}

TEST_F(Emulation, ReportsMissingCopy) {
  load(R"(
  %v = load float, ptr addrspace(1) %from
  store float %v, ptr addrspace(1) %to
  ret void
)");
  EXPECT_EQ(run(x, y), "thread 0 of block 0 of kernel 'k' reads, before anything has written "
                       "them, 4 bytes at byte 0 of buffer 0, which has 16 bytes");
  float ofHost[4] = {};
  EXPECT_EQ(run(reinterpret_cast<uint64_t>(ofHost), y),
            "buffer 0 of kernel 'k', 16 bytes, is not memory of the GPU");
}

TEST_F(Emulation, ReportsDeadlock) {
  load(R"(
  %isFirst = icmp eq i64 %i, 0
  br i1 %isFirst, label %end, label %wait
wait:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %end
end:
  ret void
)");
  EXPECT_EQ(run(x, y), "deadlock in block 0 of kernel 'k': 3 of 4 threads wait at a barrier, "
                       "the others have ended");
}

TEST_F(Emulation, GoesOnAfterAnError) {
  load(R"(
  %v = load float, ptr addrspace(1) %from
  store float %v, ptr addrspace(1) %to
  ret void
)");
  EXPECT_NE(run(x, y), "");
  setX({5, 6, 7, 8});
  EXPECT_EQ(run(x, y), "");
  EXPECT_EQ(getY(), (std::vector<float>{5, 6, 7, 8}));
}
