//===- OneDNNPlugin.h - Between libnnrt and libnnrt_onednn ------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// libnnrt does not link oneDNN (54 MB). A module that calls oneDNN makes it
// load libnnrt_onednn.so, which exports one function, nnrt_onednn_plugin.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_ONEDNNPLUGIN_H
#define NNRT_CORE_ONEDNNPLUGIN_H

#include "nnrt_abi.h"

#include <cstddef>
#include <cstdint>

namespace nnrt {

class Threads;

/// Bumped by every change below: both libraries come from one build.
constexpr uint32_t onednnPluginVersion = 3;

/// Why a call failed.
struct PluginError {
  int32_t code; // nnrt_status_code
  char message[1024];
};

/// What the plugin gets from libnnrt.
struct PluginHost {
  int (*verboseLevel)();
  void (*verbosePrint)(const char *format, ...);
};

/// What all sessions of a module share: packed weights and primitives. Safe to
/// use from many threads.
class PluginModule;
/// What one session needs to execute primitives; used by one thread at a time.
class PluginSession;

struct OneDNNPlugin {
  const char *libraryVersion;
  const char *libraryPath; // of libdnnl
  bool forTBB;             // else its threads are not those of a run
  /// Null without memory.
  PluginModule *(*createModule)();
  void (*destroyModule)(PluginModule *module);
  /// `threads`: those of the run that each execute() is part of. Null without
  /// memory. The module and the threads must live longer.
  PluginSession *(*createSession)(PluginModule *module, Threads *threads);
  void (*destroySession)(PluginSession *session);
  /// Non-zero after an error, described in `error`.
  int32_t (*execute)(PluginSession *session, const nnrt_abi_onednn_site *site,
                     const nnrt_abi_tensor *args, PluginError *error);
  /// Bytes that the session holds.
  size_t (*sessionMemory)(const PluginSession *session);
  /// Bytes of packed weights that the module holds.
  size_t (*moduleMemory)(const PluginModule *module);
};

using OneDNNPluginFunction = const OneDNNPlugin *(uint32_t version,
                                                  const PluginHost *host);

} // namespace nnrt

#endif // NNRT_CORE_ONEDNNPLUGIN_H
