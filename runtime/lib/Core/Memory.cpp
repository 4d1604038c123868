//===- Memory.cpp - Buffers that a session keeps --------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/Memory.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include <sys/mman.h>

namespace nnrt {

namespace {
class HostAllocator : public Allocator {
public:
  void *allocate(size_t bytes) noexcept override {
    // From this size on, huge pages save enough page faults to be worth their memory.
    constexpr size_t largeBlock = 4 << 20, largePage = 2 << 20;
    size_t alignment = bytes >= largeBlock ? largePage : 64;
    void *block = nullptr;
    if (bytes > PTRDIFF_MAX - alignment || posix_memalign(&block, alignment, bytes) != 0)
      return nullptr;
#ifdef MADV_HUGEPAGE
    if (alignment == largePage)
      madvise(block, bytes / largePage * largePage, MADV_HUGEPAGE);
#endif
    return block;
  }
  void release(void *block) noexcept override { std::free(block); }
};
} // namespace

Allocator &hostAllocator() {
  static HostAllocator instance;
  return instance;
}

Buffer::Buffer(Buffer &&other) noexcept
    : allocator(other.allocator), block(std::exchange(other.block, nullptr)),
      size(std::exchange(other.size, 0)) {}

Buffer &Buffer::operator=(Buffer &&other) noexcept {
  std::swap(allocator, other.allocator);
  std::swap(block, other.block);
  std::swap(size, other.size);
  return *this;
}

Buffer::~Buffer() {
  if (block)
    allocator->release(block);
}

void *Buffer::ensure(size_t bytes) noexcept {
  if (block && bytes <= size)
    return block;
  if (block)
    allocator->release(std::exchange(block, nullptr));
  size = 0;
  if (bytes > PTRDIFF_MAX)
    return nullptr;
  size_t rounded = std::max<size_t>((bytes + 63) / 64 * 64, 64);
  block = allocator->allocate(rounded);
  size = block ? rounded : 0;
  return block;
}

void *BlockPool::allocate(size_t bytes, Allocator &allocator) noexcept {
  std::lock_guard<std::mutex> lock(mutex);
  Block *best = nullptr, *outgrown = nullptr;
  for (Block &block : blocks) {
    if (block.used || !block.buffer.isOf(allocator))
      continue;
    size_t capacity = block.buffer.capacity();
    if (capacity >= bytes) {
      if (!best || capacity < best->buffer.capacity())
        best = &block;
    } else if (block.number > givenBefore &&
               (!outgrown || capacity > outgrown->buffer.capacity())) {
      outgrown = &block;
    }
  }
  // Keep blocks that are far too large for requests that need them.
  if (best && best->buffer.capacity() / 4 > std::max<size_t>(bytes, 4096))
    best = nullptr;
  // A block released within this run may belong to a buffer that grows with each
  // iteration of a loop: grow it instead of adding another.
  if (!best && outgrown && outgrown->buffer.capacity() >= bytes / 2 &&
      outgrown->buffer.ensure(bytes + bytes / 2))
    best = outgrown;
  if (!best) {
    try {
      best = &blocks.emplace_back(allocator);
    } catch (const std::bad_alloc &) {
      return nullptr;
    }
    if (!best->buffer.ensure(bytes)) {
      blocks.pop_back();
      return nullptr;
    }
  }
  best->used = true;
  best->number = ++given;
  best->idleRuns = 0;
  return best->buffer.data();
}

int64_t BlockPool::mark() const noexcept {
  std::lock_guard<std::mutex> lock(mutex);
  return given;
}

bool BlockPool::Block::holds(const void *address) const {
  auto begin = reinterpret_cast<uintptr_t>(buffer.data());
  return reinterpret_cast<uintptr_t>(address) - begin < buffer.capacity();
}

void BlockPool::release(int64_t mark, int64_t count,
                        const void *const *kept) noexcept {
  std::lock_guard<std::mutex> lock(mutex);
  for (Block &block : blocks)
    if (block.used && block.number > mark)
      block.used = std::any_of(kept, kept + count, [&](const void *address) {
        return block.holds(address);
      });
}

void BlockPool::endRun() noexcept {
  constexpr int maxIdleRuns = 8;
  std::lock_guard<std::mutex> lock(mutex);
  for (Block &block : blocks) {
    if (!block.used)
      ++block.idleRuns;
    block.used = false;
  }
  givenBefore = given;
  blocks.erase(std::remove_if(blocks.begin(), blocks.end(),
                              [](const Block &block) {
                                return block.idleRuns > maxIdleRuns;
                              }),
               blocks.end());
}

size_t BlockPool::capacity() const {
  std::lock_guard<std::mutex> lock(mutex);
  size_t total = 0;
  for (const Block &block : blocks)
    total += block.buffer.capacity();
  return total;
}

} // namespace nnrt
