//===- Embedding.cpp - import of ONNX Runtime's embeddings ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "../ShapeMath.h"
#include "Microsoft.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

namespace {
/// The sum of the embeddings of words, positions and segments, normalized. Output 1 counts
/// the ones in each row of the mask.
struct Embeddings {
  Value ids, segmentIds, mask, positionIds;
  Quantized words, positions, segments, gamma, beta; ///< Scales are absent if not quantized.
  float epsilon = 0;

  LogicalResult build(NodeBinder &node);
};
} // namespace

/// The real numbers of a tensor that may be quantized.
static Value dequantizeIfNeeded(NodeBinder &node, Quantized tensor) {
  return tensor.scale ? dequantize(node, tensor) : tensor.value;
}

/// Rows of a table.
static Value embed(NodeBinder &node, Quantized table, Value ids) {
  table.value = node.create<GatherOp>(table.value, ids, int64_t(0));
  return dequantizeIfNeeded(node, table);
}

LogicalResult Embeddings::build(NodeBinder &node) {
  if (node.require(!segmentIds == !segments.value,
                   "segments have both indices and an embedding", "one of them", "").failed())
    return failure();
  if (!positionIds)
    positionIds = makeIota(node, ids, 1, 0, 1);
  Value word = embed(node, words, ids), position = embed(node, positions, positionIds);
  Value sum = node.create<AddOp>(word, position);
  if (segmentIds)
    sum = node.create<AddOp>(sum, embed(node, segments, segmentIds));
  if (node.hasOutput(1)) {
    Type i32 = IntegerType::get(node.getContext(), 32);
    Value count;
    if (mask) {
      Value one = node.constantScalar(1, getElementType(mask));
      Value ones = node.create<CastOp>(node.create<EqualOp>(mask, one), i32);
      count = node.create<ReduceSumOp>(ones, ArrayRef<int64_t>{1}, /*keepdims=*/false);
    } else {
      count = makeFilled(node, getDimList(node, ids, 0), 0, i32);
    }
    (void)node.setOutput(count, 1);
  }
  if (node.hasOutput(2))
    (void)node.setOutput(sum, 2);
  Value scale = dequantizeIfNeeded(node, gamma), bias = dequantizeIfNeeded(node, beta);
  if (node.failed())
    return failure();
  return node.replaceWith<LayerNormOp>(sum, scale, bias, int64_t(-1), epsilon);
}

static LogicalResult importEmbedLayerNormalization(NodeBinder &node) {
  Embeddings e;
  if (node.operand("input_ids", e.ids).optionalOperand("segment_ids", e.segmentIds)
          .operand("word_embedding", e.words.value)
          .operand("position_embedding", e.positions.value)
          .optionalOperand("segment_embedding", e.segments.value)
          .operand("gamma", e.gamma.value).operand("beta", e.beta.value)
          .optionalOperand("mask", e.mask).optionalOperand("position_ids", e.positionIds)
          .attr("epsilon", e.epsilon, 1e-12f).ignoreAttrs({"mask_index_type"}).failed())
    return failure();
  return e.build(node);
}

static LogicalResult importQEmbedLayerNormalization(NodeBinder &node) {
  Embeddings e;
  auto bind = [&](StringRef name, StringRef tensor, Quantized &quantized) {
    node.operand(tensor, quantized.value).operand((name + "_scale").str(), quantized.scale)
        .operand((name + "_zero_point").str(), quantized.zeroPoint);
  };
  node.operand("input_ids", e.ids).optionalOperand("segment_ids", e.segmentIds)
      .optionalOperand("mask", e.mask).attr("epsilon", e.epsilon, 1e-12f);
  bind("word_embedding", "word_embedding_quant", e.words);
  bind("position_embedding", "position_embedding_quant", e.positions);
  bind("gamma", "gamma_quant", e.gamma);
  bind("beta", "beta_quant", e.beta);
  if (e.segmentIds)
    bind("segment_embedding", "segment_embedding", e.segments);
  return node.failed() ? failure() : e.build(node);
}

/// `position_ids` may be the first position, of consecutive ones for all rows.
static LogicalResult importRotaryEmbedding(NodeBinder &node) {
  Value input, positions, cosines, sines;
  bool isPacked;
  float scale;
  if (node.operand("input", input).operand("position_ids", positions)
          .operand("cos_cache", cosines).operand("sin_cache", sines)
          .attr("is_packed_batching", isPacked, false).attr("scale", scale, 1.0f)
          .require(!isPacked, "attribute 'is_packed_batching' has a supported value", "1",
                   "0", Remedy::ChangeForm)
          .require(scale == 1.0f, "attribute 'scale' has a supported value",
                   std::to_string(scale), "1", Remedy::ChangeForm).failed())
    return failure();
  int64_t rank = getType(input).getRank();
  if (node.require(rank == 3 || rank == 4, "the input has a supported shape",
                   show(input.getType()),
                   "batch x sequence x hidden, or batch x heads x sequence x head size").failed())
    return failure();
  if (getType(positions).getRank() == 1) {
    // B x S.
    Value tokens = makeIota(node, input, rank - 2, 1, 2);
    Value row = node.create<AddOp>(node.asInt64(positions), tokens);
    SmallVector<Value> shape{getDimList(node, input, 0), getDimList(node, input, rank - 2)};
    positions = node.create<ExpandOp>(row, node.create<ConcatOp>(shape, 0));
  }
  if (node.failed())
    return failure();
  OperatorCall call = node.call("RotaryEmbedding", {input, cosines, sines, positions});
  call.pass({"interleaved"});
  int64_t heads, rotated, half = getLastSize(cosines);
  if (node.attr("num_heads", heads, 0).attr("rotary_embedding_dim", rotated, 0).failed())
    return failure();
  // Without the attribute, heads have the size of the tables.
  if (rank == 3 && heads == 0) {
    int64_t hidden = getLastSize(input);
    if (node.require(hidden > 0 && half > 0, "the size of heads is known", "unknown",
                     "attribute 'num_heads'", Remedy::GiveShape).failed())
      return failure();
    heads = hidden / (2 * half);
  }
  if (rank == 3)
    call.attr("num_heads", heads);
  if (rotated)
    call.attr("rotary_embedding_dim", rotated);
  return node.setOutput(call.get());
}

/// `x * cos(emb) + x_rot * sin(emb)` of queries and keys.
static LogicalResult importGemmaRotaryEmbedding(NodeBinder &node) {
  Value angles, q, qRotated, k, kRotated;
  if (node.operand("emb", angles).operand("q", q).operand("q_rot", qRotated).operand("k", k)
          .operand("k_rot", kRotated).failed())
    return failure();
  Type type = getElementType(q);
  auto broadcast = [&](Value value) {
    return node.create<UnsqueezeOp>(castTo(node, value, type), ArrayRef<int64_t>{1});
  };
  Value cosine = broadcast(node.create<CosOp>(angles));
  Value sine = broadcast(node.create<SinOp>(angles));
  auto rotate = [&](Value plain, Value rotated) {
    Value first = node.create<MulOp>(plain, cosine), second = node.create<MulOp>(rotated, sine);
    return node.create<AddOp>(first, second);
  };
  (void)node.setOutput(rotate(q, qRotated), 0);
  return node.setOutput(rotate(k, kRotated), 1);
}

/// A convolution along the characters of each word, up to the first without a number above 0,
/// and the largest of its results. Words without characters are zeros.
static LogicalResult importWordConvEmbedding(NodeBinder &node) {
  Value words, weights, bias, table;
  int64_t size, window, characterSize;
  if (node.operand("Sequence", words).operand("W", weights).operand("B", bias)
          .operand("C", table).attr("embedding_size", size, -1)
          .attr("conv_window_size", window, -1)
          .attr("char_embedding_size", characterSize, -1).failed())
    return failure();
  ArrayRef<int64_t> kernel = getType(weights).getShape();
  auto agrees = [](int64_t attribute, int64_t size) { return attribute == -1 || attribute == size; };
  if (node.require(getType(words).getRank() == 2 && kernel.size() == 4 && kernel[2] > 0,
                   "words are in rows, and the weights have four sizes",
                   show(words.getType()) + ", " + show(weights.getType()), "")
          .require(agrees(size, kernel[0]) && agrees(window, kernel[2]) &&
                       agrees(characterSize, kernel[3]),
                   "the attributes are sizes of the weights", show(weights.getType()), "")
          .failed())
    return failure();
  // Words x 1 x characters x embedding.
  Value embedded = node.create<GatherOp>(table, words, int64_t(0));
  Value image = node.create<UnsqueezeOp>(embedded, ArrayRef<int64_t>{1});
  Value products = node.call("Conv", {image, weights, bias}).get();
  if (node.failed())
    return failure();
  Value results = node.create<TanhOp>(node.create<SqueezeOp>(products, ArrayRef<int64_t>{3}));
  Type i64 = IntegerType::get(node.getContext(), 64), type = getElementType(results);
  Value none = node.constantScalar(0, getElementType(words));
  Value isCharacter = castTo(node, node.create<GreaterOp>(words, none), i64);
  Value begins = takeColumns(node, isCharacter, 0, 1);
  Value length = node.create<MulOp>(
      begins, node.create<ReduceSumOp>(isCharacter, ArrayRef<int64_t>{1}, /*keepdims=*/true));
  // There is a window at least.
  Value zero = node.constantScalar(0, i64), windowSize = node.constantScalar(kernel[2], i64);
  Value last = node.create<MaxOp>(node.create<SubOp>(length, windowSize), zero);
  Value places = makeIota(node, results, 2, 2, 3);
  Value counts = node.create<LessOrEqualOp>(
      places, node.create<UnsqueezeOp>(last, ArrayRef<int64_t>{2}));
  Value low = node.constantScalar(-1, type); // tanh gives no less
  Value largest = node.create<ReduceMaxOp>(node.create<WhereOp>(counts, results, low),
                                           ArrayRef<int64_t>{2}, /*keepdims=*/false);
  Value isWord = node.create<GreaterOp>(length, zero);
  return node.replaceWith<WhereOp>(isWord, largest, node.constantScalar(0, type));
}

/// Rows of a table. How weights are trained does not matter.
static LogicalResult importTorchEmbedding(NodeBinder &node) {
  Value weight, indices, padding, scales;
  if (node.operand("weight", weight).operand("indices", indices)
          .optionalOperand("padding_idx", padding)
          .optionalOperand("scale_grad_by_freq", scales).failed())
    return failure();
  return node.replaceWith<GatherOp>(weight, indices, int64_t(0));
}

void importer::registerMicrosoftEmbedding(Registry &r) {
  r.onOp(microsoft, "EmbedLayerNormalization", 1, importEmbedLayerNormalization,
         "input_ids segment_ids word_embedding position_embedding segment_embedding gamma "
         "beta mask position_ids");
  r.onOp(microsoft, "QEmbedLayerNormalization", 1, importQEmbedLayerNormalization,
         "input_ids segment_ids word_embedding_quant position_embedding_quant "
         "segment_embedding gamma_quant beta_quant mask word_embedding_scale "
         "position_embedding_scale segment_embedding_scale gamma_scale beta_scale "
         "word_embedding_zero_point position_embedding_zero_point "
         "segment_embedding_zero_point gamma_zero_point beta_zero_point");
  r.onOp(microsoft, "RotaryEmbedding", 1, importRotaryEmbedding,
         "input position_ids cos_cache sin_cache");
  r.onOp(microsoft, "WordConvEmbedding", 1, importWordConvEmbedding, "Sequence W B C");
  r.onOp(microsoft, "TorchEmbedding", 1, importTorchEmbedding,
         "weight indices padding_idx scale_grad_by_freq");
  r.onOp(microsoft, "GemmaRotaryEmbedding", 1, importGemmaRotaryEmbedding,
         "emb q q_rot k k_rot");
}
