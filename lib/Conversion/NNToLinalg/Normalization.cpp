//===- Normalization.cpp - normalizations and softmax to linalg -----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Reductions.h"
#include "dialects/NN/IR/SpatialShapes.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::nn;

static Value castTo(OpBuilder &b, Location l, Value x, Type type) {
  return emitCast(b, l, x, type, false, false);
}

namespace {
/// Mean and 1 / sqrt(variance + epsilon) over some dimensions, in two passes.
struct Moments {
  Moments(DimReduction &over, Value input, Type type, double epsilon) {
    TensorEmitter &e = over.e;
    Value count = over.getCountAs(type);
    auto mean = [&](Value sum) {
      return over.mapKept(type, {sum},
                          [&](OpBuilder &b, Location l, ValueRange args) {
                            return arith::DivFOp::create(b, l, args[0], count)
                                .getResult();
                          });
    };
    center = mean(over.fold(e.scalar(type, 0), {input}, {over.full()},
                            [&](OpBuilder &b, Location l, ValueRange args) {
                              return emitAdd(b, l, args[1],
                                             castTo(b, l, args[0], type));
                            }));
    Value squares = over.fold(
        e.scalar(type, 0), {input, center}, {over.full(), over.kept()},
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value x = castTo(b, l, args[0], type);
          Value distance = arith::SubFOp::create(b, l, x, args[1]);
          return emitAdd(b, l, args[2], emitMul(b, l, distance, distance));
        });
    factor = over.mapKept(
        type, {squares}, [&](OpBuilder &b, Location l, ValueRange args) -> Value {
          Value variance = arith::DivFOp::create(b, l, args[0], count);
          Value sum = arith::AddFOp::create(b, l, variance,
                                            emitConstant(b, l, type, epsilon));
          Value one = emitConstant(b, l, type, 1);
          return arith::DivFOp::create(b, l, one,
                                       math::SqrtOp::create(b, l, sum));
        });
  }
  Value center, factor;
};

/// (x - center) * factor * scale + bias, rounded to `elementType`.
Value emitNormalized(OpBuilder &b, Location l, Value x, Value center,
                     Value factor, Value scale, Value bias, Type type,
                     Type elementType) {
  Value shifted =
      arith::SubFOp::create(b, l, castTo(b, l, x, type), center);
  Value result = arith::MulFOp::create(b, l, shifted, factor);
  result = arith::MulFOp::create(b, l, result, castTo(b, l, scale, type));
  if (bias)
    result = arith::AddFOp::create(b, l, result, castTo(b, l, bias, type));
  return castTo(b, l, result, elementType);
}

struct LowerBatchNorm : LinalgPattern<BatchNormOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(BatchNormOp op, TensorEmitter &e) const override {
    Value input = op.getInput();
    Type elementType = TensorEmitter::getElement(input);
    Type type = getComputeType(elementType);
    int64_t rank = TensorEmitter::getRank(input);
    SpatialDims where(op.getLayout(), rank);
    for (Value parameter :
         {op.getScale(), op.getBias(), op.getMean(), op.getVariance()})
      e.checkSameDim(parameter, 0, input, where.channel,
                     "a parameter does not have an entry for each channel");
    double epsilon = op.getEpsilon().convertToDouble();
    Value factor = e.map(
        {e.getDim(op.getVariance(), 0)}, type, {op.getVariance()},
        {e.identity(1)}, [&](OpBuilder &b, Location l, ValueRange args) -> Value {
          Value sum = arith::AddFOp::create(b, l, castTo(b, l, args[0], type),
                                            emitConstant(b, l, type, epsilon));
          return arith::DivFOp::create(b, l, emitConstant(b, l, type, 1),
                                       math::SqrtOp::create(b, l, sum));
        });
    AffineMap channel = e.select(rank, {where.channel});
    Value result =
        e.map(e.getDims(input), elementType,
              {input, op.getMean(), factor, op.getScale(), op.getBias()},
              {e.identity(rank), channel, channel, channel, channel},
              [&](OpBuilder &b, Location l, ValueRange args) {
                return emitNormalized(b, l, args[0], castTo(b, l, args[1], type),
                                      args[2], args[3], args[4], type,
                                      elementType);
              });
    return e.replace({result});
  }
};

struct LowerInstanceNorm : LinalgPattern<InstanceNormOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(InstanceNormOp op, TensorEmitter &e) const override {
    Value input = op.getInput();
    Type elementType = TensorEmitter::getElement(input);
    Type type = getComputeType(elementType);
    int64_t rank = TensorEmitter::getRank(input);
    SpatialDims where(op.getLayout(), rank);
    for (Value parameter : {op.getScale(), op.getBias()})
      e.checkSameDim(parameter, 0, input, where.channel,
                     "a parameter does not have an entry for each channel");
    auto spatial = llvm::to_vector(llvm::seq<int64_t>(
        where.firstSpatial, where.firstSpatial + where.count));
    DimReduction over(e, e.getDims(input), spatial);
    Moments moments(over, input, type, op.getEpsilon().convertToDouble());
    AffineMap channel = e.select(rank, {where.channel});
    Value result = over.mapFull(
        elementType,
        {input, moments.center, moments.factor, op.getScale(), op.getBias()},
        {over.full(), over.kept(), over.kept(), channel, channel},
        [&](OpBuilder &b, Location l, ValueRange args) {
          return emitNormalized(b, l, args[0], args[1], args[2], args[3],
                                args[4], type, elementType);
        });
    return e.replace({result});
  }
};

struct LowerLayerNorm : LinalgPattern<LayerNormOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(LayerNormOp op, TensorEmitter &e) const override {
    Value input = op.getInput();
    Type elementType = TensorEmitter::getElement(input);
    Type type = getComputeType(elementType);
    int64_t rank = TensorEmitter::getRank(input);
    auto axes = llvm::to_vector(
        llvm::seq<int64_t>(normalizeAxis(op.getAxis(), rank), rank));
    Sizes sizes = e.getDims(input);
    DimReduction over(e, sizes, axes);
    Moments moments(over, input, type, op.getEpsilon().convertToDouble());
    Dims like = symbols.getDims(input);
    SmallVector<Value> inputs = {input, moments.center, moments.factor};
    SmallVector<AffineMap> maps = {over.full(), over.kept(), over.kept()};
    for (Value parameter : {Value(op.getScale()), Value(op.getBias())}) {
      if (!parameter)
        continue;
      maps.push_back(e.broadcastMap(parameter, like, sizes));
      inputs.push_back(parameter);
    }
    Value result = over.mapFull(
        elementType, inputs, maps,
        [&](OpBuilder &b, Location l, ValueRange args) {
          return emitNormalized(b, l, args[0], args[1], args[2], args[3],
                                op.getBias() ? args[4] : Value(), type,
                                elementType);
        });
    return e.replace({result});
  }
};

/// Sums the squares over a window of channels, then scales.
struct LowerLRN : LinalgPattern<LRNOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(LRNOp op, TensorEmitter &e) const override {
    Value input = op.getInput();
    Type elementType = TensorEmitter::getElement(input);
    Type type = getComputeType(elementType);
    int64_t rank = TensorEmitter::getRank(input);
    int64_t channel = SpatialDims(op.getLayout(), rank).channel;
    int64_t size = op.getSize();
    Sizes sizes = e.getDims(input);
    Sizes low(rank, e.size(0)), high(rank, e.size(0));
    low[channel] = e.size((size - 1) / 2);
    high[channel] = e.size(size - 1 - (size - 1) / 2);
    Value padded = e.pad(input, low, high, e.scalar(elementType, 0));

    // Loops: those of the result, with the window around the innermost.
    int64_t tap = rank - 1;
    auto dim = [&](int64_t i) {
      return e.rewriter.getAffineDimExpr(i == rank - 1 ? rank : i);
    };
    SmallVector<AffineExpr> from, to;
    for (int64_t i = 0; i < rank; ++i) {
      to.push_back(dim(i));
      from.push_back(i == channel ? dim(i) + e.rewriter.getAffineDimExpr(tap)
                                  : dim(i));
    }
    SmallVector<utils::IteratorType> iterators(rank + 1,
                                               utils::IteratorType::parallel);
    iterators[tap] = utils::IteratorType::reduction;
    Value shape = e.empty({e.size(size)}, elementType);
    Value sum = e.reduce(
        e.filled(sizes, type, 0), {padded, shape},
        {e.affineMap(rank + 1, from), e.select(rank + 1, {tap}),
         e.affineMap(rank + 1, to)},
        iterators, [&](OpBuilder &b, Location l, ValueRange args) {
          Value x = castTo(b, l, args[0], type);
          return emitAdd(b, l, args[2], emitMul(b, l, x, x));
        });
    double alpha = op.getAlpha().convertToDouble() / double(size);
    double beta = op.getBeta().convertToDouble();
    double bias = op.getBias().convertToDouble();
    Value result = e.map(
        sizes, elementType, {input, sum}, {e.identity(rank), e.identity(rank)},
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value scaled = emitMul(b, l, args[1], emitConstant(b, l, type, alpha));
          Value base = arith::AddFOp::create(b, l, scaled,
                                             emitConstant(b, l, type, bias));
          Value power = math::PowFOp::create(b, l, base,
                                             emitConstant(b, l, type, beta));
          Value x = castTo(b, l, args[0], type);
          return castTo(b, l, arith::DivFOp::create(b, l, x, power), elementType);
        });
    return e.replace({result});
  }
};

/// The maximum first, so that no exponential overflows.
template <typename OpTy> struct LowerSoftmax : LinalgPattern<OpTy> {
  using LinalgPattern<OpTy>::LinalgPattern;

  LogicalResult lower(OpTy op, TensorEmitter &e) const override {
    Value input = op.getInput();
    Type elementType = TensorEmitter::getElement(input);
    Type type = getComputeType(elementType);
    int64_t rank = TensorEmitter::getRank(input);
    DimReduction over(e, e.getDims(input), {normalizeAxis(op.getAxis(), rank)});
    Value max = over.fold(emitLowest(e.rewriter, e.location, type, false),
                          {input}, {over.full()},
                          [&](OpBuilder &b, Location l, ValueRange args) {
                            return emitMax(b, l, args[1],
                                           castTo(b, l, args[0], type), false);
                          });
    auto distance = [&](OpBuilder &b, Location l, ValueRange args) -> Value {
      return arith::SubFOp::create(b, l, castTo(b, l, args[0], type), args[1]);
    };
    if constexpr (std::is_same_v<OpTy, LogSoftmaxOp>) {
      Value sum = over.fold(
          e.scalar(type, 0), {input, max}, {over.full(), over.kept()},
          [&](OpBuilder &b, Location l, ValueRange args) {
            return emitAdd(b, l, args[2],
                           math::ExpOp::create(b, l, distance(b, l, args)));
          });
      Value log = over.mapKept(type, {sum},
                               [&](OpBuilder &b, Location l, ValueRange args) {
                                 return math::LogOp::create(b, l, args[0])
                                     .getResult();
                               });
      Value result = over.mapFull(
          elementType, {input, max, log},
          {over.full(), over.kept(), over.kept()},
          [&](OpBuilder &b, Location l, ValueRange args) {
            Value x = arith::SubFOp::create(b, l, distance(b, l, args), args[2]);
            return castTo(b, l, x, elementType);
          });
      return e.replace({result});
    }
    Value powers = over.mapFull(
        type, {input, max}, {over.full(), over.kept()},
        [&](OpBuilder &b, Location l, ValueRange args) {
          return math::ExpOp::create(b, l, distance(b, l, args)).getResult();
        });
    Value sum = over.fold(e.scalar(type, 0), {powers}, {over.full()},
                          [&](OpBuilder &b, Location l, ValueRange args) {
                            return emitAdd(b, l, args[1], args[0]);
                          });
    Value result = over.mapFull(
        elementType, {powers, sum}, {over.full(), over.kept()},
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value x = arith::DivFOp::create(b, l, args[0], args[1]);
          return castTo(b, l, x, elementType);
        });
    return e.replace({result});
  }
};
} // namespace

void nn::populateNormalizationToLinalg(RewritePatternSet &patterns,
                                       SymbolicDims &symbols) {
  patterns.add<LowerBatchNorm, LowerInstanceNorm, LowerLayerNorm, LowerLRN,
               LowerSoftmax<SoftmaxOp>, LowerSoftmax<LogSoftmaxOp>>(
      patterns.getContext(), symbols);
}
