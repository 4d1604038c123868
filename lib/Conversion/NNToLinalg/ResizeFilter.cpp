//===- ResizeFilter.cpp - resampling with antialias to linalg -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// If the result is smaller, the filter is stretched so that every element of the input
// contributes. The number of taps depends on the scale and may be known only at run
// time, so it is a dimension of the tables of positions and weights. The axes are
// filtered one after the other. The innermost, whose loads are not contiguous, comes
// last, when the others may have made the tensor smaller.
//
//===----------------------------------------------------------------------===//

#include "ResizeAxes.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::resize;

namespace {
/// For an axis, tensors <taps x output> of positions in the input and of their weights,
/// which add up to 1. Adjacent positions are filtered side by side.
struct Filter {
  Value places, weights;
  Size taps;
};
} // namespace

/// The number of positions that a filter can reach, and the factor by which it is
/// stretched.
static Size countTaps(TensorEmitter &e, const Axis &axis, double support,
                      Value shrink) {
  Coordinates c{e.rewriter, e.location};
  Value taps = c.ceil(c.div(c.number(2 * support), shrink));
  // An axis that gets a size has at least half of one element for it, so that this
  // limits the taps of those without a size only.
  Value most = c.mul(c.toNumber(axis.input), c.number(4 * support));
  taps = c.max(c.min(taps, most), c.number(1));
  return getAsOpFoldResult(c.toIndex(taps));
}

/// The filter with weights of `type`; sources are in f32, as everywhere.
static Filter makeFilter(TensorEmitter &e, ResizeOp op, const Axis &axis, Type type) {
  bool isCubic = op.getMode() == "cubic";
  double support = isCubic ? 2 : 1, a = op.getCubicCoeffA().convertToDouble();
  Coordinates outer{e.rewriter, e.location};
  Value shrink = outer.min(axis.scale, outer.number(1));
  Filter filter;
  filter.taps = countTaps(e, axis, support, shrink);
  Sizes sizes = {filter.taps, axis.size};

  // The source of a place of the result, and the tap's place, maybe outside of the
  // input.
  auto getTap = [&](Coordinates c, ValueRange indices) -> std::pair<Value, Value> {
    Value x = emitSource(c, op.getCoordinateMode(), axis, indices[1]);
    Value before = c.floor(c.sub(x, c.div(c.number(support), shrink)));
    Value place = c.addIndex(c.addIndex(c.toIndex(before), c.index(1)), indices[0]);
    return {x, place};
  };
  filter.places = e.generate(sizes, e.rewriter.getIndexType(),
                             [&](OpBuilder &b, Location l, ValueRange indices) {
                               Coordinates c{b, l};
                               return c.clamp(getTap(c, indices).second, axis.input);
                             });
  Value weights = e.generate(
      sizes, type, [&](OpBuilder &b, Location l, ValueRange indices) -> Value {
        auto [x, place] = getTap({b, l}, indices);
        Coordinates c{b, l, type};
        auto wide = [&](Value f32) { return emitCast(b, l, f32, type, false, false); };
        Value distance =
            c.abs(c.mul(c.sub(c.toNumber(place), wide(x)), wide(shrink)));
        Value weight;
        if (isCubic) {
          Value far = c.select(c.less(distance, c.number(2)),
                               emitCubicFar(c, a, distance), c.number(0));
          weight = c.select(c.less(distance, c.number(1)),
                            emitCubicNear(c, a, distance), far);
        } else {
          weight = c.max(c.sub(c.number(1), distance), c.number(0));
        }
        if (!op.getExcludeOutside())
          return weight;
        return c.select(c.isEqual(place, c.clamp(place, axis.input)), weight,
                        c.number(0));
      });
  Value sum = e.reduce(
      e.filled({axis.size}, type, 0), {weights}, {e.identity(2), e.select(2, {1})},
      {utils::IteratorType::reduction, utils::IteratorType::parallel},
      [](OpBuilder &b, Location l, ValueRange args) -> Value {
        return arith::AddFOp::create(b, l, args[0], args[1]);
      });
  filter.weights = e.map(sizes, type, {weights, sum},
                         {e.identity(2), e.select(2, {1})},
                         [](OpBuilder &b, Location l, ValueRange args) -> Value {
                           return arith::DivFOp::create(b, l, args[0], args[1]);
                         });
  return filter;
}

/// The tensor, resampled along one axis, with elements of `type`.
static Value emitFilter(TensorEmitter &e, Value tensor, const Axis &axis,
                        const Filter &filter, Type type, bool isUnsigned) {
  Sizes sizes = e.getDims(tensor);
  sizes[axis.dim] = axis.size;
  // The taps are the loop around that of the innermost dimension.
  int64_t rank = sizes.size(), tap = rank - 1, axisLoop = axis.dim + (axis.dim == tap);
  SmallVector<utils::IteratorType> iterators(rank + 1,
                                             utils::IteratorType::parallel);
  iterators[tap] = utils::IteratorType::reduction;
  SmallVector<int64_t> resultDims;
  for (int64_t i = 0; i <= rank; ++i)
    if (i != tap)
      resultDims.push_back(i);
  AffineMap table = e.select(rank + 1, {tap, axisLoop});
  return e.reduce(e.filled(sizes, type, 0), {filter.places, filter.weights},
                  {table, table, e.select(rank + 1, resultDims)}, iterators,
                  [&](OpBuilder &b, Location l, ValueRange args) -> Value {
                    SmallVector<Value> at;
                    for (int64_t i : resultDims)
                      at.push_back(linalg::IndexOp::create(b, l, i));
                    at[axis.dim] = args[0];
                    Value x = tensor::ExtractOp::create(b, l, tensor, at);
                    x = emitCast(b, l, x, type, isUnsigned, false);
                    x = arith::MulFOp::create(b, l, x, args[1]);
                    return arith::AddFOp::create(b, l, args[2], x);
                  });
}

Value resize::emitFilters(TensorEmitter &e, ResizeOp op, Value input,
                          ArrayRef<Axis> axes) {
  Type elementType = TensorEmitter::getElement(input);
  bool isUnsigned = TensorEmitter::isUnsigned(op.getInput());
  Type type = getSampleType(elementType);
  int64_t rank = TensorEmitter::getRank(input);
  if (axes.empty())
    return input;
  SmallVector<Axis> order(axes);
  llvm::sort(order, [](const Axis &x, const Axis &y) { return x.dim < y.dim; });
  Value result = input;
  for (const Axis &axis : order)
    result = emitFilter(e, result, axis, makeFilter(e, op, axis, type), type, isUnsigned);

  SmallVector<Value> inputs = {result};
  SmallVector<AffineMap> maps = {e.identity(rank)};
  if (op.getCoordinateMode() == "tf_crop_and_resize")
    for (const Axis &axis : axes) {
      inputs.push_back(emitOutside(e, op, axis));
      maps.push_back(e.select(rank, {axis.dim}));
    }
  if (inputs.size() == 1 && type == elementType)
    return result;
  double extrapolation = op.getExtrapolationValue().convertToDouble();
  return e.map(e.getDims(result), elementType, inputs, maps,
               [&](OpBuilder &b, Location l, ValueRange args) {
                 Value x = args[0];
                 for (Value outside : args.slice(1, inputs.size() - 1))
                   x = arith::SelectOp::create(
                       b, l, outside, emitConstant(b, l, type, extrapolation), x);
                 return emitElement(b, l, x, elementType, isUnsigned);
               });
}
