//===- Pool.cpp - pooling to linalg ---------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Reductions.h"
#include "Windows.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::nn;
using utils::IteratorType;

/// Folds the windows of `padded` into `init`. The loops are those of the result with
/// the last parallel dimension innermost, and the window's loops around that.
static Value emitWindows(TensorEmitter &e, Value padded, Value init,
                         const SpatialDims &where, const Window &window,
                         ArrayRef<int64_t> kernel, ElementBody combine) {
  int64_t rank = where.count + 2, total = rank + where.count;
  auto outer = [&](int64_t i) { return i == rank - 1 ? total - 1 : i; };
  auto inner = [&](int64_t i) { return rank - 1 + i; };
  SmallVector<AffineExpr> from, to, taps;
  for (int64_t i = 0; i < rank; ++i) {
    AffineExpr place = e.rewriter.getAffineDimExpr(outer(i));
    to.push_back(place);
    int64_t spatial = i - where.firstSpatial;
    if (spatial < 0 || spatial >= where.count) {
      from.push_back(place);
      continue;
    }
    AffineExpr tap = e.rewriter.getAffineDimExpr(inner(spatial));
    taps.push_back(tap);
    from.push_back(place * window.strides[spatial] +
                   tap * window.dilations[spatial]);
  }
  SmallVector<IteratorType> iterators(total, IteratorType::parallel);
  Sizes kernelSizes;
  for (int64_t i = 0; i < where.count; ++i) {
    iterators[inner(i)] = IteratorType::reduction;
    kernelSizes.push_back(e.size(kernel[i]));
  }
  // This operand only provides the size of the windows.
  Value shape = e.empty(kernelSizes, TensorEmitter::getElement(padded));
  return e.reduce(init, {padded, shape},
                  {e.affineMap(total, from), e.affineMap(total, taps),
                   e.affineMap(total, to)},
                  iterators, combine);
}

namespace {
struct LowerMaxPool : LinalgPattern<MaxPoolOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(MaxPoolOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    SpatialDims where(op.getLayout(), sizes->size());
    Window window(where.count, op.getStrides(), op.getDilations(), op.getPads());
    Value input = e.signless(op.getInput());
    Type elementType = TensorEmitter::getElement(input);
    bool isUnsigned = TensorEmitter::isUnsigned(op.getInput());
    Padding padding = getPadding(e, op.getAutoPad(), window, op.getKernelShape(),
                                 getSpatial(e.getDims(input), where),
                                 getSpatial(*sizes, where));
    Value lowest = emitLowest(e.rewriter, e.location, elementType, isUnsigned);
    Value padded =
        padSpatial(e, input, where, padding.begin, padding.needed, lowest);
    Value result = emitWindows(
        e, padded, e.filled(*sizes, lowest), where, window, op.getKernelShape(),
        [&](OpBuilder &b, Location l, ValueRange args) {
          return emitMax(b, l, args[2], args[0], isUnsigned);
        });
    return e.replace({result});
  }
};

struct LowerAveragePool : LinalgPattern<AveragePoolOp> {
  using LinalgPattern::LinalgPattern;

  /// The number of taps of the window at `place` of dimension `i` that are in [low,
  /// high) of the input.
  static Value countTaps(OpBuilder &b, Location l, Value place, int64_t kernel,
                         int64_t stride, int64_t dilation, Value begin,
                         Value low, Value high) {
    auto constant = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, l, value);
    };
    Value start = arith::SubIOp::create(
        b, l, arith::MulIOp::create(b, l, place, constant(stride)), begin);
    // The numbers of taps below low and below high.
    auto below = [&](Value bound) -> Value {
      Value distance = arith::SubIOp::create(b, l, bound, start);
      distance = arith::MaxSIOp::create(b, l, distance, constant(0));
      Value taps = arith::DivSIOp::create(
          b, l,
          arith::AddIOp::create(b, l, distance, constant(dilation - 1)),
          constant(dilation));
      return arith::MinSIOp::create(b, l, taps, constant(kernel));
    };
    return arith::SubIOp::create(b, l, below(high), below(low));
  }

  LogicalResult lower(AveragePoolOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    SpatialDims where(op.getLayout(), sizes->size());
    Window window(where.count, op.getStrides(), op.getDilations(), op.getPads());
    ArrayRef<int64_t> kernel = op.getKernelShape();
    Value input = e.signless(op.getInput());
    bool isUnsigned = TensorEmitter::isUnsigned(op.getInput());
    Type elementType = TensorEmitter::getElement(input);
    Type sumType = isa<FloatType>(elementType) ? getComputeType(elementType)
                                               : e.rewriter.getI64Type();
    Sizes inputSpatial = getSpatial(e.getDims(input), where);
    Padding padding = getPadding(e, op.getAutoPad(), window, kernel,
                                 inputSpatial, getSpatial(*sizes, where));
    Value padded = padSpatial(e, input, where, padding.begin, padding.needed,
                              e.scalar(elementType, 0));
    Value sum = emitWindows(
        e, padded, e.filled(*sizes, sumType, 0), where, window, kernel,
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value x = emitCast(b, l, args[0], sumType, isUnsigned, false);
          return emitAdd(b, l, args[2], x);
        });

    SmallVector<Value> begins, lows, highs;
    for (int64_t i = 0; i < where.count; ++i) {
      bool all = op.getCountIncludePad();
      begins.push_back(e.asValue(padding.begin[i]));
      lows.push_back(e.asValue(all ? e.sub(e.size(0), padding.begin[i])
                                   : e.size(0)));
      highs.push_back(e.asValue(all ? e.add(inputSpatial[i], padding.end[i])
                                    : inputSpatial[i]));
    }
    Value result = e.map(
        *sizes, elementType, {sum}, {e.identity(sizes->size())},
        [&](OpBuilder &b, Location l, ValueRange args) -> Value {
          Value count;
          for (int64_t i = 0; i < where.count; ++i) {
            Value place = linalg::IndexOp::create(b, l, where.firstSpatial + i);
            Value taps = countTaps(b, l, place, kernel[i], window.strides[i],
                                   window.dilations[i], begins[i], lows[i],
                                   highs[i]);
            count = count ? arith::MulIOp::create(b, l, count, taps).getResult()
                          : taps;
          }
          Value one = arith::ConstantIndexOp::create(b, l, 1);
          count = arith::MaxSIOp::create(b, l, count, one);
          Value divisor =
              arith::IndexCastOp::create(b, l, b.getI64Type(), count);
          divisor = emitCast(b, l, divisor, sumType, false, false);
          Value mean =
              isa<FloatType>(sumType)
                  ? arith::DivFOp::create(b, l, args[0], divisor).getResult()
                  : arith::DivSIOp::create(b, l, args[0], divisor).getResult();
          return emitCast(b, l, mean, elementType, false, isUnsigned);
        });
    return e.replace({result});
  }
};

/// The p-th root of the sum of p-th powers.
struct LowerLpPool : LinalgPattern<LpPoolOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(LpPoolOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    SpatialDims where(op.getLayout(), sizes->size());
    Window window(where.count, op.getStrides(), op.getDilations(), op.getPads());
    Value input = e.signless(op.getInput());
    Type elementType = TensorEmitter::getElement(input);
    Type type = getComputeType(elementType);
    Padding padding = getPadding(e, op.getAutoPad(), window, op.getKernelShape(),
                                 getSpatial(e.getDims(input), where),
                                 getSpatial(*sizes, where));
    Value padded = padSpatial(e, input, where, padding.begin, padding.needed,
                              e.scalar(elementType, 0));
    int64_t p = op.getP();
    Value sum = emitWindows(
        e, padded, e.filled(*sizes, type, 0), where, window, op.getKernelShape(),
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value x = emitCast(b, l, args[0], type, false, false);
          x = math::AbsFOp::create(b, l, x);
          Value power = x;
          for (int64_t i = 1; i < p; ++i)
            power = arith::MulFOp::create(b, l, power, x);
          return emitAdd(b, l, args[2], power);
        });
    Value result = e.map(
        *sizes, elementType, {sum}, {e.identity(sizes->size())},
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value root = args[0];
          if (p == 2)
            root = math::SqrtOp::create(b, l, root);
          else if (p != 1)
            root = math::PowFOp::create(
                b, l, root, emitConstant(b, l, type, 1.0 / double(p)));
          return emitCast(b, l, root, elementType, false, false);
        });
    return e.replace({result});
  }
};

/// Tracks the best element so far and its index. Windows are not padded: taps outside
/// the input are skipped.
struct LowerMaxPoolIndices : LinalgPattern<MaxPoolIndicesOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(MaxPoolIndicesOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    int64_t rank = sizes->size();
    SpatialDims where(op.getLayout(), rank);
    Window window(where.count, op.getStrides(), op.getDilations(), op.getPads());
    Value input = e.signless(op.getInput());
    bool isUnsigned = TensorEmitter::isUnsigned(op.getInput());
    Type elementType = TensorEmitter::getElement(input);
    Sizes inputSizes = e.getDims(input);
    Sizes spatial = getSpatial(inputSizes, where);
    Padding padding = getPadding(e, op.getAutoPad(), window, op.getKernelShape(),
                                 spatial, getSpatial(*sizes, where));
    // The stride of each spatial dimension in ONNX's flattened index.
    SmallVector<Value> strides(where.count), limits, begins;
    Size area = e.size(1);
    for (int64_t i = 0; i < where.count; ++i) {
      int64_t d = op.getColumnMajor() ? i : where.count - 1 - i;
      strides[d] = e.asValue(area);
      area = e.mul(area, spatial[d]);
      limits.push_back(e.asValue(spatial[i]));
      begins.push_back(e.asValue(padding.begin[i]));
    }
    Value areaValue = e.asValue(area), channels = e.asValue(inputSizes[where.channel]);
    Value zero = e.asValue(e.size(0));
    Type i64 = e.rewriter.getI64Type();
    Value best = e.filled(
        *sizes, emitLowest(e.rewriter, e.location, elementType, isUnsigned));
    Value place = e.filled(*sizes, i64, -1);
    int64_t total = rank + where.count;
    SmallVector<IteratorType> iterators(total, IteratorType::parallel);
    SmallVector<AffineExpr> kept, taps;
    Sizes kernelSizes;
    for (int64_t i = 0; i < rank; ++i)
      kept.push_back(e.rewriter.getAffineDimExpr(i));
    for (int64_t i = 0; i < where.count; ++i) {
      iterators[rank + i] = IteratorType::reduction;
      taps.push_back(e.rewriter.getAffineDimExpr(rank + i));
      kernelSizes.push_back(e.size(op.getKernelShape()[i]));
    }
    Value shape = e.empty(kernelSizes, elementType);
    AffineMap keptMap = e.affineMap(total, kept);
    auto generic = linalg::GenericOp::create(
        e.rewriter, e.location, TypeRange{best.getType(), place.getType()},
        ValueRange{shape}, ValueRange{best, place},
        ArrayRef<AffineMap>{e.affineMap(total, taps), keptMap, keptMap}, iterators,
        [&](OpBuilder &b, Location l, ValueRange args) {
          auto constant = [&](int64_t value) -> Value {
            return arith::ConstantIndexOp::create(b, l, value);
          };
          auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) -> Value {
            return arith::CmpIOp::create(b, l, predicate, x, y);
          };
          using P = arith::CmpIPredicate;
          SmallVector<Value> from;
          for (int64_t i = 0; i < rank; ++i)
            from.push_back(linalg::IndexOp::create(b, l, i));
          Value plane = arith::AddIOp::create(
              b, l, arith::MulIOp::create(b, l, from[0], channels),
              from[where.channel]);
          Value number = arith::MulIOp::create(b, l, plane, areaValue);
          Value inside = arith::ConstantIntOp::create(b, l, 1, 1);
          for (int64_t i = 0; i < where.count; ++i) {
            Value start = arith::MulIOp::create(b, l, from[where.firstSpatial + i],
                                                constant(window.strides[i]));
            Value tap = arith::MulIOp::create(
                b, l, linalg::IndexOp::create(b, l, rank + i),
                constant(window.dilations[i]));
            Value at = arith::SubIOp::create(
                b, l, arith::AddIOp::create(b, l, start, tap), begins[i]);
            inside = arith::AndIOp::create(
                b, l, inside,
                arith::AndIOp::create(b, l, compare(P::sge, at, zero),
                                      compare(P::slt, at, limits[i])));
            number = arith::AddIOp::create(
                b, l, number, arith::MulIOp::create(b, l, at, strides[i]));
            Value last = arith::SubIOp::create(b, l, limits[i], constant(1));
            at = arith::MinSIOp::create(b, l, at, last);
            from[where.firstSpatial + i] = arith::MaxSIOp::create(b, l, at, zero);
          }
          Value x = tensor::ExtractOp::create(b, l, input, from);
          Value better;
          if (isa<FloatType>(elementType)) {
            Value isNaN = arith::CmpFOp::create(b, l, arith::CmpFPredicate::UNO, x, x);
            Value wasNaN = arith::CmpFOp::create(b, l, arith::CmpFPredicate::UNO,
                                                 args[1], args[1]);
            Value greater =
                arith::CmpFOp::create(b, l, arith::CmpFPredicate::OGT, x, args[1]);
            Value one = arith::ConstantIntOp::create(b, l, 1, 1);
            better = arith::OrIOp::create(
                b, l, greater,
                arith::AndIOp::create(b, l, isNaN,
                                      arith::XOrIOp::create(b, l, wasNaN, one)));
          } else {
            better = compare(isUnsigned ? P::ugt : P::sgt, x, args[1]);
          }
          Value none = arith::ConstantIntOp::create(b, l, i64, 0);
          Value first = compare(P::slt, args[2], none);
          Value taken = arith::AndIOp::create(
              b, l, inside, arith::OrIOp::create(b, l, first, better));
          number = arith::IndexCastOp::create(b, l, i64, number);
          Value value = arith::SelectOp::create(b, l, taken, x, args[1]);
          Value index = arith::SelectOp::create(b, l, taken, number, args[2]);
          linalg::YieldOp::create(b, l, ValueRange{value, index});
        });
    return e.replace({generic.getResult(1)});
  }
};
} // namespace

void nn::populatePoolToLinalg(RewritePatternSet &patterns,
                              SymbolicDims &symbols) {
  patterns.add<LowerMaxPool, LowerMaxPoolIndices, LowerAveragePool, LowerLpPool>(
      patterns.getContext(), symbols);
}
