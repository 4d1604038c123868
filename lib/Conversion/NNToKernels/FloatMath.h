//===- FloatMath.h - emitting the code of elementary functions --*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// What nn-expand-math replaces functions of the math dialect by. How accurate each
// function is, and what it costs, stands in docs/decisions/elementary-functions.md.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_CONVERSION_NNTOKERNELS_FLOATMATH_H
#define NN_LIB_CONVERSION_NNTOKERNELS_FLOATMATH_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "nn/Conversion/ElementwiseToArith.h"
#include <limits>

namespace mlir {
class RewritePatternSet;
}

namespace mlir::nn {

/// Emits arithmetic on values of one type: a float type, or vectors of it. Operations
/// on integers take and give integers of the same width and shape.
struct FloatMath {
  using Predicate = arith::CmpFPredicate;
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  static constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

  OpBuilder &b;
  Location l;
  Type type, integers;

  FloatMath(OpBuilder &b, Location l, Type type)
      : b(b), l(l), type(type),
        integers(withElement(IntegerType::get(
            type.getContext(), getElementTypeOrSelf(type).getIntOrFloatBitWidth()))) {}

  /// `element`, or vectors of it, as `type` is.
  Type withElement(Type element) const {
    auto vector = dyn_cast<VectorType>(type);
    return vector ? Type(vector.clone(element)) : element;
  }
  Value number(double value) { return emitConstant(b, l, type, value); }
  Value integer(int64_t value);

  Value add(Value x, Value y) { return arith::AddFOp::create(b, l, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, l, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, l, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, l, x, y); }
  Value neg(Value x) { return arith::NegFOp::create(b, l, x); }
  /// x * y + z, rounded once.
  Value fma(Value x, Value y, Value z) { return math::FmaOp::create(b, l, x, y, z); }
  Value abs(Value x) { return math::AbsFOp::create(b, l, x); }
  Value sqrt(Value x) { return math::SqrtOp::create(b, l, x); }
  Value floor(Value x) { return math::FloorOp::create(b, l, x); }
  Value trunc(Value x) { return math::TruncOp::create(b, l, x); }
  Value withSign(Value x, Value sign) { return math::CopySignOp::create(b, l, x, sign); }
  /// Sum of coefficients[i] * x^i.
  Value polynomial(Value x, ArrayRef<double> coefficients);

  Value select(Value c, Value x, Value y) { return arith::SelectOp::create(b, l, c, x, y); }
  Value compare(Predicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(b, l, predicate, x, y);
  }
  Value compare(Predicate predicate, Value x, double y) {
    return compare(predicate, x, number(y));
  }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, l, x, y); }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, l, x, y); }
  // NaN stays, because a comparison with it is false.
  Value atMost(Value x, double limit) {
    return select(compare(Predicate::OLT, number(limit), x), number(limit), x);
  }
  Value atLeast(Value x, double limit) {
    return select(compare(Predicate::OGT, number(limit), x), number(limit), x);
  }

  Value bits(Value x) { return arith::BitcastOp::create(b, l, integers, x); }
  Value fromBits(Value x) { return arith::BitcastOp::create(b, l, type, x); }
  Value fromInteger(Value x) { return arith::SIToFPOp::create(b, l, type, x); }
  Value addInt(Value x, Value y) { return arith::AddIOp::create(b, l, x, y); }
  Value subInt(Value x, Value y) { return arith::SubIOp::create(b, l, x, y); }
  Value andInt(Value x, Value y) { return arith::AndIOp::create(b, l, x, y); }
  Value orInt(Value x, Value y) { return arith::OrIOp::create(b, l, x, y); }
  Value xorInt(Value x, Value y) { return arith::XOrIOp::create(b, l, x, y); }
  Value maxInt(Value x, Value y) { return arith::MaxSIOp::create(b, l, x, y); }
  Value shiftLeft(Value x, int64_t count) {
    return arith::ShLIOp::create(b, l, x, integer(count));
  }
  Value shiftRight(Value x, int64_t count) {
    return arith::ShRUIOp::create(b, l, x, integer(count));
  }
  Value shiftRightSigned(Value x, int64_t count) {
    return arith::ShRSIOp::create(b, l, x, integer(count));
  }
  /// Whether any bit of the mask is set.
  Value isSet(Value x, int64_t mask);
  /// x^y, given |x|^y: its sign, or NaN.
  Value powerOfSigned(Value power, Value x, Value y);
  /// The sign bit of `word` (an integer) flips the sign of x.
  Value flipSign(Value x, Value word);

  /// `common` where `isRare` holds for no element; else it is chosen by element
  /// between them and what `emit` gives, which only this branch computes.
  SmallVector<Value> unlessRare(Value isRare, ArrayRef<Value> common,
                                llvm::function_ref<SmallVector<Value>()> emit);
};

/// Remainders (arith.remf) as arithmetic: LLVM would call fmod.
void populateExpandRemainderPatterns(RewritePatternSet &patterns);

} // namespace mlir::nn

#endif // NN_LIB_CONVERSION_NNTOKERNELS_FLOATMATH_H
