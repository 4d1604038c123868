//===- OneDNNTest.cpp - oneDNN call sites against plain loops -------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/OneDNN/Convert.h"
#include "OneDNNCall.h"

#include "oneapi/dnnl/dnnl.h"
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

using namespace nnrt;
using namespace nnrt::test;

namespace {

void expectClose(const Array &got, const Array &want, float tolerance = 1e-5f) {
  ASSERT_EQ(got.dims, want.dims);
  float largest = 0.01f;
  for (float v : want.values)
    largest = std::max(largest, std::fabs(v));
  for (int64_t i = 0; i < want.size(); ++i)
    ASSERT_NEAR(got.values[i], want.values[i], tolerance * largest)
        << "element " << i;
}

/// One (de)convolution, its post-ops, and the operands of these.
struct ConvCase {
  const char *name;
  std::vector<int64_t> src, weights, dst; // N, C, spatial; ONNX's weights
  int64_t groups = 1;
  std::vector<int64_t> strides = {1, 1, 1}, dilations = {1, 1, 1},
                       padsBegin = {0, 0, 0}, padsEnd = {0, 0, 0};
  bool transposed = false;
  int flags = 0;
};

std::ostream &operator<<(std::ostream &out, const ConvCase &c) {
  return out << c.name;
}

/// The sum over windows, by the definition.
Array convolve(const ConvCase &c, const Array &src, const Array &weights,
               const Array *bias) {
  Array dst;
  dst.dims = c.dst;
  int64_t spatial = src.rank() - 2;
  int64_t outs = c.dst[1] / c.groups, ins = c.src[1] / c.groups;
  std::vector<int64_t> kernel(c.weights.begin() + 2, c.weights.end());
  forEachIndex(c.dst, [&](const std::vector<int64_t> &at, int64_t) {
    double sum = bias ? bias->values[at[1]] : 0;
    int64_t group = at[1] / outs;
    for (int64_t i = 0; i < ins; ++i)
      forEachIndex(kernel, [&](const std::vector<int64_t> &k, int64_t) {
        std::vector<int64_t> s = {at[0], group * ins + i}, w;
        w = c.transposed ? std::vector<int64_t>{group * ins + i, at[1] % outs}
                         : std::vector<int64_t>{at[1], i};
        for (int64_t d = 0; d < spatial; ++d) {
          int64_t offset = k[d] * c.dilations[d] - c.padsBegin[d];
          int64_t p = c.transposed ? at[2 + d] - offset
                                   : at[2 + d] * c.strides[d] + offset;
          if (c.transposed) {
            if (p % c.strides[d])
              return;
            p /= c.strides[d];
          }
          if (p < 0 || p >= c.src[2 + d])
            return;
          s.push_back(p);
          w.push_back(k[d]);
        }
        sum += double(src.at(s)) * weights.at(w);
      });
    dst.values.push_back(float(sum));
  });
  return dst;
}

nnrt_abi_onednn_site siteOf(const ConvCase &c) {
  nnrt_abi_onednn_site site =
      makeSite(c.transposed ? NNRT_ABI_ONEDNN_DECONVOLUTION
                            : NNRT_ABI_ONEDNN_CONVOLUTION,
               int(c.src.size()) - 2);
  site.groups = c.groups;
  site.flags = c.flags;
  for (int i = 0; i < site.spatial_rank; ++i) {
    site.strides[i] = c.strides[i];
    site.dilations[i] = c.dilations[i];
    site.pads_begin[i] = c.padsBegin[i];
    site.pads_end[i] = c.padsEnd[i];
  }
  return site;
}

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

nnrt_abi_onednn_post_op eltwise(dnnl_alg_kind_t algorithm, float alpha = 0,
                                float beta = 0) {
  return {NNRT_ABI_ONEDNN_ELTWISE, algorithm, alpha, beta, 0, 0};
}
nnrt_abi_onednn_post_op sum(float scale) {
  return {NNRT_ABI_ONEDNN_SUM, 0, scale, 0, 0, 0};
}
nnrt_abi_onednn_post_op binary(dnnl_alg_kind_t algorithm, int argument) {
  return {NNRT_ABI_ONEDNN_BINARY, algorithm, 0, 0, argument, 0};
}

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

TEST(OneDNNPostOps, ChainWithSum) {
  ConvCase c{"",     {1, 8, 6, 6}, {8, 8, 3, 3}, {1, 8, 6, 6}, 1,
             {1, 1}, {1, 1},       {1, 1},       {1, 1}};
  Array src(c.src, 1), weights(c.weights, 2), old(c.dst, 5),
      scale({8, 1, 1}, 6);
  Array want = convolve(c, src, weights, nullptr);
  forEachIndex(want.dims, [&](const std::vector<int64_t> &index, int64_t i) {
    float v = std::max(want.values[i], 0.0f) + 0.5f * old.values[i];
    want.values[i] = std::min(std::max(v * scale.at(index), -1.0f), 6.0f);
  });
  nnrt_abi_onednn_post_op ops[] = {eltwise(dnnl_eltwise_relu), sum(0.5f),
                                   binary(dnnl_binary_mul, 3),
                                   eltwise(dnnl_eltwise_clip, -1, 6)};
  nnrt_abi_onednn_site site = siteOf(c);
  site.post_ops = ops;
  site.num_post_ops = 4;
  site.num_args = 4;
  Array output = old;
  Plugin plugin;
  ASSERT_EQ(plugin.execute(
                site, {view(src), view(weights), view(output), view(scale)}),
            "");
  expectClose(output, want);
}

//===----------------------------------------------------------------------===//
// MatMul
//===----------------------------------------------------------------------===//

namespace {

void checkMatMul(std::vector<int64_t> srcDims, std::vector<int64_t> weightDims,
                 std::vector<int64_t> biasDims, std::vector<int64_t> addDims,
                 bool constant) {
  Array src(srcDims, 1), weights(weightDims, 2), bias(biasDims, 3),
      add(addDims, 4);
  size_t rank = srcDims.size();
  int64_t depth = srcDims.back();
  Array want;
  for (size_t d = 0; d + 2 < rank; ++d)
    want.dims.push_back(std::max(srcDims[d], weightDims[d]));
  want.dims.push_back(srcDims[rank - 2]);
  want.dims.push_back(weightDims[rank - 1]);
  bool hasBias = !biasDims.empty(), hasAdd = !addDims.empty();
  forEachIndex(want.dims, [&](const std::vector<int64_t> &at, int64_t) {
    double total = hasBias ? bias.at(at) : 0;
    std::vector<int64_t> s = at, w = at;
    for (int64_t k = 0; k < depth; ++k) {
      s[rank - 1] = w[rank - 2] = k;
      total += double(src.at(s)) * weights.at(w);
    }
    want.values.push_back(float(total + (hasAdd ? add.at(at) : 0)));
  });
  nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_MATMUL);
  site.flags = (hasBias ? NNRT_ABI_ONEDNN_HAS_BIAS : 0) |
               (constant ? NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS : 0);
  Array output = want;
  output.values.assign(output.size(), NAN);
  std::vector<nnrt_abi_tensor> args = {view(src), view(weights)};
  if (hasBias)
    args.push_back(view(bias));
  args.push_back(view(output));
  nnrt_abi_onednn_post_op op = binary(dnnl_binary_add, int(args.size()));
  if (hasAdd) {
    args.push_back(view(add));
    site.post_ops = &op;
    site.num_post_ops = 1;
  }
  site.num_args = int(args.size());
  Plugin plugin;
  ASSERT_EQ(plugin.execute(site, args), "");
  expectClose(output, want);
}

} // namespace

TEST(OneDNNMatMul, ShapesAndBroadcasts) {
  for (bool constant : {false, true}) {
    checkMatMul({5, 7}, {7, 9}, {}, {}, constant);
    checkMatMul({64, 64}, {64, 128}, {128}, {64, 128}, constant);
    checkMatMul({1, 96}, {96, 33}, {1, 33}, {}, constant);
    checkMatMul({3, 5, 16}, {1, 16, 8}, {8}, {}, constant);
    checkMatMul({3, 5, 16}, {1, 16, 8}, {1, 1, 8}, {3, 5, 8}, constant);
    checkMatMul({3, 5, 16}, {1, 16, 8}, {}, {3, 1, 8}, constant);
    checkMatMul({3, 5, 16}, {1, 16, 8}, {}, {5, 1}, constant);
    checkMatMul({3, 5, 16}, {3, 16, 8}, {}, {}, constant);
    checkMatMul({1, 5, 16}, {3, 16, 8}, {}, {3, 5, 8}, constant);
    checkMatMul({2, 1, 4, 8}, {1, 3, 8, 6}, {}, {}, constant);
    checkMatMul({2, 3, 4, 8}, {2, 3, 8, 6}, {6}, {2, 3, 4, 6}, constant);
  }
}

// Over no elements: the bias, or zeros, and what the post-ops make of it.
TEST(OneDNNMatMul, EmptyProducts) {
  Array src({2, 0}), weights({0, 3}), bias({3}, 1), other({2, 3}, 2);
  const nnrt_abi_onednn_post_op ops[] = {
      {NNRT_ABI_ONEDNN_ELTWISE, dnnl_eltwise_linear, 2, 1, 0, 0},
      {NNRT_ABI_ONEDNN_BINARY, dnnl_binary_add, 0, 0, 4, 0}};
  for (bool withBias : {false, true})
    for (int numOps : {0, 2}) {
      Plugin plugin;
      nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_MATMUL);
      std::vector<nnrt_abi_tensor> args = {view(src), view(weights)};
      nnrt_abi_onednn_post_op used[] = {ops[0], ops[1]};
      if (withBias) {
        site.flags = NNRT_ABI_ONEDNN_HAS_BIAS;
        args.push_back(view(bias));
      }
      Array output({2, 3}), want({2, 3});
      output.values.assign(6, NAN);
      args.push_back(view(output));
      used[1].argument = int(args.size());
      if (numOps)
        args.push_back(view(other));
      site.num_args = int(args.size());
      site.num_post_ops = numOps;
      site.post_ops = used;
      for (int i = 0; i < 6; ++i) {
        float value = withBias ? bias.values[i % 3] : 0;
        want.values[i] = numOps ? 2 * value + 1 + other.values[i] : value;
      }
      for (int run = 0; run < 2; ++run)
        ASSERT_EQ(plugin.execute(site, args), "");
      expectClose(output, want);
    }
}

TEST(OneDNNMatMul, TransposedByStrides) {
  Array src({6, 5}, 1), weights({4, 6}, 2), want({5, 4}), output({5, 4});
  forEachIndex(want.dims, [&](const std::vector<int64_t> &at, int64_t i) {
    double total = 0;
    for (int64_t k = 0; k < 6; ++k)
      total += src.at({k, at[0]}) * weights.at({at[1], k});
    want.values[i] = float(total);
  });
  int64_t srcDims[] = {5, 6}, srcStrides[] = {1, 5};
  int64_t weightDims[] = {6, 4}, weightStrides[] = {1, 6};
  nnrt_abi_tensor s = view(src), w = view(weights);
  s.dims = srcDims;
  s.strides = srcStrides;
  w.dims = weightDims;
  w.strides = weightStrides;
  for (int flags : {0, int(NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS)}) {
    nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_MATMUL);
    site.num_args = 3;
    site.flags = flags;
    output.values.assign(20, NAN);
    Plugin plugin;
    ASSERT_EQ(plugin.execute(site, {s, w, view(output)}), "");
    expectClose(output, want);
  }
}

//===----------------------------------------------------------------------===//
// Pooling, softmax, LRN, reorder
//===----------------------------------------------------------------------===//

static void checkPool(dnnl_alg_kind_t algorithm, int64_t pad, int64_t stride,
                      std::vector<int64_t> dstSize, bool channelsLast) {
  Array src({2, 8, 7, 6}, 1), want({2, 8, dstSize[0], dstSize[1]});
  forEachIndex(want.dims, [&](const std::vector<int64_t> &at, int64_t i) {
    double total = 0, largest = -INFINITY;
    int inside = 0;
    for (int64_t y = 0; y < 3; ++y)
      for (int64_t x = 0; x < 3; ++x) {
        int64_t py = at[2] * stride + y - pad, px = at[3] * stride + x - pad;
        if (py < 0 || py >= 7 || px < 0 || px >= 6)
          continue;
        float v = src.at({at[0], at[1], py, px});
        total += v;
        largest = std::max<double>(largest, v);
        ++inside;
      }
    want.values[i] =
        float(algorithm == dnnl_pooling_max                   ? largest
              : algorithm == dnnl_pooling_avg_include_padding ? total / 9
                                                              : total / inside);
  });
  nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_POOLING, 2);
  site.algorithm = algorithm;
  site.num_args = 2;
  site.flags = channelsLast ? NNRT_ABI_ONEDNN_CHANNELS_LAST : 0;
  for (int d = 0; d < 2; ++d) {
    site.kernel[d] = 3;
    site.strides[d] = stride;
    site.pads_begin[d] = site.pads_end[d] = pad;
  }
  Array input = channelsLast ? toChannelsLast(src) : src;
  Array output = channelsLast ? toChannelsLast(want) : want;
  output.values.assign(output.size(), NAN);
  Plugin plugin;
  ASSERT_EQ(plugin.execute(site, {view(input), view(output)}), "");
  expectClose(channelsLast ? toChannelsFirst(output) : output, want);
}

TEST(OneDNNPooling, KindsAndCeilMode) {
  for (bool channelsLast : {false, true}) {
    for (dnnl_alg_kind_t algorithm :
         {dnnl_pooling_max, dnnl_pooling_avg_include_padding,
          dnnl_pooling_avg_exclude_padding}) {
      checkPool(algorithm, 0, 1, {5, 4}, channelsLast);
      checkPool(algorithm, 1, 2, {4, 3}, channelsLast);
    }
    // ceil_mode: the last column's windows reach beyond the end.
    checkPool(dnnl_pooling_max, 0, 2, {3, 3}, channelsLast);
    checkPool(dnnl_pooling_avg_exclude_padding, 0, 2, {3, 3}, channelsLast);
  }
}

TEST(OneDNNSoftmax, AnyAxis) {
  for (int axis : {0, 1, 2})
    for (bool log : {false, true}) {
      Array src({3, 5, 7}, 1), want = src, output({3, 5, 7});
      forEachIndex(src.dims, [&](const std::vector<int64_t> &at, int64_t i) {
        double total = 0;
        std::vector<int64_t> other = at;
        for (other[axis] = 0; other[axis] < src.dims[axis]; ++other[axis])
          total += std::exp(double(src.at(other)));
        double v = src.values[i] - std::log(total);
        want.values[i] = float(log ? v : std::exp(v));
      });
      nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_SOFTMAX);
      site.axis = axis;
      site.algorithm = log ? dnnl_softmax_log : 0;
      site.num_args = 2;
      Plugin plugin;
      ASSERT_EQ(plugin.execute(site, {view(src), view(output)}), "");
      expectClose(output, want);
    }
}

TEST(OneDNNLRN, AcrossChannels) {
  Array src({2, 10, 3, 4}, 1), want = src;
  forEachIndex(src.dims, [&](const std::vector<int64_t> &at, int64_t i) {
    double squares = 0;
    std::vector<int64_t> other = at;
    for (int64_t c = std::max<int64_t>(at[1] - 2, 0);
         c <= std::min<int64_t>(at[1] + 2, 9); ++c) {
      other[1] = c;
      squares += double(src.at(other)) * src.at(other);
    }
    want.values[i] =
        float(src.values[i] / std::pow(1.5 + 0.01 / 5 * squares, 0.75));
  });
  for (bool channelsLast : {false, true}) {
    nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_LRN, 2);
    site.axis = 5;
    site.alpha = 0.01f;
    site.beta = 0.75f;
    site.k = 1.5f;
    site.num_args = 2;
    site.flags = channelsLast ? NNRT_ABI_ONEDNN_CHANNELS_LAST : 0;
    Array input = channelsLast ? toChannelsLast(src) : src;
    Array output = input;
    output.values.assign(output.size(), NAN);
    Plugin plugin;
    ASSERT_EQ(plugin.execute(site, {view(input), view(output)}), "");
    expectClose(channelsLast ? toChannelsFirst(output) : output, want);
  }
}

TEST(OneDNNReorder, TypesAndStrides) {
  Array src({3, 4, 5}, 1), output({3, 4, 5}), packed({5, 4, 3});
  std::vector<uint16_t> half(60);
  int64_t dims[] = {3, 4, 5}, strides[] = {1, 3, 12};
  nnrt_abi_tensor halfView = {half.data(), dims, strides, 3, NNRT_ABI_F16};
  nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_REORDER), back = site,
                       plain = site;
  site.num_args = back.num_args = plain.num_args = 2;
  Plugin plugin;
  ASSERT_EQ(plugin.execute(site, {view(src), halfView}), "");
  EXPECT_EQ(onednn::halfToFloat(half[1]), src.at({1, 0, 0}));
  EXPECT_EQ(onednn::halfToFloat(half[12]), src.at({0, 0, 1}));
  ASSERT_EQ(plugin.execute(back, {halfView, view(output)}), "");
  EXPECT_EQ(output.values, src.values);
  nnrt_abi_tensor strided = view(packed);
  strided.dims = dims;
  strided.strides = strides;
  ASSERT_EQ(plugin.execute(plain, {view(src), strided}), "");
  EXPECT_EQ(packed.values, src.transposed({2, 1, 0}).values);
}

TEST(OneDNNConvert, HalfPrecision) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float value = onednn::halfToFloat(uint16_t(bits));
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(onednn::halfToFloat(onednn::floatToHalf(value))));
    else
      EXPECT_EQ(onednn::floatToHalf(value), bits);
  }
  EXPECT_EQ(onednn::floatToHalf(65519.99f), 0x7BFF); // rounds to the largest
  EXPECT_EQ(onednn::floatToHalf(65520.0f), 0x7C00);
  EXPECT_EQ(onednn::floatToHalf(2049.0f), 0x6800); // ties to even
  EXPECT_EQ(onednn::floatToHalf(2051.0f), 0x6802);
  EXPECT_EQ(onednn::floatToHalf(0x1p-25f), 0); // half the smallest
  EXPECT_EQ(onednn::floatToHalf(0x1.8p-25f), 1);
}

//===----------------------------------------------------------------------===//
// Weights and caches
//===----------------------------------------------------------------------===//

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
  PluginSession *other = plugin.table->createSession(plugin.module, 1);
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

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

TEST(OneDNNErrors, NameTheNodeAndTheShapes) {
  Plugin plugin;
  Array src({2, 5}), weights({6, 3}), output({2, 3});
  nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_MATMUL);
  site.num_args = 3;
  site.name = "MatMul_7";
  EXPECT_EQ(plugin.execute(site, {view(src), view(weights), view(output)}),
            "node 'MatMul_7': the shapes do not fit each other: f32 2x5, f32 "
            "6x3 -> f32 2x3");
  nnrt_abi_tensor typed = view(src);
  typed.type = NNRT_ABI_F64;
  EXPECT_NE(plugin.execute(site, {typed, view(weights), view(output)})
                .find("no element type"),
            std::string::npos);
  const int64_t negative[] = {2, -1};
  typed = view(src);
  typed.dims = negative;
  EXPECT_EQ(plugin.execute(site, {typed, view(weights), view(output)}),
            "node 'MatMul_7': an input of the model is too small: a size is "
            "negative in f32 2x-1");
  site.num_args = 2;
  EXPECT_NE(plugin.execute(site, {view(src), view(weights)}).find("lacks"),
            std::string::npos);
}

TEST(OneDNNErrors, NoElements) {
  Plugin plugin;
  Array src({0, 5}), weights({5, 3}), output({0, 3});
  nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_MATMUL), other = site;
  site.num_args = other.num_args = 3;
  EXPECT_EQ(plugin.execute(site, {view(src), view(weights), view(output)}), "");
  // Nothing to convolve is an error, see EmptyProducts for matrices.
  nnrt_abi_onednn_site conv = makeSite(NNRT_ABI_ONEDNN_CONVOLUTION, 1);
  conv.num_args = 3;
  Array image({1, 0, 4}), kernel({3, 0, 1}), result({1, 3, 4});
  EXPECT_NE(plugin.execute(conv, {view(image), view(kernel), view(result)})
                .find("no elements"),
            std::string::npos);
}
