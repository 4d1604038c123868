//===- Resize.cpp - resampling to linalg ----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// For each resized dimension, small tables say which elements ("taps") of the
// input contribute to each place of the result, and with what weight. The main
// loop nest then reads tables along its dims and taps from the input, so that
// coordinates are computed once a dimension and not once an element.
//
//===----------------------------------------------------------------------===//

#include "TensorEmitter.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
/// Emits scalar f32 and index code.
struct Coordinates {
  OpBuilder &b;
  Location l;

  Value number(double value) {
    return emitConstant(b, l, b.getF32Type(), value);
  }
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, l, value);
  }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, l, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, l, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, l, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, l, x, y); }
  Value floor(Value x) { return math::FloorOp::create(b, l, x); }
  Value ceil(Value x) { return math::CeilOp::create(b, l, x); }
  Value toNumber(Value index) {
    Value integer = arith::IndexCastOp::create(b, l, b.getI64Type(), index);
    return arith::SIToFPOp::create(b, l, b.getF32Type(), integer);
  }
  Value toIndex(Value number) {
    Value integer = arith::FPToSIOp::create(b, l, b.getI64Type(), number);
    return arith::IndexCastOp::create(b, l, b.getIndexType(), integer);
  }
  Value clamp(Value x, Value low, Value high) {
    return arith::MaxSIOp::create(b, l, arith::MinSIOp::create(b, l, x, high),
                                  low);
  }
  Value isOne(Value index) {
    return arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, index,
                                 this->index(1));
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, l, condition, x, y);
  }
};

/// A resized dimension of the result and where its values come from.
struct Axis {
  int64_t dim;          // in the order of the tensor
  Value input, output;  // sizes
  Value scale;          // f32
  Value start, end;     // f32, of the region of interest
  SmallVector<Value> places;  // per tap: tensor<output x index>
  SmallVector<Value> weights; // per tap: tensor<output x f32>; none for nearest
  Value outside;              // tensor<output x i1>, or null
};
} // namespace

/// The place in the input, as a real number, of place `x` of the result.
static Value emitSource(Coordinates c, StringRef mode, const Axis &axis,
                        Value x) {
  Value place = c.toNumber(x);
  auto halfPixel = [&] {
    return c.sub(c.div(c.add(place, c.number(0.5)), axis.scale), c.number(0.5));
  };
  auto lastOf = [&](Value size) {
    return c.sub(c.toNumber(size), c.number(1));
  };
  if (mode == "asymmetric")
    return c.div(place, axis.scale);
  if (mode == "half_pixel")
    return halfPixel();
  if (mode == "pytorch_half_pixel")
    return c.select(c.isOne(axis.output), c.number(0), halfPixel());
  if (mode == "half_pixel_symmetric") {
    // The result's size is rounded; the difference is shared by both ends.
    Value exact = c.mul(c.toNumber(axis.input), axis.scale);
    Value adjustment = c.div(c.toNumber(axis.output), exact);
    Value center = c.div(c.toNumber(axis.input), c.number(2));
    Value offset = c.mul(center, c.sub(c.number(1), adjustment));
    return c.add(offset, halfPixel());
  }
  if (mode == "align_corners") {
    Value scaled = c.div(c.mul(place, lastOf(axis.input)), lastOf(axis.output));
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

static Value emitNearest(Coordinates c, StringRef mode, Value x) {
  if (mode == "floor")
    return c.floor(x);
  if (mode == "ceil")
    return c.ceil(x);
  if (mode == "round_prefer_ceil")
    return c.floor(c.add(x, c.number(0.5)));
  return c.ceil(c.sub(x, c.number(0.5)));
}

/// The weight of tap -1, 0, 1, 2 for the fraction `t`.
static Value emitCubic(Coordinates c, double a, int64_t tap, Value t) {
  // The distance of the tap.
  Value s = tap == -1  ? c.add(t, c.number(1))
            : tap == 0 ? t
            : tap == 1 ? c.sub(c.number(1), t)
                       : c.sub(c.number(2), t);
  auto horner = [&](ArrayRef<double> coefficients) {
    Value sum = c.number(coefficients.front());
    for (double coefficient : coefficients.drop_front())
      sum = c.add(c.mul(sum, s), c.number(coefficient));
    return sum;
  };
  if (tap == 0 || tap == 1)
    return horner({a + 2, -(a + 3), 0, 1});
  return horner({a, -5 * a, 8 * a, -4 * a});
}

/// Fills in the tables of a dimension.
static void emitTables(TensorEmitter &e, ResizeOp op, Axis &axis) {
  StringRef mode = op.getMode();
  double a = op.getCubicCoeffA().convertToDouble();
  auto type = cast<RankedTensorType>(op.getResult().getType());
  Sizes sizes = {type.isDynamicDim(axis.dim)
                     ? Size(axis.output)
                     : e.size(type.getDimSize(axis.dim))};
  auto table = [&](Type type, function_ref<Value(Coordinates, Value)> emit) {
    return e.generate(sizes, type,
                      [&](OpBuilder &b, Location l, ValueRange indices) {
                        Coordinates c{b, l};
                        Value x = emitSource(c, op.getCoordinateMode(), axis,
                                             indices[0]);
                        return emit(c, x);
                      });
  };
  auto clamped = [&](Coordinates c, Value place) {
    Value last = arith::SubIOp::create(c.b, c.l, axis.input, c.index(1));
    return c.clamp(place, c.index(0), last);
  };
  Type indexType = e.rewriter.getIndexType(), f32 = e.rewriter.getF32Type();
  if (op.getCoordinateMode() == "tf_crop_and_resize")
    axis.outside = table(
        e.rewriter.getI1Type(), [&](Coordinates c, Value x) -> Value {
          using P = arith::CmpFPredicate;
          Value last = c.sub(c.toNumber(axis.input), c.number(1));
          Value low = arith::CmpFOp::create(c.b, c.l, P::OLT, x, c.number(0));
          Value high = arith::CmpFOp::create(c.b, c.l, P::OGT, x, last);
          return arith::OrIOp::create(c.b, c.l, low, high);
        });
  if (mode == "nearest") {
    axis.places.push_back(table(indexType, [&](Coordinates c, Value x) {
      return clamped(c, c.toIndex(emitNearest(c, op.getNearestMode(), x)));
    }));
    return;
  }
  bool isCubic = mode == "cubic";
  for (int64_t tap = isCubic ? -1 : 0; tap < (isCubic ? 3 : 2); ++tap) {
    auto place = [tap](Coordinates c, Value x) -> Value {
      return arith::AddIOp::create(c.b, c.l, c.toIndex(c.floor(x)),
                                   c.index(tap));
    };
    axis.places.push_back(table(indexType, [&](Coordinates c, Value x) {
      return clamped(c, place(c, x));
    }));
    axis.weights.push_back(table(f32, [&](Coordinates c, Value x) -> Value {
      auto weight = [&](int64_t which) -> Value {
        Value t = c.sub(x, c.floor(x));
        if (!isCubic)
          return which == 0 ? c.sub(c.number(1), t) : t;
        return emitCubic(c, a, which, t);
      };
      Value own = weight(tap);
      if (!isCubic || !op.getExcludeOutside())
        return own;
      // Weights outside of the input count nothing; the others sum up to 1.
      auto inside = [&](int64_t which, Value value) {
        Value at = arith::AddIOp::create(c.b, c.l, c.toIndex(c.floor(x)),
                                         c.index(which));
        Value fits = arith::CmpIOp::create(c.b, c.l, arith::CmpIPredicate::eq,
                                           at, clamped(c, at));
        return c.select(fits, value, c.number(0));
      };
      Value sum = c.number(0);
      for (int64_t which = -1; which < 3; ++which)
        sum = c.add(sum, inside(which, weight(which)));
      return c.div(inside(tap, own), sum);
    }));
  }
}

namespace {
struct LowerResize : LinalgPattern<ResizeOp> {
  using LinalgPattern::LinalgPattern;

  static Value extractNumber(TensorEmitter &e, Value list, int64_t index) {
    Value at = e.asValue(e.size(index));
    Value value = tensor::ExtractOp::create(e.rewriter, e.location, list, at);
    return emitCast(e.rewriter, e.location, value, e.rewriter.getF32Type(),
                    false, false);
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
        axis.output =
            c.toIndex(c.floor(c.mul(c.toNumber(axis.input), axis.scale)));
        known(axis);
      }
      return;
    }
    for (auto [i, axis] : llvm::enumerate(axes)) {
      axis.output = e.asValue(e.getEntry(op.getSizes(), i));
      axis.scale = c.div(c.toNumber(axis.output), c.toNumber(axis.input));
    }
    if (op.getKeepAspectRatio() != "stretch") {
      Value scale;
      for (Axis &axis : axes) {
        if (!scale)
          scale = axis.scale;
        else if (op.getKeepAspectRatio() == "not_larger")
          scale = arith::MinimumFOp::create(e.rewriter, e.location, scale,
                                            axis.scale);
        else
          scale = arith::MaximumFOp::create(e.rewriter, e.location, scale,
                                            axis.scale);
      }
      for (Axis &axis : axes) {
        axis.scale = scale;
        Value exact = c.mul(c.toNumber(axis.input), scale);
        axis.output = c.toIndex(c.floor(c.add(exact, c.number(0.5))));
      }
    }
    for (Axis &axis : axes)
      known(axis);
  }

  LogicalResult lower(ResizeOp op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
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

    // Dimensions that keep their size and scale are read as they are.
    Sizes sizes = e.getDims(input);
    auto resultType = cast<RankedTensorType>(op.getResult().getType());
    SmallVector<Axis> resized;
    for (auto [i, axis] : llvm::enumerate(axes)) {
      sizes[axis.dim] = resultType.isDynamicDim(axis.dim)
                            ? Size(axis.output)
                            : e.size(resultType.getDimSize(axis.dim));
      if (!keepsAxis(op, axis, i))
        resized.push_back(axis);
    }
    for (Axis &axis : resized) {
      e.check(arith::CmpIOp::create(e.rewriter, e.location,
                                    arith::CmpIPredicate::sge, axis.output,
                                    e.asValue(e.size(0))),
              "a size is negative");
      emitTables(e, op, axis);
    }
    return e.replace({emitSampling(e, op, input, sizes, resized)});
  }

  /// True if the axis surely keeps its size, at scale 1.
  bool keepsAxis(ResizeOp op, const Axis &axis, int64_t index) const {
    if (op.getCoordinateMode() == "tf_crop_and_resize" ||
        op.getKeepAspectRatio() != "stretch")
      return false;
    if (op.getScales()) {
      DenseFPElementsAttr scales;
      return matchPattern(op.getScales(), m_Constant(&scales)) &&
             scales.getValues<APFloat>()[index].isExactlyValue(1);
    }
    return symbols.proveEqual(symbols.getDims(op.getInput())[axis.dim],
                              symbols.getDims(op.getResult())[axis.dim]);
  }

  /// The weighted sum of all combinations of taps.
  static Value emitSampling(TensorEmitter &e, ResizeOp op, Value input,
                            ArrayRef<Size> sizes, ArrayRef<Axis> axes) {
    int64_t rank = sizes.size();
    Type elementType = TensorEmitter::getElement(input);
    bool isUnsigned = TensorEmitter::isUnsigned(op.getInput());
    bool isNearest = op.getMode() == "nearest";
    Type type = elementType.isF64() ? elementType : e.rewriter.getF32Type();
    SmallVector<Value> tables;
    SmallVector<AffineMap> maps;
    auto addTable = [&](Value table, int64_t dim) {
      tables.push_back(table);
      maps.push_back(e.select(rank, {dim}));
    };
    for (const Axis &axis : axes) {
      for (Value table : axis.places)
        addTable(table, axis.dim);
      for (Value table : axis.weights)
        addTable(table, axis.dim);
      if (axis.outside)
        addTable(axis.outside, axis.dim);
    }
    double extrapolation = op.getExtrapolationValue().convertToDouble();
    return e.map(
        sizes, elementType, tables, maps,
        [&](OpBuilder &b, Location l, ValueRange args) -> Value {
          SmallVector<Value> at;
          for (int64_t i = 0; i < rank; ++i)
            at.push_back(linalg::IndexOp::create(b, l, i));
          Value outside;
          unsigned next = 0;
          SmallVector<SmallVector<Value>> places, weights;
          for (const Axis &axis : axes) {
            auto &own = places.emplace_back();
            for (size_t i = 0; i < axis.places.size(); ++i)
              own.push_back(args[next++]);
            auto &ownWeights = weights.emplace_back();
            for (size_t i = 0; i < axis.weights.size(); ++i)
              ownWeights.push_back(args[next++]);
            if (!axis.outside)
              continue;
            Value flag = args[next++];
            outside = outside
                          ? arith::OrIOp::create(b, l, outside, flag).getResult()
                          : flag;
          }
          std::function<Value(size_t)> sample = [&](size_t depth) -> Value {
            if (depth == axes.size()) {
              Value x = tensor::ExtractOp::create(b, l, input, at);
              return isNearest ? x : emitCast(b, l, x, type, isUnsigned, false);
            }
            Value sum;
            for (size_t tap = 0; tap < places[depth].size(); ++tap) {
              at[axes[depth].dim] = places[depth][tap];
              Value x = sample(depth + 1);
              if (isNearest)
                return x;
              Value weight =
                  emitCast(b, l, weights[depth][tap], type, false, false);
              x = arith::MulFOp::create(b, l, x, weight);
              sum = sum ? arith::AddFOp::create(b, l, sum, x).getResult() : x;
            }
            return sum;
          };
          Value result = sample(0);
          if (!isNearest)
            result = emitCast(b, l, result, elementType, false, isUnsigned);
          if (outside)
            result = arith::SelectOp::create(
                b, l, outside, emitConstant(b, l, elementType, extrapolation),
                result);
          return result;
        });
  }
};
} // namespace

void nn::populateResizeToLinalg(RewritePatternSet &patterns,
                                SymbolicDims &symbols) {
  patterns.add<LowerResize>(patterns.getContext(), symbols);
}
