//===- CountAllocations.h - Who allocates memory ----------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Replaces malloc and its relatives in the whole process, whichever library
// calls them. oneDNN allocates within each execution of a primitive, which is
// told apart by replacing dnnl_primitive_execute too: what is allocated by any
// thread while a run is inside of it is oneDNN's. That needs a program that
// exports its symbols (ENABLE_EXPORTS) and runs one session at a time.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_TEST_COUNTALLOCATIONS_H
#define NNRT_TEST_COUNTALLOCATIONS_H

#include <cstddef>
#include <string>

namespace nnrt {
namespace test {

struct Allocations {
  size_t ours = 0;   // by generated code, libnnrt, its plugin, libgomp, ...
  size_t oneDNN = 0; // within dnnl_primitive_execute
  /// Where the first of ours came from, a line for each frame.
  std::string where;
};

/// From here on, in all threads.
void startCounting();
Allocations stopCounting();

/// What `body` allocates.
template <typename Body> Allocations countAllocations(Body body) {
  startCounting();
  body();
  return stopCounting();
}

} // namespace test
} // namespace nnrt

#endif // NNRT_TEST_COUNTALLOCATIONS_H
