//===- CountAllocations.cpp - Who allocates memory ------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CountAllocations.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>

extern "C" {
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
}

namespace {

std::atomic<bool> counting{false};
std::atomic<int> executions{0}; // of oneDNN's primitives, under way
std::atomic<size_t> ours{0}, oneDNN{0};

constexpr int maxFrames = 24;
void *frames[maxFrames];
int numFrames = 0;
thread_local bool tracing = false;

void note() {
  if (!counting.load(std::memory_order_relaxed) || tracing)
    return;
  if (executions.load(std::memory_order_relaxed)) {
    ++oneDNN;
    return;
  }
  if (ours++ == 0) {
    tracing = true;
    numFrames = backtrace(frames, maxFrames);
    tracing = false;
  }
}

} // namespace

extern "C" {
void *malloc(size_t size) {
  note();
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  note();
  return __libc_calloc(count, size);
}
void *realloc(void *block, size_t size) {
  note();
  return __libc_realloc(block, size);
}
void *memalign(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **result, size_t alignment, size_t size) {
  note();
  *result = __libc_memalign(alignment, size);
  return *result ? 0 : ENOMEM;
}

/// oneDNN's function of that name, which the plugin would call.
using Execute = int (*)(const void *, void *, int, const void *);

static Execute findExecute() {
  std::string path;
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *result) {
        if (!std::strstr(info->dlpi_name, "libdnnl.so"))
          return 0;
        *static_cast<std::string *>(result) = info->dlpi_name;
        return 1;
      },
      &path);
  void *library = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  return reinterpret_cast<Execute>(dlsym(library, "dnnl_primitive_execute"));
}

__attribute__((visibility("default"))) int
dnnl_primitive_execute(const void *primitive, void *stream, int numArgs,
                       const void *args) {
  static const Execute execute = findExecute();
  ++executions;
  int result = execute(primitive, stream, numArgs, args);
  --executions;
  return result;
}
}

void nnrt::test::startCounting() {
  // Allocates when it is called first.
  backtrace(frames, maxFrames);
  ours = oneDNN = 0;
  numFrames = 0;
  counting = true;
}

nnrt::test::Allocations nnrt::test::stopCounting() {
  counting = false;
  Allocations result;
  result.ours = ours;
  result.oneDNN = oneDNN;
  for (int i = 0; i < numFrames; ++i) {
    Dl_info info;
    if (!dladdr(frames[i], &info))
      continue;
    result.where += std::string("  ") +
                    (info.dli_fname ? info.dli_fname : "?") + ": " +
                    (info.dli_sname ? info.dli_sname : "?") + "\n";
  }
  return result;
}
