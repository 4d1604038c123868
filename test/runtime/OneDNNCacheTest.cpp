//===- OneDNNCacheTest.cpp - what call sites keep, and for how long -------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/OneDNN/Convert.h"
#include "OneDNNConvCase.h"

#include "oneapi/dnnl/dnnl.h"
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

using namespace nnrt;
using namespace nnrt::test;

TEST(OneDNNWeights, HalfPrecisionConstantsAreWidenedOnce) {
  ConvCase c{"", {1, 8, 6, 6}, {16, 8, 3, 3}, {1, 16, 4, 4}};
  Array src(c.src, 1), weights(c.weights, 2), bias({16}, 3), output(c.dst);
  Array want = convolve(c, src, weights, &bias);
  for (int32_t type : {NNRT_ABI_F16, NNRT_ABI_BF16}) {
    std::vector<uint16_t> halfWeights, halfBias;
    auto narrow = [&](float v) {
      uint32_t bits;
      memcpy(&bits, &v, 4);
      return type == NNRT_ABI_F16 ? onednn::floatToHalf(v)
                                  : uint16_t(bits >> 16);
    };
    for (float v : weights.values)
      halfWeights.push_back(narrow(v));
    for (float v : bias.values)
      halfBias.push_back(narrow(v));
    nnrt_abi_tensor w = view(weights), b = view(bias);
    w.data = halfWeights.data();
    b.data = halfBias.data();
    w.type = b.type = type;
    nnrt_abi_onednn_site site = siteOf(c);
    site.num_args = 4;
    for (int flags : {0, int(NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS)}) {
      site.flags = flags | NNRT_ABI_ONEDNN_HAS_BIAS;
      output.values.assign(output.size(), NAN);
      Plugin plugin;
      ASSERT_EQ(plugin.execute(site, {view(src), w, b, view(output)}), "");
      expectClose(output, want);
    }
  }
}

namespace {

/// Convolutions of one site on images of several widths.
struct WidthTest {
  WidthTest() {
    site = siteOf(at(8));
    site.flags =
        NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS | NNRT_ABI_ONEDNN_CHANNELS_LAST;
    site.num_args = 3;
  }
  static ConvCase at(int64_t width) {
    return {"", {1, 16, 4, width}, {32, 16, 3, 3}, {1, 32, 2, width - 2}};
  }
  void run(Plugin &plugin, int64_t width, int threads = 1) {
    ConvCase c = at(width);
    Array src(c.src, int(width));
    // The reference takes longer than all else.
    bool compare = width % 8 == 0;
    Array want = toChannelsLast(compare ? convolve(c, src, weights, nullptr)
                                        : Array(c.dst));
    Array input = toChannelsLast(src), output = want;
    output.values.assign(output.size(), NAN);
    ASSERT_EQ(plugin.execute(site, {view(input), view(weights), view(output)},
                             threads),
              "");
    if (compare)
      expectClose(output, want);
  }
  static int count(const char *what) {
    int n = 0;
    for (const std::string &line : Plugin::log)
      n += line.find(what) != std::string::npos;
    return n;
  }
  nnrt_abi_onednn_site site;
  Array weights{{32, 16, 3, 3}, 2};
};

} // namespace

TEST(OneDNNCache, OnePrimitiveForEachShapeAndOnePackedCopy) {
  Plugin plugin;
  WidthTest test;
  for (int round = 0; round < 3; ++round)
    for (int64_t width : {8, 30, 100})
      test.run(plugin, width);
  EXPECT_EQ(WidthTest::count(" created in "), 3);
  EXPECT_EQ(WidthTest::count("weights packed"), 1);
  // Another session shares the weights, and splits the work otherwise.
  test.run(plugin, 8, 2);
  EXPECT_EQ(WidthTest::count(" created in "), 4);
  EXPECT_EQ(WidthTest::count("weights packed"), 1);
}

// Also run by ctest with NNRT_ONEDNN_CACHE=3.
TEST(OneDNNCache, DropsTheShapeNotUsedForLongest) {
  const char *text = std::getenv("NNRT_ONEDNN_CACHE");
  const int capacity = text ? std::atoi(text) : 32;
  Plugin plugin;
  WidthTest test;
  for (int64_t width = 8; width < 8 + capacity; ++width)
    test.run(plugin, width);
  EXPECT_EQ(WidthTest::count(" created in "), capacity);
  EXPECT_EQ(WidthTest::count("a shape was dropped"), 0);
  // The first is used again, so one more drops the second.
  test.run(plugin, 8);
  test.run(plugin, 8 + capacity);
  EXPECT_EQ(WidthTest::count(" created in "), capacity + 1);
  EXPECT_EQ(WidthTest::count("a shape was dropped"), 1);
  test.run(plugin, 8);
  EXPECT_EQ(WidthTest::count(" created in "), capacity + 1);
  test.run(plugin, 9);
  EXPECT_EQ(WidthTest::count(" created in "), capacity + 2);
  EXPECT_EQ(WidthTest::count("a shape was dropped"), 2);
}

// Until 3.4, oneDNN never frees the code of its BRGEMM convolutions.
TEST(OneDNNCache, DropsKernelsThatLeaveNothingBehind) {
  const char *text = std::getenv("NNRT_ONEDNN_CACHE");
  const int capacity = text ? std::atoi(text) : 32;
  Plugin plugin;
  WidthTest test;
  for (int64_t width = 8; width < 8 + 2 * capacity; ++width)
    test.run(plugin, width);
  EXPECT_EQ(WidthTest::count(" created in "), 2 * capacity);
  const dnnl_version_t *version = dnnl_version();
  if (version->major == 3 && version->minor < 4) {
    EXPECT_LE(WidthTest::count("(brg"), capacity);
  }
  // The other implementations may want one more format.
  EXPECT_LE(WidthTest::count("weights packed"), 2);
  EXPECT_EQ(WidthTest::count("(ref"), 0);
}

TEST(OneDNNCache, SessionsShareWhatOneMade) {
  Plugin plugin;
  WidthTest test;
  test.run(plugin, 8);
  LibrarySession *other = plugin.table->createSession(plugin.module, &plugin.threads(1));
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(plugin.table->sessionMemory(other), 0u);
  plugin.exchangeSession(1, other);
  test.run(plugin, 8);
  EXPECT_EQ(WidthTest::count(" created in "), 1);
  EXPECT_EQ(WidthTest::count("made for another session"), 1);
  size_t packed = plugin.table->moduleMemory(plugin.module);
  EXPECT_GE(packed, 32u * 16 * 9 * sizeof(float));
  EXPECT_LT(packed, 2u * 32 * 16 * 9 * sizeof(float));
}

TEST(OneDNNCache, ManySites) {
  Plugin plugin;
  std::vector<nnrt_abi_onednn_site> sites;
  for (int i = 0; i < 500; ++i) {
    sites.push_back(makeSite(NNRT_ABI_ONEDNN_SOFTMAX));
    sites.back().axis = 1;
    sites.back().num_args = 2;
  }
  Array src({2, 3}, 1), output({2, 3});
  for (int round = 0; round < 2; ++round)
    for (const nnrt_abi_onednn_site &site : sites) {
      output.values.assign(6, NAN);
      ASSERT_EQ(plugin.execute(site, {view(src), view(output)}), "");
      ASSERT_NEAR(output.values[0] + output.values[1] + output.values[2], 1,
                  1e-5);
    }
}
