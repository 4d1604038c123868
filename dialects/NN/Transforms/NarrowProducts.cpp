//===- NarrowProducts.cpp - products of widened integers ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/IR/Matchers.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Support/Constants.h"
#include "nn/Support/HostTensor.h"
#include <cmath>

namespace mlir::nn {
#define GEN_PASS_DEF_NARROWPRODUCTS
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

static RankedTensorType getTensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// The elements of an integer constant (of any type) if they fit in i8.
static std::optional<HostTensor> getBytes(Value value) {
  ElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)))
    return std::nullopt;
  FailureOr<HostTensor> from = toHostTensor(elements);
  if (failed(from))
    return std::nullopt;
  HostTensor bytes = HostTensor::allocate(DataType::Int8, from->getDims());
  for (int64_t i = 0, e = from->getNumElements(); i < e; ++i) {
    double number = from->getDouble(i);
    if (!(number >= -128 && number <= 127) || std::trunc(number) != number)
      return std::nullopt;
    bytes.setDouble(i, number);
  }
  return bytes;
}

namespace {
/// 8-bit integers in a wider type, minus a zero point of that type.
struct Widened {
  Value bytes;
  Value zeroPoint; // null: none

  /// The zero point, if it is known and a value of the 8-bit type.
  std::optional<int64_t> getZeroPoint() const {
    DenseElementsAttr elements;
    if (!zeroPoint)
      return 0;
    if (!matchPattern(zeroPoint, m_Constant(&elements)) || !elements.isSplat())
      return std::nullopt;
    double number = isa<FloatType>(elements.getElementType())
                        ? elements.getSplatValue<APFloat>().convertToDouble()
                        : double(elements.getSplatValue<APInt>().getSExtValue());
    bool isUnsigned = getTensorType(bytes).getElementType().isUnsignedInteger();
    if (!(number >= (isUnsigned ? 0 : -128) && number <= (isUnsigned ? 255 : 127)) ||
        std::trunc(number) != number)
      return std::nullopt;
    return int64_t(number);
  }
};

struct NarrowProducts : nn::impl::NarrowProductsBase<NarrowProducts> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<ConvOp, MatMulOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      if (auto conv = dyn_cast<ConvOp>(op))
        narrow(conv);
      else
        narrow(cast<MatMulOp>(op));
  }

private:
  static std::optional<Widened> match(Value value) {
    Widened found;
    if (auto sub = value.getDefiningOp<SubOp>()) {
      RankedTensorType zeroPoint = getTensorType(sub.getRhs());
      if (!zeroPoint.hasStaticShape() || zeroPoint.getNumElements() != 1 ||
          sub.getLhs().getType() != sub.getType())
        return std::nullopt;
      found.zeroPoint = sub.getRhs();
      value = sub.getLhs();
    }
    auto cast = value.getDefiningOp<CastOp>();
    if (!cast || !getTensorType(cast.getInput()).getElementType().isInteger(8))
      return std::nullopt;
    found.bytes = cast.getInput();
    return found;
  }

  static Value makeConstant(const HostTensor &tensor, OpBuilder &builder, Location loc) {
    return ConstantOp::create(builder, loc, makeConstantAttr(builder.getContext(), tensor));
  }

  void narrow(MatMulOp op) {
    if (!op.getType().getElementType().isSignlessInteger(32) ||
        getTensorType(op.getRhs()).getRank() != 2 ||
        getTensorType(op.getLhs()).getRank() < 2)
      return;
    std::optional<Widened> lhs = match(op.getLhs());
    std::optional<HostTensor> weights = lhs ? getBytes(op.getRhs()) : std::nullopt;
    if (!weights)
      return;
    OpBuilder builder(op);
    Location loc = op.getLoc();
    Value sums = MatMulOp::create(builder, loc, lhs->bytes,
                                  makeConstant(*weights, builder, loc),
                                  op.getTransposeLhs(), op.getTransposeRhs());
    if (lhs->getZeroPoint() != 0) {
      // (a - z) b = a b - z (the sums of b's columns)
      bool transposed = op.getTransposeRhs();
      int64_t rows = weights->getDim(0), columns = weights->getDim(1);
      int64_t count = transposed ? rows : columns;
      SmallVector<double> totals(count, 0.0);
      for (int64_t i = 0; i < rows * columns; ++i)
        totals[transposed ? i / columns : i % columns] += weights->getDouble(i);
      HostTensor list = HostTensor::allocate(DataType::Int32, {count});
      for (int64_t i = 0; i < count; ++i)
        list.setDouble(i, totals[i]);
      Value correction = MulOp::create(builder, loc, makeConstant(list, builder, loc),
                                       lhs->zeroPoint);
      sums = SubOp::create(builder, loc, sums, correction);
    }
    if (sums.getType() == op.getType())
      replace(op, sums);
  }

  /// Convolutions support only 8-bit integers: operands that were widened to floats
  /// give an i32 result, which is converted.
  void narrow(ConvOp op) {
    if (!isa<FloatType>(op.getType().getElementType()) || op.getBias() ||
        op->use_empty())
      return;
    bool givesIntegers = llvm::all_of(op->getUsers(), [](Operation *user) {
      return isa<CastOp>(user) &&
             getTensorType(user->getResult(0)).getElementType().isSignlessInteger(32);
    });
    std::optional<Widened> input =
        givesIntegers ? match(op.getInput()) : std::nullopt;
    std::optional<int64_t> zero = input ? input->getZeroPoint() : std::nullopt;
    std::optional<HostTensor> weights = zero ? getBytes(op.getWeight()) : std::nullopt;
    if (!weights)
      return;
    OpBuilder builder(op);
    Value sums = ConvOp::create(
        builder, op.getLoc(), input->bytes, makeConstant(*weights, builder, op.getLoc()),
        /*bias=*/Value(), op.getStrides(), op.getDilations(), op.getPads(), op.getGroup(),
        op.getAutoPad(), op.getLayout(), *zero);
    for (Operation *user : llvm::to_vector(op->getUsers()))
      if (user->getResult(0).getType() == sums.getType())
        replace(user, sums);
  }

  void replace(Operation *op, Value result) {
    ++numNarrowed;
    inheritProvenance(op, result);
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }
};
} // namespace
