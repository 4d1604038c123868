//===- Cache.h - Kernels by call site and shapes ----------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// A module caches kernels, which its sessions share. For each kernel that it uses, a
// session has its own memory objects and argument lists, so that executing the kernel
// again needs neither a lock nor an allocation of ours.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_ONEDNN_CACHE_H
#define NNRT_CPU_ONEDNN_CACHE_H

#include "CPU/OneDNN/Kernel.h"
#include "CPU/Threads.h"
#include "Core/Memory.h"

#include <mutex>
#include <unordered_map>

namespace nnrt {
namespace onednn {

/// Shapes, types and strides of a call's arguments, as numbers.
using ShapeKey = std::vector<int64_t>;
ShapeKey makeKey(const nnrt_abi_tensor *args, int numArgs);
bool matches(const ShapeKey &key, const nnrt_abi_tensor *args, int numArgs);

/// How many shapes of a call site a module, and each of its sessions, caches:
/// NNRT_ONEDNN_CACHE, or 32. The least recently used ones are dropped.
size_t cacheCapacity();

/// The state of one call site that sessions share.
class SiteCache {
public:
  /// The kernel for these arguments; built if there is none yet.
  std::shared_ptr<const Kernel> get(const nnrt_abi_onednn_site &site,
                                    const nnrt_abi_tensor *args, int threads);
  /// Bytes of packed weights.
  size_t weightBytes();

private:
  struct Entry {
    ShapeKey key; // with the number of threads in front
    std::shared_ptr<const Kernel> kernel;
  };
  std::mutex mutex;
  SiteWeights weights;
  size_t numBuilt = 0;
  std::vector<Entry> entries; // the least recently used first
};

/// A kernel with the memory objects of one session.
class BoundKernel {
public:
  BoundKernel(ShapeKey key, std::shared_ptr<const Kernel> kernel);
  void execute(dnnl_stream_t stream, const nnrt_abi_tensor *args,
               Buffer &scratch);
  const ShapeKey key;
  SiteCost cost;
  const std::shared_ptr<const Kernel> kernel;
  /// The same made for one thread, if a session with several has that too.
  std::unique_ptr<BoundKernel> serial;
  bool triedSerial = false;

private:
  struct Slot {
    dnnl_memory_t memory = nullptr;
    Memory owner; // null if the memory is the kernel's constant
    void *data = nullptr;
  };
  std::vector<Slot> slots;                             // as kernel->values
  std::vector<std::vector<dnnl_exec_arg_t>> arguments; // as kernel->steps
};

} // namespace onednn

class LibraryModule {
public:
  onednn::SiteCache &site(const nnrt_abi_onednn_site *site);
  /// Bytes of packed weights.
  size_t memory() const;

private:
  mutable std::mutex mutex;
  std::unordered_map<const nnrt_abi_onednn_site *,
                     std::unique_ptr<onednn::SiteCache>>
      sites;
};

class LibrarySession {
public:
  LibrarySession(LibraryModule &module, Threads &threads);
  void execute(const nnrt_abi_onednn_site *site, const nnrt_abi_tensor *args);
  size_t memory() const { return scratch.capacity(); }

private:
  struct SiteEntry {
    const nnrt_abi_onednn_site *site = nullptr;
    onednn::SiteCache *shared = nullptr;
    // The most recently used first.
    std::vector<std::unique_ptr<onednn::BoundKernel>> bound;
  };
  SiteEntry &entryOf(const nnrt_abi_onednn_site *site);
  /// What one of several threads executes instead of a kernel made for all of them.
  onednn::BoundKernel &forOneThread(onednn::BoundKernel &kernel,
                                    const nnrt_abi_onednn_site *site,
                                    const nnrt_abi_tensor *args);
  void grow();

  LibraryModule &module;
  Threads &threads;
  onednn::Owned<dnnl_stream_t> stream;
  Buffer scratch;
  /// Open addressing by the site's address; a power of two in size.
  std::vector<SiteEntry> table;
  size_t numSites = 0;
};

} // namespace nnrt

#endif // NNRT_CPU_ONEDNN_CACHE_H
