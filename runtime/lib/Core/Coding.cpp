//===- Coding.cpp - Weights in few bits -----------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/Coding.h"
#include "Core/ModelFile.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <map>
#include <system_error>
#include <thread>

namespace nnrt {
namespace {

constexpr int scaleBits = 12;
constexpr uint32_t scale = 1 << scaleBits;
constexpr uint32_t lowest = 1 << 16; // of a state between symbols
constexpr uint64_t chunkElements = 1 << 17;
constexpr size_t headerSize = 16, entrySize = 40;
/// States of large tensors, and of those that a few hundred bytes would make larger.
constexpr uint32_t manyLanes = 32, fewLanes = 4;
constexpr uint64_t manyElements = 1 << 15;

template <typename T> void append(std::string &bytes, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    bytes += static_cast<char>(value >> (8 * i));
}

template <typename T> T read(const uint8_t *bytes) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<T>(bytes[i]) << (8 * i);
  return value;
}

bool isCodable(uint32_t elementBytes) {
  return elementBytes == 1 || elementBytes == 2 || elementBytes == 4 || elementBytes == 8;
}

/// Bytes of which parts are taken in order.
struct Input {
  const uint8_t *next;
  const uint8_t *end;

  /// Null if there are not as many.
  const uint8_t *take(uint64_t size) {
    if (size > static_cast<uint64_t>(end - next))
      return nullptr;
    const uint8_t *bytes = next;
    next += size;
    return bytes;
  }
  template <typename T> bool get(T &value) {
    const uint8_t *bytes = take(sizeof(T));
    if (bytes)
      value = read<T>(bytes);
    return bytes != nullptr;
  }
};

//===----------------------------------------------------------------------===//
// Encoding
//===----------------------------------------------------------------------===//

/// Frequencies that sum up to `scale`, none of which is 0, near the counts.
std::vector<uint32_t> scaleCounts(const std::vector<uint64_t> &counts) {
  uint64_t total = 0;
  for (uint64_t count : counts)
    total += count;
  std::vector<uint32_t> frequencies;
  int64_t rest = scale;
  for (uint64_t count : counts) {
    auto share = static_cast<uint32_t>(std::max<double>(
        1, std::floor(double(count) / double(total) * scale)));
    frequencies.push_back(share);
    rest -= share;
  }
  // What is left goes to, and what is too much comes from, the most frequent.
  while (rest != 0) {
    size_t largest =
        std::max_element(frequencies.begin(), frequencies.end()) - frequencies.begin();
    int64_t change = rest > 0 ? rest : std::max<int64_t>(rest, 1 - int64_t(frequencies[largest]));
    if (rest < 0) // Not all from one, so that proportions stay.
      change = std::max<int64_t>(change, -std::max<int64_t>(1, frequencies[largest] / 64));
    frequencies[largest] += change;
    rest -= change;
  }
  return frequencies;
}

/// The symbols [begin, end), which belong to the states in turn.
std::string encodeChunk(const uint8_t *symbols, uint64_t count,
                        const std::vector<uint32_t> &frequencies,
                        const std::vector<uint32_t> &starts, uint32_t lanes) {
  std::vector<uint32_t> states(lanes, lowest);
  std::vector<uint16_t> words;
  for (uint64_t i = count; i-- > 0;) {
    uint32_t &state = states[i % lanes], frequency = frequencies[symbols[i]];
    if (state >= (static_cast<uint64_t>(frequency) << (32 - scaleBits))) {
      words.push_back(static_cast<uint16_t>(state));
      state >>= 16;
    }
    state = (state / frequency << scaleBits) + state % frequency + starts[symbols[i]];
  }
  std::string bytes;
  for (uint32_t state : states)
    append(bytes, state);
  for (size_t i = words.size(); i-- > 0;)
    append(bytes, words[i]);
  return bytes;
}

/// "" if there are more values than a codebook has.
std::string encodeCodebook(const uint8_t *data, uint64_t elements, uint32_t elementBytes) {
  // In the order of their bits, so that equal tensors give equal bytes.
  std::map<uint64_t, uint64_t> counts;
  auto get = [&](uint64_t i) {
    uint64_t bits = 0;
    std::memcpy(&bits, data + i * elementBytes, elementBytes);
    return bits;
  };
  uint64_t last = 0, *counter = nullptr;
  for (uint64_t i = 0; i < elements; ++i) {
    uint64_t bits = get(i);
    if (!counter || bits != last) {
      counter = &counts[last = bits];
      if (counts.size() > 256)
        return "";
    }
    ++*counter;
  }
  std::vector<uint64_t> values, list;
  for (auto [value, count] : counts) {
    values.push_back(value);
    list.push_back(count);
  }
  std::vector<uint32_t> frequencies = scaleCounts(list), starts;
  uint32_t start = 0;
  for (uint32_t frequency : frequencies) {
    starts.push_back(start);
    start += frequency;
  }
  uint32_t lanes = elements < manyElements ? fewLanes : manyLanes;
  std::string bytes;
  append(bytes, static_cast<uint32_t>(values.size()));
  append(bytes, lanes);
  for (uint64_t value : values)
    for (uint32_t i = 0; i < elementBytes; ++i)
      bytes += static_cast<char>(value >> (8 * i));
  for (uint32_t frequency : frequencies)
    append(bytes, static_cast<uint16_t>(frequency));
  std::vector<uint8_t> symbols(std::min(elements, chunkElements));
  for (uint64_t begin = 0; begin < elements; begin += chunkElements) {
    uint64_t count = std::min(chunkElements, elements - begin);
    for (uint64_t i = 0; i < count; ++i)
      symbols[i] = static_cast<uint8_t>(
          std::lower_bound(values.begin(), values.end(), get(begin + i)) - values.begin());
    std::string chunk = encodeChunk(symbols.data(), count, frequencies, starts, lanes);
    append(bytes, static_cast<uint32_t>(chunk.size()));
    bytes += chunk;
  }
  return bytes;
}

std::string encodeDifferences(const uint8_t *data, uint64_t elements) {
  std::vector<uint8_t> differences(elements * 4);
  uint32_t last = 0;
  for (uint64_t i = 0; i < elements; ++i) {
    uint32_t value = read<uint32_t>(data + i * 4), difference = value - last;
    std::memcpy(&differences[i * 4], &difference, 4);
    last = value;
  }
  return encodeCodebook(differences.data(), elements, 4);
}

constexpr uint8_t signBit = 0x80;

/// `isSigned`: the highest bit does not matter.
bool isZero(const uint8_t *element, uint32_t bytes, bool isSigned) {
  return std::all_of(element, element + bytes - 1, [](uint8_t byte) { return byte == 0; }) &&
         (element[bytes - 1] & (isSigned ? ~signBit : 0xff)) == 0;
}

void appendCodebook(std::string &bytes, const std::vector<uint8_t> &bits) {
  std::string coded;
  if (!bits.empty())
    coded = encodeCodebook(bits.data(), bits.size(), 1);
  append(bytes, static_cast<uint64_t>(coded.size()));
  bytes += coded;
}

std::string encodeZeros(const uint8_t *data, uint64_t elements, uint32_t elementBytes,
                        bool isSigned) {
  std::vector<uint8_t> mask((elements + 7) / 8), signs;
  std::string values;
  uint64_t zeros = 0;
  for (uint64_t i = 0; i < elements; ++i) {
    const uint8_t *element = data + i * elementBytes;
    if (isZero(element, elementBytes, isSigned)) {
      if (zeros % 8 == 0)
        signs.push_back(0);
      signs.back() |= uint8_t((element[elementBytes - 1] & signBit) != 0) << zeros % 8;
      ++zeros;
      continue;
    }
    mask[i / 8] |= 1 << i % 8;
    values.append(reinterpret_cast<const char *>(element), elementBytes);
  }
  std::string bytes;
  appendCodebook(bytes, mask);
  if (isSigned)
    appendCodebook(bytes, signs);
  return bytes + values;
}

} // namespace

std::string encodeWeights(const std::vector<WeightBlob> &blobs, uint64_t imageSize) {
  std::string header, content;
  append(header, imageSize);
  append(header, static_cast<uint64_t>(blobs.size()));
  uint64_t begin = headerSize + blobs.size() * entrySize;
  for (const WeightBlob &blob : blobs) {
    auto *data = static_cast<const uint8_t *>(blob.data);
    uint32_t elementBytes = isCodable(blob.elementBytes) ? blob.elementBytes : 1;
    uint64_t elements = blob.size / elementBytes;
    std::string best(reinterpret_cast<const char *>(data), blob.size);
    Coding coding = Coding::Stored;
    auto consider = [&](Coding other, std::string bytes) {
      if (bytes.empty() || bytes.size() >= best.size())
        return;
      best = std::move(bytes);
      coding = other;
    };
    if (elements > 0) {
      consider(Coding::Codebook, encodeCodebook(data, elements, elementBytes));
      consider(Coding::Zeros, encodeZeros(data, elements, elementBytes, /*isSigned=*/false));
      consider(Coding::SignedZeros,
               encodeZeros(data, elements, elementBytes, /*isSigned=*/true));
      if (elementBytes == 4)
        consider(Coding::Differences, encodeDifferences(data, elements));
    }
    append(header, blob.offset);
    append(header, static_cast<uint64_t>(blob.size));
    append(header, static_cast<uint64_t>(begin + content.size()));
    append(header, static_cast<uint64_t>(best.size()));
    append(header, static_cast<uint32_t>(coding));
    append(header, elementBytes);
    content += best;
  }
  return header + content;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

namespace {

/// What a state says, by its low bits.
struct Slot {
  uint16_t frequency;
  uint16_t bias; // the number of the slot among those of the symbol
};

struct Codebook {
  uint32_t lanes = 0;
  uint8_t values[256][8];
  Slot slots[scale];
  uint8_t symbols[scale];

  bool read(Input &input, uint32_t elementBytes);
};

bool Codebook::read(Input &input, uint32_t elementBytes) {
  uint32_t count;
  if (!input.get(count) || !input.get(lanes) || count == 0 || count > 256 ||
      (lanes != fewLanes && lanes != manyLanes))
    return false;
  const uint8_t *list = input.take(uint64_t(count) * elementBytes);
  if (!list)
    return false;
  for (uint32_t i = 0; i < count; ++i)
    std::memcpy(values[i], list + i * elementBytes, elementBytes);
  uint32_t start = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint16_t frequency;
    if (!input.get(frequency) || frequency == 0 || frequency > scale - start)
      return false;
    for (uint32_t bias = 0; bias < frequency; ++bias) {
      slots[start + bias] = {frequency, static_cast<uint16_t>(bias)};
      symbols[start + bias] = static_cast<uint8_t>(i);
    }
    start += frequency;
  }
  return start == scale;
}

/// Decodes a chunk; `Bytes` of an element.
template <uint32_t Lanes, uint32_t Bytes>
bool decodeChunk(const Codebook &book, Input input, uint64_t count, uint8_t *out) {
  uint32_t states[Lanes];
  for (uint32_t &state : states)
    if (!input.get(state))
      return false;
  auto decode = [&](uint32_t &state, uint8_t *element) {
    uint32_t place = state & (scale - 1);
    Slot slot = book.slots[place];
    std::memcpy(element, book.values[book.symbols[place]], Bytes);
    state = slot.frequency * (state >> scaleBits) + slot.bias;
  };
  auto refill = [&](uint32_t &state) {
    if (state < lowest) {
      state = state << 16 | static_cast<uint32_t>(input.next[0] | input.next[1] << 8);
      input.next += 2;
    }
  };
  uint64_t i = 0;
  // As long as each state finds a word.
  for (; i + Lanes <= count && input.end - input.next >= ptrdiff_t(2 * Lanes); i += Lanes)
    for (uint32_t lane = 0; lane < Lanes; ++lane) {
      decode(states[lane], out + (i + lane) * Bytes);
      refill(states[lane]);
    }
  for (; i < count; ++i) {
    uint32_t &state = states[i % Lanes];
    decode(state, out + i * Bytes);
    if (state < lowest && input.end - input.next < 2)
      return false;
    refill(state);
  }
  return input.next == input.end;
}

template <uint32_t Bytes>
bool decodeChunk(const Codebook &book, Input input, uint64_t count, uint8_t *out) {
  return book.lanes == manyLanes ? decodeChunk<manyLanes, Bytes>(book, input, count, out)
                                 : decodeChunk<fewLanes, Bytes>(book, input, count, out);
}

bool decodeCodebook(Input input, uint64_t elements, uint32_t elementBytes, uint8_t *out) {
  Codebook book;
  if (!book.read(input, elementBytes))
    return false;
  for (uint64_t begin = 0; begin < elements; begin += chunkElements) {
    uint32_t size;
    if (!input.get(size))
      return false;
    const uint8_t *bytes = input.take(size);
    if (!bytes)
      return false;
    Input chunk = {bytes, bytes + size};
    uint64_t count = std::min(chunkElements, elements - begin);
    uint8_t *to = out + begin * elementBytes;
    bool isRight = false;
    switch (elementBytes) {
    case 1:
      isRight = decodeChunk<1>(book, chunk, count, to);
      break;
    case 2:
      isRight = decodeChunk<2>(book, chunk, count, to);
      break;
    case 4:
      isRight = decodeChunk<4>(book, chunk, count, to);
      break;
    case 8:
      isRight = decodeChunk<8>(book, chunk, count, to);
      break;
    }
    if (!isRight)
      return false;
  }
  return input.next == input.end;
}

/// Bits that a Codebook of bytes has, behind its size; nothing if there are none.
bool takeBits(Input &input, std::vector<uint8_t> &bits) {
  uint64_t size;
  if (!input.get(size))
    return false;
  if (bits.empty())
    return size == 0;
  const uint8_t *coded = input.take(size);
  return coded && decodeCodebook({coded, coded + size}, bits.size(), 1, bits.data());
}

bool decodeZeros(Input input, uint64_t elements, uint32_t elementBytes, bool isSigned,
                 uint8_t *out) {
  std::vector<uint8_t> mask((elements + 7) / 8);
  if (!takeBits(input, mask))
    return false;
  auto isOther = [&](uint64_t i) { return mask[i / 8] >> i % 8 & 1; };
  std::vector<uint8_t> signs;
  if (isSigned) {
    uint64_t zeros = 0;
    for (uint64_t i = 0; i < elements; ++i)
      zeros += !isOther(i);
    signs.resize((zeros + 7) / 8);
    if (!takeBits(input, signs))
      return false;
  }
  uint64_t zeros = 0;
  for (uint64_t i = 0; i < elements; ++i) {
    if (!isOther(i)) {
      if (isSigned && (signs[zeros / 8] >> zeros % 8 & 1))
        out[(i + 1) * elementBytes - 1] = signBit;
      ++zeros;
      continue;
    }
    const uint8_t *element = input.take(elementBytes);
    if (!element)
      return false;
    std::memcpy(out + i * elementBytes, element, elementBytes);
  }
  return input.next == input.end;
}

bool decodeDifferences(Input input, uint64_t elements, uint8_t *out) {
  if (!decodeCodebook(input, elements, 4, out))
    return false;
  uint32_t last = 0;
  for (uint64_t i = 0; i < elements; ++i) {
    last += read<uint32_t>(out + i * 4);
    std::memcpy(out + i * 4, &last, 4);
  }
  return true;
}

/// A tensor of the section.
struct Entry {
  uint64_t offset, size, codedOffset, codedSize;
  uint32_t coding, elementBytes;
};

bool decodeEntry(const Entry &entry, const uint8_t *bytes, uint8_t *image) {
  Input input = {bytes + entry.codedOffset, bytes + entry.codedOffset + entry.codedSize};
  uint8_t *out = image + entry.offset;
  uint64_t elements = entry.size / entry.elementBytes;
  switch (static_cast<Coding>(entry.coding)) {
  case Coding::Stored:
    if (entry.codedSize != entry.size)
      return false;
    if (entry.size)
      std::memcpy(out, input.next, entry.size);
    return true;
  case Coding::Codebook:
    return decodeCodebook(input, elements, entry.elementBytes, out);
  case Coding::Zeros:
    return decodeZeros(input, elements, entry.elementBytes, /*isSigned=*/false, out);
  case Coding::SignedZeros:
    return decodeZeros(input, elements, entry.elementBytes, /*isSigned=*/true, out);
  case Coding::Differences:
    return entry.elementBytes == 4 && decodeDifferences(input, elements, out);
  }
  return false;
}

bool readEntries(const uint8_t *bytes, size_t size, uint64_t imageSize,
                 std::vector<Entry> &entries) {
  uint64_t count = read<uint64_t>(bytes + 8);
  if (count > (size - headerSize) / entrySize)
    return false;
  uint64_t end = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint8_t *at = bytes + headerSize + i * entrySize;
    Entry entry = {read<uint64_t>(at),      read<uint64_t>(at + 8),
                   read<uint64_t>(at + 16), read<uint64_t>(at + 24),
                   read<uint32_t>(at + 32), read<uint32_t>(at + 36)};
    bool isInside = entry.offset >= end && entry.offset <= imageSize &&
                    entry.size <= imageSize - entry.offset && entry.codedOffset <= size &&
                    entry.codedSize <= size - entry.codedOffset;
    if (!isInside || !isCodable(entry.elementBytes) || entry.size % entry.elementBytes != 0)
      return false;
    end = entry.offset + entry.size;
    entries.push_back(entry);
  }
  return true;
}

} // namespace

bool readImageSize(const uint8_t *bytes, size_t size, uint64_t &image) {
  if (size < headerSize)
    return false;
  image = read<uint64_t>(bytes);
  return true;
}

bool decodeWeights(const uint8_t *bytes, size_t size, uint8_t *image) {
  constexpr uint64_t worthThreads = 4 << 20;
  uint64_t imageSize;
  std::vector<Entry> entries;
  if (!readImageSize(bytes, size, imageSize) || !readEntries(bytes, size, imageSize, entries))
    return false;
  std::atomic<size_t> next{0};
  std::atomic<bool> isRight{true};
  auto work = [&] {
    for (size_t i; (i = next++) < entries.size();)
      if (!decodeEntry(entries[i], bytes, image))
        isRight = false;
  };
  std::vector<std::thread> threads;
  if (imageSize >= worthThreads) {
    unsigned most = std::min(8u, std::max(1u, std::thread::hardware_concurrency()));
    try {
      while (threads.size() + 1 < most)
        threads.emplace_back(work);
    } catch (const std::system_error &) {
      // The rest is done by those that there are.
    }
  }
  work();
  for (std::thread &thread : threads)
    thread.join();
  return isRight;
}

} // namespace nnrt
