//===- Conv.cpp - convolutions to linalg ----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Windows.h"

using namespace mlir;
using namespace mlir::nn;
using utils::IteratorType;

namespace {
/// The dimensions of the loop nest of a convolution. The innermost one is parallel and
/// contiguous in the result: the last spatial dimension, or the channels.
struct ConvLoops {
  ConvLoops(const SpatialDims &where, bool channelsLast) {
    n = add(IteratorType::parallel);
    g = add(IteratorType::parallel);
    if (!channelsLast)
      m = add(IteratorType::parallel);
    for (int64_t i = 0; i < where.count - !channelsLast; ++i)
      output.push_back(add(IteratorType::parallel));
    if (!channelsLast)
      c = add(IteratorType::reduction);
    for (int64_t i = 0; i < where.count; ++i)
      kernel.push_back(add(IteratorType::reduction));
    if (channelsLast) {
      c = add(IteratorType::reduction);
      m = add(IteratorType::parallel);
    } else {
      output.push_back(add(IteratorType::parallel));
    }
  }
  int64_t add(IteratorType type) {
    iterators.push_back(type);
    return iterators.size() - 1;
  }
  int64_t n, g, m, c;
  SmallVector<int64_t> output, kernel;
  SmallVector<IteratorType> iterators;
};
} // namespace

/// Indices of a data tensor whose channels are split into groups.
static SmallVector<AffineExpr> dataIndices(bool channelsLast, AffineExpr n,
                                           AffineExpr group, AffineExpr channel,
                                           ArrayRef<AffineExpr> spatial) {
  SmallVector<AffineExpr> exprs = {n};
  if (!channelsLast)
    exprs.append({group, channel});
  exprs.append(spatial.begin(), spatial.end());
  if (channelsLast)
    exprs.append({group, channel});
  return exprs;
}

/// `sum + (x - zeroPoint) * y`; `zeroPoint` is of the sum's type, or null.
static Value emitIntegerMultiplyAdd(OpBuilder &b, Location l, Value x, Value y,
                                    Value sum, bool xUnsigned, bool yUnsigned,
                                    Value zeroPoint) {
  x = emitCast(b, l, x, sum.getType(), xUnsigned, false);
  y = emitCast(b, l, y, sum.getType(), yUnsigned, false);
  if (zeroPoint)
    x = arith::SubIOp::create(b, l, x, zeroPoint);
  return arith::AddIOp::create(b, l, sum, arith::MulIOp::create(b, l, x, y));
}

static Value emitMultiplyAdd(OpBuilder &b, Location l, Value x, Value y,
                             Value sum) {
  auto fast = arith::FastMathFlags::contract;
  x = emitCast(b, l, x, sum.getType(), false, false);
  y = emitCast(b, l, y, sum.getType(), false, false);
  Value xy = arith::MulFOp::create(b, l, x, y, fast);
  return arith::AddFOp::create(b, l, sum, xy, fast);
}

/// The initial value of the sums: the bias, or zero, with channels split into groups.
static Value emitInit(TensorEmitter &e, Value bias, const SpatialDims &where,
                      bool channelsLast, Sizes sizes, Size filters, Size group,
                      Type sumType) {
  Size perGroup = e.floorDiv(filters, group);
  sizes[where.channel] = group;
  sizes.insert(sizes.begin() + where.channel + 1, perGroup);
  if (!bias)
    return e.filled(sizes, sumType, 0);
  e.checkEqual(e.getDim(bias, 0), filters, "the bias does not fit the filters");
  bias = e.splitDim(bias, 0, group, perGroup);
  AffineMap map = e.select(sizes.size(), {where.channel, where.channel + 1});
  return e.map(sizes, sumType, {bias}, {map},
               [&](OpBuilder &b, Location l, ValueRange args) {
                 return emitCast(b, l, args[0], sumType, false, false);
               });
}

namespace {
struct LowerConv : LinalgPattern<ConvOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(ConvOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    auto weightType = op.getWeight().getType();
    int64_t rank = weightType.getRank();
    bool channelsLast = op.getLayout() == Layout::ChannelsLast;
    SpatialDims where(op.getLayout(), rank);
    Window window(where.count, op.getStrides(), op.getDilations(), op.getPads());
    ArrayRef<int64_t> kernel = weightType.getShape().drop_front(2);
    Value input = e.signless(op.getInput()), weight = e.signless(op.getWeight());
    Sizes inputSizes = e.getDims(input);
    Type elementType = TensorEmitter::getElement(input);
    Type resultType = TensorEmitter::getElement(op.getResult());
    Type sumType = getComputeType(resultType);
    // The padding is filled with a value that adds nothing to the sums.
    int64_t zero = op.getInputZeroPoint();
    bool inputUnsigned = TensorEmitter::isUnsigned(op.getInput());
    bool weightUnsigned = TensorEmitter::isUnsigned(op.getWeight());
    Value padValue = e.scalar(elementType, static_cast<int8_t>(zero));
    Value zeroPoint = zero ? e.scalar(sumType, zero) : Value();

    Size group = e.size(op.getGroup());
    Size filters = e.getDim(weight, 0);
    Size channels = e.getDim(weight, 1);
    e.checkEqual(inputSizes[where.channel], e.mul(channels, group),
                 "the input's channels do not fit the weight");
    Padding padding =
        getPadding(e, op.getAutoPad(), window, kernel,
                   getSpatial(inputSizes, where), getSpatial(*sizes, where));
    input = padSpatial(e, input, where, padding.begin, padding.needed, padValue);
    input = e.splitDim(input, where.channel, group, channels);
    weight = e.splitDim(weight, 0, group, e.floorDiv(filters, group));
    Value init = emitInit(e, op.getBias(), where, channelsLast, *sizes, filters,
                          group, sumType);

    ConvLoops loops(where, channelsLast);
    int64_t total = loops.iterators.size();
    auto dim = [&](int64_t index) { return e.rewriter.getAffineDimExpr(index); };
    SmallVector<AffineExpr> weightExprs = {dim(loops.g), dim(loops.m),
                                           dim(loops.c)};
    SmallVector<AffineExpr> from, to;
    for (int64_t i = 0; i < where.count; ++i) {
      weightExprs.push_back(dim(loops.kernel[i]));
      to.push_back(dim(loops.output[i]));
      from.push_back(dim(loops.output[i]) * window.strides[i] +
                     dim(loops.kernel[i]) * window.dilations[i]);
    }
    AffineMap inputMap = e.affineMap(
        total, dataIndices(channelsLast, dim(loops.n), dim(loops.g),
                           dim(loops.c), from));
    AffineMap outputMap = e.affineMap(
        total,
        dataIndices(channelsLast, dim(loops.n), dim(loops.g), dim(loops.m), to));
    Value sum = e.reduce(init, {input, weight},
                         {inputMap, e.affineMap(total, weightExprs), outputMap},
                         loops.iterators,
                         [&](OpBuilder &b, Location l, ValueRange args) {
                           if (isa<FloatType>(sumType))
                             return emitMultiplyAdd(b, l, args[0], args[1], args[2]);
                           return emitIntegerMultiplyAdd(b, l, args[0], args[1],
                                                         args[2], inputUnsigned,
                                                         weightUnsigned, zeroPoint);
                         });
    return e.replace({e.convert(e.mergeDims(sum, where.channel), resultType)});
  }
};

/// Gathers: result element o is the sum of input element i times kernel element k over
/// all i and k with o + begin = i * stride + k * dilation.
struct LowerConvTranspose : LinalgPattern<ConvTransposeOp> {
  using LinalgPattern::LinalgPattern;

  Sizes getBegins(ConvTransposeOp op, TensorEmitter &e, const Window &window,
                  ArrayRef<Size> input, ArrayRef<Size> output) const {
    auto kernel = op.getWeight().getType().getShape().drop_front(2);
    bool same = op.getAutoPad() == AutoPad::SameUpper ||
                op.getAutoPad() == AutoPad::SameLower;
    Sizes begins;
    for (auto [i, size] : llvm::enumerate(kernel)) {
      if (op.getOutputShape().empty() && !same) {
        begins.push_back(e.size(
            op.getAutoPad() == AutoPad::Valid ? 0 : window.pads[i]));
        continue;
      }
      // The padding follows from the requested size of the result.
      int64_t extent = window.dilations[i] * (size - 1) + 1;
      int64_t added = op.getOutputPadding().empty() ? 0 : op.getOutputPadding()[i];
      Size full = e.add(e.mul(e.sub(input[i], e.size(1)),
                              e.size(window.strides[i])),
                        e.size(added + extent));
      Size padding = e.max(e.sub(full, output[i]), e.size(0));
      Size half = e.floorDiv(padding, e.size(2));
      begins.push_back(op.getAutoPad() == AutoPad::SameUpper
                           ? half
                           : e.sub(padding, half));
    }
    return begins;
  }

  LogicalResult lower(ConvTransposeOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    auto weightType = op.getWeight().getType();
    int64_t rank = weightType.getRank();
    bool channelsLast = op.getLayout() == Layout::ChannelsLast;
    SpatialDims where(op.getLayout(), rank);
    Window window(where.count, op.getStrides(), op.getDilations(), op.getPads());
    Sizes inputSizes = e.getDims(op.getInput());
    Type elementType = TensorEmitter::getElement(op.getInput());
    Type sumType = getComputeType(elementType);
    Sizes spatial = getSpatial(inputSizes, where);
    Sizes begins = getBegins(op, e, window, spatial, getSpatial(*sizes, where));

    Size group = e.size(op.getGroup());
    Size channels = e.getDim(op.getWeight(), 0);
    Size perGroup = e.getDim(op.getWeight(), 1);
    Size filters = e.mul(perGroup, group);
    e.checkEqual(inputSizes[where.channel], channels,
                 "the input's channels do not fit the weight");
    Size channelsPerGroup = e.floorDiv(channels, group);
    Value input = e.splitDim(op.getInput(), where.channel, group, channelsPerGroup);
    Value weight = e.splitDim(op.getWeight(), 0, group, channelsPerGroup);
    Value init = emitInit(e, op.getBias(), where, channelsLast, *sizes, filters,
                          group, sumType);

    ConvLoops loops(where, channelsLast);
    int64_t total = loops.iterators.size();
    SmallVector<int64_t> weightDims = {loops.g, loops.c, loops.m};
    weightDims.append(loops.kernel);
    SmallVector<AffineExpr> to;
    auto dim = [&](int64_t index) { return e.rewriter.getAffineDimExpr(index); };
    for (int64_t output : loops.output)
      to.push_back(dim(output));
    AffineMap outputMap = e.affineMap(
        total,
        dataIndices(channelsLast, dim(loops.n), dim(loops.g), dim(loops.m), to));
    SmallVector<Value> beginValues, sizeValues;
    for (int64_t i = 0; i < where.count; ++i) {
      beginValues.push_back(e.asValue(begins[i]));
      sizeValues.push_back(e.asValue(spatial[i]));
    }
    auto body = [&](OpBuilder &b, Location l, ValueRange args) -> Value {
      using Predicate = arith::CmpIPredicate;
      auto index = [&](int64_t d) -> Value {
        return linalg::IndexOp::create(b, l, d);
      };
      auto constant = [&](int64_t value) -> Value {
        return arith::ConstantIndexOp::create(b, l, value);
      };
      Value zero = constant(0), inside;
      SmallVector<Value> at = {index(loops.n)};
      if (!channelsLast)
        at.append({index(loops.g), index(loops.c)});
      for (int64_t i = 0; i < where.count; ++i) {
        Value tap = arith::MulIOp::create(b, l, index(loops.kernel[i]),
                                          constant(window.dilations[i]));
        Value place = arith::SubIOp::create(
            b, l,
            arith::AddIOp::create(b, l, index(loops.output[i]), beginValues[i]),
            tap);
        Value stride = constant(window.strides[i]);
        // Negative positions are outside, whatever the quotient is.
        Value from = arith::DivSIOp::create(b, l, place, stride);
        Value exact = arith::CmpIOp::create(
            b, l, Predicate::eq, arith::MulIOp::create(b, l, from, stride), place);
        Value low = arith::CmpIOp::create(b, l, Predicate::sge, place, zero);
        Value high =
            arith::CmpIOp::create(b, l, Predicate::slt, from, sizeValues[i]);
        Value fits = arith::AndIOp::create(
            b, l, exact, arith::AndIOp::create(b, l, low, high));
        inside = inside ? arith::AndIOp::create(b, l, inside, fits).getResult()
                        : fits;
        at.push_back(arith::SelectOp::create(b, l, fits, from, zero));
      }
      if (channelsLast)
        at.append({index(loops.g), index(loops.c)});
      Value element = tensor::ExtractOp::create(b, l, input, at);
      Value sum = emitMultiplyAdd(b, l, element, args[0], args[1]);
      return arith::SelectOp::create(b, l, inside, sum, args[1]);
    };
    Value sum = e.reduce(init, {weight},
                         {e.select(total, weightDims), outputMap},
                         loops.iterators, body);
    return e.replace(
        {e.convert(e.mergeDims(sum, where.channel), elementType)});
  }
};
} // namespace

void nn::populateConvToLinalg(RewritePatternSet &patterns,
                              SymbolicDims &symbols) {
  patterns.add<LowerConv, LowerConvTranspose>(patterns.getContext(), symbols);
}
