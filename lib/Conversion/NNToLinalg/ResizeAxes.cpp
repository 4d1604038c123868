//===- ResizeAxes.cpp - sizes, scales and places of resampled dimensions --===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ResizeAxes.h"
#include "mlir/IR/Matchers.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::resize;

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value Coordinates::polynomial(Value x, ArrayRef<double> coefficients) {
  Value sum = number(coefficients.front());
  for (double coefficient : coefficients.drop_front())
    sum = add(mul(sum, x), number(coefficient));
  return sum;
}

Value resize::emitCubicNear(Coordinates c, double a, Value distance) {
  return c.polynomial(distance, {a + 2, -(a + 3), 0, 1});
}

Value resize::emitCubicFar(Coordinates c, double a, Value distance) {
  return c.polynomial(distance, {a, -5 * a, 8 * a, -4 * a});
}

Type resize::getSampleType(Type elementType) {
  bool isWide = elementType.isF64() || (elementType.isInteger() &&
                                        elementType.getIntOrFloatBitWidth() > 16);
  Builder b(elementType.getContext());
  return isWide ? b.getF64Type() : b.getF32Type();
}

Value resize::emitElement(OpBuilder &b, Location l, Value number, Type elementType,
                          bool isUnsigned) {
  if (elementType.isInteger()) {
    int64_t bits = elementType.getIntOrFloatBitWidth() - !isUnsigned;
    double limit = std::ldexp(1.0, bits);
    // The limits of 64-bit integers lie between two numbers of f64.
    double high = bits > 53 ? std::nextafter(limit, 0) : limit - 1;
    Type type = number.getType();
    number = math::RoundEvenOp::create(b, l, number);
    number = arith::MaxNumFOp::create(
        b, l, number, emitConstant(b, l, type, isUnsigned ? 0 : -limit));
    number =
        arith::MinNumFOp::create(b, l, number, emitConstant(b, l, type, high));
  }
  return emitCast(b, l, number, elementType, false, isUnsigned);
}

Value resize::emitSource(Coordinates c, StringRef mode, const Axis &axis, Value x) {
  Value place = c.toNumber(x);
  // A rounded scale would move what lies between two elements to one of them.
  auto unscale = [&](Value number) {
    return axis.isBySizes
               ? c.div(c.mul(number, c.toNumber(axis.input)), c.toNumber(axis.output))
               : c.div(number, axis.scale);
  };
  auto halfPixel = [&] {
    return c.sub(unscale(c.add(place, c.number(0.5))), c.number(0.5));
  };
  auto lastOf = [&](Value size) {
    return c.sub(c.toNumber(size), c.number(1));
  };
  if (mode == "asymmetric")
    return unscale(place);
  if (mode == "half_pixel")
    return halfPixel();
  if (mode == "pytorch_half_pixel")
    return c.select(c.isOne(axis.output), c.number(0), halfPixel());
  if (mode == "half_pixel_symmetric") {
    // The result's size is rounded; the difference is divided between both ends.
    Value exact = c.mul(c.toNumber(axis.input), axis.scale);
    Value adjustment = c.div(c.toNumber(axis.output), exact);
    Value center = c.div(c.toNumber(axis.input), c.number(2));
    Value offset = c.mul(center, c.sub(c.number(1), adjustment));
    return c.add(offset, halfPixel());
  }
  if (mode == "align_corners") {
    Value last = c.sub(axis.exact, c.number(1));
    Value scaled = c.div(c.mul(place, lastOf(axis.input)), last);
    return c.select(c.isOne(axis.output), c.number(0), scaled);
  }
  // tf_crop_and_resize
  Value last = lastOf(axis.input);
  Value extent = c.mul(c.sub(axis.end, axis.start), last);
  Value step = c.div(c.mul(place, extent), lastOf(axis.output));
  Value middle = c.mul(c.mul(c.number(0.5), c.add(axis.start, axis.end)), last);
  return c.select(c.isOne(axis.output), middle,
                  c.add(c.mul(axis.start, last), step));
}

Value resize::emitOutside(TensorEmitter &e, ResizeOp op, const Axis &axis) {
  return e.generate({axis.size}, e.rewriter.getI1Type(),
                    [&](OpBuilder &b, Location l, ValueRange indices) {
                      Coordinates c{b, l};
                      Value x = emitSource(c, op.getCoordinateMode(), axis, indices[0]);
                      Value last = c.sub(c.toNumber(axis.input), c.number(1));
                      return c.make<arith::OrIOp>(c.less(x, c.number(0)),
                                                  c.less(last, x));
                    });
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

static Value extractNumber(TensorEmitter &e, Value list, int64_t index) {
  DenseFPElementsAttr known;
  if (matchPattern(list, m_Constant(&known)))
    return e.scalar(e.rewriter.getF32Type(),
                    known.getValues<APFloat>()[index].convertToDouble());
  Value at = e.asValue(e.size(index));
  Value value = tensor::ExtractOp::create(e.rewriter, e.location, list, at);
  return emitCast(e.rewriter, e.location, value, e.rewriter.getF32Type(), false,
                  false);
}

/// The scale of each axis, and its size in the result.
static void setSizes(TensorEmitter &e, ResizeOp op, SmallVector<Axis> &axes) {
  Coordinates c{e.rewriter, e.location};
  auto resultType = cast<RankedTensorType>(op.getResult().getType());
  auto known = [&](Axis &axis) {
    if (!resultType.isDynamicDim(axis.dim))
      axis.output = e.asValue(e.size(resultType.getDimSize(axis.dim)));
  };
  if (op.getScales()) {
    for (auto [i, axis] : llvm::enumerate(axes)) {
      axis.scale = extractNumber(e, op.getScales(), i);
      axis.exact = c.mul(c.toNumber(axis.input), axis.scale);
      axis.output = c.toIndex(c.floor(axis.exact));
      known(axis);
    }
    return;
  }
  for (auto [i, axis] : llvm::enumerate(axes)) {
    axis.output = e.asValue(e.getEntry(op.getSizes(), i));
    axis.exact = c.toNumber(axis.output);
    axis.scale = c.div(axis.exact, c.toNumber(axis.input));
    axis.isBySizes = op.getKeepAspectRatio() == "stretch";
  }
  if (op.getKeepAspectRatio() != "stretch") {
    Value scale;
    for (Axis &axis : axes) {
      if (!scale)
        scale = axis.scale;
      else if (op.getKeepAspectRatio() == "not_larger")
        scale = c.make<arith::MinimumFOp>(scale, axis.scale);
      else
        scale = c.make<arith::MaximumFOp>(scale, axis.scale);
    }
    for (Axis &axis : axes) {
      axis.scale = scale;
      axis.exact = c.mul(c.toNumber(axis.input), scale);
      axis.output = c.toIndex(c.floor(c.add(axis.exact, c.number(0.5))));
    }
  }
  for (Axis &axis : axes)
    known(axis);
}

/// True if the axis provably keeps its size, at scale 1.
static bool keepsAxis(TensorEmitter &e, ResizeOp op, const Axis &axis, int64_t index) {
  if (op.getCoordinateMode() == "tf_crop_and_resize" ||
      op.getKeepAspectRatio() != "stretch")
    return false;
  if (op.getScales()) {
    DenseFPElementsAttr scales;
    return matchPattern(op.getScales(), m_Constant(&scales)) &&
           scales.getValues<APFloat>()[index].isExactlyValue(1);
  }
  return e.symbols.proveEqual(e.symbols.getDims(op.getInput())[axis.dim],
                              e.symbols.getDims(op.getResult())[axis.dim]);
}

/// Checks that the result's size is not negative, and positive only if the input is not
/// empty.
static void checkAxis(TensorEmitter &e, const Axis &axis) {
  using P = arith::CmpIPredicate;
  auto compare = [&](P predicate, Value x) {
    return e.rewriter.createOrFold<arith::CmpIOp>(e.location, predicate, x,
                                                  e.asValue(e.size(0)));
  };
  e.check(compare(P::sge, axis.output), "a size is negative");
  e.check(e.rewriter.createOrFold<arith::OrIOp>(e.location,
                                                compare(P::eq, axis.output),
                                                compare(P::sgt, axis.input)),
          "a dimension of the input is empty, that of the result is not");
}

SmallVector<Axis> resize::getAxes(TensorEmitter &e, ResizeOp op, Value input,
                                  Sizes &sizes) {
  int64_t rank = TensorEmitter::getRank(input);
  bool channelsLast = op.getLayout() == Layout::ChannelsLast && rank > 2;
  SmallVector<int64_t> order = normalizeAxes(op.getAxes(), rank);
  if (order.empty())
    order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  SmallVector<Axis> axes;
  for (auto [i, axis] : llvm::enumerate(order)) {
    int64_t dim = axis;
    if (channelsLast && axis > 0)
      dim = axis == 1 ? rank - 1 : axis - 1;
    Axis &entry = axes.emplace_back();
    entry.dim = dim;
    entry.input = e.asValue(e.getDim(input, dim));
    if (op.getRoi() && op.getCoordinateMode() == "tf_crop_and_resize") {
      entry.start = extractNumber(e, op.getRoi(), i);
      entry.end = extractNumber(e, op.getRoi(), order.size() + i);
    }
  }
  setSizes(e, op, axes);

  sizes = e.getDims(input);
  auto resultType = cast<RankedTensorType>(op.getResult().getType());
  SmallVector<Axis> resized;
  for (auto [i, axis] : llvm::enumerate(axes)) {
    axis.size = resultType.isDynamicDim(axis.dim)
                    ? Size(axis.output)
                    : e.size(resultType.getDimSize(axis.dim));
    sizes[axis.dim] = axis.size;
    // Dimensions that keep their size and scale are not resampled.
    if (keepsAxis(e, op, axis, i))
      continue;
    checkAxis(e, axis);
    resized.push_back(axis);
  }
  return resized;
}
