//===- Library.h - Libraries that models call -------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// libnnrt links none of the libraries that models call, which are large (oneDNN has 54 MB).
// A module that calls one makes it load a library that stands between both,
// libnnrt_onednn.so or libnnrt_re2.so, which exports one function that gives the table below.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_LIBRARY_H
#define NNRT_CORE_LIBRARY_H

#include "Core/Status.h"
#include "nnrt_abi.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace nnrt {

class Threads;

enum LibraryId { OneDNN, RE2, numLibraries };

/// Bumped by every change below: both libraries come from one build.
constexpr uint32_t libraryTableVersion = 4;

/// Why a call failed.
struct LibraryError {
  int32_t code; // nnrt_status_code
  char message[1024];
};

/// What a library gets from libnnrt.
struct LibraryHost {
  int (*verboseLevel)();
  void (*verbosePrint)(const char *format, ...);
};

/// A call of RE2.
struct MatchSite {
  std::string_view pattern;
  const std::string_view *texts;
  int64_t count;
  bool *matches; ///< For each text, whether the pattern matches all of it.
  /// If set, the parts of the one text that the pattern matches, of `least` characters or more.
  std::vector<std::string_view> *parts = nullptr;
  int64_t least = 0;
};

/// What all sessions of a module share: packed weights and primitives. Safe to
/// use from many threads.
class LibraryModule;
/// What one session needs to call the library; used by one thread at a time.
class LibrarySession;

struct Library {
  const char *version;
  const char *path;    // of the library that is called
  const char *problem; // why it cannot be used; null if it can
  /// Null without memory.
  LibraryModule *(*createModule)();
  void (*destroyModule)(LibraryModule *module);
  /// `threads`: those of the run that each execute() is part of. Null without
  /// memory. The module and the threads must live longer.
  LibrarySession *(*createSession)(LibraryModule *module, Threads *threads);
  void (*destroySession)(LibrarySession *session);
  /// `site`: what there is for a call of the library (of oneDNN, nnrt_abi_onednn_site; of
  /// RE2, MatchSite). Non-zero after an error, described in `error`.
  int32_t (*execute)(LibrarySession *session, const void *site, const nnrt_abi_tensor *args,
                     LibraryError *error);
  /// Bytes that the session holds.
  size_t (*sessionMemory)(const LibrarySession *session);
  /// Bytes of packed weights that the module holds.
  size_t (*moduleMemory)(const LibraryModule *module);
};

using LibraryFunction = const Library *(uint32_t version, const LibraryHost *host);

/// Whether a model with these flags of the manifest calls the library.
bool needsLibrary(uint32_t manifestFlags, LibraryId id);
/// Finds the library beside libnnrt.so or in a folder of NNRT_LIBRARY_PATH, once a process.
/// INCOMPATIBLE if there is none.
Status loadLibrary(LibraryId id, const Library *&library);

} // namespace nnrt

#endif // NNRT_CORE_LIBRARY_H
