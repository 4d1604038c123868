//===- OneDNNConvTest.cpp - oneDNN convolutions and their post-ops --------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "OneDNNConvCase.h"

#include "oneapi/dnnl/dnnl.h"
#include <gtest/gtest.h>

#include <cmath>

using namespace nnrt;
using namespace nnrt::test;

namespace {

class ConvTest : public testing::TestWithParam<ConvCase> {};

} // namespace

TEST_P(ConvTest, InBothLayoutsWithAndWithoutBias) {
  const ConvCase &c = GetParam();
  Plugin plugin;
  Array src(c.src, 1), weights(c.weights, 2), bias({c.dst[1]}, 3);
  for (bool hasBias : {false, true}) {
    Array want = convolve(c, src, weights, hasBias ? &bias : nullptr);
    for (bool channelsLast : {false, true})
      for (bool constant : {false, true})
        for (int threads : {1, 2}) {
          nnrt_abi_onednn_site site = siteOf(c);
          site.flags |= (hasBias ? NNRT_ABI_ONEDNN_HAS_BIAS : 0) |
                        (channelsLast ? NNRT_ABI_ONEDNN_CHANNELS_LAST : 0) |
                        (constant ? NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS : 0);
          Array input = channelsLast ? toChannelsLast(src) : src;
          Array output = channelsLast ? toChannelsLast(want) : want;
          output.values.assign(output.size(), NAN);
          std::vector<nnrt_abi_tensor> args = {view(input), view(weights)};
          if (hasBias)
            args.push_back(view(bias));
          args.push_back(view(output));
          site.num_args = int(args.size());
          // A module of its own, since the site is a variable on the stack.
          Plugin own;
          for (int round = 0; round < 2; ++round)
            ASSERT_EQ(own.execute(site, args, threads), "");
          expectClose(channelsLast ? toChannelsFirst(output) : output, want);
        }
  }
}

INSTANTIATE_TEST_SUITE_P(
    OneDNN, ConvTest,
    testing::Values(
        ConvCase{"Plain", {2, 16, 9, 8}, {32, 16, 3, 3}, {2, 32, 7, 6}},
        ConvCase{"FirstLayer",
                 {1, 3, 12, 12},
                 {8, 3, 3, 3},
                 {1, 8, 6, 6},
                 1,
                 {2, 2},
                 {1, 1},
                 {1, 1},
                 {1, 1}},
        ConvCase{"Pointwise", {1, 24, 5, 5}, {40, 24, 1, 1}, {1, 40, 5, 5}},
        ConvCase{"Depthwise",
                 {1, 24, 10, 9},
                 {24, 1, 3, 3},
                 {1, 24, 10, 9},
                 24,
                 {1, 1},
                 {1, 1},
                 {1, 1},
                 {1, 1}},
        ConvCase{"OddGroups", {2, 6, 7, 7}, {9, 2, 3, 3}, {2, 9, 5, 5}, 3},
        ConvCase{"Dilated",
                 {1, 8, 11, 10},
                 {8, 8, 3, 2},
                 {1, 8, 10, 11},
                 1,
                 {1, 1},
                 {2, 1},
                 {1, 2},
                 {2, 0}},
        ConvCase{"OneDimension",
                 {2, 8, 20},
                 {16, 8, 5},
                 {2, 16, 9},
                 1,
                 {2},
                 {1},
                 {0},
                 {1}},
        ConvCase{"Column",
                 {2, 8, 20, 1},
                 {16, 4, 5, 1},
                 {2, 16, 8, 1},
                 2,
                 {2, 3},
                 {2, 1},
                 {1, 0},
                 {2, 0}},
        ConvCase{"TransposedColumn",
                 {1, 8, 5, 1},
                 {8, 16, 3, 1},
                 {1, 16, 11, 1},
                 1,
                 {2, 1},
                 {1, 1},
                 {0, 0},
                 {0, 0},
                 true},
        ConvCase{"ThreeDimensions",
                 {1, 4, 5, 6, 7},
                 {8, 4, 2, 3, 3},
                 {1, 8, 4, 6, 7},
                 1,
                 {1, 1, 1},
                 {1, 1, 1},
                 {0, 1, 1},
                 {0, 1, 1}},
        ConvCase{"StrideLeavesRest",
                 {1, 4, 8, 8},
                 {4, 4, 3, 3},
                 {1, 4, 3, 3},
                 1,
                 {2, 2}},
        ConvCase{"SameUpper",
                 {1, 4, 8, 7},
                 {4, 4, 3, 2},
                 {1, 4, 4, 4},
                 1,
                 {2, 2},
                 {1, 1},
                 {0, 0},
                 {9, 9},
                 false,
                 NNRT_ABI_ONEDNN_SAME_UPPER},
        ConvCase{"SameLower",
                 {1, 4, 8, 7},
                 {4, 4, 3, 2},
                 {1, 4, 4, 4},
                 1,
                 {2, 2},
                 {1, 1},
                 {1, 1},
                 {9, 9},
                 false,
                 NNRT_ABI_ONEDNN_SAME_LOWER},
        ConvCase{"Transposed",
                 {1, 8, 5, 4},
                 {8, 16, 2, 2},
                 {1, 16, 10, 8},
                 1,
                 {2, 2},
                 {1, 1},
                 {0, 0},
                 {0, 0},
                 true},
        ConvCase{"TransposedGroupsOutputPadding",
                 {2, 6, 4, 5},
                 {6, 2, 3, 3},
                 {2, 4, 8, 10},
                 2,
                 {2, 2},
                 {1, 1},
                 {1, 1},
                 {1, 1},
                 true},
        ConvCase{"TransposedDilated",
                 {1, 4, 6, 6},
                 {4, 3, 3, 3},
                 {1, 3, 8, 7},
                 1,
                 {1, 1},
                 {2, 2},
                 {1, 1},
                 {1, 2},
                 true}),
    [](const auto &info) { return std::string(info.param.name); });

//===----------------------------------------------------------------------===//
// Post-ops
//===----------------------------------------------------------------------===//

namespace {

float apply(dnnl_alg_kind_t algorithm, float a, float b) {
  return algorithm == dnnl_binary_add   ? a + b
         : algorithm == dnnl_binary_mul ? a * b
                                        : std::max(a, b);
}

/// A convolution (3x3, if no other is given) whose result goes through one binary
/// post-op with an operand of that shape (in the order of the layout), then a relu.
void checkBinary(dnnl_alg_kind_t algorithm, std::vector<int64_t> operandDims,
                 bool channelsLast,
                 const ConvCase &c = {
                     "", {2, 8, 6, 7}, {16, 8, 3, 3}, {2, 16, 4, 5}}) {
  Array src(c.src, 1), weights(c.weights, 2), operand(operandDims, 4);
  Array want = convolve(c, src, weights, nullptr);
  if (channelsLast)
    want = toChannelsLast(want);
  forEachIndex(want.dims, [&](const std::vector<int64_t> &index, int64_t i) {
    float &v = want.values[i];
    v = std::max(apply(algorithm, v, operand.at(index)), 0.0f);
  });
  nnrt_abi_onednn_site site = siteOf(c);
  nnrt_abi_onednn_post_op ops[] = {binary(algorithm, 3),
                                   eltwise(dnnl_eltwise_relu)};
  site.post_ops = ops;
  site.num_post_ops = 2;
  site.num_args = 4;
  site.flags = NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS |
               (channelsLast ? NNRT_ABI_ONEDNN_CHANNELS_LAST : 0);
  Array input = channelsLast ? toChannelsLast(src) : src;
  Array output = want;
  output.values.assign(output.size(), NAN);
  Plugin plugin;
  ASSERT_EQ(plugin.execute(site, {view(input), view(weights), view(output),
                                  view(operand)}),
            "");
  expectClose(output, want);
}

} // namespace

TEST(OneDNNPostOps, BinaryOfAnyBroadcast) {
  for (dnnl_alg_kind_t algorithm :
       {dnnl_binary_add, dnnl_binary_mul, dnnl_binary_max}) {
    for (std::vector<int64_t> dims :
         std::vector<std::vector<int64_t>>{{},
                                           {1},
                                           {16, 1, 1},
                                           {2, 16, 4, 5},
                                           {1, 16, 4, 5},
                                           {4, 5},
                                           {5},
                                           {4, 1},
                                           {2, 1, 1, 1},
                                           {2, 16, 1, 1},
                                           {2, 1, 4, 5}})
      checkBinary(algorithm, dims, false);
    for (std::vector<int64_t> dims :
         std::vector<std::vector<int64_t>>{{},
                                           {16},
                                           {2, 4, 5, 16},
                                           {1, 4, 5, 16},
                                           {4, 5, 1},
                                           {5, 1},
                                           {4, 1, 1},
                                           {2, 1, 1, 1},
                                           {2, 1, 1, 16},
                                           {2, 4, 5, 1}})
      checkBinary(algorithm, dims, true);
  }
}

TEST(OneDNNPostOps, BinaryOnColumns) {
  ConvCase column{"", {2, 8, 6, 1}, {16, 8, 3, 1}, {2, 16, 4, 1}};
  for (std::vector<int64_t> dims : std::vector<std::vector<int64_t>>{
           {16, 1, 1}, {4, 1}, {2, 16, 4, 1}, {2, 1, 1, 1}})
    checkBinary(dnnl_binary_mul, dims, false, column);
  for (std::vector<int64_t> dims : std::vector<std::vector<int64_t>>{
           {16}, {4, 1, 1}, {2, 4, 1, 16}, {2, 4, 1, 1}})
    checkBinary(dnnl_binary_mul, dims, true, column);
}

/// One site whose pictures are columns in some runs only.
TEST(OneDNNPacking, ColumnsAndWiderPictures) {
  Plugin plugin;
  ConvCase c{"", {1, 8, 6, 1}, {16, 8, 3, 1}, {1, 16, 4, 1}};
  Array weights(c.weights, 2);
  nnrt_abi_onednn_site site = siteOf(c);
  site.flags = NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS;
  site.num_args = 3;
  for (int64_t width : {1, 7, 1, 2}) {
    c.src[3] = c.dst[3] = width;
    Array src(c.src, 1), want = convolve(c, src, weights, nullptr), got = want;
    got.values.assign(got.size(), NAN);
    ASSERT_EQ(plugin.execute(site, {view(src), view(weights), view(got)}), "");
    expectClose(got, want);
  }
}

TEST(OneDNNPostOps, Chain) {
  ConvCase c{"",     {1, 8, 6, 6}, {8, 8, 3, 3}, {1, 8, 6, 6}, 1,
             {1, 1}, {1, 1},       {1, 1},       {1, 1}};
  Array src(c.src, 1), weights(c.weights, 2), scale({8, 1, 1}, 6);
  Array want = convolve(c, src, weights, nullptr);
  forEachIndex(want.dims, [&](const std::vector<int64_t> &index, int64_t i) {
    float v = std::max(want.values[i], 0.0f);
    want.values[i] = std::min(std::max(v * scale.at(index), -1.0f), 6.0f);
  });
  nnrt_abi_onednn_post_op ops[] = {eltwise(dnnl_eltwise_relu),
                                   binary(dnnl_binary_mul, 3),
                                   eltwise(dnnl_eltwise_clip, -1, 6)};
  nnrt_abi_onednn_site site = siteOf(c);
  site.post_ops = ops;
  site.num_post_ops = 3;
  site.num_args = 4;
  Array output(c.dst);
  Plugin plugin;
  ASSERT_EQ(plugin.execute(
                site, {view(src), view(weights), view(output), view(scale)}),
            "");
  expectClose(output, want);
}
