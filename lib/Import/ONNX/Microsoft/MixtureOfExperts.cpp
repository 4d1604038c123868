//===- MixtureOfExperts.cpp - import of ONNX Runtime's MoE and QMoE -------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Sizes: T tokens, E experts, H elements of a token, I elements between both products.
//
//===----------------------------------------------------------------------===//

#include "../ShapeMath.h"
#include "BlockQuantization.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

namespace {
/// What an expert multiplies tokens with: E x N x K, of integers if there are scales.
struct ExpertProduct {
  Value weights, bias, scales, zeroPoints;
  int64_t bits = 8;

  bool isGiven() const { return weights != nullptr; }
};

struct MixtureOfExperts {
  Value tokens, router, routerWeights;
  ExpertProduct first, second, gate;
  int64_t k = 1, fusion = 0, blockSize = 0;
  bool normalizes = false;
  std::string activation;
  float alpha = 1, beta = 0;
  std::optional<float> limit;

  LogicalResult bindAttributes(NodeBinder &node);
  LogicalResult build(NodeBinder &node);

private:
  Value weigh(NodeBinder &node, int64_t numExperts);
  Value compute(NodeBinder &node, Value rows, int64_t expert);
  Value multiply(NodeBinder &node, Value rows, const ExpertProduct &product, int64_t expert);
  Value getWeights(NodeBinder &node, const ExpertProduct &product, int64_t expert);
  Value gated(NodeBinder &node, Value gate, Value linear);
};
} // namespace

LogicalResult MixtureOfExperts::bindAttributes(NodeBinder &node) {
  bool isSparseMixer, limitsLater;
  return failure(
      node.attr("k", k, 1).attr("normalize_routing_weights", normalizes, false)
          .attr("activation_type", activation, "relu",
                {"relu", "gelu", "silu", "swiglu", "identity"})
          .attr("activation_alpha", alpha, 1.0f).attr("activation_beta", beta, 0.0f)
          .optionalAttr("swiglu_limit", limit).attr("swiglu_fusion", fusion, 0)
          .attr("use_sparse_mixer", isSparseMixer, false)
          .attr("swiglu_limit_after_activation", limitsLater, false)
          .require(!isSparseMixer, "attribute 'use_sparse_mixer' has a supported value", "1", "0",
                   Remedy::ChangeForm)
          .require(!limitsLater,
                   "attribute 'swiglu_limit_after_activation' has a supported value", "1", "0",
                   Remedy::ChangeForm)
          .require(fusion >= 0 && fusion <= 2, "attribute 'swiglu_fusion' has a known value",
                   Twine(fusion), "0, 1, 2")
          .failed());
}

/// Entry `index` of the first dimension.
static Value takeEntry(NodeBinder &node, Value tensor, int64_t index) {
  if (!tensor || node.failed())
    return {};
  Value place = node.constant(DenseElementsAttr::get(
      RankedTensorType::get({}, node.getBuilder().getI64Type()), index));
  return node.create<GatherOp>(tensor, place, int64_t(0));
}

Value MixtureOfExperts::getWeights(NodeBinder &node, const ExpertProduct &product,
                                   int64_t expert) {
  Value data = takeEntry(node, product.weights, expert);
  Value scales = takeEntry(node, product.scales, expert);
  Value zeros = takeEntry(node, product.zeroPoints, expert);
  if (node.failed() || !product.scales)
    return data;
  ArrayRef<int64_t> shape = getType(data).getShape();
  int64_t n = shape[0], inner = shape[1] * 8 / product.bits;
  if (blockSize > 0)
    return dequantizeBlocks(node, {data, scales, zeros, {}, n, inner, product.bits, blockSize});
  Value integers = unpack(node, data, product.bits);
  Type storage = getElementType(integers);
  if (zeros) {
    // Those of all rows are packed together.
    zeros = unpack(node, zeros, product.bits);
    Value start = node.constantList({0}), end = node.constantList({n});
    zeros = node.create<SliceOp>(zeros, start, end, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
  } else {
    zeros = node.constant(DenseElementsAttr::get(RankedTensorType::get({n}, storage),
                                                 IntegerAttr::get(storage, 1 << (product.bits - 1))));
  }
  return node.create<DequantizeOp>(integers, scales, zeros, int64_t(0), int64_t(0));
}

/// rows x K to rows x N.
Value MixtureOfExperts::multiply(NodeBinder &node, Value rows, const ExpertProduct &product,
                                 int64_t expert) {
  Value weights = castTo(node, getWeights(node, product, expert), getElementType(rows));
  Value result = node.create<MatMulOp>(rows, weights, false, /*transpose_rhs=*/true);
  return addIfPresent(node, result, takeEntry(node, product.bias, expert));
}

/// swiglu of ONNX Runtime: gate * sigmoid(alpha * gate) * (linear + beta), of clamped values.
Value MixtureOfExperts::gated(NodeBinder &node, Value gate, Value linear) {
  if (node.failed())
    return {};
  Type type = getElementType(gate);
  if (limit) {
    Value high = node.constantScalar(*limit, type), low = node.constantScalar(-*limit, type);
    gate = node.create<MinOp>(gate, high);
    linear = node.create<MinOp>(node.create<MaxOp>(linear, low), high);
  }
  Value swish = node.create<SwishOp>(gate, alpha);
  if (beta != 0)
    linear = node.create<AddOp>(linear, node.constantScalar(beta, type));
  return node.create<MulOp>(swish, linear);
}

/// What an expert makes of rows x H.
Value MixtureOfExperts::compute(NodeBinder &node, Value rows, int64_t expert) {
  Value hidden = multiply(node, rows, first, expert);
  Value linear = gate.isGiven() ? multiply(node, rows, gate, expert) : Value();
  if (node.failed())
    return {};
  if (activation == "swiglu" && !linear) {
    // Both products in one: alternating, or one after the other.
    int64_t half = getLastSize(hidden) / 2;
    auto take = [&](int64_t from, int64_t to, int64_t step) -> Value {
      Value start = node.constantList({from}), end = node.constantList({to});
      return node.create<SliceOp>(hidden, start, end, ArrayRef<int64_t>{1},
                                  ArrayRef<int64_t>{step});
    };
    hidden = fusion == 1 ? gated(node, take(0, 2 * half, 2), take(1, 2 * half, 2))
                         : gated(node, take(0, half, 1), take(half, 2 * half, 1));
  } else if (activation == "swiglu") {
    hidden = gated(node, hidden, linear);
  } else {
    if (activation == "relu")
      hidden = node.create<ReluOp>(hidden);
    else if (activation == "gelu")
      hidden = node.create<GeluOp>(hidden, "tanh");
    else if (activation == "silu")
      hidden = node.create<SwishOp>(hidden, 1.0f);
    if (linear)
      hidden = node.create<MulOp>(hidden, linear);
  }
  return multiply(node, hidden, second, expert);
}

/// T x E: what each expert's result counts for each token, 0 if it was not chosen.
Value MixtureOfExperts::weigh(NodeBinder &node, int64_t numExperts) {
  Type f32 = Float32Type::get(node.getContext());
  Value scores = castTo(node, router, f32);
  SmallVector<Value> best =
      node.call("TopK", {scores, node.constantList({k})}).attr("axis", int64_t(-1)).get(2);
  if (node.failed())
    return {};
  Value weights;
  if (routerWeights) {
    weights = node.create<GatherElementsOp>(castTo(node, routerWeights, f32), best[1], int64_t(-1));
    if (normalizes)
      weights = node.create<DivOp>(
          weights,
          node.create<ReduceSumOp>(weights, ArrayRef<int64_t>{-1}, /*keepdims=*/true));
  } else if (normalizes) {
    weights = node.create<SoftmaxOp>(best[0], int64_t(-1));
  } else {
    Value all = node.create<SoftmaxOp>(scores, int64_t(-1));
    weights = node.create<GatherElementsOp>(all, best[1], int64_t(-1));
  }
  Value none = makeFilled(node, getShapeList(node, scores), 0, f32);
  return node.call("ScatterElements", {none, best[1], weights}).attr("axis", int64_t(1)).get();
}

LogicalResult MixtureOfExperts::build(NodeBinder &node) {
  auto isKnown = [](Value value, int64_t rank) {
    return !value || (getType(value).getRank() == rank && getType(value).hasStaticShape());
  };
  for (const ExpertProduct *product : {&first, &second, &gate})
    node.require(isKnown(product->weights, 3), "the experts' weights have three known sizes",
                 product->weights ? show(product->weights.getType()) : "", "",
                 Remedy::GiveShape);
  if (node.failed())
    return failure();
  int64_t rank = getType(tokens).getRank(), numExperts = getType(first.weights).getDimSize(0);
  bool isFused = activation == "swiglu" && fusion != 0;
  if (node.require(rank == 2 || rank == 3, "the input is tokens, or batches of tokens",
                   show(tokens.getType()), "rank 2 or 3")
          .require(getType(router).getRank() == 2 && getLastSize(router) == numExperts,
                   "there is a row for each token of a number for each expert",
                   show(router.getType()), "? x " + Twine(numExperts))
          .require(k >= 1 && k <= numExperts, "attribute 'k' is a number of experts", Twine(k),
                   "1 to " + Twine(numExperts))
          // Each has products of its own.
          .require(numExperts <= 256, "there are not too many experts", Twine(numExperts),
                   "256 or less", Remedy::ChangeForm)
          .require(activation != "swiglu" || isFused != gate.isGiven(),
                   "swiglu has the weights of both products", "fusion " + Twine(fusion),
                   "'fc3_experts_weights', or swiglu_fusion 1 or 2")
          .failed())
    return failure();
  Value rows = tokens;
  if (rank == 3) {
    Value list = node.constantList({-1, getLastSize(tokens)});
    if (node.require(getLastSize(tokens) >= 0, "the size of tokens is known", "unknown", "",
                     Remedy::GiveShape).failed())
      return failure();
    rows = node.create<ReshapeOp>(tokens, list, /*allow_zero=*/false);
  }
  Type type = getElementType(tokens);
  Value weights = weigh(node, numExperts);
  Value result = makeFilled(node, getShapeList(node, rows), 0, type);
  // Each expert computes the tokens that have chosen it.
  for (int64_t expert = 0; expert < numExperts && !node.failed(); ++expert) {
    Value column = node.create<SqueezeOp>(takeColumns(node, weights, expert, expert + 1),
                                          ArrayRef<int64_t>{1});
    Value places = node.create<SqueezeOp>(node.create<NonZeroOp>(column), ArrayRef<int64_t>{0});
    if (node.failed())
      return failure();
    Value chosen = node.create<GatherOp>(rows, places, int64_t(0));
    Value counts = node.create<GatherOp>(column, places, int64_t(0));
    counts = node.create<UnsqueezeOp>(castTo(node, counts, type), ArrayRef<int64_t>{1});
    Value added = node.create<MulOp>(compute(node, chosen, expert), counts);
    Value indices = node.create<UnsqueezeOp>(places, ArrayRef<int64_t>{1});
    result = node.call("ScatterND", {result, indices, added}).attr("reduction", "add").get();
  }
  if (rank == 3)
    result = node.create<ReshapeOp>(result, getShapeList(node, tokens), /*allow_zero=*/false);
  return node.setOutput(result);
}

static LogicalResult importMoE(NodeBinder &node) {
  MixtureOfExperts moe;
  if (node.operand("input", moe.tokens).operand("router_probs", moe.router)
          .operand("fc1_experts_weights", moe.first.weights)
          .optionalOperand("fc1_experts_bias", moe.first.bias)
          .operand("fc2_experts_weights", moe.second.weights)
          .optionalOperand("fc2_experts_bias", moe.second.bias)
          .optionalOperand("fc3_experts_weights", moe.gate.weights)
          .optionalOperand("fc3_experts_bias", moe.gate.bias).failed() ||
      failed(moe.bindAttributes(node)))
    return failure();
  return moe.build(node);
}

static LogicalResult importQMoE(NodeBinder &node) {
  MixtureOfExperts moe;
  int64_t bits, prepacked;
  std::string kind;
  if (node.operand("input", moe.tokens).operand("router_probs", moe.router)
          .optionalOperand("router_weights", moe.routerWeights)
          .attr("expert_weight_bits", bits, 4).attr("block_size", moe.blockSize, 0)
          .attr("quant_type", kind, "int", {"int"})
          .attr("weights_prepacked", prepacked, -1).ignoreAttrs({"accuracy_level"})
          // The default is the format without prepacking on the CPU.
          .require(prepacked != 1, "attribute 'weights_prepacked' has a supported value",
                   Twine(prepacked), "0", Remedy::ChangeForm)
          .failed() ||
      failed(moe.bindAttributes(node)))
    return failure();
  auto bind = [&](StringRef name, ExpertProduct &product, bool isOptional) {
    std::optional<int64_t> own;
    std::string weights = (name + "_experts_weights").str();
    isOptional ? node.optionalOperand(weights, product.weights)
               : node.operand(weights, product.weights);
    if (node.failed() || !product.weights)
      return;
    node.operand((name + "_scales").str(), product.scales)
        .optionalOperand((name + "_experts_bias").str(), product.bias)
        .optionalOperand((name + "_zero_points").str(), product.zeroPoints)
        .optionalAttr((name + "_expert_weight_bits").str(), own);
    product.bits = own.value_or(bits);
    node.require(product.bits == 2 || product.bits == 4 || product.bits == 8,
                 "weights have a supported number of bits", Twine(product.bits), "2, 4, 8",
                 Remedy::ChangeForm)
        .require(getElementType(product.weights).isUnsignedInteger(8),
                 "the weights are packed in bytes", show(product.weights.getType()), "uint8",
                 Remedy::ConvertType)
        .require(moe.blockSize >= 0 && moe.blockSize % 8 == 0 && moe.blockSize <= INT32_MAX,
                 "attribute 'block_size' has a supported value", Twine(moe.blockSize),
                 "a multiple of 8", Remedy::ChangeForm);
  };
  bind("fc1", moe.first, false);
  bind("fc2", moe.second, false);
  bind("fc3", moe.gate, true);
  return node.failed() ? failure() : moe.build(node);
}

void importer::registerMicrosoftMixtureOfExperts(Registry &r) {
  r.onOp(microsoft, "MoE", 1, importMoE,
         "input router_probs fc1_experts_weights fc1_experts_bias fc2_experts_weights "
         "fc2_experts_bias fc3_experts_weights fc3_experts_bias");
  r.onOp(microsoft, "QMoE", 1, importQMoE,
         "input router_probs fc1_experts_weights fc1_scales fc1_experts_bias "
         "fc2_experts_weights fc2_scales fc2_experts_bias fc3_experts_weights fc3_scales "
         "fc3_experts_bias fc1_zero_points fc2_zero_points fc3_zero_points router_weights "
         "fc1_global_scale fc2_global_scale fc1_act_scale fc2_act_scale fc1_act_block_scale "
         "fc2_act_block_scale");
}
