//===- Casts.cpp - constants, and conversions between types ---------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Emitter.h"

using namespace mlir;
using namespace mlir::nn;

Type nn::getSignlessType(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return tensor.clone(getSignlessType(tensor.getElementType()));
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer || integer.isSignless())
    return type;
  return IntegerType::get(type.getContext(), integer.getWidth());
}

Type nn::getComputeType(Type elementType) {
  if (elementType.isF16() || elementType.isBF16())
    return Float32Type::get(elementType.getContext());
  return elementType;
}

Value nn::emitConstant(OpBuilder &builder, Location location, Type type,
                       double value) {
  Type elementType = getElementTypeOrSelf(type);
  TypedAttr attr;
  if (isa<FloatType>(elementType))
    attr = builder.getFloatAttr(elementType, value);
  else
    attr = builder.getIntegerAttr(elementType, int64_t(value));
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, attr);
  return arith::ConstantOp::create(builder, location, attr);
}

/// For reductions: NaN counts. Which of 0 and -0 is larger does not, which saves half of the
/// instructions.
static constexpr auto kAnyZero = arith::FastMathFlags::nsz;

Value nn::emitMax(OpBuilder &builder, Location location, Value lhs, Value rhs,
                  bool isUnsigned) {
  if (isa<FloatType>(getElementTypeOrSelf(lhs)))
    return arith::MaximumFOp::create(builder, location, lhs, rhs, kAnyZero);
  if (isUnsigned || getElementTypeOrSelf(lhs).isInteger(1))
    return arith::MaxUIOp::create(builder, location, lhs, rhs);
  return arith::MaxSIOp::create(builder, location, lhs, rhs);
}

Value nn::emitMin(OpBuilder &builder, Location location, Value lhs, Value rhs,
                  bool isUnsigned) {
  if (isa<FloatType>(getElementTypeOrSelf(lhs)))
    return arith::MinimumFOp::create(builder, location, lhs, rhs, kAnyZero);
  if (isUnsigned || getElementTypeOrSelf(lhs).isInteger(1))
    return arith::MinUIOp::create(builder, location, lhs, rhs);
  return arith::MinSIOp::create(builder, location, lhs, rhs);
}

Value Emitter::roundToOdd(Value x) {
  Type f32 = withElementType(x.getType(), builder.getF32Type());
  Type i32 = withElementType(x.getType(), builder.getI32Type());
  Value rounded = make<arith::TruncFOp>(f32, x);
  Value back = make<arith::ExtFOp>(x.getType(), rounded);
  Value bits = make<arith::BitcastOp>(i32, rounded);
  Value one = constant(bits, 1), zero = constant(bits, 0);
  Value even = compare(arith::CmpIPredicate::eq,
                       make<arith::AndIOp>(bits, one), zero);
  Value inexact = compare(arith::CmpFPredicate::ONE, back, x);
  Value tooLarge = greater(make<math::AbsFOp>(back), make<math::AbsFOp>(x));
  Value odd = select(tooLarge, make<arith::SubIOp>(bits, one),
                     make<arith::AddIOp>(bits, one));
  Value chosen = select(make<arith::AndIOp>(even, inexact), odd, bits);
  return make<arith::BitcastOp>(f32, chosen);
}

Value Emitter::castFloat(Value x, FloatType to) {
  auto from = cast<FloatType>(getElementTypeOrSelf(x));
  if (from == to)
    return x;
  // There are no instructions to convert between f16, bf16 and f64; LLVM would call
  // library functions, which compiled models do not have.
  if (from.getWidth() == 16) {
    x = widen(x, builder.getF32Type());
    return castFloat(x, to);
  }
  if (to.getWidth() > from.getWidth())
    return widen(x, to);
  if (from.isF64() && to.getWidth() == 16)
    x = roundToOdd(x);
  return make<arith::TruncFOp>(withElementType(x.getType(), to), x);
}

Value Emitter::castToInt(Value x, IntegerType to, bool toUnsigned) {
  x = widen(x, getComputeType(getElementTypeOrSelf(x)));
  if (to.getWidth() == 1)
    return compare(arith::CmpFPredicate::UNE, x, constant(x, 0));
  // Through a wider signed type, so that small excesses wrap.
  unsigned width = to.getWidth();
  if (toUnsigned && width == 64)
    return make<arith::FPToUIOp>(withElementType(x.getType(), to), x);
  unsigned wide = width < 32 ? 32 : (toUnsigned ? 64 : width);
  Value integer = make<arith::FPToSIOp>(
      withElementType(x.getType(), builder.getIntegerType(wide)), x);
  if (wide == width)
    return integer;
  return make<arith::TruncIOp>(withElementType(x.getType(), to), integer);
}

Value Emitter::castFromInt(Value x, FloatType to, bool fromUnsigned) {
  auto from = cast<IntegerType>(getElementTypeOrSelf(x));
  FloatType wide = to;
  if (to.getWidth() == 16)
    wide = from.getWidth() <= 16 ? builder.getF32Type() : builder.getF64Type();
  Type type = withElementType(x.getType(), wide);
  Value real = fromUnsigned || from.getWidth() == 1
                   ? make<arith::UIToFPOp>(type, x)
                   : make<arith::SIToFPOp>(type, x);
  return castFloat(real, to);
}

Value Emitter::castInt(Value x, IntegerType to, bool fromUnsigned) {
  auto from = cast<IntegerType>(getElementTypeOrSelf(x));
  if (from == to)
    return x;
  if (to.getWidth() == 1)
    return compare(arith::CmpIPredicate::ne, x, constant(x, 0));
  Type type = withElementType(x.getType(), to);
  if (to.getWidth() < from.getWidth())
    return make<arith::TruncIOp>(type, x);
  if (fromUnsigned || from.getWidth() == 1)
    return make<arith::ExtUIOp>(type, x);
  return make<arith::ExtSIOp>(type, x);
}

Value nn::emitCast(OpBuilder &builder, Location location, Value value,
                   Type toElementType, bool fromUnsigned, bool toUnsigned) {
  Emitter e{builder, location};
  bool fromFloat = isa<FloatType>(getElementTypeOrSelf(value));
  if (auto to = dyn_cast<FloatType>(toElementType))
    return fromFloat ? e.castFloat(value, to)
                     : e.castFromInt(value, to, fromUnsigned);
  auto to = cast<IntegerType>(toElementType);
  return fromFloat ? e.castToInt(value, to, toUnsigned)
                   : e.castInt(value, to, fromUnsigned);
}
