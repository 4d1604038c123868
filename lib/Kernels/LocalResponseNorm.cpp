//===- LocalResponseNorm.cpp - kernels of LRN -----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Each element is divided by a power of a sum of squares over neighbouring channels. The
// sum is taken anew for each element: windows are short, and loads are cheap beside the
// power.
//
// Channels first, a row is a channel of an image, and vectors lie along the spatial
// dimensions:
//
//   for row in [begin, end)
//     for vectors of the row
//       s = sum(square(input[c, :]) for c in the window that exists)
//       result = epilogue(input / pow(bias + alpha / size * s, beta))
//
// Channels last, a row is a pixel, and vectors lie along its channels. Those of which a
// part of the window does not exist are computed one by one.
//
//===----------------------------------------------------------------------===//

#include "dialects/NN/IR/SpatialShapes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"

using namespace mlir;
using namespace mlir::nn;

/// Channels of a window up to which they are written one by one.
static constexpr int64_t kUnrolledChannels = 16;
/// Registers of a wide vector.
static constexpr int64_t kRegisters = 4;

namespace {
class LRNKernel {
public:
  explicit LRNKernel(KernelSite &site) : site(site), epilogue(site) {}
  LogicalResult emit();

private:
  void emitChannel(Value row);
  void emitPixel(Value row);
  /// `width` results from `channel` and `place` on; all of the window exists, or the part
  /// in [first, end) of its channels.
  void emitResults(int64_t width, Value mask, Value first = {}, Value end = {});
  Value load(Value ofChannel, int64_t width, Value mask);
  Value addSquare(Value sum, Value ofChannel, int64_t width, Value mask);
  Value divide(Value x, Value sum);
  /// The channels of the window that exist.
  std::pair<Value, Value> getWindow();

  KernelEmitter &e() { return site.getEmitter(); }

  KernelSite &site;
  EpilogueStorer epilogue;
  LRNOp op;
  Type type;
  bool channelsLast = false;
  int64_t size = 0, before = 0, after = 0; // channels of the window around the middle
  // The state of the emission.
  Value channels, places, image, channel, place;
  LogicalResult status = success();
};
} // namespace

LogicalResult LRNKernel::emit() {
  op = dyn_cast_or_null<LRNOp>(site.view.anchor);
  if (!op || !site.view.getOuter(op.getInput()) || site.view.getConstant(op.getInput()))
    return failure();
  int64_t rank = cast<RankedTensorType>(op.getInput().getType()).getRank();
  type = getElementTypeOrSelf(op.getInput().getType());
  channelsLast = op.getLayout() == Layout::ChannelsLast;
  size = op.getSize();
  before = (size - 1) / 2;
  after = size - 1 - before;
  SmallVector<int64_t> ends = channelsLast ? SmallVector<int64_t>{rank - 1, rank}
                                           : SmallVector<int64_t>{1, 2, rank};
  if (failed(epilogue.add(ends)))
    return failure();
  site.addInput(op.getInput());
  if (failed(site.begin("lrn")))
    return failure();
  Value output = site.getOutputMemref(0);
  auto product = [&](int64_t from, int64_t to) {
    Value result = e().index(1);
    for (int64_t dim = from; dim < to; ++dim)
      result = e().mul(result, e().size(output, dim));
    return result;
  };
  channels = e().size(output, channelsLast ? rank - 1 : 1);
  places = channelsLast ? e().index(1) : product(2, rank);
  if (channelsLast)
    epilogue.setSizes({product(0, rank - 1), channels});
  else
    epilogue.setSizes({e().size(output, 0), channels, places});
  e().loop(site.getBegin(), site.getEnd(), 1,
           [&](Value row) { channelsLast ? emitPixel(row) : emitChannel(row); });
  if (failed(status))
    return failure();
  int64_t row = getConstantIntValue(channelsLast ? channels : places).value_or(64);
  constexpr int64_t costOfPower = 40;
  site.finish(site.hostResultProduct(0, 0, channelsLast ? rank - 1 : 2),
              site.chooseGrain(row * (size + costOfPower) / e().getLanes()));
  return success();
}

std::pair<Value, Value> LRNKernel::getWindow() {
  return {e().max(e().sub(channel, e().index(before)), e().index(0)),
          e().min(e().add(channel, after + 1), channels)};
}

void LRNKernel::emitChannel(Value row) {
  Value safe = e().max(channels, e().index(1));
  image = e().div(row, safe);
  channel = e().rem(row, safe);
  std::pair<Value, Value> window = getWindow();
  auto emitVectors = [&](Value from, Value to) {
    e().wideLoop(
        places, e().getLanes(type.getIntOrFloatBitWidth()), kRegisters,
        [](int64_t) { return SmallVector<Value>(); },
        [&](Value position, int64_t width, Value mask, ValueRange) {
          place = position;
          emitResults(width, mask, from, to);
          return SmallVector<Value>();
        },
        [](ValueRange, ValueRange) { return SmallVector<Value>(); });
  };
  if (size > kUnrolledChannels)
    return emitVectors(window.first, window.second);
  Value exists = e().equal(e().sub(window.second, window.first), size);
  e().ifTrue(
      exists, [&] { emitVectors(Value(), Value()); },
      [&] { emitVectors(window.first, window.second); });
}

void LRNKernel::emitPixel(Value row) {
  image = row;
  place = e().index(0);
  // Channels [begin, last) have all of their window.
  Value begin = e().min(e().index(before), channels);
  Value last = e().max(e().sub(channels, e().index(after)), begin);
  auto emitSingle = [&](Value from, Value to) {
    e().loop(from, to, 1, [&](Value single) {
      channel = single;
      auto [first, end] = getWindow();
      emitResults(1, Value(), first, end);
    });
  };
  emitSingle(e().index(0), begin);
  e().wideLoop(
      e().sub(last, begin), e().getLanes(type.getIntOrFloatBitWidth()), kRegisters,
      [](int64_t) { return SmallVector<Value>(); },
      [&](Value position, int64_t width, Value mask, ValueRange) {
        channel = e().add(begin, position);
        emitResults(width, mask);
        return SmallVector<Value>();
      },
      [](ValueRange, ValueRange) { return SmallVector<Value>(); });
  emitSingle(last, channels);
}

Value LRNKernel::load(Value ofChannel, int64_t width, Value mask) {
  Value offset = e().add(e().mul(image, channels), ofChannel);
  return e().load(site.getInput(op.getInput()), e().add(e().mul(offset, places), place),
                  width, mask);
}

Value LRNKernel::addSquare(Value sum, Value ofChannel, int64_t width, Value mask) {
  Value x = load(ofChannel, width, mask);
  return e().fma(x, x, sum);
}

void LRNKernel::emitResults(int64_t width, Value mask, Value first, Value end) {
  Value sum = e().constant(e().vector(type, width), 0);
  int64_t unrolled = 0;
  Value lowest = first ? first : e().sub(channel, e().index(before));
  if (!first)
    unrolled = std::min(size, kUnrolledChannels);
  for (int64_t i = 0; i < unrolled; ++i)
    sum = addSquare(sum, e().add(lowest, i), width, mask);
  if (first || unrolled < size)
    sum = e().loop(e().add(lowest, unrolled), end ? end : e().add(channel, after + 1), 1,
                   {sum}, [&](Value ofChannel, ValueRange carried) {
                     return SmallVector<Value>{
                         addSquare(carried[0], ofChannel, width, mask)};
                   })[0];
  Value result = divide(load(channel, width, mask), sum);
  SmallVector<Value> indices{image, channel};
  if (!channelsLast)
    indices.push_back(place);
  if (failed(epilogue.store(result, indices, width, mask)))
    status = failure();
}

Value LRNKernel::divide(Value x, Value sum) {
  double alpha = op.getAlpha().convertToDouble() / double(size);
  double beta = op.getBeta().convertToDouble();
  Value base = e().fma(sum, e().constant(x.getType(), alpha),
                       e().constant(x.getType(), op.getBias().convertToDouble()));
  Value power;
  if (beta == 0.75) {
    Value root = math::SqrtOp::create(e().b, e().loc, base);
    power = arith::MulFOp::create(e().b, e().loc, root,
                                  math::SqrtOp::create(e().b, e().loc, root));
  } else {
    power = math::PowFOp::create(e().b, e().loc, base, e().constant(x.getType(), beta));
  }
  return arith::DivFOp::create(e().b, e().loc, x, power);
}

LogicalResult nn::emitLRNKernel(KernelSite &site) { return LRNKernel(site).emit(); }
