//===- LibraryLoader.cpp - Finding libraries that models call -------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/Library.h"
#include "Core/Manifest.h"
#include "Core/Verbose.h"

#include <cstdlib>
#include <mutex>
#include <vector>

#include <dlfcn.h>

namespace nnrt {

namespace {
struct KnownLibrary {
  const char *name;
  uint32_t flag; // of the manifest
  const char *file;
  const char *function; // a LibraryFunction
};
} // namespace

/// By LibraryId.
static const KnownLibrary knownLibraries[numLibraries] = {
    {"oneDNN", NeedsOneDNN, "libnnrt_onednn.so", "nnrt_onednn_plugin"},
    {"RE2", NeedsRE2, "libnnrt_re2.so", "nnrt_re2_plugin"}};

bool needsLibrary(uint32_t manifestFlags, LibraryId id) {
  return manifestFlags & knownLibraries[id].flag;
}

/// Folders that may hold the libraries, in the order of preference.
static std::vector<std::string> searchPath() {
  std::vector<std::string> folders;
  Dl_info self;
  if (dladdr(reinterpret_cast<void *>(&loadLibrary), &self) &&
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

/// Null, with a line added to `tried`, if the library is not usable.
static const Library *tryLoad(const KnownLibrary &known, const std::string &path,
                              std::string &tried) {
  static const LibraryHost host = {verboseLevel, verbosePrint};
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    std::string reason = dlerror();
    NNRT_VERBOSE_LINE(1, pluginSkipped, reason.c_str());
    tried += "\n  " + reason;
    return nullptr;
  }
  auto *function = reinterpret_cast<LibraryFunction *>(dlsym(handle, known.function));
  const Library *library = function ? function(libraryTableVersion, &host) : nullptr;
  if (!library) {
    tried += "\n  " + path + ": belongs to another version of libnnrt";
    dlclose(handle);
    return nullptr;
  }
  if (library->problem) {
    tried += "\n  " + path + ": it found " + library->path + ", " + library->problem;
    return nullptr;
  }
  NNRT_VERBOSE_LINE(1, plugin, path.c_str(), known.name, library->version, library->path);
  return library;
}

Status loadLibrary(LibraryId id, const Library *&library) {
  static std::mutex mutex;
  static const Library *loaded[numLibraries] = {};
  const KnownLibrary &known = knownLibraries[id];
  std::lock_guard<std::mutex> lock(mutex);
  std::string tried;
  if (!loaded[id])
    for (const std::string &folder : searchPath())
      if ((loaded[id] = tryLoad(known, folder + "/" + known.file, tried)))
        break;
  library = loaded[id];
  if (library)
    return nullptr;
  return makeStatus(NNRT_INCOMPATIBLE,
                    "this model calls %s, and %s could not be loaded. Put "
                    "it beside libnnrt.so, or name its folder in "
                    "NNRT_LIBRARY_PATH. Tried:%s",
                    known.name, known.file, tried.c_str());
}

} // namespace nnrt
