//===- Machine.h - memory and threads of an emulated GPU --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_EMULATION_MACHINE_H
#define NN_LIB_EMULATION_MACHINE_H

#include "HostKernels.h"
#include <csetjmp>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace mlir::nn::emulation {

struct Dimensions {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t getCount() const { return uint64_t(x) * y * z; }
};

/// The GPU of this process.
class Machine {
public:
  static Machine &get();

  // Memory. Blocks are filled with ones, of which floats are NaN.

  void *allocate(size_t bytes);
  /// False if there is no such block; so are the others.
  bool release(void *block);
  bool copyIn(void *target, const void *source, size_t bytes);
  bool copyOut(void *target, const void *source, size_t bytes);
  bool copyWithin(void *target, const void *source, size_t bytes);

  /// Runs all threads of a kernel. False if it did what it may not; `error` then says so.
  bool launch(const HostKernel &kernel, Dimensions grid, Dimensions block,
              const void *parameters, size_t bytes);
  std::string error;
  /// One call at a time.
  std::mutex mutex;

  // What kernels use.

  /// Of the thread that runs: tid, ntid, ctaid, nctaid.
  uint32_t position[12] = {};
  /// Called before an access. Does not return if it may not happen.
  static void check(const void *address, uint64_t bytes, int32_t isWrite);
  /// A barrier for all threads of a block.
  static void wait();

private:
  struct Block {
    std::unique_ptr<char, void (*)(void *)> memory{nullptr, std::free};
    size_t bytes = 0;
    std::vector<uint8_t> written; // of each byte
  };
  /// What a kernel may access.
  struct Range {
    uintptr_t begin = 0, end = 0;
    uint8_t *written = nullptr; // of `begin`
  };
  struct Fiber;

  /// The block that holds all of these bytes, or null.
  Block *find(const void *address, size_t bytes);
  bool findRanges(const HostKernel &kernel, const void *parameters);
  void setThread(uint64_t block, uint64_t thread);
  void poisonSharedArrays();
  void runBlock(uint64_t block);
  void runBlockWithBarriers(uint64_t block);
  [[noreturn]] void fail(const void *address, uint64_t bytes, const char *what);
  [[noreturn]] void leave();

  std::map<uintptr_t, Block> blocks;

  // Of the kernel that runs.
  const HostKernel *kernel = nullptr;
  const void *parameters = nullptr;
  Dimensions grid, block;
  std::vector<Range> ranges;
  std::vector<std::vector<uint8_t>> sharedWritten; // of each shared array
  size_t lastRange = 0;
  std::jmp_buf end;
  Fiber *fiber = nullptr; // that runs, in kernels with barriers
};

} // namespace mlir::nn::emulation

#endif // NN_LIB_EMULATION_MACHINE_H
