//===- Parallel.h - The threads of a run ------------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Who runs when, and how a loop is divided; Team.h is where threads come from.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_PARALLEL_H
#define NNRT_CPU_PARALLEL_H

#include "nnrt_abi.h"

namespace nnrt {

/// How many threads make one per core that this process may use.
int numCores();

/// Calls run(arg) such that parallelFor and oneDNN use `threads` threads in it.
///
/// One thread: run is called on the calling thread, and no thread is created;
/// any number of such calls go on at once. More: all calls of the process take
/// turns on one executor thread, because libgomp keeps a team of threads for
/// each thread that ever opened a parallel region.
/// False if the executor thread cannot be created; then nothing was run.
bool runWithThreads(int threads, void (*run)(void *arg), void *arg);

/// Calls fn over disjoint ranges that cover [0, count) on up to `threads`
/// threads. Ranges are at least `grain` long, but for the last.
void parallelFor(int threads, nnrt_abi_range_fn fn, void *arg, int64_t count,
                 int64_t grain);

} // namespace nnrt

#endif // NNRT_CPU_PARALLEL_H
