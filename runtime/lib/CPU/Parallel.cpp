//===- Parallel.cpp - The threads of a run --------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Parallel.h"
#include "CPU/Team.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include <omp.h>
#include <pthread.h>
#include <sched.h>

namespace nnrt {

int numCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return std::max(CPU_COUNT(&set), 1);
  return std::max<int>(std::thread::hardware_concurrency(), 1);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void parallelFor(int threads, nnrt_abi_range_fn fn, void *arg, int64_t count,
                 int64_t grain) {
  if (count <= 0)
    return;
  grain = std::max<int64_t>(grain, 1);
  if (threads <= 1 || count <= grain || insideTeam()) {
    fn(arg, 0, count);
    return;
  }
  // Enough chunks that a thread that is slow or late does not hold up the
  // others, few enough that claiming them costs nothing.
  int64_t wanted = std::max<int64_t>(24, 3ll * threads);
  struct Loop {
    nnrt_abi_range_fn fn;
    void *arg;
    int64_t count, chunk;
    std::atomic<int64_t> next{0};
  } loop = {fn, arg, count, std::max(grain, (count + wanted - 1) / wanted)};
  // All threads also for few chunks, see runTeam.
  runTeam(
      threads,
      [](void *arg) {
        Loop &loop = *static_cast<Loop *>(arg);
        for (;;) {
          int64_t index = loop.next.fetch_add(1, std::memory_order_relaxed);
          if (index >= (loop.count + loop.chunk - 1) / loop.chunk)
            break;
          int64_t begin = index * loop.chunk;
          loop.fn(loop.arg, begin, std::min(begin + loop.chunk, loop.count));
        }
      },
      &loop);
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

namespace {

/// Sets the number of threads of the OpenMP regions that this thread opens,
/// which are oneDNN's at least, and puts back what the application had set.
class ThreadCountScope {
public:
  explicit ThreadCountScope(int threads) : before(omp_get_max_threads()) {
    if (before != threads)
      omp_set_num_threads(threads);
  }
  ~ThreadCountScope() { omp_set_num_threads(before); }

private:
  int before;
};

/// The thread that opens the parallel regions of all runs.
class Executor {
public:
  /// The executor of this process: after a fork, the child makes its own.
  static Executor &get();

  bool run(int threads, void (*task)(void *), void *arg);

private:
  void serve();

  /// Held for the whole of a run.
  std::mutex lease;

  std::mutex mutex;
  std::condition_variable posted, done;
  void (*task)(void *) = nullptr;
  void *arg = nullptr;
  int threads = 0;
  bool started = false;
};

std::atomic<Executor *> instance{nullptr};

Executor &Executor::get() {
  static const int registered =
      pthread_atfork(nullptr, nullptr, [] { instance.store(nullptr); });
  (void)registered;
  Executor *current = instance.load(std::memory_order_acquire);
  if (!current) {
    // Never destroyed: its thread waits until the process ends.
    Executor *made = new Executor;
    if (instance.compare_exchange_strong(current, made))
      return *made;
    delete made;
  }
  return *current;
}

bool Executor::run(int newThreads, void (*newTask)(void *), void *newArg) {
  std::lock_guard<std::mutex> turn(lease);
  std::unique_lock<std::mutex> lock(mutex);
  if (!started) {
    try {
      std::thread([this] { serve(); }).detach();
    } catch (const std::system_error &) {
      return false;
    }
    started = true;
  }
  threads = newThreads;
  arg = newArg;
  task = newTask;
  posted.notify_one();
  done.wait(lock, [this] { return !task; });
  return true;
}

void Executor::serve() {
  std::unique_lock<std::mutex> lock(mutex);
  for (;;) {
    posted.wait(lock, [this] { return task != nullptr; });
    lock.unlock();
    {
      ThreadCountScope scope(threads);
      task(arg);
    }
    lock.lock();
    task = nullptr;
    done.notify_one();
  }
}

} // namespace

bool runWithThreads(int threads, void (*run)(void *arg), void *arg) {
  if (threads > 1)
    return Executor::get().run(threads, run, arg);
  ThreadCountScope scope(1);
  run(arg);
  return true;
}

} // namespace nnrt
