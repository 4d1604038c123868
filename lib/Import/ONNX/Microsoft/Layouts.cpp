//===- Layouts.cpp - import of ONNX Runtime's operators for other layouts -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Channels last, and channels in blocks (NCHWc). Tensors of both become plain ones, for
// layouts of our own choice. Where blocks are, channels are padded to a multiple of them.
//
//===----------------------------------------------------------------------===//

#include "../ShapeMath.h"
#include "Microsoft.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

//===----------------------------------------------------------------------===//
// Channels last
//===----------------------------------------------------------------------===//

/// Weights are as in ai.onnx.
static LogicalResult importNhwcConv(NodeBinder &node) {
  FusedConv conv;
  if (failed(conv.bind(node, "Z")))
    return failure();
  conv.input = toChannelsFirst(node, conv.input);
  return conv.finish(node, toChannelsLast(node, conv.call(node)));
}

static LogicalResult importNhwcMaxPool(NodeBinder &node) {
  Value input;
  if (node.operand("x", input).failed())
    return failure();
  Value result =
      node.call("MaxPool", {toChannelsFirst(node, input)})
          .pass({"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "strides"})
          .get();
  return node.setOutput(toChannelsLast(node, result));
}

//===----------------------------------------------------------------------===//
// Channels in blocks
//===----------------------------------------------------------------------===//

std::optional<int64_t> importer::findChannelBlock(const onnx::ModelProto &model) {
  llvm::StringMap<int64_t> filters;
  for (const onnx::TensorProto &weight : model.graph().initializer())
    if (weight.dims_size() == 4)
      filters[weight.name()] = weight.dims(0);
  // Of blocked tensors, with their padding. Nodes come in order.
  llvm::StringMap<int64_t> channels;
  for (const onnx::NodeProto &node : model.graph().node()) {
    if (node.domain() != nchwc || node.input_size() == 0 || node.output_size() == 0)
      continue;
    bool isConv = node.op_type() == "Conv" && node.input_size() > 1;
    int64_t count = isConv ? filters.lookup(node.input(1)) : channels.lookup(node.input(0));
    if (count % 16)
      return 8;
    channels[node.output(0)] = count;
    if (node.op_type() == "ReorderOutput")
      for (const onnx::AttributeProto &attribute : node.attribute())
        // Blocks of 8 would need less padding.
        if (attribute.name() == "channels" && count - attribute.i() >= 8)
          return 16;
  }
  return std::nullopt;
}

/// The block of the machine that wrote the model. Where the model does not say, it is this
/// one's, as ONNX Runtime takes for granted.
static int64_t getChannelBlock(NodeBinder &node) {
  if (std::optional<int64_t> known = node.getChannelBlock())
    return *known;
  bool hasAVX512 = llvm::sys::getHostCPUFeatures().lookup("avx512f");
  node.warn("the model says for which machine its weights are ordered",
            Twine("blocks of 8 or of 16 channels, for processors without or with AVX-512; ") +
                (hasAVX512 ? "16" : "8") + " is assumed, as on this one",
            "compare the results with those of the model as exported, and compile that one");
  return hasAVX512 ? 16 : 8;
}

/// Weights in ONNX's order. In the model's, blocks of filters are innermost; before them,
/// blocks of channels, unless the filters have one channel or read a plain tensor.
static Value reorderWeight(NodeBinder &node, Value weight, int64_t group) {
  int64_t block = getChannelBlock(node);
  ArrayRef<int64_t> dims = getType(weight).getShape();
  if (node.require(dims.size() == 4 && getType(weight).hasStaticShape() &&
                       dims[0] % block == 0,
                   "weights have blocks of filters", show(weight.getType()),
                   "a multiple of " + Twine(block) + " filters of two dimensions").failed())
    return {};
  bool isPlain = dims[1] < block && (group == 1 || dims[1] == 1);
  if (node.require(isPlain || dims[1] % block == 0, "weights have blocks of channels",
                   show(weight.getType()), "a multiple of " + Twine(block) + " channels")
          .failed())
    return {};
  SmallVector<int64_t> stored, perm;
  if (isPlain) {
    stored = {dims[0] / block, dims[1], dims[2], dims[3], block};
    perm = {0, 4, 1, 2, 3};
  } else {
    stored = {dims[0] / block, dims[1] / block, dims[2], dims[3], block, block};
    perm = {0, 5, 1, 4, 2, 3};
  }
  Value storedShape = node.constantList(stored), shape = node.constantList(dims);
  Value inBlocks = node.create<ReshapeOp>(weight, storedShape, /*allow_zero=*/false);
  Value ordered = node.create<TransposeOp>(inBlocks, perm);
  return node.create<ReshapeOp>(ordered, shape, /*allow_zero=*/false);
}

static LogicalResult importBlockedConv(NodeBinder &node) {
  FusedConv conv;
  int64_t group;
  if (failed(conv.bind(node, "Sum")) || node.attr("group", group, 1).failed())
    return failure();
  conv.weight = reorderWeight(node, conv.weight, group);
  return conv.finish(node, conv.call(node));
}

template <typename... Names>
static LogicalResult importBlockedPool(NodeBinder &node, StringRef op, Names... names) {
  Value input;
  if (node.operand("X", input).failed())
    return failure();
  return node.setOutput(node.call(op, {input}).pass({StringRef(names)...}).get());
}

/// Pads the channels to whole blocks.
static LogicalResult importReorderInput(NodeBinder &node) {
  Value input;
  bool channelsLast;
  if (node.operand("X", input).attr("channels_last", channelsLast, false).failed())
    return failure();
  if (channelsLast)
    input = toChannelsFirst(node, input);
  if (node.failed())
    return failure();
  int64_t rank = getType(input).getRank(), channels = rank > 1 ? getType(input).getDimSize(1) : 0;
  if (node.require(channels > 0, "the number of channels is known", show(input.getType()), "",
                   Remedy::GiveShape).failed())
    return failure();
  int64_t missing = llvm::alignTo(channels, getChannelBlock(node)) - channels;
  if (!missing)
    return node.setOutput(node.call("Identity", {input}).get());
  SmallVector<int64_t> pads(2 * rank);
  pads[rank + 1] = missing;
  return node.replaceWith<PadOp>(input, node.constantList(pads), Value(), ArrayRef<int64_t>(),
                                 "constant");
}

/// Drops the padding.
static LogicalResult importReorderOutput(NodeBinder &node) {
  Value input;
  int64_t channels;
  bool channelsLast;
  if (node.operand("X", input).attr("channels", channels, 0)
          .attr("channels_last", channelsLast, false).failed())
    return failure();
  Value start = node.constantList({0}), end = node.constantList({channels});
  Value result = node.create<SliceOp>(input, start, end, ArrayRef<int64_t>{1},
                                      ArrayRef<int64_t>{1});
  return node.setOutput(channelsLast ? toChannelsLast(node, result) : result);
}

static LogicalResult importBlockedUpsample(NodeBinder &node) {
  Value input;
  SmallVector<int64_t> scales;
  std::string mode, coordinates;
  if (node.operand("X", input).attr("scales", scales).attr("mode", mode, "nearest")
          .attr("coordinate_transformation_mode", coordinates, "asymmetric").failed())
    return failure();
  SmallVector<float> factors(scales.begin(), scales.end());
  return node.setOutput(node.call("Resize", {input, {}, node.constantFloats(factors)})
                            .attr("mode", mode)
                            .attr("coordinate_transformation_mode", coordinates)
                            .attr("nearest_mode", "floor").get());
}

void importer::registerMicrosoftLayouts(Registry &r) {
  r.onOp(nchwc, "Conv", 1, importBlockedConv, "X W B Sum");
  r.onOp(nchwc, "MaxPool", 1, [](NodeBinder &node) {
    return importBlockedPool(node, "MaxPool", "auto_pad", "ceil_mode", "dilations",
                             "kernel_shape", "pads", "storage_order", "strides");
  }, "X");
  r.onOp(nchwc, "AveragePool", 1, [](NodeBinder &node) {
    return importBlockedPool(node, "AveragePool", "auto_pad", "ceil_mode",
                             "count_include_pad", "dilations", "kernel_shape", "pads",
                             "strides");
  }, "X");
  r.onOp(nchwc, "GlobalMaxPool", 1, [](NodeBinder &node) {
    return importBlockedPool(node, "GlobalMaxPool");
  }, "X");
  r.onOp(nchwc, "GlobalAveragePool", 1, [](NodeBinder &node) {
    return importBlockedPool(node, "GlobalAveragePool");
  }, "X");
  r.onOp(nchwc, "ReorderInput", 1, importReorderInput, "X");
  r.onOp(nchwc, "ReorderOutput", 1, importReorderOutput, "X");
  r.onOp(nchwc, "Upsample", 1, importBlockedUpsample, "X");

  r.onOp(microsoft, "NhwcConv", 1, importNhwcConv, "X W B");
  r.onOp(microsoft, "NhwcFusedConv", 1, importNhwcConv, "X W B Z");
  r.onOp(microsoft, "NhwcMaxPool", 1, importNhwcMaxPool, "x");
}
