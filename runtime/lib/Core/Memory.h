//===- Memory.h - Buffers that a session keeps ------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_MEMORY_H
#define NNRT_CORE_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace nnrt {

/// Where the memory of buffers comes from.
class Allocator {
public:
  virtual ~Allocator() = default;
  /// Null if there is no memory.
  virtual void *allocate(size_t bytes) noexcept = 0;
  virtual void release(void *block) noexcept = 0;
};
/// The host's: 64-byte aligned, with huge pages where they pay.
Allocator &hostAllocator();

/// A block, aligned as its allocator does, that is kept between runs and grows.
class Buffer {
public:
  Buffer(Allocator &allocator = hostAllocator()) : allocator(&allocator) {}
  Buffer(Buffer &&other) noexcept;
  Buffer &operator=(Buffer &&other) noexcept;
  ~Buffer();

  /// At least `bytes` bytes; null only if there is no memory. The contents are lost if the
  /// block has to grow.
  void *ensure(size_t bytes) noexcept;
  void *data() const { return block; }
  size_t capacity() const { return size; }
  bool isOf(const Allocator &other) const { return allocator == &other; }

private:
  Allocator *allocator;
  void *block = nullptr;
  size_t size = 0;
};

/// Blocks whose sizes are known only during the run. Blocks of one run are reused by the
/// next, so that a model that asks for the same sizes again allocates nothing. Thread-safe.
class BlockPool {
public:
  /// Null if there is no memory. Valid until endRun() or release().
  void *allocate(size_t bytes, Allocator &allocator = hostAllocator()) noexcept;
  /// The number of blocks given out so far.
  int64_t mark() const noexcept;
  /// Takes back the blocks given out since `mark`, except for those that contain one of
  /// the `count` addresses in `kept`.
  void release(int64_t mark, int64_t count, const void *const *kept) noexcept;
  /// Takes back all blocks, and frees those that no recent run used.
  void endRun() noexcept;
  size_t capacity() const;

private:
  struct Block {
    explicit Block(Allocator &allocator) : buffer(allocator) {}
    Buffer buffer;
    bool used = false;
    int64_t number = 0; // of the call that gave it
    int idleRuns = 0;

    bool holds(const void *address) const;
  };
  std::vector<Block> blocks;
  int64_t given = 0;
  int64_t givenBefore = 0; // in earlier runs
  mutable std::mutex mutex;
};

} // namespace nnrt

#endif // NNRT_CORE_MEMORY_H
