//===- ShapeRanges.cpp - between which numbers sizes lie ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/ShapeRanges.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;
using namespace mlir::nn;

/// What dimensions are taken to be at most where sizes are computed in 32 bits or less:
/// a few times such a dimension still fits.
static constexpr int64_t kSmallDimension = int64_t(1) << 24;

using Bound = std::optional<int64_t>;

/// The integers of a type.
static IntegerRange getTypeRange(Type type) {
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  bool isUnsigned = type.isUnsignedInteger() || width == 1;
  IntegerRange range;
  if (isUnsigned)
    range.low = 0;
  else
    range.low = llvm::minIntN(width);
  if (!isUnsigned)
    range.high = llvm::maxIntN(width);
  else if (width < 64)
    range.high = llvm::maxUIntN(width);
  return range;
}

/// A bound that overflowed: absent, or else the largest (smallest) number, where
/// that is a bound as well.
static Bound saturate(bool isLow, bool isPositive) {
  if (isLow && isPositive)
    return std::numeric_limits<int64_t>::max();
  if (!isLow && !isPositive)
    return std::numeric_limits<int64_t>::min();
  return std::nullopt;
}

static Bound addBounds(Bound l, Bound r, bool isLow) {
  if (!l || !r)
    return std::nullopt;
  int64_t sum;
  return llvm::AddOverflow(*l, *r, sum) ? saturate(isLow, *l > 0) : Bound(sum);
}

static Bound minBound(Bound l, Bound r) {
  return l && r ? Bound(std::min(*l, *r)) : std::nullopt;
}
static Bound maxBound(Bound l, Bound r) {
  return l && r ? Bound(std::max(*l, *r)) : std::nullopt;
}

static IntegerRange multiply(const IntegerRange &l, const IntegerRange &r) {
  IntegerRange range;
  // Of what is not negative, the bounds are those of the factors.
  if (l.low && r.low && *l.low >= 0 && *r.low >= 0) {
    int64_t product;
    range.low = llvm::MulOverflow(*l.low, *r.low, product) ? saturate(true, true)
                                                           : Bound(product);
    if (l.high && r.high && !llvm::MulOverflow(*l.high, *r.high, product))
      range.high = product;
    return range;
  }
  if (!l.low || !l.high || !r.low || !r.high)
    return range;
  int64_t low = std::numeric_limits<int64_t>::max(), high = -low - 1;
  for (int64_t x : {*l.low, *l.high})
    for (int64_t y : {*r.low, *r.high}) {
      int64_t product;
      if (llvm::MulOverflow(x, y, product))
        return range;
      low = std::min(low, product);
      high = std::max(high, product);
    }
  range.low = low, range.high = high;
  return range;
}

/// Of a division by a positive number, which keeps the order.
static IntegerRange divide(const IntegerRange &l, const IntegerRange &r, bool up) {
  IntegerRange range;
  if (r.low && *r.low > 0 && r.low == r.high) {
    auto quotient = [&](int64_t x) {
      return up ? llvm::divideCeilSigned(x, *r.low) : llvm::divideFloorSigned(x, *r.low);
    };
    if (l.low)
      range.low = quotient(*l.low);
    if (l.high)
      range.high = quotient(*l.high);
  } else if (l.low && *l.low >= 0 && r.low && *r.low >= 0) {
    range.low = 0;
    range.high = l.high;
  }
  return range;
}

namespace mlir::nn {
/// The ranges of an expression and its parts, which may occur many times.
class RangeFinder {
public:
  /// Dimensions are of any size, or small.
  RangeFinder(const ShapeEnv &env, bool areSmall = false)
      : env(env), maxDimension(areSmall ? Bound(kSmallDimension) : Bound()),
        known(areSmall ? env.smallRanges : env.ranges) {}
  IntegerRange find(Dim dim);

private:
  using Symbol = ShapeEnv::Symbol;
  const ShapeEnv &env;
  Bound maxDimension;
  DenseMap<Dim, IntegerRange> &known;
};
} // namespace mlir::nn

IntegerRange RangeFinder::find(Dim dim) {
  if (std::optional<int64_t> number = getConstant(dim))
    return {number, number};
  if (auto it = known.find(dim); it != known.end())
    return it->second;
  IntegerRange range;
  if (auto expr = dyn_cast<AffineSymbolExpr>(dim)) {
    const Symbol symbol = env.getDefinition(expr.getPosition());
    IntegerRange a, b;
    switch (symbol.kind) {
    case Symbol::Dimension:
      range.low = 0;
      range.high = maxDimension;
      break;
    case Symbol::Element:
      range = getTypeRange(getElementTypeOrSelf(symbol.tensor.getType()));
      range.ofData = true;
      break;
    case Symbol::Fresh:
      range.ofData = true;
      break;
    case Symbol::Select:
      a = find(symbol.b), b = find(symbol.c);
      range = {minBound(a.low, b.low), maxBound(a.high, b.high),
               a.ofData || b.ofData};
      break;
    case Symbol::Min:
      a = find(symbol.a), b = find(symbol.b);
      // Below both.
      range = {minBound(a.low, b.low),
               a.high && b.high ? minBound(a.high, b.high) : a.high ? a.high : b.high,
               a.ofData || b.ofData};
      break;
    case Symbol::Max:
      a = find(symbol.a), b = find(symbol.b);
      // Above both.
      range = {a.low && b.low ? maxBound(a.low, b.low) : a.low ? a.low : b.low,
               maxBound(a.high, b.high), a.ofData || b.ofData};
      break;
    }
  } else if (auto binary = dyn_cast<AffineBinaryOpExpr>(dim)) {
    IntegerRange l = find(binary.getLHS()), r = find(binary.getRHS());
    switch (dim.getKind()) {
    case AffineExprKind::Add:
      range = {addBounds(l.low, r.low, true), addBounds(l.high, r.high, false)};
      break;
    case AffineExprKind::Mul:
      range = multiply(l, r);
      break;
    case AffineExprKind::FloorDiv:
    case AffineExprKind::CeilDiv:
      range = divide(l, r, dim.getKind() == AffineExprKind::CeilDiv);
      break;
    case AffineExprKind::Mod:
      range.low = 0;
      if (r.high)
        range.high = std::max<int64_t>(0, *r.high - 1);
      break;
    default:
      break;
    }
    range.ofData = l.ofData || r.ofData;
  }
  known[dim] = range;
  return range;
}

IntegerRange nn::getRange(const ShapeEnv &env, Dim dim) {
  return RangeFinder(env).find(dim);
}

bool ShapeEnv::isNonNegative(Dim dim) {
  IntegerRange range = getRange(*this, dim);
  return range.low && *range.low >= 0 && !range.mayOverflow();
}

bool nn::isNotLess(ShapeEnv &env, Dim lhs, Dim rhs) {
  // The distance of two numbers says nothing if one of them overflowed.
  if (getRange(env, lhs).mayOverflow() || getRange(env, rhs).mayOverflow())
    return false;
  Dim distance = lhs - rhs;
  unsigned count = 0;
  distance.walk([&](AffineExpr expr) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
      count = std::max(count, symbol.getPosition() + 1);
  });
  return env.isNonNegative(simplifyAffineExpr(distance, 0, count));
}

bool ShapeEnv::isKnownNotEqual(Dim dim, int64_t value) {
  IntegerRange range = getRange(*this, dim);
  if (range.mayOverflow())
    return false;
  return (range.low && value < *range.low) || (range.high && value > *range.high);
}

bool nn::fits(const ShapeEnv &env, Dim dim, Type type) {
  IntegerRange range = RangeFinder(env, /*areSmall=*/true).find(dim),
               whole = getTypeRange(type);
  bool isLow = range.low && *range.low >= *whole.low;
  if (type.isIndex() || type.getIntOrFloatBitWidth() == 64) {
    // Constants are numbers, unless they overflowed. Sums and products of anything
    // else wrap here as they do in the model.
    bool isNumber = getConstant(dim).has_value();
    dim.walk([&](AffineExpr expr) { isNumber |= isa<AffineSymbolExpr>(expr); });
    return isNumber && (!type.isUnsignedInteger() || isLow);
  }
  return isLow && range.high && *range.high <= *whole.high;
}

std::optional<int64_t> nn::readInteger(const APInt &bits, Type type) {
  if (!type.isUnsignedInteger() && !type.isInteger(1))
    return bits.getSExtValue();
  if (bits.getActiveBits() > 63)
    return std::nullopt;
  return int64_t(bits.getZExtValue());
}

Contents nn::wrapContents(ShapeEnv &env, Value tensor, const Contents &found) {
  Contents own = found ? env.ShapeEnv::getContents(tensor) : std::nullopt;
  if (!own || own->size() != found->size())
    return std::nullopt;
  Type type = getElementTypeOrSelf(tensor.getType());
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  for (auto [element, value] : llvm::zip_equal(*own, *found)) {
    if (!value)
      continue;
    if (std::optional<int64_t> number = getConstant(value)) {
      APInt bits(width, *number, /*isSigned=*/true, /*implicitTrunc=*/true);
      if (std::optional<int64_t> wrapped = readInteger(bits, type))
        element = env.constant(*wrapped);
    } else if (fits(env, value, type)) {
      element = value;
    }
  }
  return own;
}
