//===- Sampling.cpp - sampling at places that are data, to linalg ---------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorEmitter.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::nn;

namespace {

/// Short names for arithmetic of scalars of one float type.
struct Scalars {
  OpBuilder &b;
  Location l;
  Type type;

  Value constant(double value) { return emitConstant(b, l, type, value); }
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, l, value); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, l, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, l, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, l, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, l, x, y); }
  Value floor(Value x) { return math::FloorOp::create(b, l, x); }
  Value clamp(Value x, Value low, Value high) {
    x = arith::MaxNumFOp::create(b, l, x, low);
    return arith::MinNumFOp::create(b, l, x, high);
  }
  Value select(Value c, Value x, Value y) {
    return arith::SelectOp::create(b, l, c, x, y);
  }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(b, l, predicate, x, y);
  }
  Value fromIndex(Value x) {
    Value integer = arith::IndexCastOp::create(b, l, b.getI64Type(), x);
    return arith::SIToFPOp::create(b, l, type, integer);
  }
  Value toIndex(Value x) {
    Value integer = arith::FPToSIOp::create(b, l, b.getI64Type(), x);
    return arith::IndexCastOp::create(b, l, b.getIndexType(), integer);
  }
  /// Reflects `x` at `low` and `high` until it lies between them.
  Value reflect(Value x, Value low, Value high) {
    Value range = sub(high, low);
    Value isEmpty = compare(arith::CmpFPredicate::OEQ, range, constant(0));
    Value divisor = select(isEmpty, constant(1), range);
    Value distance = math::AbsFOp::create(b, l, sub(x, low));
    Value turns = floor(div(distance, divisor));
    Value rest = sub(distance, mul(turns, range));
    Value half = mul(turns, constant(0.5));
    Value isEven = compare(arith::CmpFPredicate::OEQ, floor(half), half);
    Value inside = select(isEven, add(low, rest), sub(high, rest));
    return select(isEmpty, low, inside);
  }
};

/// One dimension's neighbours of a place: where the first is, and the weights.
struct Neighbours {
  Value first;
  SmallVector<Value> weights;
};

struct LowerGridSample : LinalgPattern<GridSampleOp> {
  using LinalgPattern::LinalgPattern;

  static SmallVector<Value> getWeights(Scalars &s, StringRef mode, Value fraction) {
    if (mode == "nearest")
      return {s.constant(1)};
    Value rest = s.sub(s.constant(1), fraction);
    if (mode == "linear")
      return {rest, fraction};
    const double a = -0.75;
    auto near = [&](Value x) {
      Value p = s.sub(s.mul(s.constant(a + 2), x), s.constant(a + 3));
      return s.add(s.mul(s.mul(p, x), x), s.constant(1));
    };
    auto far = [&](Value x) {
      Value p = s.sub(s.mul(s.constant(a), x), s.constant(5 * a));
      p = s.add(s.mul(p, x), s.constant(8 * a));
      return s.sub(s.mul(p, x), s.constant(4 * a));
    };
    return {far(s.add(fraction, s.constant(1))), near(fraction), near(rest),
            far(s.add(rest, s.constant(1)))};
  }

  /// `x`: the grid's coordinate in a dimension of `size`.
  static Neighbours getNeighbours(Scalars &s, GridSampleOp op, Value x, Value size) {
    StringRef mode = op.getMode(), padding = op.getPaddingMode();
    Value one = s.constant(1), half = s.constant(0.5);
    Value last = s.sub(size, one), low, high;
    if (op.getAlignCorners())
      low = s.constant(0), high = last;
    else
      low = s.constant(-0.5), high = s.sub(size, half);
    if (op.getNormalized())
      x = op.getAlignCorners() ? s.mul(s.mul(s.add(x, one), half), last)
                               : s.mul(s.sub(s.mul(s.add(x, one), size), one), half);
    if (mode == "nearest")
      x = math::RoundEvenOp::create(s.b, s.l, x);
    if (padding != "zeros") {
      Value moved = padding == "border" ? s.clamp(x, s.constant(0), last)
                                        : s.reflect(x, low, high);
      Value outside = arith::OrIOp::create(
          s.b, s.l, s.compare(arith::CmpFPredicate::OLT, x, low),
          s.compare(arith::CmpFPredicate::OGT, x, high));
      x = s.select(outside, moved, x);
    }
    Value base = s.floor(x), fraction = s.sub(x, base);
    // Clamping far outside keeps all neighbours outside, and no conversion overflows.
    base = s.clamp(base, s.constant(-1e9), s.constant(1e9));
    Neighbours result{s.toIndex(base), getWeights(s, mode, fraction)};
    if (mode == "cubic")
      result.first = arith::SubIOp::create(s.b, s.l, result.first, s.index(1));
    return result;
  }

  /// The neighbours of each place, which all channels share: for each dimension of the
  /// data and each neighbour its index, or -1 outside where that counts as zero; then as
  /// many weights, unless there is one neighbour.
  static ValueRange findNeighbours(TensorEmitter &e, GridSampleOp op, ArrayRef<Size> places,
                                   int64_t taps, Type type) {
    int64_t rank = places.size(), k = rank - 1;
    Type i32 = e.rewriter.getI32Type();
    SmallVector<Value> inits;
    for (int64_t i = 0; i < k * taps; ++i)
      inits.push_back(e.empty(places, i32));
    for (int64_t i = 0; taps > 1 && i < k * taps; ++i)
      inits.push_back(e.empty(places, type));
    SmallVector<Value> dims;
    for (int64_t d = 0; d < k; ++d)
      dims.push_back(e.asValue(e.getDim(op.getInput(), 2 + d)));
    SmallVector<AffineMap> maps(inits.size(), e.identity(rank));
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    auto body = [&](OpBuilder &b, Location l, ValueRange) {
      Scalars s{b, l, type};
      SmallVector<Value> at, indices, weights;
      for (int64_t i = 0; i < rank; ++i)
        at.push_back(linalg::IndexOp::create(b, l, i));
      at.push_back(Value());
      for (int64_t d = 0; d < k; ++d) {
        at.back() = s.index(k - 1 - d); // the grid has the last dimension first
        Value x = tensor::ExtractOp::create(b, l, op.getGrid(), at);
        x = emitCast(b, l, x, type, false, false);
        Value floatSize = s.fromIndex(dims[d]);
        Neighbours neighbours = getNeighbours(s, op, x, floatSize);
        for (int64_t tap = 0; tap < taps; ++tap) {
          Value index = arith::AddIOp::create(b, l, neighbours.first, s.index(tap));
          index = arith::IndexCastOp::create(b, l, i32, pad(s, op, index, dims[d], floatSize));
          indices.push_back(index);
        }
        llvm::append_range(weights, neighbours.weights);
      }
      if (taps > 1)
        llvm::append_range(indices, weights);
      linalg::YieldOp::create(b, l, indices);
    };
    return linalg::GenericOp::create(e.rewriter, e.location, ValueRange(inits).getTypes(),
                                     ValueRange(), inits, maps, iterators, body)
        .getResults();
  }

  LogicalResult lower(GridSampleOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Value input = e.signless(op.getInput());
    int64_t rank = sizes->size(), k = rank - 2;
    e.checkSameDim(input, 0, op.getGrid(), 0, "input and grid differ in the batch");
    Type elementType = TensorEmitter::getElement(input);
    int64_t taps = op.getMode() == "nearest" ? 1 : op.getMode() == "linear" ? 2 : 4;
    Type type = getComputeType(isa<FloatType>(elementType)
                                   ? elementType
                                   : TensorEmitter::getElement(op.getGrid()));
    SmallVector<int64_t> placeDims{0};
    llvm::append_range(placeDims, llvm::seq<int64_t>(2, rank));
    Sizes places;
    for (int64_t dim : placeDims)
      places.push_back((*sizes)[dim]);
    ValueRange neighbours = findNeighbours(e, op, places, taps, type);
    SmallVector<AffineMap> maps(neighbours.size(), e.select(rank, placeDims));
    bool padsZeros = op.getPaddingMode() == "zeros";
    Value result = e.map(
        *sizes, elementType, neighbours, maps,
        [&](OpBuilder &b, Location l, ValueRange args) {
          Scalars s{b, l, type};
          ValueRange indices = args.take_front(k * taps);
          ValueRange weights = args.drop_front(k * taps);
          Value batch = linalg::IndexOp::create(b, l, 0);
          Value channel = linalg::IndexOp::create(b, l, 1);
          Value zero = emitConstant(b, l, b.getI32Type(), 0);
          Value sum;
          int64_t total = 1;
          for (int64_t d = 0; d < k; ++d)
            total *= taps;
          for (int64_t tap = 0; tap < total; ++tap) {
            SmallVector<Value> from{batch, channel};
            Value weight, inside;
            for (int64_t d = 0, rest = tap; d < k; ++d, rest /= taps) {
              int64_t which = d * taps + rest % taps;
              Value index = indices[which];
              if (padsZeros) {
                Value exists = arith::CmpIOp::create(b, l, arith::CmpIPredicate::sge,
                                                     index, zero);
                inside = inside ? arith::AndIOp::create(b, l, inside, exists).getResult()
                                : exists;
                index = arith::MaxSIOp::create(b, l, index, zero);
              }
              from.push_back(arith::IndexCastOp::create(b, l, b.getIndexType(), index));
              if (taps > 1)
                weight = weight ? s.mul(weight, weights[which]) : weights[which];
            }
            Value x = tensor::ExtractOp::create(b, l, input, from);
            if (weight)
              x = s.mul(emitCast(b, l, x, type, false, false), weight);
            if (inside)
              x = s.select(inside, x, emitConstant(b, l, x.getType(), 0));
            sum = sum ? s.add(sum, x) : x;
          }
          return taps == 1 ? sum : emitCast(b, l, sum, elementType, false, false);
        });
    return e.replace({result});
  }

  /// `at` moved into the dimension, or -1 with padding by zeros.
  static Value pad(Scalars &s, GridSampleOp op, Value at, Value size, Value floatSize) {
    if (op.getPaddingMode() == "reflection") {
      Value x = s.fromIndex(at);
      Value low = s.constant(op.getAlignCorners() ? 0 : -0.5);
      Value high =
          s.sub(floatSize, s.constant(op.getAlignCorners() ? 1 : 0.5));
      at = s.toIndex(s.reflect(x, low, high));
    }
    Value last = arith::SubIOp::create(s.b, s.l, size, s.index(1));
    Value clamped = arith::MinSIOp::create(s.b, s.l, at, last);
    clamped = arith::MaxSIOp::create(s.b, s.l, clamped, s.index(0));
    if (op.getPaddingMode() != "zeros")
      return clamped;
    Value same =
        arith::CmpIOp::create(s.b, s.l, arith::CmpIPredicate::eq, at, clamped);
    return s.select(same, at, s.index(-1));
  }
};
} // namespace

void nn::populateSamplingToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols) {
  patterns.add<LowerGridSample>(patterns.getContext(), symbols);
}
