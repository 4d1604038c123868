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

/// A product of run-time shape: of heads, as attention has them, with rhs and lhs
/// turned by their strides. Whether a primitive was made for it.
static bool multiplyVarying(std::vector<int64_t> dims, bool isTurned,
                            const std::vector<nnrt_abi_onednn_post_op> &ops = {}) {
  int64_t heads = dims[0], rows = dims[1], depth = dims[2], columns = dims[3];
  Array src = isTurned ? Array({1, rows, heads, depth}, 1) : Array({1, heads, rows, depth}, 1);
  Array weights =
      isTurned ? Array({1, heads, columns, depth}, 2) : Array({1, heads, depth, columns}, 2);
  Array want({1, heads, rows, columns}), output = want;
  forEachIndex(want.dims, [&](const std::vector<int64_t> &at, int64_t i) {
    double total = 0;
    for (int64_t k = 0; k < depth; ++k)
      total += double(isTurned ? src.at({0, at[2], at[1], k}) : src.at({0, at[1], at[2], k})) *
               (isTurned ? weights.at({0, at[1], at[3], k}) : weights.at({0, at[1], k, at[3]}));
    for (const nnrt_abi_onednn_post_op &op : ops)
      total = total * op.alpha + op.beta;
    want.values[i] = float(total);
  });
  nnrt_abi_tensor s = view(src), w = view(weights);
  int64_t srcDims[] = {1, heads, rows, depth}, weightDims[] = {1, heads, depth, columns};
  int64_t srcStrides[] = {heads * rows * depth, depth, heads * depth, 1};
  int64_t weightStrides[] = {heads * depth * columns, depth * columns, 1, depth};
  if (isTurned) {
    s.dims = srcDims, s.strides = srcStrides;
    w.dims = weightDims, w.strides = weightStrides;
  }
  nnrt_abi_onednn_site site = makeSite(NNRT_ABI_ONEDNN_MATMUL);
  site.num_args = 3;
  site.flags = NNRT_ABI_ONEDNN_VARYING_SHAPE;
  site.post_ops = ops.data();
  site.num_post_ops = int(ops.size());
  output.values.assign(output.values.size(), NAN);
  Plugin::log.clear();
  Plugin plugin;
  EXPECT_EQ(plugin.execute(site, {s, w, view(output)}), "");
  expectClose(output, want);
  for (const std::string &line : Plugin::log)
    if (line.find(" created in ") != std::string::npos)
      return true;
  return false;
}

TEST(OneDNNMatMul, SmallProductsOfVaryingShapeMakeNoPrimitive) {
  for (bool isTurned : {false, true})
    for (int64_t rows : {1, 5})
      for (int64_t depth : {1, 8})
        for (int64_t columns : {1, 3, 200})
          EXPECT_FALSE(multiplyVarying({4, rows, depth, columns}, isTurned));
  EXPECT_FALSE(multiplyVarying({2, 3, 8, 5}, true, {eltwise(dnnl_eltwise_linear, 0.5f)}));
  // What else has to be done, and large products.
  EXPECT_TRUE(multiplyVarying({2, 3, 8, 5}, true, {eltwise(dnnl_eltwise_linear, 2, 1)}));
  EXPECT_TRUE(multiplyVarying({4, 64, 64, 128}, false));
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
