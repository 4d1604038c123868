//===- SmallFloats.cpp - conversions of floats of 8 bits or less ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Integer arithmetic on the bits, for any format in the table below. It avoids
// computing with subnormal numbers of f32, which threads may flush to zero.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;

namespace {
/// A float format with a sign, an exponent and `mantissa` bits.
struct Format {
  /// Exponent `e` > 0 means 2^(e - bias).
  int exponent, mantissa, bias;
  /// The bits, without the sign, of the largest number.
  int largest;
  /// What a number that is too large becomes without saturation; -1: it always
  /// saturates.
  int overflow;
  /// The bits of NaN, without the sign. Where zero has no sign (`unsignedZero`),
  /// NaN is what would be -0; where there is none, it becomes -0, and -NaN 0.
  int nan;
  bool hasInfinity = false, unsignedZero = false;

  int getSign() const { return 1 << (exponent + mantissa); }
};
} // namespace

/// All types except f8E8M0FNU, which has only an exponent.
static Format getFormat(FloatType type) {
  return TypeSwitch<FloatType, Format>(type)
      .Case([](Float8E4M3FNType) { return Format{4, 3, 7, 0x7e, 0x7f, 0x7f}; })
      .Case([](Float8E5M2Type) {
        return Format{5, 2, 15, 0x7b, 0x7c, 0x7e, /*hasInfinity=*/true};
      })
      .Case([](Float8E4M3FNUZType) {
        return Format{4, 3, 8, 0x7f, 0x80, 0x80, false, /*unsignedZero=*/true};
      })
      .Case([](Float8E5M2FNUZType) {
        return Format{5, 2, 16, 0x7f, 0x80, 0x80, false, /*unsignedZero=*/true};
      })
      .Case([](Float4E2M1FNType) { return Format{2, 1, 1, 0x7, -1, 0x8}; });
}

namespace {
/// Integer arithmetic on i32, scalar or vector.
struct Bits {
  Emitter &e;
  Type i32;

  Bits(Emitter &e, Value like)
      : e(e), i32(withElementType(like.getType(), e.builder.getI32Type())) {}

  Value number(int64_t value) {
    return emitConstant(e.builder, e.location, i32, double(value));
  }
  Value of(Value x) { return e.make<arith::BitcastOp>(i32, x); }
  Value mask(Value x, int64_t bits) { return e.make<arith::AndIOp>(x, number(bits)); }
  Value join(Value x, Value y) { return e.make<arith::OrIOp>(x, y); }
  Value add(Value x, int64_t y) { return e.make<arith::AddIOp>(x, number(y)); }
  Value left(Value x, int bits) { return e.make<arith::ShLIOp>(x, number(bits)); }
  Value right(Value x, int bits) { return e.make<arith::ShRUIOp>(x, number(bits)); }
  Value equal(Value x, int64_t y) {
    return e.compare(arith::CmpIPredicate::eq, x, number(y));
  }
  Value less(Value x, int64_t y) {
    return e.compare(arith::CmpIPredicate::slt, x, number(y));
  }
  Value greater(Value x, int64_t y) {
    return e.compare(arith::CmpIPredicate::sgt, x, number(y));
  }
  Value asByte(Value x) {
    return e.make<arith::TruncIOp>(withElementType(i32, e.builder.getI8Type()), x);
  }
};
} // namespace

static constexpr int64_t kNaN = 0x7fc00000, kInfinity = 0x7f800000;

Value Emitter::decodeFloat(Value byte, FloatType format) {
  Bits b(*this, byte);
  Type f32 = withElementType(b.i32, builder.getF32Type());
  Value bits = make<arith::ExtUIOp>(b.i32, byte);
  auto asFloat = [&](Value x) { return make<arith::BitcastOp>(f32, x); };
  if (isa<Float8E8M0FNUType>(format)) {
    // 2^-127 is a subnormal number of f32.
    Value power = select(b.equal(bits, 0), b.number(0x400000), b.left(bits, 23));
    return asFloat(select(b.equal(bits, 0xff), b.number(kNaN), power));
  }
  Format f = getFormat(format);
  Value sign = b.left(b.mask(bits, f.getSign()), 31 - f.exponent - f.mantissa);
  Value magnitude = b.mask(bits, f.getSign() - 1);
  Value normal =
      b.add(b.left(magnitude, 23 - f.mantissa), int64_t(127 - f.bias) << 23);
  Value steps = make<arith::SIToFPOp>(f32, magnitude);
  Value subnormal = mul(steps, constant(steps, std::ldexp(1.0, 1 - f.bias - f.mantissa)));
  Value number = select(b.less(magnitude, 1 << f.mantissa), b.of(subnormal), normal);
  if (f.hasInfinity) {
    number = select(b.equal(magnitude, f.largest + 1), b.number(kInfinity), number);
    number = select(b.greater(magnitude, f.largest + 1), b.number(kNaN), number);
  } else if (f.overflow >= 0) {
    number = select(b.equal(f.unsignedZero ? bits : magnitude, f.nan), b.number(kNaN),
                    number);
  }
  return asFloat(b.join(number, sign));
}

/// The exponent of f32, rounded as ONNX does it.
static Value encodeScale(Emitter &e, Bits &b, Value bits, bool saturate,
                         StringRef roundMode) {
  Value exponent = b.mask(b.right(bits, 23), 0xff);
  Value isSpecial = b.equal(exponent, 0xff);
  Value rounded = exponent;
  if (roundMode != "down") {
    Value fraction = b.mask(bits, 0x7fffff), isMore;
    if (roundMode == "up") {
      isMore = b.greater(fraction, 0);
    } else {
      Value tie = e.make<arith::AndIOp>(b.equal(fraction, 0x400000),
                                        b.greater(exponent, 0));
      isMore = e.make<arith::OrIOp>(b.greater(fraction, 0x400000), tie);
    }
    if (saturate)
      isMore = e.make<arith::AndIOp>(isMore, b.less(exponent, 0xfe));
    rounded = e.select(isMore, b.add(exponent, 1), exponent);
  }
  return b.asByte(e.select(isSpecial, b.number(0xff), rounded));
}

Value Emitter::encodeFloat(Value x, FloatType format, bool saturate,
                           StringRef roundMode) {
  bool isScale = isa<Float8E8M0FNUType>(format);
  // Scales are rounded twice: ONNX makes them from f32.
  if (getElementTypeOrSelf(x).isF64() && !isScale)
    x = roundToOdd(x);
  else
    x = castFloat(x, builder.getF32Type());
  Bits b(*this, x);
  Value bits = b.of(x);
  if (isScale)
    return encodeScale(*this, b, bits, saturate, roundMode);

  Format f = getFormat(format);
  Value sign = b.mask(b.right(bits, 31 - f.exponent - f.mantissa), f.getSign());
  Value magnitude = b.mask(bits, 0x7fffffff);
  // Normal numbers: round to nearest even by adding half a step, minus one if the kept
  // part is even; a carry increments the exponent.
  int dropped = 23 - f.mantissa;
  Value odd = b.mask(b.right(magnitude, dropped), 1);
  Value biased = b.add(magnitude, (int64_t(1) << (dropped - 1)) - 1 -
                                      (int64_t(127 - f.bias) << 23));
  Value normal = b.right(make<arith::AddIOp>(biased, odd), dropped);
  // Smaller ones are multiples of the smallest step.
  Value absolute = make<math::AbsFOp>(x);
  Value isSmall = b.less(magnitude, int64_t(128 - f.bias) << 23);
  Value steps = select(isSmall, absolute, constant(x, 0));
  steps = mul(steps, constant(x, std::ldexp(1.0, f.bias - 1 + f.mantissa)));
  Value subnormal = make<arith::FPToSIOp>(b.i32, make<math::RoundEvenOp>(steps));
  Value result = select(isSmall, subnormal, normal);

  bool clamps = saturate || f.overflow < 0;
  result = select(b.greater(result, f.largest),
                  b.number(clamps ? f.largest : f.overflow), result);
  result = select(b.greater(magnitude, kInfinity), b.number(f.nan), result);
  if (f.unsignedZero) // 0 and NaN have no sign
    sign = select(make<arith::OrIOp>(b.equal(result, 0), b.equal(result, f.nan)),
                  b.number(0), sign);
  return b.asByte(make<arith::XOrIOp>(result, sign));
}
