//===- Cache.cpp - Kernels by call site and shapes ------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/OneDNN/Cache.h"
#include "CPU/OneDNN/Convert.h"
#include "CPU/OneDNN/Implementations.h"
#include "CPU/OneDNN/MaxPool.h"
#include "CPU/OneDNN/SmallProducts.h"
#include "Core/Verbose.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace nnrt {
namespace onednn {

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

/// Calls `visit` with each number of the key; stops if that gives false.
template <typename Visit>
static bool visitKey(const nnrt_abi_tensor *args, int numArgs, Visit visit) {
  for (int i = 0; i < numArgs; ++i) {
    const nnrt_abi_tensor &arg = args[i];
    if (!visit(int64_t(arg.rank) * 256 + arg.type * 2 +
               (arg.strides != nullptr)))
      return false;
    for (int d = 0; d < arg.rank; ++d)
      if (!visit(arg.dims[d]) || (arg.strides && !visit(arg.strides[d])))
        return false;
  }
  return true;
}

ShapeKey makeKey(const nnrt_abi_tensor *args, int numArgs) {
  ShapeKey key;
  visitKey(args, numArgs, [&](int64_t number) {
    key.push_back(number);
    return true;
  });
  return key;
}

bool matches(const ShapeKey &key, const nnrt_abi_tensor *args, int numArgs) {
  size_t next = 0;
  return visitKey(args, numArgs,
                  [&](int64_t number) {
                    return next < key.size() && key[next++] == number;
                  }) &&
         next == key.size();
}

static const char *nameOf(const nnrt_abi_onednn_site &site) {
  return site.name ? site.name : "?";
}

size_t cacheCapacity() {
  static const size_t capacity = [] {
    const char *text = std::getenv("NNRT_ONEDNN_CACHE");
    long value = text ? std::atol(text) : 0;
    return value > 0 ? static_cast<size_t>(value) : size_t(32);
  }();
  return capacity;
}

//===----------------------------------------------------------------------===//
// SiteCache
//===----------------------------------------------------------------------===//

std::shared_ptr<const Kernel> SiteCache::get(const nnrt_abi_onednn_site &site,
                                             const nnrt_abi_tensor *args,
                                             int threads) {
  ShapeKey key = makeKey(args, site.num_args);
  key.insert(key.begin(), threads); // oneDNN divides the work when a primitive is created
  std::lock_guard<std::mutex> lock(mutex);
  for (auto entry = entries.begin(); entry != entries.end(); ++entry)
    if (entry->key == key) {
      if (host->verboseLevel() >= 2)
        host->verbosePrint(verbose::cached, nameOf(site),
                           Problem(site, args).shapesText().c_str());
      std::rotate(entry, entry + 1, entries.end());
      return entries.back().kernel;
    }
  Problem problem(site, args);
  bool manyShapes = ++numBuilt > cacheCapacity();
  std::shared_ptr<const Kernel> kernel =
      buildKernel(problem, args, weights, manyShapes);
  if (entries.size() >= cacheCapacity()) {
    // Kernels that a session holds stay in memory anyway, and sessions do not report
    // here that they use them again.
    auto unused =
        std::find_if(entries.begin(), entries.end(), [](const Entry &entry) {
          return entry.kernel.use_count() == 1;
        });
    entries.erase(unused != entries.end() ? unused : entries.begin());
    if (host->verboseLevel() >= 1)
      host->verbosePrint(verbose::evicted, nameOf(site), cacheCapacity());
  }
  entries.push_back({std::move(key), kernel});
  return kernel;
}

size_t SiteCache::weightBytes() {
  std::lock_guard<std::mutex> lock(mutex);
  size_t total = weights.bias ? sizeOf(weights.bias->desc.get()) : 0;
  for (const std::shared_ptr<Packed> &format : weights.formats)
    total += sizeOf(format->desc.get());
  return total;
}

//===----------------------------------------------------------------------===//
// BoundKernel
//===----------------------------------------------------------------------===//

BoundKernel::BoundKernel(ShapeKey key, std::shared_ptr<const Kernel> kernel)
    : key(std::move(key)), kernel(std::move(kernel)) {
  for (const Value &value : this->kernel->values) {
    Slot slot;
    static const int64_t zero = 0;
    if (value.place == Value::Zero) {
      slot.data = const_cast<int64_t *>(&zero);
    } else if (value.place == Value::Constant) {
      slot.memory = value.constant->memory.get();
    } else {
      slot.owner = makeMemory(value.desc.get(), nullptr);
      slot.memory = slot.owner.get();
    }
    slots.push_back(std::move(slot));
  }
  for (const Step &step : this->kernel->steps) {
    arguments.emplace_back();
    for (const Step::Use &use : step.uses)
      arguments.back().push_back({use.argument, slots[use.value].memory});
  }
}

void BoundKernel::execute(dnnl_stream_t stream, const nnrt_abi_tensor *args,
                          Buffer &scratch) {
  uint8_t *base = nullptr;
  if (kernel->scratchBytes) {
    base = static_cast<uint8_t *>(scratch.ensure(kernel->scratchBytes));
    if (!base)
      throw Failure{NNRT_OUT_OF_MEMORY,
                    "no memory for a scratchpad of " +
                        std::to_string(kernel->scratchBytes) + " bytes"};
  }
  for (size_t i = 0; i < slots.size(); ++i) {
    const Value &value = kernel->values[i];
    if (value.place == Value::Constant || value.place == Value::Zero)
      continue;
    void *data = value.place == Value::Argument ? args[value.argument].data
                                                : base + value.offset;
    if (data == slots[i].data)
      continue;
    check(dnnl_memory_set_data_handle(slots[i].memory, data), "memory");
    slots[i].data = data;
  }
  for (size_t i = 0; i < kernel->steps.size(); ++i) {
    const Step &step = kernel->steps[i];
    if (step.primitive)
      check(dnnl_primitive_execute(step.primitive.get(), stream,
                                   static_cast<int>(arguments[i].size()),
                                   arguments[i].data()),
            "execution");
    else
      convert(kernel->values[step.from].operand, slots[step.from].data,
              kernel->values[step.to].operand, slots[step.to].data);
  }
}

} // namespace onednn

using namespace onednn;

SiteCache &LibraryModule::site(const nnrt_abi_onednn_site *site) {
  std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<SiteCache> &cache = sites[site];
  if (!cache)
    cache = std::make_unique<SiteCache>();
  return *cache;
}

size_t LibraryModule::memory() const {
  std::lock_guard<std::mutex> lock(mutex);
  size_t total = 0;
  for (const auto &site : sites)
    total += site.second->weightBytes();
  return total;
}

//===----------------------------------------------------------------------===//
// LibrarySession
//===----------------------------------------------------------------------===//

LibrarySession::LibrarySession(LibraryModule &module, Threads &threads)
    : module(module), threads(threads), table(64) {
  dnnl_stream_t handle;
  check(dnnl_stream_create(&handle, engine(), dnnl_stream_default_flags),
        "stream");
  stream.reset(handle);
}

static size_t slotOf(const nnrt_abi_onednn_site *site, size_t size) {
  // Sites are elements of one array: the low bits of their addresses are alike.
  uint64_t hash = reinterpret_cast<uintptr_t>(site) * 0x9E3779B97F4A7C15ull;
  return (hash >> 32) & (size - 1);
}

LibrarySession::SiteEntry &
LibrarySession::entryOf(const nnrt_abi_onednn_site *site) {
  for (size_t slot = slotOf(site, table.size());; ++slot) {
    SiteEntry &entry = table[slot & (table.size() - 1)];
    if (entry.site == site)
      return entry;
    if (!entry.site)
      break;
  }
  if ((numSites + 1) * 2 > table.size())
    grow();
  size_t slot = slotOf(site, table.size());
  while (table[slot & (table.size() - 1)].site)
    ++slot;
  SiteEntry &entry = table[slot & (table.size() - 1)];
  entry.shared = &module.site(site);
  entry.site = site;
  ++numSites;
  return entry;
}

void LibrarySession::grow() {
  std::vector<SiteEntry> old(table.size() * 2);
  old.swap(table);
  for (SiteEntry &entry : old) {
    if (!entry.site)
      continue;
    size_t slot = slotOf(entry.site, table.size());
    while (table[slot & (table.size() - 1)].site)
      ++slot;
    table[slot & (table.size() - 1)] = std::move(entry);
  }
}

/// "" for a conversion of our own.
static std::string implementationOf(const Step &step) {
  const_dnnl_primitive_desc_t desc;
  if (!step.primitive)
    return "";
  check(dnnl_primitive_get_primitive_desc(step.primitive.get(), &desc), "query");
  return implementationOf(desc);
}

static bool haveSameImplementations(const Kernel &a, const Kernel &b) {
  return std::equal(a.steps.begin(), a.steps.end(), b.steps.begin(), b.steps.end(),
                    [](const Step &a, const Step &b) {
                      return implementationOf(a) == implementationOf(b);
                    });
}

BoundKernel &LibrarySession::forOneThread(BoundKernel &kernel,
                                          const nnrt_abi_onednn_site *site,
                                          const nnrt_abi_tensor *args) {
  // Where call overhead dominates, a kernel made for one thread is faster. Results must not
  // depend on which of the two is chosen.
  constexpr float shortSite = 2.5e5f; // about 0.1 ms
  if (!kernel.triedSerial && kernel.kernel->addsIntegers && kernel.cost.serial.samples &&
      kernel.cost.serial.ticks < shortSite) {
    kernel.triedSerial = true;
    threads.runSerially([&] {
      std::shared_ptr<const Kernel> serial = module.site(site).get(*site, args, 1);
      if (haveSameImplementations(*serial, *kernel.kernel))
        kernel.serial = std::make_unique<BoundKernel>(kernel.key, std::move(serial));
    });
  }
  return kernel.serial ? *kernel.serial : kernel;
}

void LibrarySession::execute(const nnrt_abi_onednn_site *site,
                             const nnrt_abi_tensor *args) {
  auto start = std::chrono::steady_clock::now();
  auto printTime = [&] {
    if (host->verboseLevel() < 3)
      return;
    std::chrono::duration<double, std::milli> elapsed =
        std::chrono::steady_clock::now() - start;
    host->verbosePrint(verbose::executed, nameOf(*site), elapsed.count());
  };
  if (multiplySmall(*site, args, threads))
    return printTime();
  SiteEntry &entry = entryOf(site);
  std::vector<std::unique_ptr<BoundKernel>> &bound = entry.bound;
  auto found = std::find_if(bound.begin(), bound.end(), [&](const auto &each) {
    return matches(each->key, args, site->num_args);
  });
  bool hit = found != bound.end();
  if (!hit) {
    // Before the module does, which then drops the same one.
    if (bound.size() >= cacheCapacity())
      bound.pop_back();
    std::shared_ptr<const Kernel> kernel;
    threads.prepare([&] { kernel = entry.shared->get(*site, args, threads.count()); });
    bound.insert(bound.begin(),
                 std::make_unique<BoundKernel>(makeKey(args, site->num_args),
                                               std::move(kernel)));
  } else if (found != bound.begin()) {
    std::rotate(bound.begin(), found, found + 1);
  }
  BoundKernel &kernel = *bound.front();
  threads.execute(kernel.cost, [&](bool parallel) {
    BoundKernel &chosen = parallel || threads.count() == 1
                              ? kernel
                              : forOneThread(kernel, site, args);
    chosen.execute(stream.get(), args, scratch);
  });
  restoreInfinities(*site, args);
  if (hit)
    printTime();
}

} // namespace nnrt
