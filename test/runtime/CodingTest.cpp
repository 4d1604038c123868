//===- CodingTest.cpp - Weights in few bits -------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/Coding.h"
#include "Core/ModelFile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

using namespace nnrt;

static const uint8_t *bytesOf(const std::string &text) {
  return reinterpret_cast<const uint8_t *>(text.data());
}

template <typename T>
static WeightBlob blobOf(const std::vector<T> &values, uint64_t offset = 0) {
  return {offset, values.data(), values.size() * sizeof(T), sizeof(T)};
}

static uint64_t endOf(const std::vector<WeightBlob> &blobs) {
  return blobs.empty() ? 0 : blobs.back().offset + blobs.back().size;
}

/// The size of the section, after its tensors were found to be what they were.
static size_t roundTrip(const std::vector<WeightBlob> &blobs) {
  uint64_t size = endOf(blobs);
  std::string coded = encodeWeights(blobs, size);
  uint64_t imageSize;
  EXPECT_TRUE(readImageSize(bytesOf(coded), coded.size(), imageSize));
  EXPECT_EQ(imageSize, size);
  std::vector<uint8_t> image(size);
  EXPECT_TRUE(decodeWeights(bytesOf(coded), coded.size(), image.data()));
  for (const WeightBlob &blob : blobs)
    if (blob.size) // memcmp takes no null pointer.
      EXPECT_EQ(std::memcmp(image.data() + blob.offset, blob.data, blob.size), 0);
  return coded.size();
}

/// Numbers of which `zeros` are 0 and the others one of `values`, all alike often.
static std::vector<float> makeClusters(size_t count, double zeros, int values) {
  std::mt19937 random(7);
  std::vector<float> list(count);
  for (float &element : list)
    if (random() % 1000 >= zeros * 1000)
      element = 0.1f * (1 + random() % values);
  return list;
}

TEST(Coding, AsSmallAsTheEntropy) {
  for (auto [zeros, values] : {std::pair(0.0, 16), {0.5, 32}, {0.92, 32}, {0.99, 1}, {0.3, 200}})
    for (size_t count : {1000, 100000, 1000000}) {
      std::vector<float> list = makeClusters(count, zeros, values);
      double bits = (1 - zeros) * std::log2(values);
      for (double part : {zeros, 1 - zeros})
        if (part > 0)
          bits -= part * std::log2(part);
      // A table of values and frequencies, states of each 2^17 elements, and what rounding
      // frequencies costs.
      double most = count * bits / 8 * 1.02 + 300 + values * 6 + (count >> 17) * 132;
      EXPECT_LT(roundTrip({blobOf(list)}), most) << zeros << " " << values << " " << count;
    }
}

TEST(Coding, ManyValuesAndZeros) {
  std::mt19937 random(1);
  std::vector<float> list(200000);
  for (float &element : list)
    if (random() % 10 == 0)
      element = std::ldexp(float(random()), -31);
  // The values, and the bits of which are not zero.
  EXPECT_LT(roundTrip({blobOf(list)}), list.size() / 10 * 4 * 1.03 + list.size() * 0.48 / 8);
}

/// A mask of zeros leaves -0 where a weight was negative.
TEST(Coding, NegativeZeros) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> list(200000);
  for (float &element : list)
    element = normal(random) * float(random() % 10 == 0);
  // Also the signs of the zeros, a bit each.
  EXPECT_LT(roundTrip({blobOf(list)}), list.size() / 10 * 4 * 1.03 + list.size() * 1.4 / 8);
}

TEST(Coding, ListsOfPlaces) {
  std::mt19937 random(5);
  std::vector<uint32_t> places;
  for (int list = 0; list < 100; ++list)
    for (uint32_t k = 0; k < 1000; ++k)
      if (random() % 5 == 0)
        places.push_back(k);
  // A geometric distribution of 1/5 has 3.6 bits.
  EXPECT_LT(roundTrip({blobOf(places)}), places.size() * 3.8 / 8 + 1500);
}

TEST(Coding, WhatHasNoStructureIsStored) {
  std::mt19937 random(1);
  std::vector<uint64_t> list(1000);
  for (uint64_t &element : list)
    element = uint64_t(random()) << 32 | random();
  EXPECT_EQ(roundTrip({blobOf(list)}), list.size() * 8 + 16 + 40);
}

TEST(Coding, AllSizes) {
  std::vector<uint8_t> bytes = {1, 2, 3, 3, 3, 3, 3, 3, 3};
  std::vector<uint16_t> halves(5000, 7);
  std::vector<float> one = {1.5f};
  std::vector<double> doubles(70000, -0.0);
  doubles[3] = 2;
  std::vector<float> none;
  std::vector<WeightBlob> blobs = {blobOf(bytes), blobOf(halves, 64), blobOf(none, 12800),
                                   blobOf(one, 12800), blobOf(doubles, 12864)};
  // The doubles: 8 bytes of two values, and about nothing for each of them.
  EXPECT_LT(roundTrip(blobs), 1200u);
  EXPECT_EQ(roundTrip({}), 16u);
}

TEST(Coding, ManyTensorsByThreads) {
  std::vector<std::vector<float>> lists;
  std::vector<WeightBlob> blobs;
  for (int i = 0; i < 40; ++i)
    lists.push_back(makeClusters(50000 + 977 * i, 0.8, 1 + i));
  for (const std::vector<float> &list : lists)
    blobs.push_back(blobOf(list, nextBlobOffset(endOf(blobs))));
  EXPECT_LT(roundTrip(blobs), endOf(blobs) / 10);
}

/// Any bytes end in false or in some image, and not in an access outside.
TEST(Coding, DamagedBytes) {
  std::vector<float> list = makeClusters(3000, 0.5, 9), other(1000);
  std::mt19937 random(3);
  for (float &element : other)
    if (random() % 2)
      element = random();
  std::vector<float> masked(1000, -0.0f);
  for (float &element : masked)
    if (random() % 2)
      element = random() % 2 ? random() : 0;
  std::vector<WeightBlob> blobs = {blobOf(list), blobOf(other, 12032), blobOf(masked, 16064)};
  std::string sound = encodeWeights(blobs, endOf(blobs));
  std::vector<uint8_t> image(endOf(blobs));
  for (size_t size = 0; size < sound.size(); size += 1 + size / 50) {
    // At the end of a block, so that sanitizers see what lies behind.
    std::vector<uint8_t> part(sound.begin(), sound.begin() + size);
    EXPECT_FALSE(decodeWeights(part.data(), part.size(), image.data())) << size;
  }
  for (int i = 0; i < 2000; ++i) {
    std::vector<uint8_t> damaged(sound.begin(), sound.end());
    for (int k = 0; k < 3; ++k) // Not the size of the image, which is what callers allocate.
      damaged[8 + random() % (i % 2 ? 120 : damaged.size() - 8)] = uint8_t(random());
    decodeWeights(damaged.data(), damaged.size(), image.data());
  }
}
