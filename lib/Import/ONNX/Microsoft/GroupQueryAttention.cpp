//===- GroupQueryAttention.cpp - import of attention with a KV cache ------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "../ShapeMath.h"
#include "Attention.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

namespace {
/// Sizes as in Attention.h; N heads of queries share M of keys and values.
struct GroupQueryAttention {
  NodeBinder &node;
  Value query, key, value, pastKey, pastValue, lengths, total;
  Value cosines, sines, positions, bias, sink, queryNorm, keyNorm;
  int64_t numHeads = 0, numKeyHeads = 0, window = -1;
  bool isCausal = true, rotates = false, isInterleaved = false, isSmooth = false;
  float queryEpsilon = 0, keyEpsilon = 0;
  Attention attention;

  explicit GroupQueryAttention(NodeBinder &node) : node(node) {}

  LogicalResult bind();
  LogicalResult unpack();
  void countTokens();
  Value prepare(Value heads, Value norm, float epsilon);
  Value updateCache(Value past, Value heads);
  Value makeMask(Value keys);
  LogicalResult build();

  Type getI64() { return IntegerType::get(node.getContext(), 64); }
  Value number(int64_t value) { return node.constantScalar(value, getI64()); }

  Value lengthOf; ///< B: the tokens of each entry of the batch, with those of the past.
  Value pastOf;   ///< B: those of the past.
  Value isPrompt; ///< Whether there is no past.
};
} // namespace

LogicalResult GroupQueryAttention::bind() {
  float epsilon;
  std::optional<float> ownQueryEpsilon, ownKeyEpsilon;
  std::string keyKind, valueKind;
  int64_t smooth, qkOutput, slidingCache;
  if (node.operand("query", query).optionalOperand("key", key)
          .optionalOperand("value", value).optionalOperand("past_key", pastKey)
          .optionalOperand("past_value", pastValue).operand("seqlens_k", lengths)
          .operand("total_sequence_length", total).optionalOperand("cos_cache", cosines)
          .optionalOperand("sin_cache", sines).optionalOperand("position_ids", positions)
          .optionalOperand("attention_bias", bias).optionalOperand("head_sink", sink)
          .optionalOperand("q_norm_weight", queryNorm)
          .optionalOperand("k_norm_weight", keyNorm).requiredAttr("num_heads", numHeads)
          .requiredAttr("kv_num_heads", numKeyHeads).attr("causal", isCausal, true)
          .attr("do_rotary", rotates, false)
          .attr("rotary_interleaved", isInterleaved, false)
          .attr("local_window_size", window, -1).attr("scale", attention.scale, 0.0f)
          .attr("softcap", attention.softcap, 0.0f).attr("smooth_softmax", smooth, 0)
          .attr("qk_norm_epsilon", epsilon, 1e-6f)
          .optionalAttr("q_norm_epsilon", ownQueryEpsilon)
          .optionalAttr("k_norm_epsilon", ownKeyEpsilon)
          .attr("qk_output", qkOutput, 0).attr("sliding_window_cache", slidingCache, 0)
          .attr("k_quant_type", keyKind, "NONE", {"NONE"})
          .attr("v_quant_type", valueKind, "NONE", {"NONE"})
          .ignoreAttrs({"kv_cache_bit_width"})
          .require(qkOutput == 0, "attribute 'qk_output' has a supported value",
                   Twine(qkOutput), "0", Remedy::ChangeForm)
          .require(slidingCache == 0,
                   "attribute 'sliding_window_cache' has a supported value",
                   Twine(slidingCache), "0", Remedy::ChangeForm)
          .require(numKeyHeads > 0 && numHeads % numKeyHeads == 0,
                   "attribute 'num_heads' is a multiple of 'kv_num_heads'",
                   Twine(numHeads) + " and " + Twine(numKeyHeads), "")
          .require(!rotates || (cosines && sines),
                   "operands 'cos_cache' and 'sin_cache' are given", "none", "").failed())
    return failure();
  isSmooth = smooth == 1;
  queryEpsilon = ownQueryEpsilon.value_or(epsilon);
  keyEpsilon = ownKeyEpsilon.value_or(epsilon);
  return success();
}

/// Without keys, the query holds the heads of all three.
LogicalResult GroupQueryAttention::unpack() {
  if (!key) {
    int64_t whole = getLastSize(query), heads = numHeads + 2 * numKeyHeads;
    if (node.require(whole > 0 && whole % heads == 0, "the query holds all heads",
                     show(query.getType()), "batch x sequence x a multiple of " + Twine(heads))
            .failed())
      return failure();
    int64_t size = whole / heads;
    SmallVector<Value> parts = node.createMany<SplitOp>(
        3, query,
        ArrayRef<int64_t>{numHeads * size, numKeyHeads * size, numKeyHeads * size},
        int64_t(2));
    if (parts.empty())
      return failure();
    query = parts[0];
    key = parts[1];
    value = parts[2];
  }
  if (node.require(value != Value(), "operand 'value' is given", "none", "").failed())
    return failure();
  query = splitHeads(node, query, numHeads);
  key = splitHeads(node, key, numKeyHeads);
  value = splitHeads(node, value, numKeyHeads);
  return success(!node.failed());
}

/// `seqlens_k` is one less than the number of tokens. There is no past if the sequence is
/// all there is, whatever is in the cache.
void GroupQueryAttention::countTokens() {
  lengthOf = node.create<AddOp>(node.asInt64(flatten(node, lengths)), number(1));
  Value sequence = getDimScalar(node, query, 2);
  total = node.asScalar(node.asInt64(total));
  isPrompt = node.create<EqualOp>(total, sequence);
  Value rest = node.create<SubOp>(lengthOf, sequence);
  pastOf = node.create<WhereOp>(isPrompt, number(0), rest);
}

/// Normalizes and rotates heads.
Value GroupQueryAttention::prepare(Value heads, Value norm, float epsilon) {
  if (norm)
    heads = node.call("RMSNormalization", {heads, norm}).attr("epsilon", epsilon).get();
  if (!rotates || node.failed())
    return heads;
  if (!positions) {
    // B x S: from the past on.
    Value tokens = makeIota(node, query, 2, 1, 2);
    Value past = node.create<UnsqueezeOp>(pastOf, ArrayRef<int64_t>{1});
    positions = node.create<AddOp>(tokens, past);
  }
  if (node.failed())
    return {};
  int64_t size = 2 * getLastSize(cosines);
  OperatorCall call = node.call("RotaryEmbedding", {heads, cosines, sines, positions});
  call.attr("interleaved", int64_t(isInterleaved));
  if (size > 0 && size != getLastSize(heads))
    call.attr("rotary_embedding_dim", size);
  return call.get();
}

/// Writes the new heads behind the past of each entry of the batch. The result has room
/// for all tokens.
Value GroupQueryAttention::updateCache(Value past, Value heads) {
  if (!past)
    return heads;
  Value room = getDimScalar(node, past, 2);
  Value missing = node.create<SubOp>(node.create<MaxOp>(total, room), room);
  Value none = node.constantList({0, 0});
  Value before = node.constantList({0, 0, 0, 0}), last = node.constantList({0});
  Value added = node.create<UnsqueezeOp>(missing, ArrayRef<int64_t>{0});
  Value pads = node.create<ConcatOp>(SmallVector<Value>{before, none, added, last}, 0);
  Value cache = node.create<PadOp>(past, pads, Value(), ArrayRef<int64_t>(), "constant");
  return node.call("TensorScatter", {cache, heads, pastOf}).attr("axis", int64_t(2)).get();
}

/// Which of the keys each query sees: B x 1 x S x T.
Value GroupQueryAttention::makeMask(Value keys) {
  Value places = makeIota(node, keys, 2, 3, 4);
  auto perEntry = [&](Value numbers) {
    return node.create<UnsqueezeOp>(numbers, ArrayRef<int64_t>{1, 2, 3});
  };
  if (!isCausal)
    return node.create<LessOp>(places, perEntry(lengthOf));
  Value own = node.create<AddOp>(makeIota(node, query, 2, 2, 4), perEntry(pastOf));
  Value seen = node.create<LessOrEqualOp>(places, own);
  if (window < 0)
    return seen;
  Value first = node.create<SubOp>(own, number(window));
  return node.create<AndOp>(seen, node.create<GreaterOp>(places, first));
}

LogicalResult GroupQueryAttention::build() {
  countTokens();
  query = prepare(query, queryNorm, queryEpsilon);
  key = prepare(key, keyNorm, keyEpsilon);
  key = updateCache(pastKey, key);
  value = updateCache(pastValue, value);
  if (node.failed())
    return failure();
  if (node.hasOutput(1))
    (void)node.setOutput(key, 1);
  if (node.hasOutput(2))
    (void)node.setOutput(value, 2);

  // B x M x N/M x S x H: keys and values broadcast to the queries that share them.
  Type type = getElementType(query);
  int64_t shared = numHeads / numKeyHeads, size = getLastSize(query);
  Value allowed = makeMask(key);
  if (node.failed())
    return failure();
  attention.biases.push_back(node.create<UnsqueezeOp>(
      makeBias(node, allowed, getLowest(type), type), ArrayRef<int64_t>{1}));
  Value inGroups = node.constantList({0, numKeyHeads, shared, -1, size});
  if (bias && node.require(getType(bias).getRank() == 4, "the bias has rank 4",
                           show(bias.getType()), "batch x heads x queries x keys").failed())
    return failure();
  if (bias) {
    // Of one or all heads.
    if (getType(bias).getDimSize(1) == 1) {
      bias = node.create<UnsqueezeOp>(bias, ArrayRef<int64_t>{1});
    } else {
      SmallVector<Value> shape{getDimList(node, bias, 0),
                               node.constantList({numKeyHeads, shared}),
                               getDimList(node, bias, 2), getDimList(node, bias, 3)};
      Value byGroup = node.create<ConcatOp>(shape, 0);
      bias = node.create<ReshapeOp>(bias, byGroup, /*allow_zero=*/true);
    }
    attention.biases.push_back(bias);
  }
  if (sink) {
    Value shape = node.constantList({1, numKeyHeads, shared, 1, 1});
    attention.sink = node.create<ReshapeOp>(castTo(node, sink, type), shape,
                                            /*allow_zero=*/false);
  } else if (isSmooth) {
    attention.sink = node.constantScalar(0, type);
  }
  attention.q = node.create<ReshapeOp>(query, inGroups, /*allow_zero=*/false);
  attention.k = node.create<UnsqueezeOp>(key, ArrayRef<int64_t>{2});
  attention.v = node.create<UnsqueezeOp>(value, ArrayRef<int64_t>{2});
  Value result = attention.build(node);
  Value byHead = node.constantList({0, numHeads, -1, size});
  if (node.failed())
    return failure();
  return node.setOutput(
      mergeHeads(node, node.create<ReshapeOp>(result, byHead, /*allow_zero=*/false)));
}

static LogicalResult importGroupQueryAttention(NodeBinder &node) {
  GroupQueryAttention builder(node);
  if (failed(builder.bind()) || failed(builder.unpack()))
    return failure();
  return builder.build();
}

void importer::registerMicrosoftGroupQueryAttention(Registry &r) {
  r.onOp(microsoft, "GroupQueryAttention", 1, importGroupQueryAttention,
         "query key value past_key past_value seqlens_k total_sequence_length cos_cache "
         "sin_cache position_ids attention_bias head_sink k_scale v_scale q_norm_weight "
         "k_norm_weight query_seqlens");
}
