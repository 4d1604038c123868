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
  /// The dequantization of integers of 8 bits that a value is, with one scale or,
  /// if `axis` is not -1, one for each index of it.
  static DequantizeOp match(Value value, int64_t axis) {
    auto op = value.getDefiningOp<DequantizeOp>();
    if (!op || op.getBlockSize() != 0 ||
        getTensorType(op.getInput()).getElementTypeBitWidth() > 8 ||
        !getTensorType(op.getScale()).getElementType().isF32())
      return {};
    int64_t own = op.getAxis(), rank = getTensorType(op.getInput()).getRank();
    own = own < 0 ? own + rank : own;
    int64_t scaleRank = getTensorType(op.getScale()).getRank();
    return scaleRank == 0 || (scaleRank == 1 && own == axis) ? op : DequantizeOp();
  }

  /// The elements of a constant; empty if it is none.
  static SmallVector<double> getNumbers(Value value) {
    ElementsAttr elements;
    SmallVector<double> numbers;
    if (!matchPattern(value, m_Constant(&elements)))
      return numbers;
    FailureOr<HostTensor> tensor = toHostTensor(elements);
    for (int64_t i = 0; succeeded(tensor) && i < tensor->getNumElements(); ++i)
      numbers.push_back(tensor->getDouble(i));
    return numbers;
  }

  /// Whether a bias has no zero point, and the product of the others' scales.
  static bool isScaledLike(DequantizeOp bias, DequantizeOp lhs, DequantizeOp rhs) {
    if (bias.getZeroPoint())
      for (double zero : getNumbers(bias.getZeroPoint()))
        if (zero != 0)
          return false;
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

  /// The integers, less the zero point, as f32.
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

  /// Pools and sums of one scale: ties are frequent among averages of integers, and
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
      return; // Sizes that the operator's own type knows better; unused now.
    ++numExposed;
    inheritProvenance(op, result);
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }

  void expose(Operation *op, Value left, Value right, int64_t axis, int64_t numInner) {
    DequantizeOp lhs = match(left, -1), rhs = match(right, axis);
    if (!lhs || !rhs || !getTensorType(rhs.getScale()).hasStaticShape())
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
      // Quantizers give it the scale of the sums, of which it is one more term.
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
