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

/// oneDNN's threads wait for each other by libgomp's barriers, which nothing
/// shows to ThreadSanitizer; it still sees what memset does for them.
NNRT_DEFAULTS const char *__tsan_default_suppressions() {
  return "race:dnnl::impl\nrace:libdnnl.so\nrace:libgomp.so\n";
}
