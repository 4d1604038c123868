//===- OneDNNIntegersTest.cpp - products of integers, on any CPU ----------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "OneDNNCall.h"

#include "oneapi/dnnl/dnnl.h"
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

using namespace nnrt;
using namespace nnrt::test;

namespace {

/// A tensor of integers, used over its whole range.
struct Integers {
  Integers(std::vector<int64_t> shape, int32_t type, int seed)
      : dims(std::move(shape)), type(type) {
    int64_t size = 1;
    for (int64_t dim : dims)
      size *= dim;
    for (int64_t i = 0; i < size; ++i)
      bytes.push_back(uint8_t((i * 131 + seed * 57 + i / 7) % 256));
  }
  int at(int64_t i) const {
    return type == NNRT_ABI_U8 ? int(bytes[i]) : int(int8_t(bytes[i]));
  }
  nnrt_abi_tensor view() {
    return {bytes.data(), dims.data(), nullptr, int32_t(dims.size()), type};
  }
  std::vector<int64_t> dims;
  int32_t type;
  std::vector<uint8_t> bytes;
};

/// src N x H x W x C, padded by one in H and W if the kernel is 3 x 3.
struct IntegerCase {
  const char *name;
  int32_t srcType, zeroPoint;
  int64_t channels, filters, groups, kernel;
  int32_t dstType;
  bool residual = false;
};

std::ostream &operator<<(std::ostream &out, const IntegerCase &c) {
  return out << c.name;
}

class IntegerConv : public testing::TestWithParam<IntegerCase> {};

} // namespace

TEST_P(IntegerConv, EqualsTheSumsOnEachInstructionSet) {
  const IntegerCase &c = GetParam();
  constexpr int64_t n = 2, size = 6;
  int64_t pad = c.kernel / 2, inner = c.channels / c.groups;
  Integers src({n, size, size, c.channels}, c.srcType, 1);
  // Neighbours of the greatest size, whose products 16 bits cannot add.
  Integers weights({c.filters, inner, c.kernel, c.kernel}, NNRT_ABI_S8, 2);
  for (size_t i = 0; i + 1 < weights.bytes.size(); i += 11)
    weights.bytes[i] = weights.bytes[i + 1] = uint8_t(i % 2 ? 127 : -128);
  std::vector<int32_t> bias;
  Array scale({1, 1, 1, c.filters});
  for (int64_t i = 0; i < c.filters; ++i) {
    bias.push_back(int32_t(i * 977 - 3000));
    scale.values[i] = 0.0007f + 0.0001f * float(i);
  }
  Integers other({n, size, size, c.filters}, NNRT_ABI_U8, 3);
  Integers dst({n, size, size, c.filters}, c.dstType, 4);
  std::vector<int64_t> biasDims = {c.filters};

  nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_CONVOLUTION, 2);
  site.groups = c.groups;
  site.flags = NNRT_ABI_ONEDNN_CHANNELS_LAST | NNRT_ABI_ONEDNN_HAS_BIAS |
               NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS;
  for (int i = 0; i < 2; ++i)
    site.pads_begin[i] = site.pads_end[i] = pad;
  if (c.zeroPoint) {
    site.flags |= NNRT_ABI_ONEDNN_HAS_ZERO_POINT;
    site.src_zero_point = c.zeroPoint;
  }
  std::vector<nnrt_abi_onednn_post_op> postOps = {
      {NNRT_ABI_ONEDNN_BINARY, dnnl_binary_mul, 0, 0, 4, 0},
      {NNRT_ABI_ONEDNN_ELTWISE, dnnl_eltwise_round, 0, 0, 0, 0}};
  if (c.residual)
    postOps.push_back({NNRT_ABI_ONEDNN_BINARY, dnnl_binary_add, 0, 0, 5, 0});
  postOps.push_back({NNRT_ABI_ONEDNN_ELTWISE, dnnl_eltwise_linear, 1, 3, 0, 0});
  site.post_ops = postOps.data();
  site.num_post_ops = int(postOps.size());
  site.num_args = c.residual ? 6 : 5;
  std::vector<nnrt_abi_tensor> args = {
      src.view(), weights.view(),
      {bias.data(), biasDims.data(), nullptr, 1, NNRT_ABI_S32},
      dst.view(), view(scale)};
  if (c.residual)
    args.push_back(other.view());
  Plugin plugin;
  ASSERT_EQ(plugin.execute(site, args), "");

  forEachIndex(dst.dims, [&](const std::vector<int64_t> &at, int64_t i) {
    int64_t sum = bias[at[3]];
    int64_t group = at[3] / (c.filters / c.groups);
    for (int64_t y = 0; y < c.kernel; ++y)
      for (int64_t x = 0; x < c.kernel; ++x) {
        int64_t row = at[1] + y - pad, column = at[2] + x - pad;
        if (row < 0 || row >= size || column < 0 || column >= size)
          continue;
        for (int64_t k = 0; k < inner; ++k)
          sum += (src.at(((at[0] * size + row) * size + column) * c.channels +
                         group * inner + k) -
                  c.zeroPoint) *
                 weights.at(((at[3] * inner + k) * c.kernel + y) * c.kernel + x);
      }
    float value = std::nearbyint(float(sum) * scale.values[at[3]]);
    if (c.residual)
      value += float(other.at(i));
    bool isUnsigned = c.dstType == NNRT_ABI_U8;
    float want = std::clamp(value + 3, isUnsigned ? 0.0f : -128.0f,
                            isUnsigned ? 255.0f : 127.0f);
    ASSERT_EQ(dst.at(i), int(want)) << "element " << i;
  });
}

INSTANTIATE_TEST_SUITE_P(
    , IntegerConv,
    testing::Values(
        IntegerCase{"u8", NNRT_ABI_U8, 0, 16, 32, 1, 3, NNRT_ABI_U8},
        IntegerCase{"u8_zero", NNRT_ABI_U8, 113, 16, 32, 1, 3, NNRT_ABI_U8},
        IntegerCase{"u8_to_s8", NNRT_ABI_U8, 7, 16, 32, 1, 1, NNRT_ABI_S8},
        IntegerCase{"s8", NNRT_ABI_S8, 0, 16, 32, 1, 3, NNRT_ABI_S8},
        IntegerCase{"s8_zero", NNRT_ABI_S8, -9, 16, 32, 1, 3, NNRT_ABI_U8},
        IntegerCase{"odd_channels", NNRT_ABI_U8, 5, 3, 7, 1, 3, NNRT_ABI_U8},
        IntegerCase{"depthwise", NNRT_ABI_U8, 0, 32, 32, 32, 3, NNRT_ABI_U8},
        IntegerCase{"depthwise_zero", NNRT_ABI_U8, 200, 32, 32, 32, 3,
                    NNRT_ABI_U8},
        IntegerCase{"groups", NNRT_ABI_U8, 31, 16, 32, 2, 3, NNRT_ABI_U8},
        IntegerCase{"residual", NNRT_ABI_U8, 0, 16, 32, 1, 1, NNRT_ABI_U8,
                    true}));

TEST(IntegerMatMul, EqualsTheSums) {
  for (int32_t type : {NNRT_ABI_U8, NNRT_ABI_S8})
    for (int64_t rows : {1, 5}) {
      constexpr int64_t inner = 40, columns = 24;
      Integers src({rows, inner}, type, 1), weights({inner, columns}, NNRT_ABI_S8, 2);
      Array dst({rows, columns});
      nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_MATMUL);
      site.flags = NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS;
      site.num_args = 3;
      Plugin plugin;
      ASSERT_EQ(plugin.execute(site, {src.view(), weights.view(), view(dst)}), "");
      forEachIndex(dst.dims, [&](const std::vector<int64_t> &at, int64_t i) {
        int sum = 0;
        for (int64_t k = 0; k < inner; ++k)
          sum += src.at(at[0] * inner + k) * weights.at(k * columns + at[1]);
        ASSERT_EQ(dst.values[i], float(sum)) << "element " << i;
      });
    }
}

/// Short kernels that turn out faster on one thread are made for one as well, but only where
/// that changes no result.
TEST(IntegerMatMul, OneThreadOfSeveralHasItsOwnKernel) {
  for (int32_t type : {NNRT_ABI_U8, NNRT_ABI_F32}) {
    Integers src({2, 8}, NNRT_ABI_U8, 1), weights({8, 4}, NNRT_ABI_S8, 2);
    Array floatSrc({2, 8}, 1), floatWeights({8, 4}, 2), dst({2, 4}), first;
    nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_MATMUL);
    // Small products of floats make no kernel, those of constant weights do.
    site.flags = NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS;
    site.num_args = 3;
    bool isInteger = type == NNRT_ABI_U8;
    Plugin plugin;
    if (plugin.threads(2).count() == 1)
      GTEST_SKIP() << "one core";
    for (int run = 0; run < 200; ++run) {
      std::vector<nnrt_abi_tensor> args = {isInteger ? src.view() : view(floatSrc),
                                           isInteger ? weights.view() : view(floatWeights),
                                           view(dst)};
      ASSERT_EQ(plugin.execute(site, args, 2), "");
      if (run == 0)
        first = dst;
      ASSERT_EQ(dst.values, first.values) << "run " << run;
    }
    EXPECT_EQ(std::count_if(Plugin::log.begin(), Plugin::log.end(),
                            [](const std::string &line) {
                              return line.find(" created in ") != std::string::npos;
                            }),
              isInteger ? 2 : 1);
  }
}

/// Says so where integers are computed in f32.
TEST(IntegerMatMul, IsWideWithoutVNNI) {
  Integers src({4, 32}, NNRT_ABI_U8, 1), weights({32, 16}, NNRT_ABI_S8, 2);
  Array dst({4, 16});
  nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_MATMUL);
  site.flags = NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS;
  site.num_args = 3;
  Plugin plugin;
  ASSERT_EQ(plugin.execute(site, {src.view(), weights.view(), view(dst)}), "");
  bool isWide = std::any_of(
      Plugin::log.begin(), Plugin::log.end(), [](const std::string &line) {
        return line.find("computed in f32") != std::string::npos;
      });
  dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
  EXPECT_EQ(isWide, isa == dnnl_cpu_isa_avx2 || isa == dnnl_cpu_isa_avx512_core);
}
