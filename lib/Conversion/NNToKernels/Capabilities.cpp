//===- Capabilities.cpp - what kernel templates can run -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A row names its template after "kernel". A template may still refuse a form that it
// would not make faster; the operator is then lowered to linalg.
//
//===----------------------------------------------------------------------===//

#include "KernelBackend.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::types;

static std::optional<std::string> violatesChannelsLast(Operation *op) {
  return cast<SpatialOpInterface>(op).getDataLayout() == Layout::ChannelsLast
             ? std::nullopt
             : std::optional<std::string>("channels_first");
}

static std::optional<std::string> violatesSmallGroups(Operation *op) {
  constexpr int64_t most = 4;
  auto conv = cast<ConvOp>(op);
  auto weight = cast<RankedTensorType>(conv.getWeight().getType());
  if (weight.hasStaticShape() && weight.getDimSize(1) <= most &&
      weight.getDimSize(0) <= most * conv.getGroup())
    return std::nullopt;
  std::string seen;
  llvm::raw_string_ostream(seen) << "weights " << weight << " in "
                                 << conv.getGroup() << " groups";
  return seen;
}

static std::optional<std::string> violatesSingleChannel(Operation *op) {
  auto weight = cast<RankedTensorType>(cast<ConvOp>(op).getWeight().getType());
  if (weight.hasStaticShape() && weight.getDimSize(0) == 1 && weight.getDimSize(1) == 1)
    return std::nullopt;
  std::string seen;
  llvm::raw_string_ostream(seen) << "weights " << weight;
  return seen;
}

static const Condition channelsLast[] = {
    {"the channels are last", "channels_last", violatesChannelsLast}};
static const Condition smallGroups[] = {
    {"the channels are last", "channels_last", violatesChannelsLast},
    {"a group has at most 4 channels and filters", "small groups", violatesSmallGroups}};
static const Condition singleChannel[] = {
    {"there are one channel and one filter", "", violatesSingleChannel}};

// clang-format off
static const Capability table[] = {
    {elementwise,             "kernel elementwise",    basic},
    {"nn.where",              "kernel elementwise",    basic, 0, INT64_MAX, {}, /*data=*/1},
    {"nn.conv",               "kernel depthwise_conv", f32 | i8 | ui8, 3, 4, smallGroups},
    {"nn.conv",               "kernel single_channel_conv", f32 | i8 | ui8, 3, 5, singleChannel},
    {"nn.conv",               "kernel block_contraction", f32 | i8 | ui8, 3, 4, channelsLast},
    {"nn.conv",               "kernel contraction",    f32 | i8 | ui8, 3, 5, channelsLast},
    {"nn.conv_transpose",     "kernel contraction",    f32, 3, 5, channelsLast},
    {"nn.max_pool",           "kernel pool",           f32 | f64 | i8 | ui8, 3, 5},
    {"nn.average_pool",       "kernel pool",           f32 | f64, 3, 5},
    {"nn.softmax",            "kernel softmax",        floats, 1},
    {"nn.log_softmax",        "kernel softmax",        floats, 1},
    {"nn.layer_norm",         "kernel layer_norm",     floats, 1},
    {"nn.instance_norm",      "kernel instance_norm",  floats, 3},
    {"nn.lrn",                "kernel lrn",            f32 | f64, 3},
    {"nn.matmul",             "kernel dequantizing_matmul", f32, 2},
    {"nn.matmul",             "kernel dot_products",   f32 | f64, 2},
    {"nn.matmul",             "kernel matmul",         f32 | f64, 2},
    {"nn.matmul",             "kernel block_contraction", f32 | i8 | ui8, 2},
    {"nn.matmul",             "kernel contraction",    f32 | i8 | ui8, 2},
    {"nn.matmul",             "kernel attention",      f32, 3},
    {"nn.softmax",            "kernel attention",      f32, 3},
    {"nn.lstm",               "kernel recurrent",      floats, 3, 3},
    {"nn.gru",                "kernel recurrent",      floats, 3, 3},
    {"nn.rnn",                "kernel recurrent",      floats, 3, 3},
    {"nn.argmax",             "kernel reduction",      numbers, 1},
    {"nn.argmin",             "kernel reduction",      numbers, 1},
    {"nn.reduce_l1",          "kernel reduction",      numbers, 1},
    {"nn.reduce_l2",          "kernel reduction",      floats, 1},
    {"nn.reduce_log_sum",     "kernel reduction",      floats, 1},
    {"nn.reduce_max",         "kernel reduction",      numbers, 1},
    {"nn.reduce_mean",        "kernel reduction",      numbers, 1},
    {"nn.reduce_min",         "kernel reduction",      numbers, 1},
    {"nn.reduce_prod",        "kernel reduction",      numbers, 1},
    {"nn.reduce_sum",         "kernel reduction",      numbers, 1},
    {"nn.reduce_sum_square",  "kernel reduction",      numbers, 1},
};
// clang-format on

const Backend &nn::getKernelBackend() {
  static const KernelBackend backend("kernels", "kernel template", TargetKind::CPU, table);
  return backend;
}
