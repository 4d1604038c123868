//===- Plugin.cpp - The table of libnnrt_re2 ------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/RE2/Patterns.h"
#include "Core/Library.h"
#include "nnrt/nnrt.h"

#include <cstdio>
#include <new>
#include <stdexcept>

#include <dlfcn.h>
#include <re2/re2.h>

namespace nnrt {

class LibraryModule {
public:
  Patterns patterns;
};

class LibrarySession {
public:
  explicit LibrarySession(LibraryModule &module) : module(module) {}
  LibraryModule &module;
};

} // namespace nnrt

using namespace nnrt;

static int32_t execute(LibrarySession *session, const void *call, const nnrt_abi_tensor *,
                       LibraryError *error) {
  auto *site = static_cast<const MatchSite *>(call);
  try {
    Patterns &patterns = session->module.patterns;
    if (site->parts)
      patterns.find(site->pattern, *site->texts, site->least, *site->parts);
    else
      patterns.match(site->pattern, site->texts, site->count, site->matches);
    return 0;
  } catch (const std::bad_alloc &) {
    error->code = NNRT_OUT_OF_MEMORY;
    std::snprintf(error->message, sizeof(error->message), "out of memory");
  } catch (const std::exception &failure) {
    error->code = NNRT_FAILED_PRECONDITION;
    std::snprintf(error->message, sizeof(error->message), "%s", failure.what());
  }
  return 1;
}

extern "C" NNRT_EXPORT const Library *nnrt_re2_plugin(uint32_t version,
                                                      const LibraryHost *) {
  if (version != libraryTableVersion)
    return nullptr;
  Dl_info file;
  auto *symbol = reinterpret_cast<const void *>(&re2::RE2::FullMatchN);
  static const Library table = {
      "of its library",
      dladdr(symbol, &file) && file.dli_fname ? file.dli_fname : "?",
      nullptr,
      [] { return new (std::nothrow) LibraryModule; },
      [](LibraryModule *module) { delete module; },
      [](LibraryModule *module, Threads *) {
        return new (std::nothrow) LibrarySession(*module);
      },
      [](LibrarySession *session) { delete session; },
      execute,
      [](const LibrarySession *) { return size_t(0); },
      [](const LibraryModule *) { return size_t(0); }};
  return &table;
}
