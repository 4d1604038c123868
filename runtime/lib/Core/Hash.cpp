//===- Hash.cpp - XXH64 ---------------------------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Written after the specification in xxHash's doc/xxhash_spec.md.
//
//===----------------------------------------------------------------------===//

#include "Core/Hash.h"

#include <algorithm>
#include <cstring>

namespace nnrt {

static constexpr uint64_t prime3 = 0x165667B19E3779F9ull;
static constexpr uint64_t prime4 = 0x85EBCA77C2B2AE63ull;
static constexpr uint64_t prime5 = 0x27D4EB2F165667C5ull;

static uint64_t rotate(uint64_t value, int bits) {
  return (value << bits) | (value >> (64 - bits));
}

template <typename T> static T load(const uint8_t *data) {
  T value;
  std::memcpy(&value, data, sizeof(T));
  return value;
}

static uint64_t mix(uint64_t lane, uint64_t value) {
  constexpr uint64_t prime1 = 0x9E3779B185EBCA87ull;
  constexpr uint64_t prime2 = 0xC2B2AE3D27D4EB4Full;
  return rotate(lane + value * prime2, 31) * prime1;
}

void Hasher::consumeBlock(const uint8_t *block) {
  for (int i = 0; i < 4; ++i)
    lanes[i] = mix(lanes[i], load<uint64_t>(block + 8 * i));
}

void Hasher::update(const void *data, size_t size) {
  if (size == 0)
    return;
  const uint8_t *bytes = static_cast<const uint8_t *>(data);
  total += size;
  if (numPending) {
    size_t taken = std::min(size, sizeof(pending) - numPending);
    std::memcpy(pending + numPending, bytes, taken);
    numPending += taken;
    bytes += taken;
    size -= taken;
    if (numPending < sizeof(pending))
      return;
    consumeBlock(pending);
    numPending = 0;
  }
  for (; size >= sizeof(pending); bytes += 32, size -= 32)
    consumeBlock(bytes);
  if (size)
    std::memcpy(pending, bytes, size);
  numPending = size;
}

uint64_t Hasher::finish() const {
  uint64_t result;
  if (total >= 32) {
    result = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) +
             rotate(lanes[3], 18);
    for (uint64_t lane : lanes)
      result = (result ^ mix(0, lane)) * prime1 + prime4;
  } else {
    result = prime5;
  }
  result += total;

  const uint8_t *rest = pending;
  size_t left = numPending;
  for (; left >= 8; rest += 8, left -= 8)
    result =
        rotate(result ^ mix(0, load<uint64_t>(rest)), 27) * prime1 + prime4;
  for (; left >= 4; rest += 4, left -= 4)
    result =
        rotate(result ^ (load<uint32_t>(rest) * prime1), 23) * prime2 + prime3;
  for (; left; ++rest, --left)
    result = rotate(result ^ (*rest * prime5), 11) * prime1;

  result = (result ^ (result >> 33)) * prime2;
  result = (result ^ (result >> 29)) * prime3;
  return result ^ (result >> 32);
}

uint64_t hash(const void *data, size_t size) {
  Hasher hasher;
  hasher.update(data, size);
  return hasher.finish();
}

} // namespace nnrt
