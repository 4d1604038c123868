//===- DecomposeQuantization.cpp - quantization as elementwise arithmetic -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/IR/Matchers.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Support/DataType.h"

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
    // In program order, so that a dequantization finds its quantization decomposed.
    for (Operation *op : ops) {
      OpBuilder builder(op);
      auto quantize = dyn_cast<QuantizeOp>(op);
      Value result = quantize ? decompose(quantize, builder)
                              : decompose(cast<DequantizeOp>(op), builder);
      if (!result)
        continue;
      ++numDecomposed;
      inheritProvenance(op, result);
      // The parameters may determine a dimension that is unknown in the tensor.
      if (Type type = op->getResult(0).getType(); result.getType() != type)
        result = tensor::CastOp::create(builder, op->getLoc(), type, result);
      op->replaceAllUsesWith(ValueRange(result));
      op->erase();
    }
  }

private:
  /// Scales and zero points are per tensor, or per index of one dimension. Blocked
  /// parameters are not decomposed, except for small types, which nothing else computes
  /// with.
  template <typename OpT> static bool canDecompose(OpT op, Type quantized) {
    if (getStorageOfSmallType(quantized))
      return true;
    return op.getBlockSize() == 0 && getTensorType(op.getScale()).getRank() <= 1 &&
           getTensorType(op.getScale()).getElementType().isF32();
  }

  /// Quotients and products have the scale's precision, but at least that of f32.
  template <typename OpT> static Type getComputeType(OpT op) {
    Type scale = getTensorType(op.getScale()).getElementType();
    return scale.isF64() ? scale : Float32Type::get(op.getContext());
  }

  static Value toType(Value value, Type type, OpBuilder &builder, Location loc) {
    return getTensorType(value).getElementType() == type
               ? value
               : CastOp::create(builder, loc, value, type);
  }

  /// `parameter` in the compute type, with a shape that broadcasts along the axis.
  template <typename OpT> Value align(Value parameter, OpT op, OpBuilder &builder) {
    Location loc = op.getLoc();
    Value input = op.getInput();
    int64_t axis = op.getAxis();
    parameter = toType(parameter, getComputeType(op), builder, loc);
    int64_t rank = getTensorType(input).getRank();
    axis = shapes::normalizeAxis(axis, rank);
    if (getTensorType(parameter).getRank() == 0)
      return parameter;
    if (op.getBlockSize() != 0)
      return expandBlocks(parameter, input, axis, op.getBlockSize(), builder, loc);
    if (axis + 1 == rank)
      return parameter;
    auto added = llvm::to_vector(llvm::seq<int64_t>(1, rank - axis));
    return UnsqueezeOp::create(builder, loc, parameter, added);
  }

  /// Repeats each entry `size` times along the axis; the last block may be shorter.
  static Value expandBlocks(Value parameter, Value input, int64_t axis, int64_t size,
                            OpBuilder &builder, Location loc) {
    auto makeConstant = [&](ArrayRef<int64_t> shape, ArrayRef<int64_t> numbers) -> Value {
      auto type = RankedTensorType::get(shape, builder.getI64Type());
      return ConstantOp::create(builder, loc, DenseElementsAttr::get(type, numbers));
    };
    Value block;
    if (int64_t length = getTensorType(input).getDimSize(axis);
        !ShapedType::isDynamic(length)) {
      SmallVector<int64_t> numbers;
      for (int64_t i = 0; i < length; ++i)
        numbers.push_back(i / size);
      block = makeConstant(length, numbers);
    } else {
      Value dim = nn::ShapeOp::create(builder, loc, input, axis,
                                      builder.getI64IntegerAttr(axis + 1));
      dim = SqueezeOp::create(builder, loc, dim, ArrayRef<int64_t>{0});
      Value place = RangeOp::create(builder, loc, makeConstant({}, {0}), dim,
                                    makeConstant({}, {1}));
      block = DivOp::create(builder, loc, place, makeConstant({}, {size}));
    }
    return GatherOp::create(builder, loc, parameter, block, axis);
  }

  static Value makeNumber(double number, Type type, OpBuilder &builder, Location loc) {
    Attribute element = builder.getFloatAttr(type, number);
    return ConstantOp::create(
        builder, loc, DenseElementsAttr::get(RankedTensorType::get({}, type), element));
  }

  static double convertToDouble(APFloat number) {
    bool losesInfo;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
    return number.convertToDouble();
  }

  /// The value of a splat constant.
  static std::optional<double> getNumber(Value value) {
    DenseElementsAttr elements;
    if (!value || !matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
      return std::nullopt;
    if (isa<FloatType>(elements.getElementType()))
      return convertToDouble(elements.getSplatValue<APFloat>());
    APInt number = elements.getSplatValue<APInt>();
    return elements.getElementType().isUnsignedInteger() ? double(number.getZExtValue())
                                                         : double(number.getSExtValue());
  }

  /// Limits before a quantization become limits of its integers, because rounding
  /// preserves order: for example, a ReLU has no effect before a quantization whose
  /// smallest number is zero. `low` and `high` are the bounds of the rounded quotient.
  static Value skipLimits(Value value, std::optional<double> scale, double &low,
                          double &high) {
    if (!scale || !(*scale > 0))
      return value;
    // Computed as in the run: f32 division, ties to even.
    auto quotient = [&](double bound) {
      return std::nearbyint(double(float(bound) / float(*scale)));
    };
    while (Operation *op = value.getDefiningOp()) {
      auto clip = dyn_cast<ClipOp>(op);
      std::optional<double> least, most;
      if (clip) {
        least = getNumber(clip.getMin());
        most = getNumber(clip.getMax());
        if ((clip.getMin() && !least) || (clip.getMax() && !most))
          return value;
      } else if (isa<ReluOp>(op)) {
        least = 0;
      } else {
        return value;
      }
      double lowest = low, highest = high;
      if (least)
        low = std::clamp(quotient(*least), lowest, highest);
      if (most)
        high = std::clamp(quotient(*most), lowest, highest);
      // An upper limit below the lower one takes precedence.
      low = std::min(low, high);
      value = op->getOperand(0);
    }
    return value;
  }

  /// Whether nobody needs the integers themselves: an operator that computes on the
  /// tensor in 8 bits needs it in memory, where all others can read it.
  static bool isOnlyDequantized(QuantizeOp op) {
    bool isAlone = llvm::all_of(op->getUsers(), [](Operation *user) {
      return isa<DequantizeOp>(user);
    });
    if (!isAlone || !op->hasOneUse())
      return isAlone;
    // The operator that makes the later of two such tensors computes their sum; the
    // other tensor is read from memory.
    Operation *dequantize = *op->user_begin();
    if (!dequantize->hasOneUse() || !isa<AddOp>(*dequantize->user_begin()))
      return true;
    auto getQuantized = [](Value value) {
      auto dequantize = value.getDefiningOp<DequantizeOp>();
      auto quantize = dequantize && dequantize->hasOneUse()
                          ? dequantize.getInput().getDefiningOp<QuantizeOp>()
                          : QuantizeOp();
      return quantize && quantize->hasOneUse() ? quantize : QuantizeOp();
    };
    for (Value operand : dequantize->user_begin()->getOperands())
      if (QuantizeOp other = getQuantized(operand);
          other && other != op && other->getBlock() == op->getBlock() &&
          op->isBeforeInBlock(other))
        return false;
    return true;
  }

  /// Sums of integers times their scale, divided by another scale, become one factor,
  /// as in integer kernels.
  static Value requantize(Value value, Value scale, OpBuilder &builder, Location loc) {
    auto mul = value.getDefiningOp<MulOp>();
    if (!mul || getTensorType(scale).getRank() != 0)
      return {};
    for (auto [sums, factor] : {std::pair(Value(mul.getLhs()), Value(mul.getRhs())),
                                std::pair(Value(mul.getRhs()), Value(mul.getLhs()))})
      if (Operation *producer = sums.getDefiningOp();
          isa_and_nonnull<ConvOp, MatMulOp, CastOp>(producer) &&
          producer->hasAttr(integersAttrName)) {
        Value both = DivOp::create(builder, loc, factor, scale);
        return MulOp::create(builder, loc, sums, both);
      }
    return {};
  }

  /// For a float of 8 bits or less, the conversion rounds.
  Value decomposeToFloat(QuantizeOp op, OpBuilder &builder) {
    Location loc = op.getLoc();
    Value input = toType(op.getInput(), getComputeType(op), builder, loc);
    Value value = DivOp::create(builder, loc, input, align(op.getScale(), op, builder));
    if (op.getZeroPoint() && getNumber(op.getZeroPoint()) != 0.0)
      value = AddOp::create(builder, loc, value, align(op.getZeroPoint(), op, builder));
    return CastOp::create(builder, loc, value, op.getTo(), op.getSaturate());
  }

  Value decompose(QuantizeOp op, OpBuilder &builder) {
    if (!canDecompose(op, op.getTo()))
      return {};
    auto to = dyn_cast<IntegerType>(op.getTo());
    if (!to)
      return decomposeToFloat(op, builder);
    Type from = getTensorType(op.getInput()).getElementType();
    // Wider integers are not exact in f32.
    if (to.getWidth() > 16 || (!from.isF32() && to.getWidth() >= 8))
      return {};
    Location loc = op.getLoc();
    bool isUnsigned = to.isUnsigned();
    double low = isUnsigned ? 0 : -std::ldexp(1.0, to.getWidth() - 1);
    double high = std::ldexp(1.0, isUnsigned ? to.getWidth() : to.getWidth() - 1) - 1;
    // A known zero point moves the bounds instead of the value, so that a following
    // dequantization need not move it back.
    std::optional<double> zero = op.getZeroPoint() ? getNumber(op.getZeroPoint())
                                                   : std::optional<double>(0.0);
    double shift = zero.value_or(0);
    Type type = getComputeType(op);
    Value input = toType(op.getInput(), type, builder, loc);
    double least = low - shift, most = high - shift;
    if (zero && type.isF32())
      input = skipLimits(input, getNumber(op.getScale()), least, most);
    Value scale = align(op.getScale(), op, builder);
    Value value;
    if (type.isF32())
      value = requantize(input, scale, builder, loc);
    if (!value)
      value = DivOp::create(builder, loc, input, scale);
    value = RoundOp::create(builder, loc, value);
    if (!zero)
      value = AddOp::create(builder, loc, value,
                            align(op.getZeroPoint(), op, builder));
    Value lowest = makeNumber(least, type, builder, loc),
          highest = makeNumber(most, type, builder, loc);
    value = ClipOp::create(builder, loc, value, lowest, highest);
    Value whole = value;
    if (shift != 0)
      whole = AddOp::create(builder, loc, value, makeNumber(shift, type, builder, loc));
    Value result = CastOp::create(builder, loc, whole, to);
    if (type.isF32() && isOnlyDequantized(op))
      rounded[result] = {value, shift};
    return result;
  }

  Value decompose(DequantizeOp op, OpBuilder &builder) {
    Type from = getTensorType(op.getInput()).getElementType();
    if (!canDecompose(op, from) || (from.getIntOrFloatBitWidth() > 16 && op.getZeroPoint()))
      return {};
    Location loc = op.getLoc();
    Value input = op.getInput(), value;
    std::optional<double> zero = op.getZeroPoint() ? getNumber(op.getZeroPoint())
                                                   : std::optional<double>(0.0);
    // A tensor that was just quantized is already an integer in f32.
    Type type = getComputeType(op);
    Rounded known = type.isF32() ? rounded.lookup(input) : Rounded();
    bool isCentered = known.value && zero && *zero == known.shift;
    if (known.value && (isCentered || known.shift == 0)) {
      // The integer 0 has no sign.
      value = known.value;
      if (!ignoreSignOfZero(op))
        value = AddOp::create(builder, loc, value, makeNumber(0, type, builder, loc));
    } else {
      value = toType(input, type, builder, loc);
    }
    if (op.getZeroPoint() && !isCentered && !(zero && *zero == 0))
      value = SubOp::create(builder, loc, value,
                            align(op.getZeroPoint(), op, builder));
    if (getNumber(op.getScale()) != 1.0)
      value = MulOp::create(builder, loc, value, align(op.getScale(), op, builder));
    return toType(value, op.getType().getElementType(), builder, loc);
  }

  /// Whether -0 and +0 give the same for all users: they round, or sum products.
  static bool ignoreSignOfZero(DequantizeOp op) {
    return llvm::all_of(op->getUsers(), [](Operation *user) {
      return isa<QuantizeOp, ConvOp, ConvTransposeOp, MatMulOp>(user);
    });
  }

  /// Integers in f32, minus `shift`.
  struct Rounded {
    Value value;
    double shift = 0;
  };
  /// Quantized tensors, before the conversion to integers.
  DenseMap<Value, Rounded> rounded;
};
} // namespace
