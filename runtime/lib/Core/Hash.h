//===- Hash.h - Content hash of files ---------------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_HASH_H
#define NNRT_CORE_HASH_H

#include <cstddef>
#include <cstdint>

namespace nnrt {

/// Incremental XXH64 with seed 0: the hash of sections, manifest and code. It detects
/// damage, and does not protect against an attacker.
class Hasher {
public:
  void update(const void *data, size_t size);
  uint64_t finish() const;

private:
  void consumeBlock(const uint8_t *block);

  static constexpr uint64_t prime1 = 0x9E3779B185EBCA87ull;
  static constexpr uint64_t prime2 = 0xC2B2AE3D27D4EB4Full;
  uint64_t lanes[4] = {prime1 + prime2, prime2, 0, 0 - prime1};
  uint64_t total = 0;
  uint8_t pending[32];
  size_t numPending = 0;
};

uint64_t hash(const void *data, size_t size);

} // namespace nnrt

#endif // NNRT_CORE_HASH_H
