//===- Status.cpp - Errors of the C API -----------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/Status.h"
#include "Core/Verbose.h"

#include <cstdarg>
#include <cstdio>

namespace nnrt {

Status outOfMemory() {
  // Never destroyed: a caller may hold it until after our static destructors.
  static nnrt_status *status =
      new nnrt_status{NNRT_OUT_OF_MEMORY, "out of memory"};
  return status;
}

/// Made when the library is loaded, while there is memory.
[[maybe_unused]] static Status madeEarly = outOfMemory();

Status makeStatus(nnrt_status_code code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  Status result;
  try {
    va_list again;
    va_copy(again, args);
    int size = std::vsnprintf(nullptr, 0, format, args);
    std::string message(size > 0 ? size : 0, '\0');
    if (size > 0)
      std::vsnprintf(message.data(), message.size() + 1, format, again);
    va_end(again);
    result = new nnrt_status{code, std::move(message)};
  } catch (const std::bad_alloc &) {
    result = outOfMemory();
  }
  va_end(args);
  NNRT_VERBOSE_LINE(1, error, int(result->code), result->message.c_str());
  return result;
}

} // namespace nnrt

using namespace nnrt;

nnrt_status_code nnrt_status_get_code(const nnrt_status *status) {
  return status ? status->code : NNRT_OK;
}

const char *nnrt_status_message(const nnrt_status *status) {
  return status ? status->message.c_str() : "";
}

void nnrt_status_free(nnrt_status *status) {
  if (status != outOfMemory())
    delete status;
}
