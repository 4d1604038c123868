//===- BlockQuantization.cpp - import of weights in few bits, in blocks ---===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "BlockQuantization.h"
#include "../ShapeMath.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

Value importer::unpack(NodeBinder &node, Value bytes, int64_t bits, bool highFirst) {
  if (node.failed() || bits == 8)
    return bytes;
  Type type = getElementType(bytes);
  int64_t rank = getType(bytes).getRank(), count = 8 / bits;
  Value column = node.create<UnsqueezeOp>(bytes, ArrayRef<int64_t>{rank});
  SmallVector<Value> parts;
  for (int64_t i = 0; i < count; ++i) {
    int64_t shift = bits * (highFirst ? count - 1 - i : i);
    Value part = column;
    if (shift)
      part = node.create<BitShiftOp>(part, node.constantScalar(shift, type), /*left=*/false);
    if (shift + bits < 8)
      part = node.create<BitwiseAndOp>(part, node.constantScalar((1 << bits) - 1, type));
    parts.push_back(part);
  }
  Value stacked = node.create<ConcatOp>(parts, rank);
  SmallVector<Value> shape;
  for (int64_t dim = 0; dim + 1 < rank; ++dim)
    shape.push_back(getDimList(node, bytes, dim));
  shape.push_back(node.constantList({-1}));
  Value list = node.create<ConcatOp>(shape, 0);
  return node.create<ReshapeOp>(stacked, list, /*allow_zero=*/false);
}

static Value reshape(NodeBinder &node, Value value, ArrayRef<int64_t> shape) {
  Value list = node.constantList(shape);
  return node.failed() ? Value() : node.create<ReshapeOp>(value, list, /*allow_zero=*/false);
}

/// The first `size` entries of dimension `axis`, which has `whole`.
static Value takeFirst(NodeBinder &node, Value value, int64_t axis, int64_t size,
                       int64_t whole) {
  if (size == whole)
    return value;
  Value start = node.constantList({0}), end = node.constantList({size});
  return node.create<SliceOp>(value, start, end, ArrayRef<int64_t>{axis},
                              ArrayRef<int64_t>{1});
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Weights are bytes, and sizes are sizes.
static NodeBinder &requireBytes(NodeBinder &node, Value data, int64_t k, int64_t n,
                                int64_t blockSize) {
  auto isSize = [](int64_t size) { return size > 0 && size <= INT32_MAX; };
  return node.require(isSize(k) && isSize(n) && isSize(blockSize),
                      "attributes 'K', 'N' and 'block_size' are sizes",
                      Twine(k) + ", " + Twine(n) + ", " + Twine(blockSize), "1 to 2^31 - 1")
      .require(getElementType(data).isUnsignedInteger(8), "the weights are packed in bytes",
               show(data.getType()), "uint8", Remedy::ConvertType);
}

/// One number for each block, N x blocks, of which those that are integers are packed, row
/// by row, each row beginning with a byte.
static Value bindBlockNumbers(NodeBinder &node, const BlockedWeights &w, Value numbers) {
  int64_t blocks = w.getNumBlocks();
  if (node.failed())
    return {};
  if (isa<FloatType>(getElementType(numbers)))
    return reshape(node, numbers, {w.n, blocks});
  int64_t rowBytes = llvm::divideCeil(blocks * w.bits, 8);
  Value unpacked = unpack(node, reshape(node, numbers, {w.n, rowBytes}), w.bits);
  return takeFirst(node, unpacked, 1, blocks, rowBytes * 8 / w.bits);
}

Value importer::dequantizeBlocks(NodeBinder &node, BlockedWeights w) {
  int64_t blocks = w.getNumBlocks(), wholeK = blocks * w.blockSize;
  Value bytes = reshape(node, w.data, {w.n, wholeK * w.bits / 8});
  Value integers = unpack(node, bytes, w.bits);
  Value scales = reshape(node, w.scales, {w.n, blocks});
  Value zeros = w.zeroPoints ? bindBlockNumbers(node, w, w.zeroPoints) : Value();
  if (node.failed())
    return {};
  Type type = getElementType(scales), storage = getElementType(integers);
  if (!zeros) {
    auto zerosType = RankedTensorType::get({w.n, blocks}, storage);
    zeros = node.constant(DenseElementsAttr::get(
        zerosType, IntegerAttr::get(storage, 1 << (w.bits - 1))));
  }
  if (!w.groups && getElementType(zeros) == storage) {
    // The last block may be shorter.
    integers = takeFirst(node, integers, 1, w.k, wholeK);
    return node.create<DequantizeOp>(integers, scales, zeros, int64_t(1), w.blockSize);
  }
  Value real = castTo(node, takeFirst(node, integers, 1, w.k, wholeK), type);
  zeros = castTo(node, zeros, type);
  auto spread = [&](Value numbers) -> Value {
    if (w.groups)
      return node.create<GatherOp>(numbers, w.groups, int64_t(1));
    Value column = node.create<UnsqueezeOp>(numbers, ArrayRef<int64_t>{2});
    Value shape = node.constantList({w.n, blocks, w.blockSize});
    Value repeated = node.create<ExpandOp>(column, shape);
    return takeFirst(node, reshape(node, repeated, {w.n, wholeK}), 1, w.k, wholeK);
  };
  Value zero = spread(zeros), scale = spread(scales);
  return node.create<MulOp>(node.create<SubOp>(real, zero), scale);
}

static LogicalResult importMatMulNBits(NodeBinder &node) {
  Value input, bias;
  BlockedWeights w;
  bool isPacked;
  // The accuracy level allows less than we compute with.
  if (node.operand("A", input).operand("B", w.data).operand("scales", w.scales)
          .optionalOperand("zero_points", w.zeroPoints).optionalOperand("g_idx", w.groups)
          .optionalOperand("bias", bias).requiredAttr("K", w.k).requiredAttr("N", w.n)
          .requiredAttr("block_size", w.blockSize).attr("bits", w.bits, 4)
          .attr("weight_prepacked", isPacked, false).ignoreAttrs({"accuracy_level"})
          .require(w.bits == 2 || w.bits == 4 || w.bits == 8,
                   "attribute 'bits' has a supported value", Twine(w.bits), "2, 4, 8",
                   Remedy::ChangeForm)
          .require(!isPacked, "attribute 'weight_prepacked' has a supported value", "1",
                   "0: pack the weights when they are loaded", Remedy::ChangeForm)
          .failed() ||
      requireBytes(node, w.data, w.k, w.n, w.blockSize).failed() ||
      node.require(w.blockSize % 8 == 0, "attribute 'block_size' has a supported value",
                   Twine(w.blockSize), "a multiple of 8", Remedy::ChangeForm).failed())
    return failure();
  Value weights = dequantizeBlocks(node, w);
  Value product = node.create<MatMulOp>(input, weights, false, /*transpose_rhs=*/true);
  return node.setOutput(addIfPresent(node, product, bias));
}

/// The 16 numbers of bitsandbytes' 4-bit types: floats with 2 bits of exponent and 1 of
/// fraction, and quantiles of the normal distribution.
static const float tableFP4[] = {0.0f,  0.005208333f,  0.66666667f,  1.0f,
                                 0.33333333f,  0.5f,  0.16666667f,  0.25f,
                                 -0.0f, -0.005208333f, -0.66666667f, -1.0f,
                                 -0.33333333f, -0.5f, -0.16666667f, -0.25f};
static const float tableNF4[] = {
    -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
    -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
    0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
    0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f};

/// Blocks go through all N*K weights, row after row.
static LogicalResult importMatMulBnb4(NodeBinder &node) {
  Value input, bytes, absmax;
  int64_t k, n, blockSize, kind;
  bool transB;
  if (node.operand("A", input).operand("B", bytes).operand("absmax", absmax)
          .requiredAttr("K", k).requiredAttr("N", n).requiredAttr("block_size", blockSize)
          .requiredAttr("quant_type", kind).attr("transB", transB, true)
          .ignoreAttrs({"training_mode"})
          .require(kind == 0 || kind == 1, "attribute 'quant_type' has a supported value",
                   Twine(kind), "0 (FP4), 1 (NF4)", Remedy::ChangeForm)
          .failed() ||
      requireBytes(node, bytes, k, n, blockSize).failed())
    return failure();
  int64_t count = n * k, blocks = llvm::divideCeil(count, blockSize);
  Type type = getElementType(absmax);
  Value numbers = unpack(node, flatten(node, bytes), 4, /*highFirst=*/true);
  numbers = takeFirst(node, numbers, 0, count, llvm::alignTo(count, 2));
  Value table = castTo(node, node.constantFloats(kind ? tableNF4 : tableFP4), type);
  Value indices = node.create<CastOp>(numbers, IntegerType::get(node.getContext(), 32));
  Value units = node.create<GatherOp>(table, indices, int64_t(0));
  Value shape = node.constantList({blocks, blockSize});
  Value scales = node.create<ExpandOp>(reshape(node, absmax, {blocks, 1}), shape);
  scales = takeFirst(node, reshape(node, scales, {blocks * blockSize}), 0, count,
                     blocks * blockSize);
  Value weights = node.create<MulOp>(units, scales);
  weights = reshape(node, weights, {transB ? n : k, transB ? k : n});
  return node.replaceWith<MatMulOp>(input, weights, false, transB);
}

/// Weights of K x N in one blob: column after column, block after block, each of a scale (f32),
/// maybe a zero point (a byte), and the integers. Of 32 integers, the first 16 are the low bits
/// of 16 bytes, the others the high ones.
static LogicalResult importMatMulFpQ4(NodeBinder &node) {
  Value input, blob;
  std::optional<SmallVector<int64_t>> shape;
  int64_t kind;
  if (node.operand("A", input).operand("B", blob).constantInts("B_shape", shape)
          .attr("blk_quant_type", kind, 1)
          .require(kind == 0 || kind == 1 || kind == 2 || kind == 4,
                   "attribute 'blk_quant_type' has a supported value", Twine(kind),
                   "0, 1, 2, 4", Remedy::ChangeForm)
          .require(shape && shape->size() == 2, "operand 'B_shape' is two sizes", "others", "")
          .failed())
    return failure();
  BlockedWeights w;
  w.k = (*shape)[0];
  w.n = (*shape)[1];
  w.bits = 4;
  w.blockSize = kind == 2 ? 64 : kind == 4 ? 128 : 32;
  int64_t header = kind == 1 ? 5 : 4, blocks = w.n * w.getNumBlocks();
  int64_t bytes = header + w.blockSize / 2;
  if (requireBytes(node, blob, w.k, w.n, w.blockSize).failed() ||
      node.require(getType(blob).getNumElements() == blocks * bytes,
                   "the blob has the blocks of the matrix", show(blob.getType()),
                   Twine(blocks * bytes) + " bytes").failed())
    return failure();
  Value rows = reshape(node, blob, {blocks, bytes});
  Type u32 = IntegerType::get(node.getContext(), 32, IntegerType::Unsigned);
  Value scale;
  for (int64_t i = 0; i < 4; ++i) {
    Value part = castTo(node, takeColumns(node, rows, i, i + 1), u32);
    if (i)
      part = node.create<BitShiftOp>(part, node.constantScalar(8 * i, u32), /*left=*/true);
    scale = i ? node.create<BitwiseOrOp>(scale, part) : part;
  }
  Type f32 = Float32Type::get(node.getContext());
  w.scales = reshape(node, node.create<BitcastOp>(scale, f32), {w.n, w.getNumBlocks()});
  Value zeros = kind == 1 ? takeColumns(node, rows, 4, 5) : Value();
  Value data = reshape(node, takeColumns(node, rows, header, bytes),
                       {blocks * w.blockSize / 32, 16});
  if (node.failed())
    return failure();
  Type storage = getElementType(data);
  Value low = node.create<BitwiseAndOp>(data, node.constantScalar(15, storage));
  Value high = node.create<BitShiftOp>(data, node.constantScalar(4, storage), /*left=*/false);
  int64_t wholeK = w.getNumBlocks() * w.blockSize;
  Value integers = reshape(
      node, node.create<ConcatOp>(SmallVector<Value>{low, high}, 1), {w.n, wholeK});
  integers = takeFirst(node, integers, 1, w.k, wholeK);
  auto zerosType = RankedTensorType::get({w.n, w.getNumBlocks()}, storage);
  zeros = zeros ? reshape(node, zeros, {w.n, w.getNumBlocks()})
                : node.constant(DenseElementsAttr::get(zerosType, IntegerAttr::get(storage, 8)));
  Value weights = node.create<DequantizeOp>(integers, w.scales, zeros, int64_t(1), w.blockSize);
  return node.replaceWith<MatMulOp>(input, weights, false, /*transpose_rhs=*/true);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Gathers what is quantized, if blocks do not lie along the axis that it gathers from.
static LogicalResult importGatherBlockQuantized(NodeBinder &node) {
  Value data, indices, scales, zeros;
  int64_t bits, blockSize, gatherAxis, axis;
  if (node.operand("data", data).operand("indices", indices).operand("scales", scales)
          .optionalOperand("zero_points", zeros).attr("bits", bits, 4)
          .attr("block_size", blockSize, 128).attr("gather_axis", gatherAxis, 0)
          .attr("quantize_axis", axis, 1).failed())
    return failure();
  int64_t rank = getType(data).getRank();
  gatherAxis = normalizeAxis(node, gatherAxis, rank, "gather_axis");
  axis = normalizeAxis(node, axis, rank, "quantize_axis");
  bool isByte = getElementType(data).isUnsignedInteger(8);
  if (node.require(!isByte || bits == 2 || bits == 4 || bits == 8,
                   "attribute 'bits' has a supported value", Twine(bits), "2, 4, 8",
                   Remedy::ChangeForm)
          .require(!isByte || bits == 8 || axis == rank - 1,
                   "packed numbers lie along the last dimension", Twine(axis),
                   Twine(rank - 1), Remedy::ChangeForm)
          .failed())
    return failure();
  Type type = getElementType(data);
  if (isByte) {
    data = unpack(node, data, bits);
    if (zeros && bits < 8 && !node.failed()) {
      // Rows of zero points begin with a byte.
      int64_t blocks = getLastSize(scales);
      if (node.require(!ShapedType::isDynamic(blocks), "the number of blocks is known",
                       "unknown", "").failed())
        return failure();
      zeros = takeFirst(node, unpack(node, zeros, bits), rank - 1, blocks,
                        getLastSize(zeros) * 8 / bits);
    }
    if (!zeros) {
      Value middle = node.constantScalar(1 << (bits - 1), type);
      zeros = node.create<ExpandOp>(middle, getShapeList(node, scales));
    }
  }
  auto dequantize = [&](int64_t blockAxis) {
    return node.create<DequantizeOp>(data, scales, zeros, blockAxis, blockSize);
  };
  if (gatherAxis == axis)
    return node.replaceWith<GatherOp>(dequantize(axis), indices, gatherAxis);
  for (Value *value : {&data, &scales, &zeros})
    if (*value)
      *value = node.create<GatherOp>(*value, indices, gatherAxis);
  // The indices' dimensions replace one.
  int64_t moved = axis < gatherAxis ? axis : axis + getType(indices).getRank() - 1;
  return node.setOutput(dequantize(moved));
}

void importer::registerMicrosoftBlockQuantization(Registry &r) {
  r.onOp(microsoft, "MatMulNBits", 1, importMatMulNBits, "A B scales zero_points g_idx bias");
  r.onOp(microsoft, "MatMulBnb4", 1, importMatMulBnb4, "A B absmax");
  r.onOp(microsoft, "MatMulFpQ4", 1, importMatMulFpQ4, "A B B_shape");
  r.onOp(microsoft, "GatherBlockQuantized", 1, importGatherBlockQuantized,
         "data indices scales zero_points");
}
