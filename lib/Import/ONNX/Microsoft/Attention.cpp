//===- Attention.cpp - import of ONNX Runtime's attentions ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Attention.h"
#include "../ShapeMath.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

//===----------------------------------------------------------------------===//
// What they share
//===----------------------------------------------------------------------===//

Value Attention::build(NodeBinder &node) const {
  if (node.failed())
    return {};
  Type type = getElementType(q);
  int64_t rank = getType(q).getRank(), size = getLastSize(q);
  if (node.require(scale != 0 || size > 0, "the size of heads is known", "unknown", "")
          .failed())
    return {};
  float factor = scale != 0 ? scale : 1 / std::sqrt(float(size));
  Value scaled = node.create<MulOp>(q, node.constantScalar(factor, type));
  Value scores = node.create<MatMulOp>(scaled, k, false, /*transpose_rhs=*/true);
  if (softcap > 0) {
    Value cap = node.constantScalar(softcap, type);
    Value bounded = node.create<TanhOp>(node.create<DivOp>(scores, cap));
    scores = node.create<MulOp>(bounded, cap);
  }
  for (Value bias : biases)
    scores = node.create<AddOp>(scores, bias);
  if (!sink)
    return node.create<MatMulOp>(node.create<SoftmaxOp>(scores, int64_t(-1)), v, false, false);

  SmallVector<Value> shape;
  for (int64_t dim = 0; dim + 1 < rank; ++dim)
    shape.push_back(getDimList(node, scores, dim));
  shape.push_back(node.constantList({1}));
  Value columnShape = node.create<ConcatOp>(shape, 0);
  Value column = node.create<ExpandOp>(sink, columnShape);
  Value all = node.create<ConcatOp>(SmallVector<Value>{scores, column}, rank - 1);
  Value weights = node.create<SoftmaxOp>(all, int64_t(-1));
  Value start = node.constantList({0}), end = node.constantList({-1});
  weights = node.create<SliceOp>(weights, start, end, ArrayRef<int64_t>{rank - 1},
                                 ArrayRef<int64_t>{1});
  return node.create<MatMulOp>(weights, v, false, false);
}

Value importer::splitHeads(NodeBinder &node, Value value, int64_t numHeads) {
  if (!value || node.failed())
    return {};
  int64_t rank = getType(value).getRank(), size = getLastSize(value);
  if (node.require(rank == 3 && numHeads > 0 && size > 0 && size % numHeads == 0,
                   "queries, keys and values consist of heads", show(value.getType()),
                   "batch x sequence x a multiple of " + Twine(numHeads))
          .failed())
    return {};
  Value shape = node.constantList({0, 0, numHeads, size / numHeads});
  Value split = node.create<ReshapeOp>(value, shape, /*allow_zero=*/false);
  return node.create<TransposeOp>(split, ArrayRef<int64_t>{0, 2, 1, 3});
}

Value importer::mergeHeads(NodeBinder &node, Value value) {
  if (!value || node.failed())
    return {};
  Value moved = node.create<TransposeOp>(value, ArrayRef<int64_t>{0, 2, 1, 3});
  int64_t heads = getType(value).getDimSize(1), size = getType(value).getDimSize(3);
  bool isKnown = !ShapedType::isDynamic(heads) && !ShapedType::isDynamic(size);
  Value shape = node.constantList({0, 0, isKnown ? heads * size : -1});
  return node.create<ReshapeOp>(moved, shape, /*allow_zero=*/false);
}

double importer::getLowest(Type type) {
  return -llvm::APFloat::getLargest(cast<FloatType>(type).getFloatSemantics()).convertToDouble();
}

Value importer::makeBias(NodeBinder &node, Value allowed, double otherwise, Type type) {
  Value zero = node.constantScalar(0, type), low = node.constantScalar(otherwise, type);
  return node.create<WhereOp>(allowed, zero, low);
}

/// Query s sees keys up to s, counted from those that the keys have more: 1 x 1 x S x T.
static Value makeCausalBias(NodeBinder &node, const Attention &attention) {
  if (node.failed())
    return {};
  Type type = getElementType(attention.q);
  Value before = node.create<SubOp>(getDimScalar(node, attention.k, 2),
                                    getDimScalar(node, attention.q, 2));
  Value last = node.create<AddOp>(makeIota(node, attention.q, 2, 2, 4), before);
  Value keys = makeIota(node, attention.k, 2, 3, 4);
  return makeBias(node, node.create<LessOrEqualOp>(keys, last), getLowest(type), type);
}

/// The bias of a mask: lengths of the keys, B; ends and then starts of the keys that count,
/// 2*B; or numbers above 0 where keys count, B x T or B x S x T.
static Value makeMaskBias(NodeBinder &node, Value mask, const Attention &attention,
                          float filter) {
  if (node.failed())
    return {};
  Type type = getElementType(attention.q);
  int64_t rank = getType(mask).getRank();
  if (node.require(rank >= 1 && rank <= 3, "the mask has a supported shape",
                   show(mask.getType()),
                   "batch (lengths), 2*batch (ends and starts), batch x keys, or batch x "
                   "queries x keys",
                   Remedy::ChangeForm)
          .failed())
    return {};
  if (rank > 1) {
    Value zero = node.constantScalar(0, getElementType(mask));
    Value counts = node.create<GreaterOp>(mask, zero);
    auto added = rank == 2 ? SmallVector<int64_t>{1, 2} : SmallVector<int64_t>{1};
    return makeBias(node, node.create<UnsqueezeOp>(counts, added), filter, type);
  }
  ImportShapes &shapes = node.getShapes();
  Dim batch = shapes.getDims(attention.q)[0], size = shapes.getDims(mask)[0];
  bool areLengths = batch == size, areRanges = batch * 2 == size;
  if (node.require(areLengths || areRanges, "the mask has one or two numbers for each "
                   "entry of the batch", show(mask.getType()), "batch or 2*batch",
                   Remedy::GiveShape)
          .failed())
    return {};
  Value keys = makeIota(node, attention.k, 2, 3, 4);
  auto compare = [&](Value positions) {
    return node.create<UnsqueezeOp>(node.asInt64(positions), ArrayRef<int64_t>{1, 2, 3});
  };
  if (areLengths)
    return makeBias(node, node.create<LessOp>(keys, compare(mask)), filter, type);
  Value pairs = node.create<ReshapeOp>(mask, node.constantList({2, -1}), /*allow_zero=*/false);
  Type i64 = IntegerType::get(node.getContext(), 64);
  Value ends = node.create<GatherOp>(pairs, node.constantScalar(0, i64), int64_t(0));
  Value starts = node.create<GatherOp>(pairs, node.constantScalar(1, i64), int64_t(0));
  Value isBefore = node.create<LessOp>(keys, compare(ends));
  Value isBehind = node.create<GreaterOrEqualOp>(keys, compare(starts));
  return makeBias(node, node.create<AndOp>(isBefore, isBehind), filter, type);
}

namespace {
/// What Attention, QAttention and MultiHeadAttention have in common.
struct CommonOperands {
  Value mask, bias;
  int64_t numHeads = 0;
  float filter = 0;
  bool isCausal = false;

  /// Scale and what else is the same for all of them.
  NodeBinder &bind(NodeBinder &node, Attention &attention) {
    return node.requiredAttr("num_heads", numHeads)
        .attr("mask_filter_value", filter, -10000.0f)
        .attr("unidirectional", isCausal, false).attr("scale", attention.scale, 0.0f);
  }

  LogicalResult finish(NodeBinder &node, Attention &attention) {
    if (mask)
      attention.biases.push_back(makeMaskBias(node, mask, attention, filter));
    if (isCausal)
      attention.biases.push_back(makeCausalBias(node, attention));
    if (bias)
      attention.biases.push_back(bias);
    return node.setOutput(mergeHeads(node, attention.build(node)));
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// With projections
//===----------------------------------------------------------------------===//

SmallVector<Value> importer::splitProjections(NodeBinder &node, Value projected,
                                              ArrayRef<int64_t> hiddenSizes,
                                              int64_t axis) {
  if (node.failed())
    return {};
  int64_t whole = getLastSize(projected);
  SmallVector<int64_t> sizes(hiddenSizes);
  if (sizes.empty())
    sizes.assign(3, whole / 3);
  if (node.require(sizes.size() == 3 && sizes[0] + sizes[1] + sizes[2] == whole,
                   "the weights give queries, keys and values", Twine(whole) + " columns",
                   "as many as attribute 'qkv_hidden_sizes' says, or a multiple of 3")
          .failed())
    return {};
  return node.createMany<SplitOp>(3, projected, sizes, axis);
}

/// `projected` holds queries, keys and values along its last dimension. `past` and the
/// second output hold keys and values of all tokens: 2 x B x N x T x H.
static LogicalResult attendToItself(NodeBinder &node, Value projected, Value past,
                                    CommonOperands common, Attention attention,
                                    ArrayRef<int64_t> hiddenSizes) {
  SmallVector<Value> parts = splitProjections(node, projected, hiddenSizes, 2);
  if (parts.empty())
    return failure();
  attention.q = splitHeads(node, parts[0], common.numHeads);
  Value *states[] = {&attention.k, &attention.v};
  SmallVector<Value> present;
  for (int64_t i : {0, 1}) {
    Value &state = *states[i];
    state = splitHeads(node, parts[i + 1], common.numHeads);
    if (past) {
      Value number = node.constantScalar(i, IntegerType::get(node.getContext(), 64));
      Value old = node.create<GatherOp>(past, number, int64_t(0));
      state = node.create<ConcatOp>(SmallVector<Value>{old, state}, 2);
    }
    present.push_back(node.create<UnsqueezeOp>(state, ArrayRef<int64_t>{0}));
  }
  if (node.hasOutput(1))
    (void)node.setOutput(node.create<ConcatOp>(present, 0), 1);
  return common.finish(node, attention);
}

/// Attributes that need another memory for the past, or tables that are no operands.
static NodeBinder &refuseSharedBuffers(NodeBinder &node) {
  bool rotates, shares;
  return node.attr("do_rotary", rotates, false).attr("past_present_share_buffer", shares, false)
      .require(!rotates, "attribute 'do_rotary' has a supported value", "1", "0",
               Remedy::ChangeForm)
      .require(!shares, "attribute 'past_present_share_buffer' has a supported value", "1",
               "0", Remedy::ChangeForm);
}

static LogicalResult importAttention(NodeBinder &node) {
  Value input, weights, bias, past;
  CommonOperands common;
  Attention attention;
  SmallVector<int64_t> sizes;
  if (node.operand("input", input).operand("weights", weights).optionalOperand("bias", bias)
          .optionalOperand("mask_index", common.mask).optionalOperand("past", past)
          .optionalOperand("attention_bias", common.bias).attr("qkv_hidden_sizes", sizes)
          .ignoreAttrs({"rotary_embedding_dim"}).failed() ||
      refuseSharedBuffers(node).failed() || common.bind(node, attention).failed())
    return failure();
  Value product = node.create<MatMulOp>(input, weights, false, false);
  return attendToItself(node, addIfPresent(node, product, bias), past, common, attention,
                        sizes);
}

static LogicalResult importQAttention(NodeBinder &node) {
  Quantized input, weight;
  Value bias, past;
  CommonOperands common;
  Attention attention;
  if (node.operand("input", input.value).operand("weight", weight.value)
          .operand("bias", bias).operand("input_scale", input.scale)
          .operand("weight_scale", weight.scale).optionalOperand("mask_index", common.mask)
          .optionalOperand("input_zero_point", input.zeroPoint)
          .optionalOperand("weight_zero_point", weight.zeroPoint)
          .optionalOperand("past", past).failed() ||
      refuseSharedBuffers(node).failed() || common.bind(node, attention).failed())
    return failure();
  Value projected = scaleProduct(node, input, weight, bias);
  return attendToItself(node, projected, past, common, attention, {});
}

//===----------------------------------------------------------------------===//
// Without
//===----------------------------------------------------------------------===//

/// Entry `index` of dimension 3, of tensors that are packed B x S x N x count x H; as
/// B x S x N*H.
static Value unpackHeads(NodeBinder &node, Value packed, int64_t index) {
  Value number = node.constantScalar(index, IntegerType::get(node.getContext(), 64));
  Value part = node.create<GatherOp>(packed, number, int64_t(3));
  if (node.failed())
    return {};
  ArrayRef<int64_t> shape = getType(part).getShape();
  bool isKnown = !ShapedType::isDynamic(shape[2]) && !ShapedType::isDynamic(shape[3]);
  Value list = node.constantList({0, 0, isKnown ? shape[2] * shape[3] : -1});
  return node.create<ReshapeOp>(part, list, /*allow_zero=*/false);
}

/// Adds the parts of the bias to the query and, unless they are heads already, to key and
/// value.
static LogicalResult addBias(NodeBinder &node, Value bias, MutableArrayRef<Value> qkv) {
  int64_t whole = getLastSize(bias), hidden = getLastSize(qkv[0]);
  if (node.require(whole > 2 * hidden && hidden > 0, "the bias has parts for query, key and value",
                   show(bias.getType()), "")
          .failed())
    return failure();
  SmallVector<Value> parts = node.createMany<SplitOp>(
      3, bias, ArrayRef<int64_t>{hidden, hidden, whole - 2 * hidden}, int64_t(0));
  for (auto [index, value] : llvm::enumerate(qkv))
    if (!parts.empty() && getType(value).getRank() == 3)
      value = node.create<AddOp>(value, parts[index]);
  return success(!node.failed());
}

static LogicalResult importMultiHeadAttention(NodeBinder &node) {
  Value query, key, value, bias, pastKey, pastValue;
  CommonOperands common;
  Attention attention;
  if (node.operand("query", query).optionalOperand("key", key)
          .optionalOperand("value", value).optionalOperand("bias", bias)
          .optionalOperand("key_padding_mask", common.mask)
          .optionalOperand("attention_bias", common.bias)
          .optionalOperand("past_key", pastKey).optionalOperand("past_value", pastValue)
          .failed() ||
      common.bind(node, attention).failed())
    return failure();
  int64_t queryRank = getType(query).getRank();
  if (queryRank == 5) {
    key = unpackHeads(node, query, 1);
    value = unpackHeads(node, query, 2);
    query = unpackHeads(node, query, 0);
  } else if (key && !value && getType(key).getRank() == 5) {
    value = unpackHeads(node, key, 1);
    key = unpackHeads(node, key, 0);
  }
  if (node.require(key && value && !node.failed(), "query, key and value are given",
                   "query " + show(query.getType()),
                   "three operands, or packed ones of rank 5").failed())
    return failure();
  Value qkv[] = {query, key, value};
  if (bias && failed(addBias(node, bias, qkv)))
    return failure();
  attention.q = splitHeads(node, qkv[0], common.numHeads);
  // Keys and values of rank 4 have been split before.
  Value *states[] = {&attention.k, &attention.v};
  for (int64_t i : {0, 1}) {
    Value part = qkv[i + 1];
    *states[i] = getType(part).getRank() == 4 ? part : splitHeads(node, part, common.numHeads);
    if (Value past = i ? pastValue : pastKey)
      *states[i] = node.create<ConcatOp>(SmallVector<Value>{past, *states[i]}, 2);
    if (node.hasOutput(i + 1))
      (void)node.setOutput(*states[i], i + 1);
  }
  return common.finish(node, attention);
}

void importer::registerMicrosoftAttention(Registry &r) {
  r.onOp(microsoft, "Attention", 1, importAttention,
         "input weights bias mask_index past attention_bias past_sequence_length");
  r.onOp(microsoft, "QAttention", 1, importQAttention,
         "input weight bias input_scale weight_scale mask_index input_zero_point "
         "weight_zero_point past");
  r.onOp(microsoft, "MultiHeadAttention", 1, importMultiHeadAttention,
         "query key value bias key_padding_mask attention_bias past_key past_value "
         "past_sequence_length cache_indirection");
}
