//===- Sanitizers.cpp - Options of the sanitizers -------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Linked into each test; the sanitizers call these.
//
//===----------------------------------------------------------------------===//

#define NNRT_DEFAULTS extern "C" __attribute__((visibility("default")))

/// They would stop the process where memory for an impossible size is asked
/// for.
NNRT_DEFAULTS const char *__asan_default_options() {
  return "allocator_may_return_null=1";
}
NNRT_DEFAULTS const char *__tsan_default_options() {
  return "allocator_may_return_null=1:ignore_noninstrumented_modules=1:"
         "halt_on_error=1";
}

/// oneTBB orders what its threads do, and oneDNN's, but is not instrumented. What of
/// it is compiled into our code is; the work itself is watched (Threads.cpp).
NNRT_DEFAULTS const char *__tsan_default_suppressions() {
  return "race:dnnl::impl\nrace:libdnnl.so\nrace:libtbb.so\nrace_top:tbb::detail\n";
}
