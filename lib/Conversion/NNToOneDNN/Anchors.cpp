//===- Anchors.cpp - nn operators as oneDNN primitives --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Anchors.h"
#include "dialects/NN/IR/SpatialShapes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "nn/Support/Constants.h"
#include "nn/Target/Backend.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::nn;

static RankedTensorType getTensor(Value value) {
  return cast<RankedTensorType>(value.getType());
}

const OneDNNCapability *mlir::nn::getPrimitive(Operation *anchor) {
  SmallVector<const Capability *> rows = getOneDNNBackend().findRows(anchor->getName());
  const Capability *claiming = rows.empty() ? nullptr : rows.front();
  for (const Capability *row : llvm::reverse(rows))
    if (!findGap(*row, anchor))
      claiming = row;
  return static_cast<const OneDNNCapability *>(claiming);
}

bool mlir::nn::isInt8Product(Operation *anchor) {
  return isa<ConvOp, MatMulOp>(anchor) &&
         getTensor(anchor->getOperand(0)).getElementType().isInteger(8);
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

namespace {
struct Pads {
  SmallVector<int64_t> begin, end;
  /// Unless "notset", the pads follow from the sizes of the run.
  AutoPad automatic = AutoPad::NotSet;
};
} // namespace

static SmallVector<int64_t> getSpatialSizes(Value tensor, Layout layout) {
  RankedTensorType type = getTensor(tensor);
  SpatialDims where(layout, type.getRank());
  return SmallVector<int64_t>(
      type.getShape().slice(where.firstSpatial, where.count));
}

static Pads split(ArrayRef<int64_t> pads) {
  size_t count = pads.size() / 2;
  return {SmallVector<int64_t>(pads.take_front(count)),
          SmallVector<int64_t>(pads.drop_front(count)), AutoPad::NotSet};
}

/// Null, and a reason, if oneDNN has no such pads.
static std::optional<Pads> resolvePads(ConvOp op, std::string &reason) {
  SmallVector<int64_t> sizes = getSpatialSizes(op.getInput(), op.getLayout());
  Window window(sizes.size(), op.getStrides(), op.getDilations(), op.getPads());
  ArrayRef<int64_t> kernel = getTensor(op.getWeight()).getShape().drop_front(2);
  auto pads = resolveAutoPad(op.getAutoPad(), sizes, kernel, window);
  if (!pads)
    return Pads{{}, {}, op.getAutoPad()};
  if (llvm::any_of(*pads, [](int64_t pad) { return pad < 0; })) {
    reason = "negative pads";
    return std::nullopt;
  }
  return split(*pads);
}

static std::optional<Pads> resolvePads(ConvTransposeOp op,
                                       std::string &reason) {
  std::optional<SmallVector<int64_t>> pads = resolveTransposedPads(op);
  if (!pads) {
    reason = "output_shape with an input size known only at run time";
    return std::nullopt;
  }
  ArrayRef<int64_t> begins = ArrayRef(*pads).take_front(pads->size() / 2);
  if (llvm::any_of(begins, [](int64_t pad) { return pad < 0; })) {
    reason = "negative pads";
    return std::nullopt;
  }
  return split(*pads);
}

/// Whether two taps of a window may lie further apart than the input is large.
/// Without pads such a window would not fit.
static bool mayStepOverInput(AveragePoolOp op, const Window &window,
                             ArrayRef<int64_t> sizes) {
  if (op.getAutoPad() == AutoPad::Valid)
    return false;
  size_t count = sizes.size();
  for (auto [i, size] : llvm::enumerate(sizes)) {
    bool isPadded = op.getAutoPad() != AutoPad::NotSet || window.pads[i] ||
                    window.pads[count + i];
    if (isPadded && op.getKernelShape()[i] > 1 && window.dilations[i] > 1 &&
        (ShapedType::isDynamic(size) || window.dilations[i] > size))
      return true;
  }
  return false;
}

template <typename Pool>
static std::optional<Pads> resolvePoolPads(Pool op, std::string &reason) {
  SmallVector<int64_t> sizes = getSpatialSizes(op.getInput(), op.getLayout());
  SmallVector<int64_t> outs = getSpatialSizes(op.getResult(), op.getLayout());
  size_t count = sizes.size();
  Window window(count, op.getStrides(), op.getDilations(), op.getPads());
  if constexpr (std::is_same_v<Pool, AveragePoolOp>)
    if (mayStepOverInput(op, window, sizes)) {
      reason = "a mean whose dilation may be larger than the input";
      return std::nullopt;
    }
  auto pads =
      resolveAutoPad(op.getAutoPad(), sizes, op.getKernelShape(), window);
  if (!pads)
    return Pads{{}, {}, op.getAutoPad()};
  for (size_t i = 0; i < count; ++i) {
    int64_t extent = window.dilations[i] * (op.getKernelShape()[i] - 1) + 1;
    int64_t &end = (*pads)[count + i];
    bool isSame = op.getAutoPad() == AutoPad::SameUpper ||
                  op.getAutoPad() == AutoPad::SameLower;
    if (op.getCeilMode() && !isSame && window.strides[i] > 1) {
      // For sizes known only at run time, the call fits the pads to dst.
      bool isKnown =
          !ShapedType::isDynamic(sizes[i]) && !ShapedType::isDynamic(outs[i]);
      int64_t needed = isKnown ? (outs[i] - 1) * window.strides[i] + extent -
                                     sizes[i] - (*pads)[i]
                               : end;
      if constexpr (std::is_same_v<Pool, AveragePoolOp>) {
        if ((!isKnown || needed > end) && op.getCountIncludePad()) {
          // ONNX does not count what lies beyond the padding.
          reason = "ceil_mode with count_include_pad";
          return std::nullopt;
        }
      }
      end = std::max(end, needed);
    }
    if ((*pads)[i] >= extent || end >= extent) {
      reason = "pads as large as the window";
      return std::nullopt;
    }
  }
  return split(*pads);
}

static std::optional<Pads> resolvePads(MaxPoolOp op, std::string &reason) {
  return resolvePoolPads(op, reason);
}
static std::optional<Pads> resolvePads(AveragePoolOp op, std::string &reason) {
  return resolvePoolPads(op, reason);
}

std::optional<std::string> mlir::nn::violatesSupportedWindow(Operation *anchor) {
  std::string reason;
  TypeSwitch<Operation *>(anchor)
      .Case<ConvOp, ConvTransposeOp, MaxPoolOp, AveragePoolOp>(
          [&](auto op) { resolvePads(op, reason); });
  return reason.empty() ? std::nullopt : std::optional(reason);
}

std::optional<StringRef> mlir::nn::refuseTranspose(const FusionView &group,
                                                   TransposeOp transpose) {
  ArrayRef<int64_t> perm = transpose.getPerm();
  int64_t rank = perm.size();
  if (transpose.getResult() == group.results.front()) {
    if (perm.back() != rank - 1)
      return "columns of the stored result would not be neighbours";
    if (!getTensor(transpose).getElementType().isF32())
      return "results that are not f32 may be converted";
    return std::nullopt;
  }
  // The elements of a row or of a column.
  if (rank < 2 || llvm::find(perm, rank - 1) - perm.begin() < rank - 2)
    return "neither the rows nor the columns of a matrix would be neighbours";
  return std::nullopt;
}

int64_t mlir::nn::getChannelDim(Operation *anchor) {
  int64_t rank = getTensor(anchor->getResult(0)).getRank();
  if (auto spatial = dyn_cast<SpatialOpInterface>(anchor))
    return SpatialDims(spatial.getDataLayout(), rank).channel;
  return rank - 1;
}

bool mlir::nn::takesBias(Operation *anchor) {
  return TypeSwitch<Operation *, bool>(anchor)
      .Case<ConvOp, ConvTransposeOp>([](auto op) { return !op.getBias(); })
      .Case<MatMulOp>([](auto) { return true; })
      .Default([](Operation *) { return false; });
}

//===----------------------------------------------------------------------===//
// Shapes of operands
//===----------------------------------------------------------------------===//

bool mlir::nn::isConstantTensor(Value value) {
  while (auto expand = value.getDefiningOp<tensor::ExpandShapeOp>())
    value = expand.getSrc();
  return value.getDefiningOp<ConstantOp>() != nullptr;
}

/// The constant under another shape of as many elements. Blobs are shared.
static Value reshapeConstant(OpBuilder &builder, Location location,
                             ElementsAttr elements, ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, elements.getElementType());
  ElementsAttr reshaped;
  if (auto dense = dyn_cast<DenseElementsAttr>(elements))
    reshaped = dense.reshape(type);
  else if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements))
    reshaped = DenseResourceElementsAttr::get(type, resource.getRawHandle());
  else if (FailureOr<HostTensor> tensor = toHostTensor(elements); succeeded(tensor))
    reshaped = makeConstantAttr(type.getContext(), tensor->withDims(shape));
  return reshaped ? ConstantOp::create(builder, location, reshaped) : Value();
}

Value mlir::nn::expandRank(OpBuilder &builder, Location location, Value value,
                           int64_t rank) {
  RankedTensorType type = getTensor(value);
  int64_t missing = rank - type.getRank();
  if (missing == 0)
    return value;
  SmallVector<int64_t> shape(missing, 1);
  llvm::append_range(shape, type.getShape());
  if (auto constant = value.getDefiningOp<ConstantOp>())
    if (Value reshaped = reshapeConstant(builder, constant.getLoc(),
                                         constant.getValue(), shape))
      return reshaped;
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    groups.emplace_back();
    if (i == 0)
      llvm::append_range(groups.back(), llvm::seq<int64_t>(0, missing));
    groups.back().push_back(missing + i);
  }
  return tensor::ExpandShapeOp::create(
      builder, location, RankedTensorType::get(shape, type.getElementType()),
      value, groups);
}

Value mlir::nn::flattenConstant(OpBuilder &builder, Location location,
                                Value value) {
  RankedTensorType type = getTensor(value);
  if (type.getRank() == 1)
    return value;
  auto constant = value.getDefiningOp<ConstantOp>();
  assert(constant && "only constants are flattened");
  return reshapeConstant(builder, constant.getLoc(), constant.getValue(),
                         {type.getNumElements()});
}

//===----------------------------------------------------------------------===//
// Creation
//===----------------------------------------------------------------------===//

namespace {
/// A value seen through a permutation.
struct Permuted {
  Value value;
  SmallVector<int64_t> permutation;
};
} // namespace

/// An operand of a matrix product, with ones before its shape up to `rank`, and its
/// last dimensions swapped for `swapped`.
static Permuted getMatrix(OpBuilder &builder, Location location,
                          const PrimitiveOperands &primitive, unsigned index,
                          bool swapped, int64_t rank) {
  Value value = primitive.operands[index];
  int64_t valueRank = getTensor(value).getRank();
  auto order = llvm::to_vector(primitive.permutations[index]);
  if (order.empty())
    llvm::append_range(order, llvm::seq<int64_t>(0, valueRank));
  if (swapped)
    std::swap(order[valueRank - 1], order[valueRank - 2]);
  int64_t missing = rank - valueRank;
  auto permutation = llvm::to_vector(llvm::seq<int64_t>(0, missing));
  for (int64_t dim : order)
    permutation.push_back(dim + missing);
  if (llvm::is_sorted(permutation))
    permutation.clear();
  return {expandRank(builder, location, value, rank), permutation};
}

template <typename Primitive, typename Op>
static Value createConvolution(OpBuilder &builder, Location location, Op op,
                               const PrimitiveOperands &primitive) {
  std::string reason;
  std::optional<Pads> pads = resolvePads(op, reason);
  Value weights = primitive.operands[1];
  Value bias = primitive.operands.size() > 2 ? primitive.operands[2] : Value();
  if (!bias)
    bias = primitive.bias;
  bool isConstant =
      isConstantTensor(weights) && (!bias || isConstantTensor(bias));
  int64_t zeroPoint = 0;
  if constexpr (std::is_same_v<Op, ConvOp>)
    zeroPoint = op.getInputZeroPoint();
  auto created = Primitive::create(
      builder, location, primitive.dst.getType(), primitive.operands[0], weights,
      bias, primitive.postOpArgs, primitive.dst, op.getStrides(),
      op.getDilations(), pads->begin, pads->end, pads->automatic, op.getGroup(),
      op.getLayout(), isConstant, zeroPoint,
      builder.getArrayAttr(primitive.postOps));
  return created.getResult();
}

static Value createMatMul(OpBuilder &builder, Location location, MatMulOp op,
                          const PrimitiveOperands &primitive) {
  int64_t rank = getTensor(primitive.dst).getRank();
  Permuted src =
      getMatrix(builder, location, primitive, 0, op.getTransposeLhs(), rank);
  Permuted weights =
      getMatrix(builder, location, primitive, 1, op.getTransposeRhs(), rank);
  auto created = onednn::MatMulOp::create(
      builder, location, primitive.dst.getType(), src.value, weights.value,
      primitive.bias, primitive.postOpArgs, primitive.dst, src.permutation,
      weights.permutation, primitive.dstPermutation,
      isConstantTensor(weights.value),
      builder.getArrayAttr(primitive.postOps));
  return created.getResult();
}

template <typename Pool>
static Value createPooling(OpBuilder &builder, Location location, Pool op,
                           onednn::PoolingAlgorithm algorithm,
                           const PrimitiveOperands &primitive) {
  std::string reason;
  std::optional<Pads> pads = resolvePads(op, reason);
  auto created = onednn::PoolingOp::create(
      builder, location, primitive.dst.getType(), algorithm,
      primitive.operands[0], primitive.postOpArgs, primitive.dst,
      op.getKernelShape(), op.getStrides(), op.getDilations(), pads->begin,
      pads->end, pads->automatic, op.getLayout(), builder.getArrayAttr(primitive.postOps));
  return created.getResult();
}

template <typename Softmax>
static Value createSoftmax(OpBuilder &builder, Location location, Softmax op,
                           onednn::SoftmaxAlgorithm algorithm,
                           const PrimitiveOperands &primitive) {
  int64_t rank = getTensor(primitive.dst).getRank();
  int64_t axis = op.getAxis() < 0 ? op.getAxis() + rank : op.getAxis();
  return onednn::SoftmaxOp::create(builder, location, primitive.dst.getType(),
                                   algorithm, primitive.operands[0],
                                   primitive.dst, axis)
      .getResult();
}

Value mlir::nn::createPrimitive(OpBuilder &builder, Location location,
                                Operation *anchor,
                                const PrimitiveOperands &primitive) {
  using onednn::PoolingAlgorithm;
  using onednn::SoftmaxAlgorithm;
  return TypeSwitch<Operation *, Value>(anchor)
      .Case<ConvOp>([&](ConvOp op) {
        return createConvolution<onednn::ConvolutionOp>(builder, location, op,
                                                        primitive);
      })
      .Case<ConvTransposeOp>([&](ConvTransposeOp op) {
        return createConvolution<onednn::DeconvolutionOp>(builder, location, op,
                                                          primitive);
      })
      .Case<MatMulOp>(
          [&](auto op) { return createMatMul(builder, location, op, primitive); })
      .Case<MaxPoolOp>([&](auto op) {
        return createPooling(builder, location, op, PoolingAlgorithm::Max,
                             primitive);
      })
      .Case<AveragePoolOp>([&](AveragePoolOp op) {
        return createPooling(builder, location, op,
                             op.getCountIncludePad()
                                 ? PoolingAlgorithm::AverageIncludePadding
                                 : PoolingAlgorithm::AverageExcludePadding,
                             primitive);
      })
      .Case<LRNOp>([&](LRNOp op) {
        return onednn::LRNOp::create(
                   builder, location, primitive.dst.getType(),
                   primitive.operands[0], primitive.dst, op.getSize(),
                   op.getAlpha(), op.getBeta(), op.getBias(), op.getLayout())
            .getResult();
      })
      .Case<SoftmaxOp>([&](auto op) {
        return createSoftmax(builder, location, op, SoftmaxAlgorithm::Accurate,
                             primitive);
      })
      .Case<LogSoftmaxOp>([&](auto op) {
        return createSoftmax(builder, location, op, SoftmaxAlgorithm::Log,
                             primitive);
      })
      .Default([](Operation *) { return Value(); });
}
