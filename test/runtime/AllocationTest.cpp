//===- AllocationTest.cpp - Repeated runs allocate nothing ----------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Replaces malloc and operator new of the process by ones that note who calls
// them. oneDNN allocates within each execute; what counts is what libnnrt and
// its plugin do.
//
//===----------------------------------------------------------------------===//

#include "TestModel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include <dlfcn.h>

extern "C" {
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);
}

namespace {

std::atomic<bool> counting{false};
std::atomic<size_t> numCallers{0};
void *callers[100000];

void note(void *caller) {
  if (!counting.load(std::memory_order_relaxed))
    return;
  size_t index = numCallers++;
  if (index < sizeof(callers) / sizeof(*callers))
    callers[index] = caller;
}

} // namespace

extern "C" {
void *malloc(size_t size) {
  note(__builtin_return_address(0));
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  note(__builtin_return_address(0));
  return __libc_calloc(count, size);
}
void *realloc(void *block, size_t size) {
  note(__builtin_return_address(0));
  return __libc_realloc(block, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  note(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **result, size_t alignment, size_t size) {
  note(__builtin_return_address(0));
  *result = __libc_memalign(alignment, size);
  return *result ? 0 : 12;
}
}

void *operator new(size_t size) {
  note(__builtin_return_address(0));
  if (void *block = __libc_malloc(size))
    return block;
  throw std::bad_alloc();
}
void operator delete(void *block) noexcept { __libc_free(block); }
void operator delete(void *block, size_t) noexcept { __libc_free(block); }

using namespace nnrt;
using namespace nnrt::test;

namespace {

/// How many allocations were noted, all and those from our libraries.
struct Counts {
  size_t all = 0, ours = 0;
};

template <typename Body> Counts countAllocations(Body body) {
  numCallers = 0;
  counting = true;
  body();
  counting = false;
  Counts counts;
  counts.all = numCallers;
  for (size_t i = 0; i < counts.all; ++i) {
    Dl_info info;
    if (dladdr(callers[i], &info) && info.dli_fname &&
        std::string(info.dli_fname).find("libnnrt") != std::string::npos)
      ++counts.ours;
  }
  return counts;
}

/// Runs x [rows, 4], transposed in memory, so that it is copied.
Counts countRuns(nnrt_session *session, int64_t rows, int runs) {
  FloatTensor x({4, rows});
  int64_t dims[] = {rows, 4}, strides[] = {1, rows};
  DLTensor in = x, out = {};
  in.shape = dims;
  in.strides = strides;
  nnrt_status *status = nullptr;
  Counts counts = countAllocations([&] {
    for (int i = 0; i < runs && !status; ++i)
      status = nnrt_session_run(session, &in, 1, &out, 1, nullptr);
  });
  EXPECT_EQ(text(status), "");
  return counts;
}

} // namespace

TEST(Allocation, NoneFromTheSecondRunOn) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("affine"));
  ModulePtr module = open(file.path);
  for (bool profile : {false, true}) {
    SessionPtr session = createSession(module.get(), 1, profile);
    EXPECT_GT(countRuns(session.get(), 100, 1).ours, 0u);
    EXPECT_EQ(countRuns(session.get(), 100, 10).all, 0u);
    // Less than before fits, more does not.
    EXPECT_EQ(countRuns(session.get(), 50, 1).all, 0u);
    EXPECT_GT(countRuns(session.get(), 200, 1).ours, 0u);
    EXPECT_EQ(countRuns(session.get(), 200, 1).all, 0u);
  }
}

TEST(Allocation, NoneWithThreads) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("affine"));
  ModulePtr module = open(file.path);
  SessionPtr session = createSession(module.get(), 2);
  countRuns(session.get(), 100, 2);
  EXPECT_EQ(countRuns(session.get(), 100, 10).ours, 0u);
}

#ifdef NNRT_TEST_ONEDNN
TEST(Allocation, NoneOfOursAroundOneDNN) {
  TemporaryFile file;
  Manifest manifest = makeManifest("matmul", 1);
  manifest.flags = NeedsOneDNN;
  writeModel(file.path, manifest);
  ModulePtr module = open(file.path);
  ASSERT_TRUE(module);
  for (int threads : {1, 2}) {
    SessionPtr session = createSession(module.get(), threads);
    EXPECT_GT(countRuns(session.get(), 10, 1).ours, 0u);
    EXPECT_EQ(countRuns(session.get(), 10, 10).ours, 0u);
    // Shapes that take turns, after each was seen once.
    countRuns(session.get(), 7, 1);
    for (int i = 0; i < 5; ++i)
      EXPECT_EQ(countRuns(session.get(), i % 2 ? 7 : 10, 1).ours, 0u);
  }
}
#endif
