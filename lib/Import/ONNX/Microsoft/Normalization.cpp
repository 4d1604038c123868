//===- Normalization.cpp - import of normalizations fused by ONNX Runtime -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "../ShapeMath.h"
#include "Microsoft.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// `x / sqrt(mean(x^2) + epsilon) * scale` over `axis` and all dimensions behind it, and,
/// as the given output, the reciprocal of the root in f32.
static LogicalResult normalizeByRootMeanSquare(NodeBinder &node, Value input, Value scale,
                                               int64_t axis, float epsilon,
                                               int64_t reciprocalOutput) {
  if (node.hasOutput(reciprocalOutput)) {
    int64_t rank = getType(input).getRank();
    Type f32 = Float32Type::get(node.getContext());
    auto axes = llvm::to_vector(llvm::seq<int64_t>(normalizeAxis(node, axis, rank), rank));
    Value wide = castTo(node, input, f32);
    Value square = node.create<MulOp>(wide, wide);
    Value mean = node.create<ReduceMeanOp>(square, axes, /*keepdims=*/true);
    Value sum = node.create<AddOp>(mean, node.constantScalar(epsilon, f32));
    Value reciprocal = node.create<ReciprocalOp>(node.create<SqrtOp>(sum));
    (void)node.setOutput(reciprocal, reciprocalOutput);
  }
  return node.setOutput(node.call("RMSNormalization", {input, scale})
                            .attr("axis", axis).attr("epsilon", epsilon).get());
}

static LogicalResult importSimplifiedLayerNormalization(NodeBinder &node) {
  Value input, scale;
  int64_t axis;
  float epsilon;
  // It is computed in f32 at least, whatever `stash_type` says.
  if (node.operand("X", input).operand("scale", scale).attr("axis", axis, -1)
          .attr("epsilon", epsilon, 1e-5f).ignoreAttrs({"stash_type"}).failed())
    return failure();
  return normalizeByRootMeanSquare(node, input, scale, axis, epsilon, 1);
}

/// `input + skip + bias`, also as output 3.
static Value addSkip(NodeBinder &node, Value input, Value skip, Value bias) {
  Value sum = addIfPresent(node, node.create<AddOp>(input, skip), bias);
  if (node.hasOutput(3))
    (void)node.setOutput(sum, 3);
  return sum;
}

static LogicalResult importSkipLayerNormalization(NodeBinder &node) {
  Value input, skip, gamma, beta, bias;
  float epsilon;
  if (node.operand("input", input).operand("skip", skip).operand("gamma", gamma)
          .optionalOperand("beta", beta).optionalOperand("bias", bias)
          .attr("epsilon", epsilon, 1e-12f).failed())
    return failure();
  Value sum = addSkip(node, input, skip, bias);
  int64_t count = node.hasOutput(2) ? 3 : node.hasOutput(1) ? 2 : 1;
  SmallVector<Value> results = node.call("LayerNormalization", {sum, gamma, beta})
                                   .attr("epsilon", epsilon).get(count);
  for (int64_t i = 0; i < count; ++i)
    if (node.hasOutput(i) || i == 0)
      (void)node.setOutput(results[i], i);
  return success(!node.failed());
}

static LogicalResult importSkipSimplifiedLayerNormalization(NodeBinder &node) {
  Value input, skip, gamma, bias;
  float epsilon;
  if (node.operand("input", input).operand("skip", skip).operand("gamma", gamma)
          .optionalOperand("bias", bias).attr("epsilon", epsilon, 1e-12f).failed())
    return failure();
  Value sum = addSkip(node, input, skip, bias);
  if (node.failed())
    return failure();
  return normalizeByRootMeanSquare(node, sum, gamma, -1, epsilon, 2);
}

//===----------------------------------------------------------------------===//
// By groups of channels
//===----------------------------------------------------------------------===//

/// Normalizes groups of channels, and applies SiLU if `activation` is 1. Scale and bias
/// may have another float type than the input.
static LogicalResult normalizeGroups(NodeBinder &node, Value input, Value gamma, Value beta,
                                     bool channelsLast) {
  int64_t activation, groups;
  float epsilon;
  if (node.requiredAttr("activation", activation).requiredAttr("groups", groups)
          .attr("epsilon", epsilon, 1e-5f)
          .require(activation == 0 || activation == 1,
                   "attribute 'activation' has a supported value", Twine(activation),
                   "0, 1", Remedy::ChangeForm).failed())
    return failure();
  Type type = getElementType(input);
  gamma = castTo(node, gamma, type);
  beta = castTo(node, beta, type);
  if (channelsLast)
    input = toChannelsFirst(node, input);
  Value result = node.call("GroupNormalization", {input, gamma, beta})
                     .attr("num_groups", groups).attr("epsilon", epsilon).get();
  if (activation)
    result = node.create<SwishOp>(result, 1.0f);
  return node.setOutput(channelsLast ? toChannelsLast(node, result) : result);
}

static LogicalResult importGroupNorm(NodeBinder &node) {
  Value input, gamma, beta;
  bool channelsLast;
  if (node.operand("X", input).operand("gamma", gamma).operand("beta", beta)
          .attr("channels_last", channelsLast, true).failed())
    return failure();
  return normalizeGroups(node, input, gamma, beta, channelsLast);
}

/// One number for each channel (of each batch entry, if `perChannel` has rank 2), shaped
/// like the input.
static Value alignChannels(NodeBinder &node, Value perChannel, Value input,
                           bool channelsLast) {
  int64_t rank = getType(perChannel).getRank(), inputRank = getType(input).getRank();
  if (rank == inputRank || inputRank < 3)
    return perChannel;
  auto added = channelsLast ? llvm::seq<int64_t>(1, inputRank - 1)
                            : llvm::seq<int64_t>(2, inputRank);
  if (rank == 2)
    return node.create<UnsqueezeOp>(perChannel, llvm::to_vector(added));
  auto behind = llvm::to_vector(llvm::seq<int64_t>(1, inputRank - 1));
  return channelsLast ? perChannel : node.create<UnsqueezeOp>(perChannel, behind);
}

static LogicalResult importSkipGroupNorm(NodeBinder &node) {
  Value input, gamma, beta, skip, bias;
  bool channelsLast;
  if (node.operand("X", input).operand("gamma", gamma).operand("beta", beta)
          .operand("skip", skip).optionalOperand("bias", bias)
          .attr("channels_last", channelsLast, true).failed())
    return failure();
  skip = alignChannels(node, skip, input, channelsLast);
  if (bias)
    bias = alignChannels(node, bias, input, channelsLast);
  Value sum = addIfPresent(node, node.create<AddOp>(input, skip), bias);
  if (node.hasOutput(1))
    (void)node.setOutput(sum, 1);
  if (node.failed())
    return failure();
  return normalizeGroups(node, sum, gamma, beta, channelsLast);
}

void importer::registerMicrosoftNormalization(Registry &r) {
  // ONNX Runtime's optimizer writes it into ai.onnx.
  r.onOp("", "SimplifiedLayerNormalization", 1, importSimplifiedLayerNormalization, "X scale");
  r.onOp(microsoft, "SkipLayerNormalization", 1, importSkipLayerNormalization,
         "input skip gamma beta bias");
  r.onOp(microsoft, "SkipSimplifiedLayerNormalization", 1,
         importSkipSimplifiedLayerNormalization, "input skip gamma bias");
  r.onOp(microsoft, "GroupNorm", 1, importGroupNorm, "X gamma beta");
  r.onOp(microsoft, "SkipGroupNorm", 1, importSkipGroupNorm, "X gamma beta skip bias");
}
