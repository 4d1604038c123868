//===- Verbose.h - What NNRT_VERBOSE prints ---------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// NNRT_VERBOSE=1 prints what is done once: loading, choices, primitives, growing memory,
// errors. NNRT_VERBOSE=2 also prints each run, and =3 each call of oneDNN. Every line that
// the runtime can print is in the catalogue below, so that docs and scripts can rely on it.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_VERBOSE_H
#define NNRT_CORE_VERBOSE_H

namespace nnrt {
namespace verbose {

constexpr char opened[] = "open %s: %zu bytes, %zu of them weights, by %s";
constexpr char shared[] = "open %s: already open in this process, shared";
constexpr char arena[] =
    "memory %s: arena of a session %s bytes, %u data-dependent buffers";
constexpr char deviceArena[] = "memory %s: arena of a session on the device %s bytes";
constexpr char verified[] = "verify %s: %s, %zu bytes in %.2f ms";
constexpr char notVerified[] =
    "verify %s: %zu bytes of weights not hashed (NNRT_VERIFY=1 does)";
constexpr char decoded[] = "weights %s: %zu bytes decoded to %zu in %.2f ms";
constexpr char variant[] = "variant %s: this CPU has %s%s";
constexpr char variantSkipped[] = "variant %s: skipped, this CPU lacks %s";
constexpr char plugin[] = "plugin %s: %s %s of %s";
constexpr char pluginSkipped[] = "plugin: skipped, %s";
constexpr char customOperator[] = "operator %s: computed by %s";
constexpr char gpu[] = "gpu %d: %s, compute capability %d";
constexpr char gpuCode[] = "gpu: kernels for %s, %zu bytes";
constexpr char session[] = "session: %d threads%s";
constexpr char memory[] =
    "memory: session holds %zu bytes arena, %zu data-dependent, %zu outputs, "
    "%zu copies of inputs, %zu scratchpad, %zu on the device";
constexpr char primitive[] = "onednn %s: %s %s created in %.2f ms (%s)";
constexpr char packed[] = "onednn %s: weights packed, %zu bytes in %.2f ms";
constexpr char evicted[] =
    "onednn %s: a shape was dropped, %zu are kept (NNRT_ONEDNN_CACHE)";
constexpr char cached[] = "onednn %s: %s was there, made for another session";
constexpr char executed[] = "onednn %s: cache hit, executed in %.3f ms";
constexpr char separate[] = "onednn %s: %d post-ops executed on their own (%s)";
constexpr char widened[] = "onednn %s: integers computed in f32 (%s)";
constexpr char copied[] = "run: input '%s' copied, it is not contiguous";
constexpr char ran[] = "run: %.3f ms";
constexpr char error[] = "error %d: %s";

} // namespace verbose

/// The number in NNRT_VERBOSE, or 0.
int verboseLevel();

/// Prints a line of the catalogue to stderr.
void verbosePrint(const char *format, ...);

} // namespace nnrt

/// Evaluates the arguments only if the line is printed.
#define NNRT_VERBOSE_LINE(level, message, ...)                                 \
  do {                                                                         \
    if (::nnrt::verboseLevel() >= (level))                                     \
      ::nnrt::verbosePrint(::nnrt::verbose::message, __VA_ARGS__);             \
  } while (false)

#endif // NNRT_CORE_VERBOSE_H
