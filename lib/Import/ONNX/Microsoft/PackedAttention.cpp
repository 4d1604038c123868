//===- PackedAttention.cpp - import of attention without padding ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Batches of sequences whose padding was removed: T tokens, of B sequences of up to S tokens.
// `token_offset`, B x S, has the places of the tokens among B*S, then those of the padding.
//
//===----------------------------------------------------------------------===//

#include "../ShapeMath.h"
#include "Attention.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// The places of as many tokens as there are rows: i64, T x 1.
static Value getPlaces(NodeBinder &node, Value offsets, Value rows) {
  if (node.failed())
    return {};
  Value all = flatten(node, node.asInt64(offsets));
  Value start = node.constantList({0}), end = getDimList(node, rows, 0);
  Value places = node.create<SliceOp>(all, start, end, ArrayRef<int64_t>{0},
                                      ArrayRef<int64_t>{1});
  return node.create<UnsqueezeOp>(places, ArrayRef<int64_t>{1});
}

/// T x C to B x S x C, with zeros for the padding.
static Value restorePadding(NodeBinder &node, Value rows, Value offsets) {
  Value places = getPlaces(node, offsets, rows);
  if (node.failed())
    return {};
  Value count = node.create<MulOp>(getDimList(node, offsets, 0), getDimList(node, offsets, 1));
  Value columns = getDimList(node, rows, 1);
  Value shape = node.create<ConcatOp>(SmallVector<Value>{count, columns}, 0);
  Value none = makeFilled(node, shape, 0, getElementType(rows));
  Value all = node.call("ScatterND", {none, places, rows}).get();
  SmallVector<Value> sizes{getDimList(node, offsets, 0), getDimList(node, offsets, 1), columns};
  Value list = node.create<ConcatOp>(sizes, 0);
  return node.create<ReshapeOp>(all, list, /*allow_zero=*/true);
}

/// B x S x C to the T x C that have a place.
static Value removePadding(NodeBinder &node, Value padded, Value places) {
  if (node.failed())
    return {};
  Value shape = node.constantList({-1, getLastSize(padded)});
  Value rows = node.create<ReshapeOp>(padded, shape, /*allow_zero=*/false);
  Value list = node.create<SqueezeOp>(places, ArrayRef<int64_t>{1});
  return node.create<GatherOp>(rows, list, int64_t(0));
}

namespace {
/// What PackedAttention and PackedMultiHeadAttention share.
struct PackedOperands {
  Value offsets, cumulative, bias;
  int64_t numHeads = 0;
  Attention attention;

  NodeBinder &bind(NodeBinder &node) {
    return node.operand("token_offset", offsets)
        .operand("cumulative_sequence_length", cumulative)
        .optionalOperand("attention_bias", bias).requiredAttr("num_heads", numHeads)
        .attr("scale", attention.scale, 0.0f);
  }

  /// `q`, `k`, `v`: T x C each.
  LogicalResult finish(NodeBinder &node, Value q, Value k, Value v);
};
} // namespace

LogicalResult PackedOperands::finish(NodeBinder &node, Value q, Value k, Value v) {
  if (node.failed() ||
      node.require(getType(q).getRank() == 2 && getType(offsets).getRank() == 2 &&
                       getLastSize(v) > 0,
                   "tokens are in rows of a known size, offsets in a matrix",
                   show(q.getType()) + ", " + show(offsets.getType()), "")
          .failed())
    return failure();
  Value places = getPlaces(node, offsets, q);
  attention.q = splitHeads(node, restorePadding(node, q, offsets), numHeads);
  attention.k = splitHeads(node, restorePadding(node, k, offsets), numHeads);
  attention.v = splitHeads(node, restorePadding(node, v, offsets), numHeads);
  if (node.failed())
    return failure();
  // Keys of the padding do not count. Each sequence has as many tokens as the sums grow.
  Type type = getElementType(q);
  Value sums = node.asInt64(cumulative);
  auto take = [&](int64_t from, int64_t to) -> Value {
    Value start = node.constantList({from}), end = node.constantList({to});
    return node.create<SliceOp>(sums, start, end, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
  };
  Value ends = take(1, INT64_MAX), starts = take(0, -1);
  Value lengths = node.create<UnsqueezeOp>(node.create<SubOp>(ends, starts),
                                           ArrayRef<int64_t>{1, 2, 3});
  Value keys = makeIota(node, attention.k, 2, 3, 4);
  attention.biases.push_back(
      makeBias(node, node.create<LessOp>(keys, lengths), getLowest(type), type));
  if (bias)
    attention.biases.push_back(bias);
  Value padded = mergeHeads(node, attention.build(node));
  return node.setOutput(removePadding(node, padded, places));
}

/// Columns of a matrix, or entries of a list: parts of these sizes.
static SmallVector<Value> split(NodeBinder &node, Value value, ArrayRef<int64_t> sizes) {
  if (node.failed())
    return {};
  return node.createMany<SplitOp>(sizes.size(), value, sizes,
                                  int64_t(getType(value).getRank() - 1));
}

static LogicalResult importPackedAttention(NodeBinder &node) {
  Value input, weights, bias;
  PackedOperands packed;
  SmallVector<int64_t> sizes;
  if (node.operand("input", input).operand("weights", weights).operand("bias", bias)
          .attr("qkv_hidden_sizes", sizes).failed() ||
      packed.bind(node).failed())
    return failure();
  Value projected = node.create<AddOp>(node.create<MatMulOp>(input, weights, false, false), bias);
  if (node.failed())
    return failure();
  SmallVector<Value> qkv =
      splitProjections(node, projected, sizes, getType(projected).getRank() - 1);
  return qkv.empty() ? failure() : packed.finish(node, qkv[0], qkv[1], qkv[2]);
}

static LogicalResult importPackedMultiHeadAttention(NodeBinder &node) {
  Value query, key, value, bias;
  PackedOperands packed;
  // Padding does not count at all, so its filter value does not matter.
  if (node.operand("query", query).optionalOperand("key", key).optionalOperand("value", value)
          .optionalOperand("bias", bias).ignoreAttrs({"mask_filter_value"}).failed() ||
      packed.bind(node).failed() ||
      node.require(!key == !value && (key || getType(query).getRank() == 4),
                   "query, key and value are given", "query " + show(query.getType()),
                   "three operands, or packed ones of rank 4").failed())
    return failure();
  Value qkv[] = {query, key, value};
  if (!key) {
    // T x N x 3 x H
    for (int64_t i = 0; i < 3; ++i) {
      Value number = node.constantScalar(i, IntegerType::get(node.getContext(), 64));
      Value part = node.create<GatherOp>(query, number, int64_t(2));
      if (node.failed())
        return failure();
      ArrayRef<int64_t> shape = getType(part).getShape();
      bool isKnown = !ShapedType::isDynamic(shape[1]) && !ShapedType::isDynamic(shape[2]);
      Value list = node.constantList({0, isKnown ? shape[1] * shape[2] : -1});
      qkv[i] = node.create<ReshapeOp>(part, list, /*allow_zero=*/false);
    }
  }
  if (bias && !node.failed()) {
    int64_t hidden = getLastSize(qkv[0]), whole = getLastSize(bias);
    if (node.require(hidden > 0 && whole > 2 * hidden,
                     "the bias has parts for query, key and value", show(bias.getType()), "")
            .failed())
      return failure();
    SmallVector<Value> parts = split(node, bias, {hidden, hidden, whole - 2 * hidden});
    for (auto [part, matrix] : llvm::zip(parts, qkv))
      matrix = node.create<AddOp>(matrix, part);
  }
  return node.failed() ? failure() : packed.finish(node, qkv[0], qkv[1], qkv[2]);
}

static LogicalResult importRestorePadding(NodeBinder &node) {
  Value input, offsets;
  if (node.operand("input", input).operand("token_offset", offsets).failed())
    return failure();
  return node.setOutput(restorePadding(node, input, offsets));
}

static LogicalResult importRemovePadding(NodeBinder &node) {
  Value input, lengths;
  if (node.operand("input", input).operand("sequence_token_count", lengths)
          .require(input && getType(input).getRank() == 3 && getLastSize(input) > 0,
                   "the input is batch x sequence x a known size", "another shape", "")
          .failed())
    return failure();
  Type i32 = IntegerType::get(node.getContext(), 32);
  Value counts = node.asInt64(lengths);
  // B x S
  Value isToken = node.create<LessOp>(
      makeIota(node, input, 1, 1, 2), node.create<UnsqueezeOp>(counts, ArrayRef<int64_t>{1}));
  if (node.failed())
    return failure();
  Value flags = flatten(node, isToken);
  auto find = [&](Value which) {
    return node.create<SqueezeOp>(node.create<NonZeroOp>(which), ArrayRef<int64_t>{0});
  };
  Value tokens = find(flags), padding = find(node.create<NotOp>(flags));
  if (node.failed())
    return failure();
  Value offsets = node.create<ConcatOp>(SmallVector<Value>{tokens, padding}, 0);
  SmallVector<Value> sizes{getDimList(node, input, 0), getDimList(node, input, 1)};
  Value matrix = node.create<ReshapeOp>(offsets, node.create<ConcatOp>(sizes, 0),
                                        /*allow_zero=*/true);
  (void)node.setOutput(castTo(node, matrix, i32), 1);
  Value sums = node.call("CumSum", {counts, node.constantScalar(0, i32)}).get();
  Value zero = node.constantList({0});
  Value all = node.create<ConcatOp>(SmallVector<Value>{zero, sums}, 0);
  (void)node.setOutput(castTo(node, all, i32), 2);
  Value longest = node.create<ReduceMaxOp>(counts, ArrayRef<int64_t>{0}, /*keepdims=*/true);
  (void)node.setOutput(castTo(node, longest, i32), 3);
  Value places = node.create<UnsqueezeOp>(tokens, ArrayRef<int64_t>{1});
  return node.setOutput(removePadding(node, input, places));
}

void importer::registerMicrosoftPackedAttention(Registry &r) {
  r.onOp(microsoft, "PackedAttention", 1, importPackedAttention,
         "input weights bias token_offset cumulative_sequence_length attention_bias");
  r.onOp(microsoft, "PackedMultiHeadAttention", 1, importPackedMultiHeadAttention,
         "query key value bias token_offset cumulative_sequence_length attention_bias");
  r.onOp(microsoft, "RemovePadding", 1, importRemovePadding, "input sequence_token_count");
  r.onOp(microsoft, "RestorePadding", 1, importRestorePadding, "input token_offset");
}
