//===- Emitter.h - what the code of operators is made with ------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_CONVERSION_ELEMENTWISETOARITH_EMITTER_H
#define NN_LIB_CONVERSION_ELEMENTWISETOARITH_EMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "nn/Conversion/ElementwiseToArith.h"

namespace mlir::nn {

/// `elementType`, or vectors of it, as `like` is.
inline Type withElementType(Type like, Type elementType) {
  if (auto vector = dyn_cast<VectorType>(like))
    return vector.clone(elementType);
  return elementType;
}

/// Short names for what is emitted again and again, at one place.
struct Emitter {
  OpBuilder &builder;
  Location location;

  template <typename OpTy, typename... Args> Value make(Args &&...args) {
    return OpTy::create(builder, location, std::forward<Args>(args)...);
  }
  Value constant(Value like, double value) {
    return emitConstant(builder, location, like.getType(), value);
  }
  Value add(Value l, Value r) { return make<arith::AddFOp>(l, r); }
  Value sub(Value l, Value r) { return make<arith::SubFOp>(l, r); }
  Value mul(Value l, Value r) { return make<arith::MulFOp>(l, r); }
  Value div(Value l, Value r) { return make<arith::DivFOp>(l, r); }
  Value neg(Value x) { return make<arith::NegFOp>(x); }
  Value abs(Value x) { return make<math::AbsFOp>(x); }
  /// x * y + z, rounded once.
  Value fma(Value x, Value y, Value z) { return make<math::FmaOp>(x, y, z); }
  Value exp(Value x) { return make<math::ExpOp>(x); }
  Value expOfNotPositive(Value x) { return emitExpOfNotPositive(builder, location, x); }
  Value expm1(Value x) { return make<math::ExpM1Op>(x); }
  Value max(Value l, Value r) { return make<arith::MaximumFOp>(l, r); }
  Value min(Value l, Value r) { return make<arith::MinimumFOp>(l, r); }
  Value select(Value c, Value x, Value y) {
    return make<arith::SelectOp>(c, x, y);
  }
  Value compare(arith::CmpFPredicate predicate, Value l, Value r) {
    return make<arith::CmpFOp>(predicate, l, r);
  }
  Value compare(arith::CmpIPredicate predicate, Value l, Value r) {
    return make<arith::CmpIOp>(predicate, l, r);
  }
  Value less(Value l, Value r) {
    return compare(arith::CmpFPredicate::OLT, l, r);
  }
  Value greater(Value l, Value r) {
    return compare(arith::CmpFPredicate::OGT, l, r);
  }
  Value widen(Value x, Type elementType) {
    if (getElementTypeOrSelf(x) == elementType)
      return x;
    return make<arith::ExtFOp>(withElementType(x.getType(), elementType), x);
  }

  // Conversions, see emitCast.
  /// f64 to f32, inexact results made odd: rounding such a value again, to a
  /// type with two bits less or more, is as rounding once.
  Value roundToOdd(Value x);
  Value castFloat(Value x, FloatType to);
  Value castToInt(Value x, IntegerType to, bool toUnsigned);
  Value castFromInt(Value x, FloatType to, bool fromUnsigned);
  Value castInt(Value x, IntegerType to, bool fromUnsigned);

  // Activations, by formulas that lose no digits in their left tails (Activations.cpp).
  Value sigmoid(Value x);
  /// x * sigmoid(scaled).
  Value swish(Value x, Value scaled);
  /// ln(1 + e^x).
  Value softplus(Value x);
  /// x * tanh(softplus(x)).
  Value mish(Value x);
  /// x * (1 + erf(x / sqrt(2))) / 2, and its approximation by tanh.
  Value gelu(Value x);
  Value geluTanh(Value x);

  // Floats of 8 bits or less, as their bits in i8 (SmallFloats.cpp).
  Value decodeFloat(Value bits, FloatType format);
  Value encodeFloat(Value x, FloatType format, bool saturate, StringRef roundMode);
};

/// An operator on floats (or on floats and to bool); operands are of the compute
/// type.
FailureOr<Value> emitFloat(Emitter &e, Operation *op, ArrayRef<Value> operands);

/// An operator on integers or bool.
FailureOr<Value> emitInteger(Emitter &e, Operation *op, ArrayRef<Value> operands,
                             bool isUnsigned);

/// x^y for integers; exact, and wrapping, as far as y < 128. Negative powers are
/// rounded towards zero.
Value emitIntegerPow(Emitter &e, Value x, Value y, bool isUnsigned);

} // namespace mlir::nn

#endif // NN_LIB_CONVERSION_ELEMENTWISETOARITH_EMITTER_H
