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

const PluginHost *host = nullptr;

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

static int32_t execute(PluginSession *session, const nnrt_abi_onednn_site *site,
                       const nnrt_abi_tensor *args, PluginError *error) {
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

extern "C" NNRT_EXPORT const OneDNNPlugin *
nnrt_onednn_plugin(uint32_t version, const PluginHost *pluginHost) {
  if (version != onednnPluginVersion)
    return nullptr;
  host = pluginHost;
  static char libraryVersion[32];
  const dnnl_version_t *dnnl = dnnl_version();
  std::snprintf(libraryVersion, sizeof(libraryVersion), "%d.%d.%d", dnnl->major,
                dnnl->minor, dnnl->patch);
  Dl_info library;
  static const OneDNNPlugin plugin = {
      libraryVersion,
      dladdr(reinterpret_cast<void *>(&dnnl_version), &library) &&
              library.dli_fname
          ? library.dli_fname
          : "?",
      dnnl->cpu_runtime == DNNL_RUNTIME_TBB,
      [] { return orNull([] { return new PluginModule; }); },
      [](PluginModule *module) { delete module; },
      [](PluginModule *module, Threads *threads) {
        return orNull([&] { return new PluginSession(*module, *threads); });
      },
      [](PluginSession *session) { delete session; },
      execute,
      [](const PluginSession *session) { return session->memory(); },
      [](const PluginModule *module) { return module->memory(); }};
  return &plugin;
}
