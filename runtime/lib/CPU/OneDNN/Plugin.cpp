//===- Plugin.cpp - The table of libnnrt_onednn ---------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/OneDNN/Cache.h"

#include <cstdio>
#include <new>

#include <dlfcn.h>

using namespace nnrt;
using namespace nnrt::onednn;

namespace nnrt {
namespace onednn {

const LibraryHost *host = nullptr;

dnnl_engine_t engine() {
  // Never destroyed: modules may be freed after our static destructors.
  static dnnl_engine_t instance = [] {
    dnnl_engine_t created;
    check(dnnl_engine_create(&created, dnnl_cpu, 0), "CPU engine");
    return created;
  }();
  return instance;
}

} // namespace onednn
} // namespace nnrt

/// Calls `body`; null if it throws.
template <typename Body> static auto orNull(Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const Failure &) {
  } catch (const std::bad_alloc &) {
  }
  return nullptr;
}

static int32_t execute(LibrarySession *session, const void *call, const nnrt_abi_tensor *args,
                       LibraryError *error) {
  auto *site = static_cast<const nnrt_abi_onednn_site *>(call);
  try {
    session->execute(site, args);
    return 0;
  } catch (const Failure &failure) {
    error->code = failure.code;
    std::snprintf(error->message, sizeof(error->message), "node '%s': %s",
                  site->name ? site->name : "?", failure.message.c_str());
  } catch (const std::bad_alloc &) {
    error->code = NNRT_OUT_OF_MEMORY;
    std::snprintf(error->message, sizeof(error->message), "out of memory");
  }
  return 1;
}

extern "C" NNRT_EXPORT const Library *
nnrt_onednn_plugin(uint32_t version, const LibraryHost *libraryHost) {
  if (version != libraryTableVersion)
    return nullptr;
  host = libraryHost;
  static char libraryVersion[32];
  const dnnl_version_t *dnnl = dnnl_version();
  std::snprintf(libraryVersion, sizeof(libraryVersion), "%d.%d.%d", dnnl->major,
                dnnl->minor, dnnl->patch);
  Dl_info file;
  static const Library table = {
      libraryVersion,
      dladdr(reinterpret_cast<void *>(&dnnl_version), &file) && file.dli_fname
          ? file.dli_fname
          : "?",
      dnnl->cpu_runtime == DNNL_RUNTIME_TBB ? nullptr
                                            : "an oneDNN that is not built for oneTBB",
      [] { return orNull([] { return new LibraryModule; }); },
      [](LibraryModule *module) { delete module; },
      [](LibraryModule *module, Threads *threads) {
        return orNull([&] { return new LibrarySession(*module, *threads); });
      },
      [](LibrarySession *session) { delete session; },
      execute,
      [](const LibrarySession *session) { return session->memory(); },
      [](const LibraryModule *module) { return module->memory(); }};
  return &table;
}
