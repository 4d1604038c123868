//===- Team.h - Threads that work on one loop -------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// All that depends on the way threads are had. TeamOpenMP.cpp is an OpenMP
// region, on the libgomp that oneDNN uses too: one set of threads for both.
// TeamThreads.cpp has threads of its own, for builds under ThreadSanitizer,
// which does not know libgomp's barriers (NNRT_TEAM=threads). A oneDNN that is
// built for its THREADPOOL runtime needs one more implementation, nothing else.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_TEAM_H
#define NNRT_CPU_TEAM_H

namespace nnrt {

/// Calls body(arg) on up to `threads` threads at once, the calling one among
/// them, and returns when all have. The team stays with the calling thread for
/// its next call, which should ask for as many: libgomp ends threads that a
/// smaller team does not need.
void runTeam(int threads, void (*body)(void *arg), void *arg);

/// True within the body of runTeam.
bool insideTeam();

} // namespace nnrt

#endif // NNRT_CPU_TEAM_H
