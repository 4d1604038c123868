//===- Resize.cpp - resampling to linalg ----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// For each resized dimension, small tables say which elements ("taps") of the input
// contribute to each position of the result, and with which weights. The main loop nest
// reads the tables along its dimensions and the taps from the input, so that
// coordinates are computed per dimension and not per element.
//
//===----------------------------------------------------------------------===//

#include "ResizeAxes.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::resize;

namespace {
/// Where the values along an axis come from.
struct Tables {
  Axis axis;
  SmallVector<Value> places;  // per tap: tensor<output x index>
  SmallVector<Value> weights; // per tap: tensor<output x f32>; none for nearest
  Value outside;              // tensor<output x i1>, or null
};
} // namespace

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
  if (tap == -1)
    return emitCubicFar(c, a, c.add(t, c.number(1)));
  if (tap == 0)
    return emitCubicNear(c, a, t);
  if (tap == 1)
    return emitCubicNear(c, a, c.sub(c.number(1), t));
  return emitCubicFar(c, a, c.sub(c.number(2), t));
}

/// As ONNX Runtime has them: coordinates are moved into the input first. Where both elements
/// are the last one, each counts half.
static void
addLinearTables(Tables &tables,
                function_ref<Value(Type, function_ref<Value(Coordinates, Value)>)> table,
                const Axis &axis, Type indexType, Type f32) {
  auto inside = [&](Coordinates c, Value x) {
    Value last = c.toNumber(c.make<arith::SubIOp>(axis.input, c.index(1)));
    return c.min(c.max(x, c.number(0)), last);
  };
  auto place = [&](Coordinates c, Value x, int64_t tap) {
    Value first = c.toIndex(c.floor(inside(c, x)));
    return c.clamp(tap == 0 ? first : c.addIndex(first, c.index(1)), axis.input);
  };
  for (int64_t tap : {0, 1}) {
    tables.places.push_back(
        table(indexType, [&](Coordinates c, Value x) { return place(c, x, tap); }));
    tables.weights.push_back(table(f32, [&](Coordinates c, Value x) -> Value {
      Value first = place(c, x, 0), other = place(c, x, 1);
      // The nearer an element, the farther the other one.
      Value distance = c.abs(c.sub(inside(c, x), c.toNumber(tap == 0 ? other : first)));
      return c.select(c.isEqual(first, other), c.number(0.5), distance);
    }));
  }
}

static Tables emitTables(TensorEmitter &e, ResizeOp op, const Axis &axis) {
  StringRef mode = op.getMode();
  double a = op.getCubicCoeffA().convertToDouble();
  Tables tables;
  tables.axis = axis;
  auto table = [&](Type type, function_ref<Value(Coordinates, Value)> emit) {
    return e.generate({axis.size}, type,
                      [&](OpBuilder &b, Location l, ValueRange indices) {
                        Coordinates c{b, l};
                        Value x = emitSource(c, op.getCoordinateMode(), axis,
                                             indices[0]);
                        return emit(c, x);
                      });
  };
  Type indexType = e.rewriter.getIndexType(), f32 = e.rewriter.getF32Type();
  if (op.getCoordinateMode() == "tf_crop_and_resize")
    tables.outside = emitOutside(e, op, axis);
  if (mode == "nearest") {
    tables.places.push_back(table(indexType, [&](Coordinates c, Value x) {
      return c.clamp(c.toIndex(emitNearest(c, op.getNearestMode(), x)), axis.input);
    }));
    return tables;
  }
  if (mode == "linear") {
    addLinearTables(tables, table, axis, indexType, f32);
    return tables;
  }
  for (int64_t tap = -1; tap < 3; ++tap) {
    auto place = [](Coordinates c, Value x, int64_t which) {
      return c.addIndex(c.toIndex(c.floor(x)), c.index(which));
    };
    tables.places.push_back(table(indexType, [&](Coordinates c, Value x) {
      return c.clamp(place(c, x, tap), axis.input);
    }));
    tables.weights.push_back(table(f32, [&](Coordinates c, Value x) -> Value {
      auto weight = [&](int64_t which) {
        return emitCubic(c, a, which, c.sub(x, c.floor(x)));
      };
      Value own = weight(tap);
      if (!op.getExcludeOutside())
        return own;
      // Weights outside the input are ignored; the others add up to 1.
      auto inside = [&](int64_t which, Value value) {
        Value at = place(c, x, which);
        return c.select(c.isEqual(at, c.clamp(at, axis.input)), value, c.number(0));
      };
      Value sum = c.number(0);
      for (int64_t which = -1; which < 3; ++which)
        sum = c.add(sum, inside(which, weight(which)));
      return c.div(inside(tap, own), sum);
    }));
  }
  return tables;
}

namespace {
struct LowerResize : LinalgPattern<ResizeOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(ResizeOp op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
    Sizes sizes;
    SmallVector<Axis> axes = getAxes(e, op, input, sizes);
    if (op.getAntialias() && op.getMode() != "nearest")
      return e.replace({emitFilters(e, op, input, axes)});
    SmallVector<Tables> tables;
    for (const Axis &axis : axes)
      tables.push_back(emitTables(e, op, axis));
    return e.replace({emitSampling(e, op, input, sizes, tables)});
  }

  /// The weighted sum of all combinations of taps. Linear weights of the axes are multiplied
  /// first, from the last axis on, as ONNX Runtime does: what is quantized then often lies in
  /// the middle between two steps, and any other order takes the other one.
  static Value emitSampling(TensorEmitter &e, ResizeOp op, Value input,
                            ArrayRef<Size> sizes, ArrayRef<Tables> axes) {
    int64_t rank = sizes.size();
    Type elementType = TensorEmitter::getElement(input);
    bool isUnsigned = TensorEmitter::isUnsigned(op.getInput());
    bool isNearest = op.getMode() == "nearest";
    Type type = getSampleType(elementType);
    SmallVector<Value> tables;
    SmallVector<AffineMap> maps;
    auto addTable = [&](Value table, int64_t dim) {
      tables.push_back(table);
      maps.push_back(e.select(rank, {dim}));
    };
    for (const Tables &own : axes) {
      for (Value table : own.places)
        addTable(table, own.axis.dim);
      for (Value table : own.weights)
        addTable(table, own.axis.dim);
      if (own.outside)
        addTable(own.outside, own.axis.dim);
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
          for (const Tables &own : axes) {
            places.emplace_back(args.slice(next, own.places.size()));
            next += own.places.size();
            weights.emplace_back(args.slice(next, own.weights.size()));
            next += own.weights.size();
            if (!own.outside)
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
              at[axes[depth].axis.dim] = places[depth][tap];
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
          Value total;
          SmallVector<Value> chosen(axes.size());
          std::function<void(size_t)> addProducts = [&](size_t depth) {
            if (depth < axes.size()) {
              for (size_t tap = 0; tap < places[depth].size(); ++tap) {
                at[axes[depth].axis.dim] = places[depth][tap];
                chosen[depth] = emitCast(b, l, weights[depth][tap], type, false, false);
                addProducts(depth + 1);
              }
              return;
            }
            Value x = tensor::ExtractOp::create(b, l, input, at);
            x = emitCast(b, l, x, type, isUnsigned, false);
            Value weight;
            for (Value each : llvm::reverse(chosen))
              weight = weight ? arith::MulFOp::create(b, l, weight, each).getResult() : each;
            if (weight)
              x = arith::MulFOp::create(b, l, weight, x);
            total = total ? arith::AddFOp::create(b, l, total, x).getResult() : x;
          };
          if (op.getMode() == "linear")
            addProducts(0);
          Value result = total ? total : sample(0);
          if (!isNearest)
            result = emitElement(b, l, result, elementType, isUnsigned);
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
