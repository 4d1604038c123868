//===- TeamOpenMP.cpp - Teams by OpenMP -----------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Team.h"

#include <omp.h>

namespace nnrt {

void runTeam(int threads, void (*body)(void *arg), void *arg) {
#pragma omp parallel num_threads(threads)
  body(arg);
}

bool insideTeam() { return omp_in_parallel(); }

} // namespace nnrt
