//===- Normalization.cpp - kernels of softmax and normalizations ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Softmax treats its input as outer x axis x inner. Each position outside the axis
// makes three passes along it, for the maximum, the sum of exponentials, and the
// result; the exponentials are kept in the result's buffer if its type can hold them.
// Without inner dimensions an iteration is a row, with vectors along it; otherwise it
// is a vector across inner.
//
//   for row in [begin, end)
//     m = max(x[row, :])
//     s = sum(y[row, :] = exp(x[row, :] - m))
//     y[row, :] = epilogue(y[row, :] / s)
//
// Layer and instance normalization also make three passes: for the mean, the variance,
// and the result.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Conversion/ElementwiseToArith.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace mlir::nn;

namespace {

/// What softmax and normalizations have in common: passes along an axis of outer x
/// axis x inner.
class AxisKernel {
public:
  AxisKernel(KernelSite &site, Value input)
      : site(site), view(site.view), input(input), prologue(site, input),
        epilogue(site) {}
  virtual ~AxisKernel() = default;

  /// Splits the dimensions at [first, last) and emits the kernel.
  LogicalResult emit(StringRef kind, int64_t first, int64_t last,
                     int64_t costOfElement);

protected:
  /// Inputs other than the prologue's and the epilogue's.
  virtual LogicalResult addInputs() { return success(); }
  virtual void setSizes(ArrayRef<Value> sizes) {}
  /// The code for one position outside the axis.
  virtual void emitPlace() = 0;

  /// Iterates along the axis, see KernelEmitter::wideLoop; `initial` are the initial
  /// carried values. In bodies, `lanes` is the number of lanes to compute.
  SmallVector<Value> walk(
      int64_t factor, ArrayRef<double> initial,
      function_ref<SmallVector<Value>(Value, Value, ValueRange)> body,
      function_ref<SmallVector<Value>(ValueRange, ValueRange)> combine);
  SmallVector<Value> indicesAt(Value position) const;
  Value load(Value position, Value mask);
  void store(Value value, Value position, Value mask);
  /// Reduces the lanes of an accumulator to a scalar if they lie along the axis, that
  /// is, if there is no inner dimension.
  Value joinLanes(Value accumulated, function_ref<Value(Value, Value)> combine);
  /// A reduced value, broadcast to all lanes.
  Value spread(Value joined) {
    return hasInner ? joined : e().broadcast(joined, lanes);
  }
  Value like(Value value, double number) {
    return e().constant(value.getType(), number);
  }
  Value maskOf(Value mask) const { return hasInner ? columnMask : mask; }

  Value splat(double value) {
    return e().constant(e().vector(type, lanes), value);
  }
  KernelEmitter &e() { return site.getEmitter(); }
  Value add(Value x, Value y) {
    return arith::AddFOp::create(e().b, e().loc, x, y);
  }
  Value sub(Value x, Value y) {
    return arith::SubFOp::create(e().b, e().loc, x, y);
  }
  Value mul(Value x, Value y) {
    return arith::MulFOp::create(e().b, e().loc, x, y);
  }
  Value expOfNotPositive(Value x) { return emitExpOfNotPositive(e().b, e().loc, x); }

  KernelSite &site;
  const FusionView &view;
  Value input;
  PrologueLoader prologue;
  EpilogueStorer epilogue;
  Type type;
  SmallVector<int64_t> ends;
  bool hasInner = false;
  Value axisSize;
  int64_t lanes = 0;
  // The position that is being emitted.
  Value outer, column, columnMask;
  LogicalResult status = success();
};

} // namespace

LogicalResult AxisKernel::emit(StringRef kind, int64_t first, int64_t last,
                               int64_t costOfElement) {
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  for (int64_t dim = last; dim < rank; ++dim)
    hasInner |= !view.isOne(input, dim);
  ends = {first, hasInner ? last : rank};
  if (hasInner)
    ends.push_back(rank);
  type = getKernelComputeType(input.getType());
  if (failed(prologue.add(ends)) || failed(epilogue.add(ends)) || failed(addInputs()) ||
      failed(site.begin(kind)))
    return failure();
  lanes = e().getLanes();

  // The result has the input's shape.
  SmallVector<Value> sizes;
  int64_t dim = 0;
  for (int64_t end : ends) {
    Value product = e().index(1);
    for (; dim < end; ++dim)
      product = e().mul(product, e().size(site.getOutputMemref(0), dim));
    sizes.push_back(product);
  }
  prologue.setSizes(sizes);
  epilogue.setSizes(sizes);
  setSizes(sizes);
  axisSize = sizes[1];

  Value count = site.hostResultProduct(0, 0, ends[0]);
  std::optional<int64_t> length = getConstantIntValue(axisSize);
  int64_t work = length.value_or(128) * costOfElement;
  if (!hasInner) {
    e().loop(site.getBegin(), site.getEnd(), 1, [&](Value row) {
      outer = row;
      emitPlace();
    });
  } else {
    Value columns = e().max(e().ceilDiv(sizes[2], e().index(lanes)), e().index(1));
    e().loop(site.getBegin(), site.getEnd(), 1, [&](Value iteration) {
      outer = e().div(iteration, columns);
      column = e().mul(e().rem(iteration, columns), lanes);
      std::optional<int64_t> inner = getConstantIntValue(sizes[2]);
      if (inner && *inner % lanes == 0)
        return emitPlace();
      // Masks cost, so that only the last columns have one.
      Value remaining = e().sub(sizes[2], column);
      auto last = [&] {
        columnMask = e().mask(remaining, lanes);
        emitPlace();
        columnMask = Value();
      };
      if (inner && *inner < lanes)
        return last();
      e().ifTrue(e().less(remaining, e().index(lanes)), last, [&] { emitPlace(); });
    });
    count = site.hostMul(
        count, site.hostCeilDiv(site.hostResultProduct(0, ends[1], ends[2]), lanes));
    work *= lanes;
  }
  if (failed(status))
    return failure();
  site.finish(count, site.chooseGrain(work));
  return success();
}

SmallVector<Value> AxisKernel::walk(
    int64_t factor, ArrayRef<double> initial,
    function_ref<SmallVector<Value>(Value, Value, ValueRange)> body,
    function_ref<SmallVector<Value>(ValueRange, ValueRange)> combine) {
  auto splats = [&](int64_t width) {
    return llvm::map_to_vector(initial, [&](double value) {
      return e().constant(e().vector(type, width), value);
    });
  };
  if (hasInner)
    return e().vectorLoop(axisSize, 1, factor, splats(lanes), body, combine);
  return e().wideLoop(
      axisSize, lanes, factor, splats,
      [&](Value position, int64_t width, Value mask, ValueRange carried) {
        llvm::SaveAndRestore atWork(lanes, width);
        return body(position, mask, carried);
      },
      combine);
}

SmallVector<Value> AxisKernel::indicesAt(Value position) const {
  if (hasInner)
    return {outer, position, column};
  return {outer, position};
}

Value AxisKernel::load(Value position, Value mask) {
  FailureOr<Value> loaded = prologue.load(indicesAt(position), lanes, maskOf(mask));
  if (succeeded(loaded))
    return *loaded;
  status = failure();
  return splat(0);
}

void AxisKernel::store(Value value, Value position, Value mask) {
  if (failed(epilogue.store(value, indicesAt(position), lanes, maskOf(mask))))
    status = failure();
}

Value AxisKernel::joinLanes(Value accumulated,
                            function_ref<Value(Value, Value)> combine) {
  if (hasInner)
    return accumulated;
  return e().joinLanes(accumulated, combine);
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

namespace {
class SoftmaxKernel : public AxisKernel {
public:
  SoftmaxKernel(KernelSite &site, Value input, bool isLog)
      : AxisKernel(site, input), isLog(isLog) {}

private:
  void emitPlace() override;
  /// The larger element, by a single x86 instruction, which drops NaNs; these still
  /// make the sum NaN.
  Value max(Value x, Value y) {
    Value greater =
        arith::CmpFOp::create(e().b, e().loc, arith::CmpFPredicate::OGT, x, y);
    return e().select(greater, x, y);
  }

  bool isLog;
};
} // namespace

void SoftmaxKernel::emitPlace() {
  auto joinMax = [&](ValueRange x, ValueRange y) {
    return SmallVector<Value>{max(x[0], y[0])};
  };
  auto joinSum = [&](ValueRange x, ValueRange y) {
    return SmallVector<Value>{add(x[0], y[0])};
  };
  Value largest =
      walk(4, -INFINITY,
           [&](Value position, Value mask, ValueRange carried) {
             Value x = e().selectMasked(mask, load(position, mask), -INFINITY);
             return SmallVector<Value>{max(x, carried[0])};
           },
           joinMax)[0];
  largest = joinLanes(largest, [&](Value x, Value y) { return max(x, y); });

  // The result's buffer holds the exponentials in the meantime.
  bool keeps = !isLog && view.results.size() == 1 &&
               getElementTypeOrSelf(view.results[0].getType()) == type;
  // Prefetch the next row while exponentials are computed.
  Value next;
  if (!hasInner && view.getOuter(input))
    next = e().mul(e().min(e().add(outer, 1), e().sub(site.getEnd(), e().index(1))),
                   axisSize);
  Value sum =
      walk(e().vectorBits == 512 ? 4 : 2, 0.0,
           [&](Value position, Value mask, ValueRange carried) {
             if (next && !mask)
               e().prefetch(site.getInput(input), e().add(next, position), lanes);
             Value y = expOfNotPositive(sub(load(position, mask), spread(largest)));
             y = e().selectMasked(mask, y, 0);
             if (keeps)
               e().store(y, site.getOutput(0), epilogue.getOffset(indicesAt(position)),
                         maskOf(mask));
             return SmallVector<Value>{add(carried[0], y)};
           },
           joinSum)[0];
  sum = joinLanes(sum, [&](Value x, Value y) { return add(x, y); });

  Value shift, factor;
  if (isLog)
    shift = math::LogOp::create(e().b, e().loc, sum);
  else
    factor = arith::DivFOp::create(e().b, e().loc, like(sum, 1), sum);
  walk(
      4, {},
      [&](Value position, Value mask, ValueRange) {
        Value y;
        if (keeps)
          y = e().load(site.getOutput(0), epilogue.getOffset(indicesAt(position)),
                       lanes, maskOf(mask));
        else
          y = sub(load(position, mask), spread(largest));
        if (isLog)
          y = sub(y, spread(shift));
        else
          y = mul(keeps ? y : expOfNotPositive(y), spread(factor));
        store(y, position, mask);
        return SmallVector<Value>();
      },
      [](ValueRange, ValueRange) { return SmallVector<Value>(); });
}

LogicalResult nn::emitSoftmaxKernel(KernelSite &site) {
  Operation *anchor = site.view.anchor;
  if (!isa_and_nonnull<SoftmaxOp, LogSoftmaxOp>(anchor))
    return failure();
  Value input = anchor->getOperand(0);
  bool isLog = isa<LogSoftmaxOp>(anchor);
  int64_t axis = isLog ? cast<LogSoftmaxOp>(anchor).getAxis()
                       : cast<SoftmaxOp>(anchor).getAxis();
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  if (axis < 0)
    axis += rank;
  if (rank == 0)
    return failure();
  return SoftmaxKernel(site, input, isLog).emit("softmax", axis, axis + 1, 8);
}

//===----------------------------------------------------------------------===//
// Layer and instance normalization
//===----------------------------------------------------------------------===//

namespace {
/// What both have in common: the moments along the axis.
class MomentsKernel : public AxisKernel {
public:
  /// `bias` may be null.
  MomentsKernel(KernelSite &site, Value input, Value scale, Value bias,
                const APFloat &epsilon)
      : AxisKernel(site, input), scale(site, scale), epsilon(epsilon.convertToDouble()) {
    if (bias)
      this->bias.emplace(site, bias);
  }

protected:
  /// Adds scale and bias, see PrologueLoader.
  LogicalResult addParameters(ArrayRef<int64_t> ends, Value reference) {
    if (failed(scale.add(ends, reference)))
      return failure();
    return bias ? bias->add(ends, reference) : success();
  }
  void setParameterSizes(ArrayRef<Value> sizes) {
    scale.setSizes(sizes);
    if (bias)
      bias->setSizes(sizes);
  }
  Value parameter(PrologueLoader &loader, ArrayRef<Value> indices, int64_t width,
                  Value mask) {
    FailureOr<Value> loaded = loader.load(indices, width, mask);
    if (succeeded(loaded))
      return *loaded;
    status = failure();
    return e().constant(e().vector(type, width), 0);
  }
  void computeMoments();
  Value normalized(Value position, Value mask) {
    return mul(sub(load(position, mask), spread(average)), spread(factor));
  }

  PrologueLoader scale;
  std::optional<PrologueLoader> bias;
  /// The mean, and the reciprocal of the standard deviation.
  Value average, factor;

private:
  /// The mean along the axis of what `term` gives for an element.
  Value mean(function_ref<Value(Value)> term);

  double epsilon;
};

class LayerNormKernel : public MomentsKernel {
public:
  LayerNormKernel(KernelSite &site, LayerNormOp op)
      : MomentsKernel(site, op.getInput(), op.getScale(), op.getBias(), op.getEpsilon()) {}

private:
  LogicalResult addInputs() override { return addParameters(ends, input); }
  void setSizes(ArrayRef<Value> sizes) override { setParameterSizes(sizes); }
  void emitPlace() override;
};

/// Its axis is the spatial dimensions; scale and bias are those of a place's channel, or
/// of its vector of channels where these are last.
class InstanceNormKernel : public MomentsKernel {
public:
  InstanceNormKernel(KernelSite &site, InstanceNormOp op)
      : MomentsKernel(site, op.getInput(), op.getScale(), op.getBias(), op.getEpsilon()),
        op(op) {}

private:
  LogicalResult addInputs() override { return addParameters({1}, op.getScale()); }
  void setSizes(ArrayRef<Value>) override { setParameterSizes({channels()}); }
  Value channels() { return e().index(op.getScale().getType().getDimSize(0)); }
  void emitPlace() override;

  InstanceNormOp op;
};
} // namespace

Value MomentsKernel::mean(function_ref<Value(Value)> term) {
  Value sum = walk(4, 0.0,
                   [&](Value position, Value mask, ValueRange carried) {
                     Value x = term(load(position, mask));
                     x = e().selectMasked(mask, x, 0);
                     return SmallVector<Value>{add(carried[0], x)};
                   },
                   [&](ValueRange x, ValueRange y) {
                     return SmallVector<Value>{add(x[0], y[0])};
                   })[0];
  sum = joinLanes(sum, [&](Value x, Value y) { return add(x, y); });
  if (std::optional<int64_t> known = getConstantIntValue(axisSize))
    return mul(sum, like(sum, 1.0 / double(*known)));
  Value count = arith::IndexCastOp::create(e().b, e().loc, e().b.getI64Type(), axisSize);
  count = arith::SIToFPOp::create(e().b, e().loc, type, count);
  return arith::DivFOp::create(e().b, e().loc, sum,
                               hasInner ? e().broadcast(count, lanes) : count);
}

void MomentsKernel::computeMoments() {
  average = mean([](Value x) { return x; });
  Value variance = mean([&](Value x) {
    Value centered = sub(x, spread(average));
    return mul(centered, centered);
  });
  variance = add(variance, like(variance, epsilon));
  Value deviation = math::SqrtOp::create(e().b, e().loc, variance);
  factor = arith::DivFOp::create(e().b, e().loc, like(deviation, 1), deviation);
}

void LayerNormKernel::emitPlace() {
  computeMoments();
  walk(
      2, {},
      [&](Value position, Value mask, ValueRange) {
        Value y = normalized(position, mask);
        auto at = [&](PrologueLoader &loader) {
          return parameter(loader, indicesAt(position), lanes, mask);
        };
        Value scaling = at(scale);
        y = bias ? e().fma(y, scaling, at(*bias)) : mul(y, scaling);
        store(y, position, mask);
        return SmallVector<Value>();
      },
      [](ValueRange, ValueRange) { return SmallVector<Value>(); });
}

void InstanceNormKernel::emitPlace() {
  computeMoments();
  Value channel = hasInner ? column : e().rem(outer, channels());
  auto ofChannel = [&](PrologueLoader &loader) {
    return parameter(loader, channel, hasInner ? lanes : 1, hasInner ? columnMask : Value());
  };
  factor = mul(factor, ofChannel(scale));
  Value shift = ofChannel(*bias);
  walk(
      2, {},
      [&](Value position, Value mask, ValueRange) {
        store(add(normalized(position, mask), spread(shift)), position, mask);
        return SmallVector<Value>();
      },
      [](ValueRange, ValueRange) { return SmallVector<Value>(); });
}

LogicalResult nn::emitLayerNormKernel(KernelSite &site) {
  auto op = dyn_cast_or_null<LayerNormOp>(site.view.anchor);
  if (!op)
    return failure();
  int64_t rank = cast<RankedTensorType>(op.getInput().getType()).getRank();
  int64_t axis = op.getAxis() < 0 ? op.getAxis() + rank : op.getAxis();
  if (rank == 0 || getElementTypeOrSelf(op.getInput().getType()).isF64())
    return failure();
  return LayerNormKernel(site, op).emit("layer_norm", axis, rank, 4);
}

LogicalResult nn::emitInstanceNormKernel(KernelSite &site) {
  auto op = dyn_cast_or_null<InstanceNormOp>(site.view.anchor);
  if (!op)
    return failure();
  RankedTensorType type = op.getInput().getType();
  bool isLast = op.getLayout() == Layout::ChannelsLast;
  int64_t rank = type.getRank(), channels = type.getDimSize(isLast ? rank - 1 : 1);
  // Nothing checks a number of channels that only the run knows.
  if (type.getElementType().isF64() || ShapedType::isDynamic(channels) || channels == 0 ||
      op.getScale().getType().getDimSize(0) != channels ||
      op.getBias().getType().getDimSize(0) != channels)
    return failure();
  int64_t first = isLast ? 1 : 2;
  return InstanceNormKernel(site, op).emit("instance_norm", first, first + rank - 2, 4);
}
