//===- ParallelTest.cpp - Threads of runs ---------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <omp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace nnrt;

namespace {

/// Runs `body` as a run with that many threads.
template <typename Body> void runWith(int threads, Body body) {
  ASSERT_TRUE(runWithThreads(
      threads, [](void *arg) { (*static_cast<Body *>(arg))(); }, &body));
}

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
  for (int threads : {1, 2, 3})
    for (int64_t count : {1, 2, 23, 24, 25, 1000})
      for (int64_t grain : {1, 7, 5000}) {
        Loop loop;
        loop.seen.resize(count);
        runWith(threads,
                [&] { parallelFor(threads, Loop::body, &loop, count, grain); });
        EXPECT_EQ(loop.seen, std::vector<int>(count, 1));
        EXPECT_GE(loop.shortest, std::min(grain, count));
      }
}

TEST(Parallel, NothingToDo) {
  Loop loop;
  parallelFor(2, Loop::body, &loop, 0, 1);
  EXPECT_EQ(loop.ranges, 0);
}

TEST(Parallel, ManyChunksForTheThreads) {
  Loop loop;
  loop.seen.resize(10000);
  runWith(2, [&] { parallelFor(2, Loop::body, &loop, 10000, 1); });
  EXPECT_GE(loop.ranges, 20);
  EXPECT_LE(loop.ranges, 30);
}

TEST(Parallel, NestedLoopIsSerial) {
  static std::atomic<int> total;
  total = 0;
  runWith(2, [&] {
    parallelFor(
        2,
        [](void *, int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i)
            parallelFor(
                2, [](void *, int64_t b, int64_t e) { total += int(e - b); },
                nullptr, 10, 1);
        },
        nullptr, 50, 1);
  });
  EXPECT_EQ(total, 500);
}

// Runs in a process of its own, since other tests create threads.
TEST(Parallel, OneThreadCreatesNone) {
  EXPECT_EXIT(
      {
        size_t before = numThreadsOfProcess();
        Loop loop;
        loop.seen.resize(1000);
        runWith(1, [&] { parallelFor(1, Loop::body, &loop, 1000, 1); });
        exit(numThreadsOfProcess() == before ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST(Parallel, HostThreadsShareOneTeam) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        std::vector<std::thread> hosts;
        for (int i = 0; i < 4; ++i)
          hosts.emplace_back([] {
            Loop loop;
            loop.seen.resize(1000);
            for (int run = 0; run < 5; ++run)
              runWith(2, [&] { parallelFor(2, Loop::body, &loop, 1000, 1); });
          });
        for (std::thread &host : hosts)
          host.join();
        // This thread, the executor, and one more of its team; ASan may have
        // one.
        exit(numThreadsOfProcess() <= 4 ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

// libgomp would end the threads that a smaller team does not need, and create
// them again.
TEST(Parallel, ShortLoopsKeepTheTeam) {
  std::mutex mutex;
  std::set<long> threads;
  struct Seen {
    std::mutex &mutex;
    std::set<long> &threads;
  } seen = {mutex, threads};
  runWith(4, [&] {
    for (int i = 0; i < 50; ++i)
      parallelFor(
          4,
          [](void *arg, int64_t, int64_t) {
            auto *seen = static_cast<Seen *>(arg);
            std::lock_guard<std::mutex> lock(seen->mutex);
            seen->threads.insert(syscall(SYS_gettid));
          },
          &seen, i % 2 ? 2 : 1000, 1);
  });
  EXPECT_LE(threads.size(), 4u);
}

TEST(Parallel, ThreadCountOfTheApplicationStays) {
  omp_set_num_threads(5);
  int inside = 0;
  runWith(1, [&] { inside = omp_get_max_threads(); });
  EXPECT_EQ(inside, 1);
  EXPECT_EQ(omp_get_max_threads(), 5);
  runWith(3, [&] { inside = omp_get_max_threads(); });
  EXPECT_EQ(inside, 3);
  EXPECT_EQ(omp_get_max_threads(), 5);
}

TEST(Parallel, ForkedChildHasThreadsToo) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer takes no threads after a fork";
#endif
  runWith(2, [] {});
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    Loop loop;
    loop.seen.resize(100);
    auto body = [&] { parallelFor(2, Loop::body, &loop, 100, 1); };
    runWithThreads(
        2, [](void *arg) { (*static_cast<decltype(body) *>(arg))(); }, &body);
    _exit(loop.seen == std::vector<int>(100, 1) ? 0 : 1);
  }
  int result = -1;
  ASSERT_EQ(waitpid(child, &result, 0), child);
  EXPECT_EQ(result, 0);
}
