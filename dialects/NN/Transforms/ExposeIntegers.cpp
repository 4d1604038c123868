//===- ExposeIntegers.cpp - products of quantized tensors on integers -----===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/IR/Matchers.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Support/Constants.h"
#include "nn/Support/HostTensor.h"

namespace mlir::nn {
#define GEN_PASS_DEF_EXPOSEINTEGERS
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

static RankedTensorType getTensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
struct ExposeIntegers : nn::impl::ExposeIntegersBase<ExposeIntegers> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<ConvOp, MatMulOp, ReduceMeanOp, ReduceSumOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      if (auto conv = dyn_cast<ConvOp>(op))
        expose(conv, conv.getInput(), conv.getWeight(), /*axis=*/0,
               getTensorType(conv).getRank() - 2);
      else if (auto matmul = dyn_cast<MatMulOp>(op);
               matmul && getTensorType(matmul.getRhs()).getRank() == 2 &&
               getTensorType(matmul.getLhs()).getRank() >= 2)
        expose(matmul, matmul.getLhs(), matmul.getRhs(),
               /*axis=*/matmul.getTransposeRhs() ? 0 : 1, 0);
      else if (isa<ReduceMeanOp, ReduceSumOp>(op))
        exposeSum(op);
    }
  }

private:
  /// A value that is a dequantization of 8-bit integers, with one scale or, if `axis`
  /// is not -1, one for each index of that dimension.
  static DequantizeOp match(Value value, int64_t axis) {
    auto op = value.getDefiningOp<DequantizeOp>();
    if (!op || op.getBlockSize() != 0 ||
        !getTensorType(op.getInput()).getElementType().isInteger(8) ||
        !getTensorType(op.getScale()).getElementType().isF32())
      return {};
    int64_t own = op.getAxis(), rank = getTensorType(op.getInput()).getRank();
    own = shapes::normalizeAxis(own, rank);
    int64_t scaleRank = getTensorType(op.getScale()).getRank();
    return scaleRank == 0 || (scaleRank == 1 && own == axis) ? op : DequantizeOp();
  }

  /// The elements of a constant; empty for other values.
  static SmallVector<double> getNumbers(Value value) {
    SmallVector<double> numbers;
    FailureOr<HostTensor> tensor = readConstant(value);
    for (int64_t i = 0; succeeded(tensor) && i < tensor->getNumElements(); ++i)
      numbers.push_back(tensor->getDouble(i));
    return numbers;
  }

  /// Whether the zero point of a bias is known to be 0, and its scale is the product of
  /// the other two.
  static bool isScaledLike(DequantizeOp bias, DequantizeOp lhs, DequantizeOp rhs) {
    if (bias.getZeroPoint()) {
      SmallVector<double> zeros = getNumbers(bias.getZeroPoint());
      if (zeros.empty() || llvm::any_of(zeros, [](double zero) { return zero != 0; }))
        return false;
    }
    SmallVector<double> own = getNumbers(bias.getScale()),
                        left = getNumbers(lhs.getScale()),
                        right = getNumbers(rhs.getScale());
    if (own.empty() || left.size() != 1 || right.empty() || bias.getBlockSize() != 0)
      return false;
    for (size_t i = 0, e = std::max(own.size(), right.size()); i < e; ++i) {
      double wanted = left[0] * right[right.size() == 1 ? 0 : i];
      if (std::abs(own[own.size() == 1 ? 0 : i] - wanted) > 1e-5 * std::abs(wanted))
        return false;
    }
    return true;
  }

  /// The integers, minus the zero point, as f32.
  static Value makeIntegers(DequantizeOp op, OpBuilder &builder) {
    auto type = getTensorType(op.getScale());
    Value one = ConstantOp::create(
        builder, op.getLoc(), DenseElementsAttr::get(type, 1.0f));
    auto integers = cast<DequantizeOp>(builder.clone(*op.getOperation()));
    integers->removeAttr(originAttrName);
    integers.getScaleMutable().assign(one);
    return integers;
  }

  /// `list` along the channels, which `numInner` dimensions follow.
  static Value alongChannels(Value list, int64_t numInner, OpBuilder &builder,
                             Location loc) {
    if (getTensorType(list).getRank() == 0 || numInner == 0)
      return list;
    auto added = llvm::to_vector(llvm::seq<int64_t>(1, numInner + 1));
    return UnsqueezeOp::create(builder, loc, list, added);
  }

  /// Pools and sums with one scale: ties are frequent among averages of integers, and
  /// the order of an inexact sum would decide them.
  void exposeSum(Operation *op) {
    DequantizeOp input = match(op->getOperand(0), -1);
    if (!input)
      return;
    OpBuilder builder(op);
    Value integers = makeIntegers(input, builder);
    Operation *exact = builder.clone(*op);
    exact->removeAttr(originAttrName);
    exact->setAttr(integersAttrName, builder.getUnitAttr());
    exact->setOperand(0, integers);
    replace(op, MulOp::create(builder, op->getLoc(), exact->getResult(0),
                              input.getScale()));
  }

  void replace(Operation *op, Value result) {
    if (result.getType() != op->getResult(0).getType())
      return; // The operator's own type has more static sizes; erase the unused result.
    ++numExposed;
    inheritProvenance(op, result);
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }

  /// Quantized constants, minus their zero points, if they fit in i8.
  static std::optional<HostTensor> getSignedBytes(DequantizeOp op) {
    FailureOr<HostTensor> from = readConstant(op.getInput());
    SmallVector<double> zeros = {0.0};
    if (op.getZeroPoint())
      zeros = getNumbers(op.getZeroPoint());
    if (failed(from) || zeros.empty())
      return std::nullopt;
    int64_t axis = op.getAxis(), inner = 1;
    ArrayRef<int64_t> dims = from->getDims();
    axis = shapes::normalizeAxis(axis, dims.size());
    if (zeros.size() > 1)
      for (int64_t dim : dims.drop_front(axis + 1))
        inner *= dim;
    HostTensor bytes = HostTensor::allocate(DataType::Int8, dims);
    for (int64_t i = 0, e = from->getNumElements(); i < e; ++i) {
      double number = from->getDouble(i) - zeros[i / inner % zeros.size()];
      if (number < -128 || number > 127)
        return std::nullopt;
      bytes.setDouble(i, number);
    }
    return bytes;
  }

  /// The contribution of the other operand's zero point to the sums, for each index of
  /// `axis`. Subtracting it from the bias makes the sums those of the stored integers.
  static void addCorrection(SmallVector<double> &bias, const HostTensor &weights,
                            int64_t axis, double zero) {
    int64_t count = weights.getDim(axis), inner = 1;
    for (int64_t dim : weights.getDims().drop_front(axis + 1))
      inner *= dim;
    bias.resize(count, 0.0);
    for (int64_t i = 0, e = weights.getNumElements(); i < e; ++i)
      bias[i / inner % count] -= zero * weights.getDouble(i);
  }

  /// A list of i32, or null if a number does not fit.
  static Value makeBias(ArrayRef<double> numbers, OpBuilder &builder, Location loc) {
    HostTensor list =
        HostTensor::allocate(DataType::Int32, {int64_t(numbers.size())});
    for (auto [i, number] : llvm::enumerate(numbers)) {
      if (std::abs(number) > std::numeric_limits<int32_t>::max())
        return {};
      list.setDouble(i, number);
    }
    return ConstantOp::create(builder, loc, makeConstantAttr(builder.getContext(), list));
  }

  /// The quantized bias that is the only user of a product.
  static std::pair<AddOp, DequantizeOp> matchAddedBias(Operation *op, DequantizeOp lhs,
                                                       DequantizeOp rhs) {
    if (!op->hasOneUse())
      return {};
    auto add = dyn_cast<AddOp>(*op->user_begin());
    if (!add || add->getBlock() != op->getBlock())
      return {};
    Value other = add.getLhs() == op->getResult(0) ? add.getRhs() : add.getLhs();
    auto bias = other.getDefiningOp<DequantizeOp>();
    if (!bias || getTensorType(other).getRank() != 1 || !isScaledLike(bias, lhs, rhs) ||
        add.getType() != op->getResult(0).getType())
      return {};
    return {add, bias};
  }

  /// The product on the stored 8-bit integers, for constant weights that fit in i8
  /// after subtracting their zero points.
  bool exposeBytes(Operation *op, DequantizeOp lhs, DequantizeOp rhs, int64_t axis,
                   int64_t numInner) {
    SmallVector<double> zeros = {0.0}, bias;
    if (lhs.getZeroPoint())
      zeros = getNumbers(lhs.getZeroPoint());
    std::optional<HostTensor> bytes = getSignedBytes(rhs);
    if (zeros.size() != 1 || !bytes)
      return false;
    auto conv = dyn_cast<ConvOp>(op);
    auto [add, quantized] = conv ? std::pair<AddOp, DequantizeOp>()
                                 : matchAddedBias(op, lhs, rhs);
    Value real = conv ? conv.getBias() : Value();
    if (real)
      quantized = real.getDefiningOp<DequantizeOp>();
    if (quantized && isScaledLike(quantized, lhs, rhs))
      bias = getNumbers(quantized.getInput());
    if (bias.empty())
      quantized = {};
    else
      real = {};
    // Padding adds nothing, so with padding the zero point stays.
    bool isPadded =
        conv && (conv.getAutoPad() == AutoPad::SameUpper ||
                 conv.getAutoPad() == AutoPad::SameLower ||
                 (conv.getAutoPad() == AutoPad::NotSet &&
                  llvm::any_of(conv.getPads(), [](int64_t pad) { return pad != 0; })));
    if (zeros[0] != 0 && !isPadded)
      addCorrection(bias, *bytes, axis, zeros[0]);

    OpBuilder builder(op);
    Location loc = quantized && add ? fuseLocations({op, add}) : op->getLoc();
    Value offset = bias.empty() ? Value() : makeBias(bias, builder, loc);
    if (!bias.empty() && !offset)
      return false;
    Value weights = ConstantOp::create(
        builder, rhs.getLoc(), makeConstantAttr(builder.getContext(), *bytes));
    Value scale = MulOp::create(builder, loc, lhs.getScale(), rhs.getScale()), sums;
    if (conv) {
      sums = ConvOp::create(builder, loc, lhs.getInput(), weights, offset,
                            conv.getStrides(), conv.getDilations(), conv.getPads(),
                            conv.getGroup(), conv.getAutoPad(), conv.getLayout(),
                            isPadded ? int64_t(zeros[0]) : 0);
    } else {
      auto matmul = cast<MatMulOp>(op);
      sums = MatMulOp::create(builder, loc, lhs.getInput(), weights,
                              matmul.getTransposeLhs(), matmul.getTransposeRhs());
      if (offset)
        sums = AddOp::create(builder, loc, sums, offset);
    }
    auto real32 = CastOp::create(builder, loc, sums, builder.getF32Type());
    real32->setAttr(integersAttrName, builder.getUnitAttr());
    Value result =
        MulOp::create(builder, loc, real32, alongChannels(scale, numInner, builder, loc));
    if (real)
      result = AddOp::create(builder, loc, result,
                             alongChannels(real, numInner, builder, loc));
    replace(quantized && add ? add : op, result);
    return true;
  }

  void expose(Operation *op, Value left, Value right, int64_t axis, int64_t numInner) {
    DequantizeOp lhs = match(left, -1), rhs = match(right, axis);
    if (!lhs || !rhs || !getTensorType(rhs.getScale()).hasStaticShape() ||
        exposeBytes(op, lhs, rhs, axis, numInner))
      return;
    OpBuilder builder(op);
    Location loc = op->getLoc();
    Value scale = MulOp::create(builder, loc, lhs.getScale(), rhs.getScale());
    Operation *exact = builder.clone(*op);
    exact->removeAttr(originAttrName);
    exact->setAttr(integersAttrName, builder.getUnitAttr());
    builder.setInsertionPoint(exact);
    exact->setOperand(0, makeIntegers(lhs, builder));
    exact->setOperand(1, makeIntegers(rhs, builder));
    builder.setInsertionPointAfter(exact);
    Value bias;
    if (auto conv = dyn_cast<ConvOp>(exact)) {
      bias = conv.getBias();
      conv.getBiasMutable().clear();
      // Quantizers give it the scale of the sums, so it is simply added to them.
      auto quantized = bias ? bias.getDefiningOp<DequantizeOp>() : DequantizeOp();
      if (quantized && isScaledLike(quantized, lhs, rhs)) {
        builder.setInsertionPoint(exact);
        conv.getBiasMutable().assign(makeIntegers(quantized, builder));
        builder.setInsertionPointAfter(exact);
        bias = {};
      }
    }
    Value result = MulOp::create(builder, loc, exact->getResult(0),
                                 alongChannels(scale, numInner, builder, loc));
    if (bias)
      result = AddOp::create(builder, loc, result,
                             alongChannels(bias, numInner, builder, loc));
    replace(op, result);
  }
};
} // namespace
