//===- Threads.cpp - The threads of a session -----------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Threads.h"

#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include <sched.h>

#if defined(__SANITIZE_THREAD__)
extern "C" void __tsan_acquire(void *address);
extern "C" void __tsan_release(void *address);
#else
static void __tsan_acquire(void *) {}
static void __tsan_release(void *) {}
#endif

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

namespace {

thread_local bool insideLoop = false;

struct Loop {
  nnrt_abi_range_fn fn;
  void *arg;
  int64_t count, chunk;
  std::atomic<int64_t> next{0};

  /// Executes chunks until none is left.
  void work() {
    // oneTBB synchronizes the threads, but is not instrumented.
    __tsan_acquire(this);
    insideLoop = true;
    for (;;) {
      int64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
      if (begin >= count)
        break;
      fn(arg, begin, std::min(begin + chunk, count));
    }
    insideLoop = false;
    __tsan_release(this);
  }
};

} // namespace

void parallelFor(int threads, nnrt_abi_range_fn fn, void *arg, int64_t count,
                 int64_t grain) {
  if (count <= 0)
    return;
  grain = std::max<int64_t>(grain, 1);
  if (threads <= 1 || count <= grain || insideLoop) {
    fn(arg, 0, count);
    return;
  }
  // Enough chunks for others to make up for a slow or late thread, few enough that
  // claiming them costs nothing.
  int64_t wanted = std::max<int64_t>(24, 3ll * threads);
  Loop loop = {fn, arg, count, std::max(grain, (count + wanted - 1) / wanted)};
  int64_t chunks = (count + loop.chunk - 1) / loop.chunk;
  int workers = static_cast<int>(std::min<int64_t>(threads, chunks));
  __tsan_release(&loop);
  oneapi::tbb::parallel_for(
      0, workers, [&loop](int) { loop.work(); }, oneapi::tbb::static_partitioner());
  __tsan_acquire(&loop);
}

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

class Threads::Arena : public oneapi::tbb::task_arena {
public:
  using task_arena::task_arena;
};

Threads::Threads(int count, bool withOneDNN)
    : number(std::min(count, oneapi::tbb::info::default_concurrency())) {
  if (number > 1)
    all = std::make_unique<Arena>(number);
  if (withOneDNN)
    one = std::make_unique<Arena>(1);
}

Threads::~Threads() = default;

void Threads::enter(Arena &arena, void (*body)(void *), void *arg) {
  arena.execute([=] { body(arg); });
}

void Threads::loop(nnrt_abi_range_fn fn, void *arg, int64_t count,
                   int64_t grain) noexcept {
  if (number == 1 || count <= grain || insideLoop || costs.isSettled()) {
    if (count > 0)
      fn(arg, 0, count);
    return;
  }
  SiteCost &site = loops.find(fn, count);
  bool parallel = costs.isParallel(site);
  int64_t start = readTicks();
  if (parallel)
    parallelFor(number, fn, arg, count, grain);
  else
    fn(arg, 0, count);
  costs.record(site, parallel, readTicks() - start);
}

} // namespace nnrt
