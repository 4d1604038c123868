//===- Pool.cpp - pooling to linalg ---------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Reductions.h"
#include "Windows.h"

using namespace mlir;
using namespace mlir::nn;
using utils::IteratorType;

/// Folds the windows of `padded` into `init`. The loops are those of the result
/// with the last parallel dimension innermost, windows around it.
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
  // This operand only says how large the windows are.
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

  /// How many taps of the window at `place` of dimension `i` lie in [low, high)
  /// of the input's coordinates.
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
} // namespace

void nn::populatePoolToLinalg(RewritePatternSet &patterns,
                              SymbolicDims &symbols) {
  patterns.add<LowerMaxPool, LowerAveragePool>(patterns.getContext(), symbols);
}
