//===- AllocationTest.cpp - Repeated runs allocate nothing ----------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// What compiled models do is tested by steady-state.test.
//
//===----------------------------------------------------------------------===//

#include "CountAllocations.h"
#include "TestModel.h"

#include <gtest/gtest.h>

using namespace nnrt;
using namespace nnrt::test;

namespace {

/// Runs x [rows, 4], transposed in memory, so that it is copied.
Allocations countRuns(nnrt_session *session, int64_t rows, int runs) {
  FloatTensor x({4, rows});
  int64_t dims[] = {rows, 4}, strides[] = {1, rows};
  DLTensor in = x, out = {};
  in.shape = dims;
  in.strides = strides;
  nnrt_status *status = nullptr;
  Allocations counts = countAllocations([&] {
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
    EXPECT_EQ(countRuns(session.get(), 100, 10).ours, 0u);
    // Less than before fits, more does not.
    EXPECT_EQ(countRuns(session.get(), 50, 1).ours, 0u);
    EXPECT_GT(countRuns(session.get(), 200, 1).ours, 0u);
    EXPECT_EQ(countRuns(session.get(), 200, 1).ours, 0u);
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

TEST(Allocation, NoneWhereStateIsFedBack) {
  TemporaryFile file;
  writeModel(file.path, makeManifest("affine"));
  ModulePtr module = open(file.path);
  SessionPtr session = createSession(module.get());
  FloatTensor x({100, 4});
  DLTensor in = x;
  std::vector<int64_t> dims = x.dims;
  nnrt_status *status = nullptr;
  auto runs = [&](int count) {
    for (int i = 0; i < count && !status; ++i) {
      DLTensor out = {};
      status = nnrt_session_run(session.get(), &in, 1, &out, 1, nullptr);
      in = out;
      in.shape = dims.data();
      in.strides = nullptr;
    }
  };
  runs(3);
  EXPECT_EQ(countAllocations([&] { runs(10); }).ours, 0u);
  EXPECT_EQ(text(status), "");
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
