//===- Embedding.cpp - import of ONNX Runtime's embeddings ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "../ShapeMath.h"
#include "Microsoft.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// The sum of the embeddings of words, positions and segments, normalized. Output 1 counts
/// the ones in each row of the mask.
static LogicalResult importEmbedLayerNormalization(NodeBinder &node) {
  Value ids, segments, words, places, segmentTable, gamma, beta, mask, positions;
  float epsilon;
  if (node.operand("input_ids", ids).optionalOperand("segment_ids", segments)
          .operand("word_embedding", words).operand("position_embedding", places)
          .optionalOperand("segment_embedding", segmentTable).operand("gamma", gamma)
          .operand("beta", beta).optionalOperand("mask", mask)
          .optionalOperand("position_ids", positions).attr("epsilon", epsilon, 1e-12f)
          .ignoreAttrs({"mask_index_type"})
          .require(!segments == !segmentTable,
                   "segments have both indices and an embedding", "one of them", "").failed())
    return failure();
  if (!positions)
    positions = makeIota(node, ids, 1, 0, 1);
  Value word = node.create<GatherOp>(words, ids, int64_t(0));
  Value place = node.create<GatherOp>(places, positions, int64_t(0));
  Value sum = node.create<AddOp>(word, place);
  if (segments)
    sum = node.create<AddOp>(sum, node.create<GatherOp>(segmentTable, segments, int64_t(0)));
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
  if (node.failed())
    return failure();
  return node.replaceWith<LayerNormOp>(sum, gamma, beta, int64_t(-1), epsilon);
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

void importer::registerMicrosoftEmbedding(Registry &r) {
  r.onOp(microsoft, "EmbedLayerNormalization", 1, importEmbedLayerNormalization,
         "input_ids segment_ids word_embedding position_embedding segment_embedding gamma "
         "beta mask position_ids");
  r.onOp(microsoft, "RotaryEmbedding", 1, importRotaryEmbedding,
         "input position_ids cos_cache sin_cache");
  r.onOp(microsoft, "GemmaRotaryEmbedding", 1, importGemmaRotaryEmbedding,
         "emb q q_rot k k_rot");
}
