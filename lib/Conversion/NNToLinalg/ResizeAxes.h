//===- ResizeAxes.h - what the ways of resampling share ---------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_CONVERSION_NNTOLINALG_RESIZEAXES_H
#define NN_LIB_CONVERSION_NNTOLINALG_RESIZEAXES_H

#include "TensorEmitter.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace mlir::nn::resize {

/// Emits scalar float and index arithmetic, folded for known values.
struct Coordinates {
  Coordinates(OpBuilder &b, Location l, Type type = Type())
      : b(b), l(l), type(type ? type : b.getF32Type()) {}

  OpBuilder &b;
  Location l;
  Type type; // of numbers

  template <typename OpTy, typename... Args> Value make(Args... args) {
    return b.createOrFold<OpTy>(l, args...);
  }
  Value number(double value) {
    return emitConstant(b, l, type, value);
  }
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, l, value);
  }
  Value add(Value x, Value y) { return make<arith::AddFOp>(x, y); }
  Value sub(Value x, Value y) { return make<arith::SubFOp>(x, y); }
  Value mul(Value x, Value y) { return make<arith::MulFOp>(x, y); }
  Value div(Value x, Value y) { return make<arith::DivFOp>(x, y); }
  Value floor(Value x) { return make<math::FloorOp>(x); }
  Value ceil(Value x) { return make<math::CeilOp>(x); }
  Value abs(Value x) { return make<math::AbsFOp>(x); }
  /// Given a number and NaN, returns the number.
  Value min(Value x, Value y) { return make<arith::MinNumFOp>(x, y); }
  Value max(Value x, Value y) { return make<arith::MaxNumFOp>(x, y); }
  Value less(Value x, Value y) {
    return make<arith::CmpFOp>(arith::CmpFPredicate::OLT, x, y);
  }
  Value addIndex(Value x, Value y) { return make<arith::AddIOp>(x, y); }
  Value isEqual(Value x, Value y) {
    return make<arith::CmpIOp>(arith::CmpIPredicate::eq, x, y);
  }
  Value isOne(Value index) { return isEqual(index, this->index(1)); }
  Value toNumber(Value index) {
    Value integer = make<arith::IndexCastOp>(Type(b.getI64Type()), index);
    return make<arith::SIToFPOp>(type, integer);
  }
  Value toIndex(Value number) {
    Value integer = make<arith::FPToSIOp>(Type(b.getI64Type()), number);
    return make<arith::IndexCastOp>(Type(b.getIndexType()), integer);
  }
  /// The index `place` moved into a dimension of `size`.
  Value clamp(Value place, Value size) {
    Value last = make<arith::SubIOp>(size, index(1));
    return make<arith::MaxSIOp>(make<arith::MinSIOp>(place, last), index(0));
  }
  Value select(Value condition, Value x, Value y) {
    return make<arith::SelectOp>(condition, x, y);
  }
  /// A polynomial in `x`, the highest coefficient first.
  Value polynomial(Value x, ArrayRef<double> coefficients);
};

/// A resized dimension of the result.
struct Axis {
  int64_t dim;         // in the order of the tensor
  Value input, output; // sizes
  Size size;           // output, an attribute where known
  Value scale;         // f32
  Value exact;         // f32, the output's size before it was rounded
  Value start, end;    // f32, of the region of interest
  bool isBySizes = false; // the scale is the quotient of the sizes
};

/// The dimensions that may change, with their sizes, which are checked at run time.
/// `sizes` gets the sizes of the result.
SmallVector<Axis> getAxes(TensorEmitter &e, ResizeOp op, Value input, Sizes &sizes);

/// The position in the input, as a real number, of position `x` of the result.
Value emitSource(Coordinates c, StringRef mode, const Axis &axis, Value x);

/// The cubic filter at distances of 0 to 1, and of 1 to 2.
Value emitCubicNear(Coordinates c, double a, Value distance);
Value emitCubicFar(Coordinates c, double a, Value distance);

/// For each position along the axis, whether its source is outside the input.
Value emitOutside(TensorEmitter &e, ResizeOp op, const Axis &axis);

/// The float type in which elements are interpolated: exact for integers.
Type getSampleType(Type elementType);

/// Converts an interpolated number to an element: integers are rounded to nearest even
/// and saturate.
Value emitElement(OpBuilder &b, Location l, Value number, Type elementType,
                  bool isUnsigned);

/// Interpolates along the axes one after the other, with filters stretched by the
/// factor by which the result is smaller (the attribute antialias).
Value emitFilters(TensorEmitter &e, ResizeOp op, Value input, ArrayRef<Axis> axes);

} // namespace mlir::nn::resize

#endif // NN_LIB_CONVERSION_NNTOLINALG_RESIZEAXES_H
