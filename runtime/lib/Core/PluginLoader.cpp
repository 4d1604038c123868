//===- PluginLoader.cpp - Finding libnnrt_onednn --------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/PluginLoader.h"
#include "Core/Verbose.h"

#include <cstdlib>
#include <mutex>
#include <vector>

#include <dlfcn.h>

namespace nnrt {

static constexpr char pluginFile[] = "libnnrt_onednn.so";

/// Folders that may hold the plugin, in the order of preference.
static std::vector<std::string> searchPath() {
  std::vector<std::string> folders;
  Dl_info self;
  if (dladdr(reinterpret_cast<void *>(&loadOneDNNPlugin), &self) &&
      self.dli_fname) {
    std::string path = self.dli_fname;
    size_t slash = path.rfind('/');
    folders.push_back(slash == std::string::npos ? "." : path.substr(0, slash));
  }
  if (const char *variable = std::getenv("NNRT_LIBRARY_PATH")) {
    std::string list = variable;
    for (size_t start = 0; start <= list.size();) {
      size_t end = std::min(list.find(':', start), list.size());
      if (end > start)
        folders.push_back(list.substr(start, end - start));
      start = end + 1;
    }
  }
  return folders;
}

/// Null, with a line added to `tried`, if the plugin is not usable.
static const OneDNNPlugin *tryLoad(const std::string &path,
                                   std::string &tried) {
  static const PluginHost host = {verboseLevel, verbosePrint};
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    std::string reason = dlerror();
    NNRT_VERBOSE_LINE(1, pluginSkipped, reason.c_str());
    tried += "\n  " + reason;
    return nullptr;
  }
  auto *function = reinterpret_cast<OneDNNPluginFunction *>(
      dlsym(handle, "nnrt_onednn_plugin"));
  const OneDNNPlugin *plugin =
      function ? function(onednnPluginVersion, &host) : nullptr;
  if (!plugin) {
    tried += "\n  " + path + ": belongs to another version of libnnrt";
    dlclose(handle);
    return nullptr;
  }
  if (!plugin->forTBB) {
    tried += "\n  " + path + ": it found " + plugin->libraryPath +
             ", an oneDNN that is not built for oneTBB";
    return nullptr;
  }
  NNRT_VERBOSE_LINE(1, plugin, path.c_str(), plugin->libraryVersion,
                    plugin->libraryPath);
  return plugin;
}

Status loadOneDNNPlugin(const OneDNNPlugin *&plugin) {
  static std::mutex mutex;
  static const OneDNNPlugin *loaded = nullptr;
  std::lock_guard<std::mutex> lock(mutex);
  std::string tried;
  if (!loaded)
    for (const std::string &folder : searchPath())
      if ((loaded = tryLoad(folder + "/" + pluginFile, tried)))
        break;
  plugin = loaded;
  if (loaded)
    return nullptr;
  return makeStatus(NNRT_INCOMPATIBLE,
                    "this model calls oneDNN, and %s could not be loaded. Put "
                    "it beside libnnrt.so, or name its folder in "
                    "NNRT_LIBRARY_PATH. Tried:%s",
                    pluginFile, tried.c_str());
}

} // namespace nnrt
