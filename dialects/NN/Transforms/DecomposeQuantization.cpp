//===- DecomposeQuantization.cpp - quantization as elementwise arithmetic -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/IR/Matchers.h"
#include "nn/Analysis/Provenance.h"

namespace mlir::nn {
#define GEN_PASS_DEF_DECOMPOSEQUANTIZATION
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

static RankedTensorType getTensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
struct DecomposeQuantization
    : nn::impl::DecomposeQuantizationBase<DecomposeQuantization> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<QuantizeOp, DequantizeOp>(op))
        ops.push_back(op);
    });
    rounded.clear();
    // In program order: what is dequantized again is known by then.
    for (Operation *op : ops) {
      OpBuilder builder(op);
      auto quantize = dyn_cast<QuantizeOp>(op);
      Value result = quantize ? decompose(quantize, builder)
                              : decompose(cast<DequantizeOp>(op), builder);
      if (!result)
        continue;
      ++numDecomposed;
      inheritProvenance(op, result);
      op->replaceAllUsesWith(ValueRange(result));
      op->erase();
    }
  }

private:
  /// Scales and zero points stand for a whole tensor, or for the indices of one
  /// dimension. Blocks stay as they are.
  template <typename OpT> static bool isPlain(OpT op) {
    return op.getBlockSize() == 0 && getTensorType(op.getScale()).getRank() <= 1 &&
           getTensorType(op.getScale()).getElementType().isF32();
  }

  /// `parameter` as f32, of a shape that broadcasts along the axis.
  Value align(Value parameter, Value input, int64_t axis, OpBuilder &builder,
              Location loc) {
    Type f32 = builder.getF32Type();
    if (getTensorType(parameter).getElementType() != f32)
      parameter = CastOp::create(builder, loc, parameter, f32);
    int64_t rank = getTensorType(input).getRank();
    axis = axis < 0 ? axis + rank : axis;
    if (getTensorType(parameter).getRank() == 0 || axis + 1 == rank)
      return parameter;
    auto added = llvm::to_vector(llvm::seq<int64_t>(1, rank - axis));
    return UnsqueezeOp::create(builder, loc, parameter, added);
  }

  static Value makeNumber(double number, OpBuilder &builder, Location loc) {
    auto type = RankedTensorType::get({}, builder.getF32Type());
    return ConstantOp::create(builder, loc,
                              DenseElementsAttr::get(type, float(number)));
  }

  Value decompose(QuantizeOp op, OpBuilder &builder) {
    auto to = cast<IntegerType>(op.getTo());
    Type from = getTensorType(op.getInput()).getElementType();
    // Wider integers are not exact in f32.
    if (!isPlain(op) || to.getWidth() > 16 || !from.isF32())
      return {};
    Location loc = op.getLoc();
    Value input = op.getInput();
    Value scale = align(op.getScale(), input, op.getAxis(), builder, loc);
    Value value = DivOp::create(builder, loc, input, scale);
    value = RoundOp::create(builder, loc, value);
    if (op.getZeroPoint())
      value = AddOp::create(
          builder, loc, value,
          align(op.getZeroPoint(), input, op.getAxis(), builder, loc));
    bool isUnsigned = to.isUnsigned();
    double low = isUnsigned ? 0 : -std::ldexp(1.0, to.getWidth() - 1);
    double high = std::ldexp(1.0, isUnsigned ? to.getWidth() : to.getWidth() - 1) - 1;
    Value lowest = makeNumber(low, builder, loc), highest = makeNumber(high, builder, loc);
    value = ClipOp::create(builder, loc, value, lowest, highest);
    Value result = CastOp::create(builder, loc, value, to);
    rounded[result] = value;
    return result;
  }

  Value decompose(DequantizeOp op, OpBuilder &builder) {
    auto from = cast<IntegerType>(getTensorType(op.getInput()).getElementType());
    if (!isPlain(op) || (from.getWidth() > 16 && op.getZeroPoint()))
      return {};
    Location loc = op.getLoc();
    Value input = op.getInput();
    // What was quantized just before is an integer in f32 already.
    Value value = rounded.lookup(input);
    if (!value)
      value = CastOp::create(builder, loc, input, builder.getF32Type());
    if (op.getZeroPoint())
      value = SubOp::create(
          builder, loc, value,
          align(op.getZeroPoint(), input, op.getAxis(), builder, loc));
    DenseElementsAttr scale;
    if (matchPattern(op.getScale(), m_Constant(&scale)) && scale.isSplat() &&
        scale.getSplatValue<float>() == 1.0f)
      return value;
    return MulOp::create(builder, loc, value,
                         align(op.getScale(), input, op.getAxis(), builder, loc));
  }

  /// Quantized tensors, before the conversion to integers.
  DenseMap<Value, Value> rounded;
};
} // namespace
