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

  /// The zero point before it was widened, or null.
  Value getBytesOfZeroPoint() const {
    auto cast = zeroPoint ? zeroPoint.getDefiningOp<CastOp>() : CastOp();
    return cast && getElementTypeOrSelf(cast.getInput().getType()) ==
                       getTensorType(bytes).getElementType()
               ? cast.getInput()
               : Value();
  }
};

} // namespace

/// `value` as 8-bit integers that were widened.
static std::optional<Widened> matchWidened(Value value) {
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

/// The elements of an integer constant (of any type), minus `zero`, if they fit in i8.
static std::optional<HostTensor> getBytes(Value value, int64_t zero) {
  FailureOr<HostTensor> from = readConstant(value);
  if (failed(from))
    return std::nullopt;
  HostTensor bytes = HostTensor::allocate(DataType::Int8, from->getDims());
  for (int64_t i = 0, e = from->getNumElements(); i < e; ++i) {
    double number = from->getDouble(i) - zero;
    if (!(number >= -128 && number <= 127) || std::trunc(number) != number)
      return std::nullopt;
    bytes.setDouble(i, number);
  }
  return bytes;
}

/// The same of a widened constant: large ones are not folded.
static std::optional<HostTensor> getBytes(Value value) {
  std::optional<Widened> widened = matchWidened(value);
  if (!widened)
    return getBytes(value, 0);
  std::optional<int64_t> zero = widened->getZeroPoint();
  return zero ? getBytes(widened->bytes, *zero) : std::nullopt;
}

/// Constant weights as bytes from which an offset is to be subtracted. Those that do not
/// fit in i8 are unsigned ones, less 128, with the rest of their zero point:
/// x (w - z) = x (w - 128) - (z - 128) (the sum of x).
static std::pair<std::optional<HostTensor>, int64_t> getOffsetBytes(Value value) {
  if (std::optional<HostTensor> bytes = getBytes(value))
    return {std::move(bytes), 0};
  std::optional<Widened> widened = matchWidened(value);
  std::optional<int64_t> zero = widened ? widened->getZeroPoint() : std::nullopt;
  if (!zero)
    return {std::nullopt, 0};
  return {getBytes(widened->bytes, 128), *zero - 128};
}

namespace {
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
  static Value makeConstant(const HostTensor &tensor, OpBuilder &builder, Location loc) {
    return ConstantOp::create(builder, loc, makeConstantAttr(builder.getContext(), tensor));
  }

  /// The spatial dimensions of `value` with these begins and ends around them.
  static Value pad(Value value, ArrayRef<int64_t> pads, Value filler, OpBuilder &builder,
                   Location loc) {
    if (llvm::all_of(pads, [](int64_t pad) { return pad == 0; }))
      return value;
    HostTensor list = HostTensor::allocate(DataType::Int64, {int64_t(pads.size())});
    for (auto [i, count] : llvm::enumerate(pads))
      list.setDouble(i, count);
    auto axes = llvm::to_vector(
        llvm::seq<int64_t>(2, getTensorType(value).getRank()));
    return PadOp::create(builder, loc, value, makeConstant(list, builder, loc), filler,
                         axes, "constant");
  }

  /// sums - factor * values
  static Value subtractMultiple(Value sums, Value values, int64_t factor,
                                OpBuilder &builder, Location loc) {
    auto type = RankedTensorType::get({}, builder.getI32Type());
    Value constant =
        ConstantOp::create(builder, loc, DenseElementsAttr::get(type, int32_t(factor)));
    return SubOp::create(builder, loc, sums,
                         MulOp::create(builder, loc, values, constant));
  }

  void narrow(MatMulOp op) {
    if (!op.getType().getElementType().isSignlessInteger(32) ||
        getTensorType(op.getRhs()).getRank() != 2 ||
        getTensorType(op.getLhs()).getRank() < 2)
      return;
    std::optional<Widened> lhs = matchWidened(op.getLhs());
    if (!lhs)
      return;
    auto [weights, offset] = getOffsetBytes(op.getRhs());
    if (!weights || (offset != 0 && op.getTransposeLhs()))
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
    if (offset != 0) {
      Value rows = ReduceSumOp::create(builder, loc, op.getLhs(), ArrayRef<int64_t>{-1},
                                       /*keepdims=*/true);
      sums = subtractMultiple(sums, rows, offset, builder, loc);
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
        givesIntegers ? matchWidened(op.getInput()) : std::nullopt;
    if (!input)
      return;
    auto [weights, offset] = getOffsetBytes(op.getWeight());
    if (!weights || (offset != 0 && op.getGroup() != 1))
      return;
    OpBuilder builder(op);
    Location loc = op.getLoc();
    std::optional<int64_t> zero = input->getZeroPoint();
    SmallVector<int64_t> pads(op.getPads());
    Value bytes = input->bytes, runTimeZero;
    if (!zero) {
      // Then it is what is padded with, and it is subtracted from the sums.
      runTimeZero = input->getBytesOfZeroPoint();
      if (!runTimeZero || op.getLayout() != Layout::ChannelsFirst ||
          !(op.getAutoPad() == AutoPad::NotSet || op.getAutoPad() == AutoPad::Valid))
        return;
      if (op.getAutoPad() == AutoPad::NotSet)
        bytes = pad(bytes, pads, runTimeZero, builder, loc);
      pads.assign(pads.size(), 0);
    }
    auto makeConv = [&](const HostTensor &weights) -> Value {
      return ConvOp::create(builder, loc, bytes, makeConstant(weights, builder, loc),
                            /*bias=*/Value(), op.getStrides(), op.getDilations(), pads,
                            op.getGroup(), op.getAutoPad(), op.getLayout(),
                            zero.value_or(0));
    };
    Value sums = makeConv(*weights);
    SmallVector<int64_t> dims(weights->getDims());
    int64_t filters = dims[0], products = weights->getNumElements() / std::max<int64_t>(1, filters);
    if (offset != 0) {
      // The sums of the windows.
      dims[0] = 1;
      HostTensor ones = HostTensor::allocate(DataType::Int8, dims);
      for (int64_t i = 0, e = ones.getNumElements(); i < e; ++i)
        ones.setDouble(i, 1);
      sums = subtractMultiple(sums, makeConv(ones), offset, builder, loc);
    }
    if (runTimeZero) {
      // Those of the filters.
      dims.assign(dims.size() - 1, 1);
      dims[0] = filters;
      HostTensor totals = HostTensor::allocate(DataType::Int32, dims);
      for (int64_t filter = 0; filter < filters; ++filter) {
        double total = -double(offset * products);
        for (int64_t i = 0; i < products; ++i)
          total += weights->getDouble(filter * products + i);
        totals.setDouble(filter, total);
      }
      Value factor = CastOp::create(builder, loc, runTimeZero, builder.getI32Type());
      Value correction =
          MulOp::create(builder, loc, makeConstant(totals, builder, loc), factor);
      sums = SubOp::create(builder, loc, sums, correction);
    }
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
