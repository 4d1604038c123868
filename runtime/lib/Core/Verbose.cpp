//===- Verbose.cpp - What NNRT_VERBOSE prints -----------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/Verbose.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace nnrt {

int verboseLevel() {
  static const int level = [] {
    const char *text = std::getenv("NNRT_VERBOSE");
    return text ? std::atoi(text) : 0;
  }();
  return level;
}

void verbosePrint(const char *format, ...) {
  // One call of stdio, so that lines of several threads do not mix.
  char line[4096];
  va_list args;
  va_start(args, format);
  std::vsnprintf(line, sizeof(line), format, args);
  va_end(args);
  std::fprintf(stderr, "nnrt: %s\n", line);
}

} // namespace nnrt
