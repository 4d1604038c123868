//===- Threads.h - The threads of a session ---------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Besides the callers' threads there are only oneTBB's, which oneDNN uses too: one set
// of workers, one fewer than there are cores, serves all sessions of the process. The
// calling thread takes part in its own work, and never waits for a worker that has not
// begun any of it.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_THREADS_H
#define NNRT_CPU_THREADS_H

#include "CPU/CostModel.h"
#include "nnrt_abi.h"

#include <memory>

namespace nnrt {

/// The number of cores that this process may use.
int numCores();

/// Calls fn over disjoint ranges that cover [0, count), on the calling thread and
/// up to `threads` - 1 workers. Ranges are at least `grain` long, but for the
/// last. Serial within another such loop.
void parallelFor(int threads, nnrt_abi_range_fn fn, void *arg, int64_t count,
                 int64_t grain);

/// Where a session computes; used by one run at a time. With a count of 1 no
/// thread is created.
class Threads {
public:
  /// A count above the number of cores is reduced to it. `withOneDNN`: runs call oneDNN,
  /// which must see how many threads it has. Throws std::bad_alloc.
  Threads(int count, bool withOneDNN);
  ~Threads();

  int count() const { return number; }

  /// Calls body() as a run.
  template <typename Body> void run(Body body) {
    if (number == 1)
      return runSerially(body);
    int64_t start = readTicks();
    if (costs.beginRun())
      enter(*all, body);
    else
      runSerially(body);
    costs.endRun(readTicks() - start);
  }

  // The following is for the calling thread of a run.

  /// Calls fn as parallelFor does, on one thread or all, whichever is faster.
  void loop(nnrt_abi_range_fn fn, void *arg, int64_t count, int64_t grain) noexcept;

  /// Calls body() where oneDNN sees all threads, for whose number it makes primitives.
  template <typename Body> void prepare(Body body) {
    if (number > 1)
      enter(*all, body);
    else
      body();
  }

  /// Calls body(parallel), which uses oneDNN, on one thread or all, whichever is faster.
  template <typename Body> void execute(SiteCost &site, Body body) {
    if (number == 1 || costs.isSettled())
      return body(/*parallel=*/false);
    bool parallel = costs.isParallel(site);
    int64_t start = readTicks();
    if (parallel || costs.isSerialRun())
      body(parallel);
    else
      runSerially([&] { body(/*parallel=*/false); });
    costs.record(site, parallel, readTicks() - start);
  }

  /// Calls body(), which uses oneDNN, on one thread, for which it makes primitives.
  template <typename Body> void runSerially(Body body) {
    if (one)
      enter(*one, body);
    else
      body();
  }

private:
  class Arena;
  template <typename Body> static void enter(Arena &arena, Body &body) {
    enter(arena, [](void *arg) { (*static_cast<Body *>(arg))(); }, &body);
  }
  static void enter(Arena &arena, void (*body)(void *), void *arg);

  const int number;
  std::unique_ptr<Arena> all; // null: one thread
  std::unique_ptr<Arena> one; // null: without oneDNN
  CostModel costs;
  LoopCosts loops;
};

} // namespace nnrt

#endif // NNRT_CPU_THREADS_H
