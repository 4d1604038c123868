//===- ParallelTest.cpp - Threads of runs ---------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Threads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using namespace nnrt;

namespace {

struct Loop {
  std::mutex mutex;
  std::vector<int> seen;
  int64_t shortest = INT64_MAX;
  int ranges = 0;

  static void body(void *arg, int64_t begin, int64_t end) {
    auto *loop = static_cast<Loop *>(arg);
    std::lock_guard<std::mutex> lock(loop->mutex);
    for (int64_t i = begin; i < end; ++i)
      ++loop->seen[i];
    ++loop->ranges;
    if (end < static_cast<int64_t>(loop->seen.size()))
      loop->shortest = std::min(loop->shortest, end - begin);
  }
};

size_t numThreadsOfProcess() {
  namespace fs = std::filesystem;
  return std::distance(fs::directory_iterator("/proc/self/task"),
                       fs::directory_iterator());
}

} // namespace

TEST(Parallel, EachIndexOnce) {
  for (int count : {1, 2, 3}) {
    Threads threads(count, /*withOneDNN=*/false);
    for (int64_t size : {1, 2, 23, 24, 25, 1000})
      for (int64_t grain : {1, 7, 5000})
        // Both ways, see CostModel.
        for (int run = 0; run < 8; ++run) {
          Loop loop;
          loop.seen.resize(size);
          threads.run([&] { threads.loop(Loop::body, &loop, size, grain); });
          EXPECT_EQ(loop.seen, std::vector<int>(size, 1));
          EXPECT_GE(loop.shortest, std::min(grain, size));
        }
  }
}

TEST(Parallel, NothingToDo) {
  Loop loop;
  parallelFor(2, Loop::body, &loop, 0, 1);
  Threads threads(2, false);
  threads.run([&] { threads.loop(Loop::body, &loop, 0, 1); });
  EXPECT_EQ(loop.ranges, 0);
}

TEST(Parallel, ManyChunksForTheThreads) {
  Loop loop;
  loop.seen.resize(10000);
  parallelFor(2, Loop::body, &loop, 10000, 1);
  EXPECT_GE(loop.ranges, 20);
  EXPECT_LE(loop.ranges, 30);
}

TEST(Parallel, NestedLoopIsSerial) {
  static std::atomic<int> total;
  total = 0;
  parallelFor(
      2,
      [](void *, int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          parallelFor(
              2, [](void *, int64_t b, int64_t e) { total += int(e - b); },
              nullptr, 10, 1);
      },
      nullptr, 50, 1);
  EXPECT_EQ(total, 500);
}

// Runs in a process of its own, since other tests create threads.
TEST(Parallel, OneThreadCreatesNone) {
  EXPECT_EXIT(
      {
        size_t before = numThreadsOfProcess();
        Threads threads(1, /*withOneDNN=*/true);
        Loop loop;
        loop.seen.resize(1000);
        threads.run([&] { threads.loop(Loop::body, &loop, 1000, 1); });
        exit(numThreadsOfProcess() == before ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST(Parallel, SessionsShareTheWorkers) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        size_t before = numThreadsOfProcess();
        std::vector<std::thread> hosts;
        for (int i = 0; i < 8; ++i)
          hosts.emplace_back([] {
            Threads threads(4, false);
            Loop loop;
            loop.seen.resize(1000);
            for (int run = 0; run < 20; ++run)
              threads.run([&] { threads.loop(Loop::body, &loop, 1000, 1); });
          });
        for (std::thread &host : hosts)
          host.join();
        // A sanitizer may have a thread of its own.
        exit(numThreadsOfProcess() <= before + numCores() ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

// All at once, though each holds the others up until they are there too.
TEST(Parallel, RunsDoNotTakeTurns) {
  constexpr int hosts = 6;
  std::atomic<int> inside{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < hosts; ++i)
    callers.emplace_back([&inside] {
      Threads threads(2, /*withOneDNN=*/true);
      threads.run([&] {
        ++inside;
        while (inside < hosts)
          std::this_thread::yield();
      });
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(inside, hosts);
}

// Workers are busy for as long as the first run goes on.
TEST(Parallel, NobodyWaitsForAWorkerThatHasNotBegun) {
  std::atomic<bool> stop{false};
  std::atomic<int> begun{0};
  struct Blocker {
    std::atomic<bool> &stop;
    std::atomic<int> &begun;
  } blocker = {stop, begun};
  std::thread other([&] {
    Threads threads(numCores() + 1, false);
    threads.run([&] {
      parallelFor(
          numCores() + 1,
          [](void *arg, int64_t, int64_t) {
            auto &blocker = *static_cast<Blocker *>(arg);
            ++blocker.begun;
            while (!blocker.stop)
              std::this_thread::yield();
          },
          &blocker, 100, 1);
    });
  });
  while (begun < std::min(numCores(), 2))
    std::this_thread::yield();
  Threads threads(2, false);
  Loop loop;
  loop.seen.resize(1000);
  for (int run = 0; run < 4; ++run)
    threads.run([&] { threads.loop(Loop::body, &loop, 1000, 1); });
  EXPECT_EQ(loop.seen, std::vector<int>(1000, 4));
  stop = true;
  other.join();
}

TEST(Parallel, ForkedChildCanRun) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer takes no threads after a fork";
#endif
  Threads before(2, /*withOneDNN=*/true);
  auto runOn = [](Threads &threads) {
    Loop loop;
    loop.seen.resize(100);
    for (int run = 0; run < 8; ++run)
      threads.run([&] { threads.loop(Loop::body, &loop, 100, 1); });
    return loop.seen == std::vector<int>(100, 8);
  };
  EXPECT_TRUE(runOn(before));
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    Threads own(2, true);
    _exit(runOn(before) && runOn(own) ? 0 : 1);
  }
  int result = -1;
  ASSERT_EQ(waitpid(child, &result, 0), child);
  EXPECT_EQ(result, 0);
}
