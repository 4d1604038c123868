//===- Status.h - Errors of the C API ---------------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_STATUS_H
#define NNRT_CORE_STATUS_H

#include "nnrt/nnrt.h"

#include <new>
#include <string>

struct nnrt_status {
  nnrt_status_code code;
  std::string message;
};

namespace nnrt {

/// Null is success, as in the C API; the caller must free it or pass it on.
using Status = nnrt_status *;

/// A status with a message formatted like printf's. If there is no memory for it, the
/// result is outOfMemory().
[[gnu::format(printf, 2, 3)]] Status makeStatus(nnrt_status_code code,
                                                const char *format, ...);

/// A status that needs no memory. Freeing it does nothing.
Status outOfMemory();

/// Runs the body of an API function, and lets no exception escape.
template <typename Body> Status guarded(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return outOfMemory();
  } catch (const std::exception &error) {
    return makeStatus(NNRT_INTERNAL, "unexpected exception: %s", error.what());
  }
}

} // namespace nnrt

#endif // NNRT_CORE_STATUS_H
