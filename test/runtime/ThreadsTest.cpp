//===- ThreadsTest.cpp - Many threads on one module -----------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// What ThreadSanitizer watches (check-runtime-tsan). With compiled models it is
// done by steady-state.test.
//
//===----------------------------------------------------------------------===//

#include "TestModel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

using namespace nnrt;
using namespace nnrt::test;

namespace {

constexpr int numHosts = 8;

/// Calls body(host) on 8 threads at once.
template <typename Body> void onHosts(Body body) {
  std::vector<std::thread> hosts;
  for (int i = 0; i < numHosts; ++i)
    hosts.emplace_back([&body, i] { body(i); });
  for (std::thread &host : hosts)
    host.join();
}

/// One run of x [rows, 4]; what is wrong with the result, or "".
std::string runOnce(nnrt_session *session, bool matmul, int64_t rows) {
  FloatTensor x({rows, 4});
  for (size_t i = 0; i < x.values.size(); ++i)
    x.values[i] = float(int(i * 7 % 13) - 6);
  DLTensor in = x, out = {};
  std::string error = text(nnrt_session_run(session, &in, 1, &out, 1, nullptr));
  if (!error.empty())
    return error;
  std::vector<float> want;
  for (int64_t row = 0; row < rows; ++row) {
    const float *v = &x.values[row * 4];
    for (int i = 0; i < 4 && !matmul; ++i)
      want.push_back(v[i] * (i + 1) + (i + 1) * 10);
    if (matmul)
      want.push_back(std::max(v[0] + 2 * v[1] + 3 * v[2] + 4 * v[3], 0.0f));
  }
  return values(out) == want ? "" : "wrong values";
}

class Threads : public testing::TestWithParam<std::tuple<bool, int>> {
protected:
  bool matmul() const { return std::get<0>(GetParam()); }
  int threads() const { return std::get<1>(GetParam()); }
  void write(const TemporaryFile &file) const {
    Manifest manifest =
        matmul() ? makeManifest("matmul", 1) : makeManifest("affine");
    if (matmul())
      manifest.flags = NeedsOneDNN;
    writeModel(file.path, manifest);
  }
};

} // namespace

// More shapes than the cache of primitives keeps, each session at another one.
TEST_P(Threads, SessionsOfOneModule) {
  TemporaryFile file;
  write(file);
  ModulePtr module = open(file.path);
  ASSERT_TRUE(module);
  onHosts([&](int host) {
    std::vector<SessionPtr> sessions;
    for (int i = 0; i < 4; ++i)
      sessions.push_back(createSession(module.get(), threads()));
    for (int run = 0; run < 12; ++run)
      for (int i = 0; i < 4; ++i) {
        int64_t rows = 1 + (run * 5 + host * 3 + i) % 50;
        EXPECT_EQ(runOnce(sessions[i].get(), matmul(), rows), "");
      }
  });
}

TEST_P(Threads, OpenAndFreeWhileOthersRun) {
  TemporaryFile file;
  write(file);
  onHosts([&](int host) {
    for (int round = 0; round < 4; ++round) {
      ModulePtr module = open(file.path);
      ASSERT_TRUE(module);
      SessionPtr session = createSession(module.get(), threads());
      nnrt_module_memory_info memory;
      EXPECT_EQ(text(nnrt_module_memory(module.get(), &memory)), "");
      EXPECT_EQ(memory.weights, 80u);
      // The session keeps what it needs of the module.
      module.reset();
      EXPECT_EQ(runOnce(session.get(), matmul(), 1 + host), "");
    }
  });
}

#ifdef NNRT_TEST_ONEDNN
static const auto withOneDNN = testing::Values(false, true);
#else
static const auto withOneDNN = testing::Values(false);
#endif
INSTANTIATE_TEST_SUITE_P(, Threads,
                         testing::Combine(withOneDNN, testing::Values(1, 2)));
