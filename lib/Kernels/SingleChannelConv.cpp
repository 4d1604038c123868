//===- SingleChannelConv.cpp - kernels of convolutions of one channel -----===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// One channel, one filter, constant weights, no strides. With a single channel, vectors
// lie along rows. A box of outputs is computed at a time:
//
//   copied = the input under the box, with its padding, as f32
//   for plane of the box
//     for tile of the places in the plane
//       acc[vector] = bias
//       for kd, kh, kw                             carries acc in registers
//         acc[vector] += weight[kd, kh, kw] * copied[place of the tap + vector]
//       sums[tile] = acc
//     for row, vectors of the row
//       result = epilogue(sums)
//
// Rows of the copied box follow each other, so that a tap is equally far from each place,
// and a tile need not end where a row does: what lies between rows is computed too, and
// left out by the epilogue.
//
// 8-bit integers are multiplied and added in f32, which is exact for few products.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Conversion/ElementwiseToArith.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"
#include "nn/Kernels/WindowAxes.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;

/// A size known only at run time is assumed to be this.
static constexpr int64_t kAssumedSize = 256;
/// Vectors of a tile: all but four registers.
static constexpr int64_t kMostVectors = 12;

namespace {

class SingleChannelKernel {
public:
  explicit SingleChannelKernel(KernelSite &site) : site(site), epilogue(site) {}
  LogicalResult emit();

private:
  bool match();
  bool addWeights();
  bool chooseBox();
  void chooseTile();
  void emitBox(Value number);
  void copyBox();
  /// Copies a row of the input, or zeros, to `to`.
  void copyRow(Value row, Value isInside, Value to);
  void emitTile(Value plane, Value place);
  void storeRow(Value depth, Value row);

  KernelEmitter &e() { return site.getEmitter(); }
  bool isInteger() { return op.getType().getElementType().isInteger(32); }
  Value toF32(Value value, bool isUnsigned) {
    return emitCast(e().b, e().loc, value, e().b.getF32Type(), isUnsigned, false);
  }
  /// Elements of the copied box along an axis.
  int64_t reach(int64_t axis) const { return axes[axis].reach(box[axis]); }
  int64_t planeElements() const { return reach(1) * reach(2); }

  KernelSite &site;
  EpilogueStorer epilogue;
  std::optional<PrologueLoader> bias;
  ConvOp op;
  /// Depth, height and width.
  SmallVector<WindowAxis> axes;
  /// Outputs of a box along each.
  SmallVector<int64_t> box;
  int64_t rank = 0, firstSpatial = 0, taps = 1, lanes = 0, vectors = 0;
  unsigned weights = 0;
  // The state of the emission.
  Value image, initial;
  Value integerBias; // null: none. f32 need not hold it.
  SmallVector<Value> first, end; // of the box
  Array copied, sums;
  LogicalResult status = success();
};

} // namespace

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

bool SingleChannelKernel::match() {
  op = dyn_cast_or_null<ConvOp>(site.view.anchor);
  if (!op)
    return false;
  auto input = cast<RankedTensorType>(op.getInput().getType());
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  rank = input.getRank();
  bool isLast = op.getLayout() == Layout::ChannelsLast;
  firstSpatial = isLast ? 1 : 2;
  if (rank < 3 || rank > 5 ||
      !(input.getElementType().isF32() || input.getElementType().isInteger(8)) ||
      !weight.hasStaticShape() || weight.getDimSize(0) != 1 ||
      weight.getDimSize(1) != 1 || input.getDimSize(isLast ? rank - 1 : 1) != 1 ||
      !site.view.getOuter(op.getInput()) || site.view.getConstant(op.getInput()))
    return false;
  FailureOr<SmallVector<WindowAxis>> window = getWindowAxes(op);
  if (failed(window) ||
      llvm::any_of(*window, [](const WindowAxis &axis) { return axis.stride != 1; }))
    return false;
  axes.assign(3 - window->size(), WindowAxis());
  llvm::append_range(axes, *window);
  for (const WindowAxis &axis : axes)
    taps *= axis.kernel;
  return taps != 0 && !(isInteger() && taps > kExactProducts) && chooseBox();
}

/// Boxes of about the same size, of which there are enough for threads.
bool SingleChannelKernel::chooseBox() {
  const Thresholds &thresholds = site.getThresholds();
  auto result = cast<RankedTensorType>(op.getType());
  SmallVector<int64_t> sizes(3, 1);
  for (int64_t i = 0; i < rank - 2; ++i) {
    int64_t dim = firstSpatial + i;
    sizes[3 - (rank - 2) + i] =
        result.isDynamicDim(dim) ? kAssumedSize : std::max<int64_t>(1, result.getDimSize(dim));
  }
  box.assign(3, 1);
  int64_t outputs = 1;
  for (int64_t axis = 2; axis >= 0; --axis) {
    // What fits, and what leaves enough boxes.
    int64_t room = thresholds.boxElements / (reach(0) * planeElements() / reach(axis));
    int64_t fitting = room - axes[axis].reach(1) + 1;
    int64_t fair = std::max(llvm::divideCeil(sizes[axis], thresholds.manyBoxes),
                            llvm::divideCeil(thresholds.boxProducts, taps * outputs));
    int64_t least = axis == 2 ? thresholds.rowOutputs : 1;
    int64_t most = std::max(least, std::min(fitting, fair));
    box[axis] = llvm::divideCeil(sizes[axis], llvm::divideCeil(sizes[axis], most));
    outputs *= box[axis];
  }
  return reach(0) * planeElements() <= thresholds.mostBoxElements;
}

/// The number of vectors with whose tiles the fewest are computed. Fewer than would hide
/// the latency of additions take no less time.
void SingleChannelKernel::chooseTile() {
  int64_t places = llvm::divideCeil((box[1] - 1) * reach(2) + box[2], lanes);
  auto cost = [&](int64_t size) {
    return int64_t(llvm::divideCeil(places, size)) * size;
  };
  vectors = kMinIndependentAccumulators;
  for (int64_t size = vectors + 1; size <= kMostVectors; ++size)
    if (cost(size) < cost(vectors))
      vectors = size;
  vectors = std::min(vectors, places);
}

bool SingleChannelKernel::addWeights() {
  FailureOr<HostTensor> original = site.view.readConstant(op.getWeight());
  if (failed(original))
    return false;
  HostTensor converted = HostTensor::allocate(DataType::Float32, {taps});
  MutableArrayRef<float> to = converted.getMutable<float>();
  for (int64_t tap = 0; tap < taps; ++tap)
    to[tap] = original->getDouble(tap);
  weights = site.addConstant(
      makeConstantAttr(op.getContext(), converted, Float32Type::get(op.getContext())));
  return true;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

LogicalResult SingleChannelKernel::emit() {
  if (!match())
    return failure();
  int64_t lastSpatial = firstSpatial + rank - 3;
  if (failed(epilogue.add({firstSpatial, lastSpatial, rank})))
    return failure();
  site.addInput(op.getInput());
  if (op.getBias()) {
    bias.emplace(site, op.getBias());
    if (failed(bias->add({rank}, op.getBias())))
      return failure();
  }
  if (!addWeights() || failed(site.begin("single_channel_conv")))
    return failure();
  lanes = e().getLanes();
  chooseTile();
  Value input = site.getInputMemref(op.getInput()), output = site.getOutputMemref(0);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t dim = firstSpatial + int64_t(i) - (5 - rank);
    bool exists = dim >= firstSpatial;
    axis.input = exists ? e().size(input, dim) : e().index(1);
    axis.output = exists ? e().size(output, dim) : e().index(1);
  }
  epilogue.setSizes(
      {e().size(output, 0), e().mul(axes[0].output, axes[1].output), axes[2].output});
  // Tiles, and vectors that fill a row, reach behind the last row.
  int64_t room = reach(0) * planeElements() + vectors * lanes;
  copied = e().array(e().scratch(room, e().b.getF32Type()));
  sums = e().array(e().scratch(planeElements() + vectors * lanes, e().b.getF32Type()));
  e().loop(site.getBegin(), site.getEnd(), 1, [&](Value number) { emitBox(number); });
  if (failed(status))
    return failure();
  Value count = site.getResultSize(0, 0);
  for (int64_t i = 0; i < rank - 2; ++i)
    count = site.hostMul(count, site.hostCeilDiv(site.getResultSize(0, firstSpatial + i),
                                                 box[5 - rank + i]));
  site.finish(count, site.chooseGrain(box[0] * planeElements() * taps / lanes));
  return success();
}

void SingleChannelKernel::emitBox(Value number) {
  SmallVector<Value> counts = {Value()};
  for (auto [axis, size] : llvm::zip(axes, box))
    counts.push_back(e().ceilDiv(axis.output, e().index(size)));
  SmallVector<Value> indices = e().delinearize(number, counts);
  image = indices[0];
  first.clear();
  end.clear();
  for (int64_t i = 0; i < 3; ++i) {
    first.push_back(e().mul(indices[1 + i], box[i]));
    end.push_back(e().min(e().add(first[i], box[i]), axes[i].output));
  }
  copyBox();

  initial = e().constant(e().vector(e().b.getF32Type(), lanes), 0);
  if (bias) {
    FailureOr<Value> loaded = bias->load({e().index(0)}, 1, {});
    if (failed(loaded))
      status = failure();
    else if (isInteger())
      integerBias = e().broadcast(*loaded, lanes);
    else
      initial = e().broadcast(*loaded, lanes);
  }
  e().loop(first[0], end[0], 1, [&](Value depth) {
    Value plane = e().mul(e().sub(depth, first[0]), planeElements());
    Value rows = e().sub(end[1], first[1]);
    Value places = e().add(e().mul(e().sub(rows, e().index(1)), reach(2)),
                           e().sub(end[2], first[2]));
    e().loop(e().index(0), places, vectors * lanes,
             [&](Value place) { emitTile(plane, place); });
    e().loop(first[1], end[1], 1, [&](Value row) { storeRow(depth, row); });
  });
}

void SingleChannelKernel::copyBox() {
  SmallVector<Value> starts;
  for (auto [axis, from] : llvm::zip(axes, first))
    starts.push_back(getWindowStart(e(), axis, from));
  auto reached = [&](int64_t axis) {
    return e().add(e().sub(end[axis], first[axis]), axes[axis].reach(1) - 1);
  };
  e().loop(e().index(0), reached(0), 1, [&](Value plane) {
    e().loop(e().index(0), reached(1), 1, [&](Value row) {
      Value z = e().add(starts[0], plane), y = e().add(starts[1], row);
      Value isInside = arith::AndIOp::create(e().b, e().loc, e().isBelow(z, axes[0].input),
                                             e().isBelow(y, axes[1].input));
      Value number = e().add(e().mul(image, axes[0].input), z);
      number = e().add(e().mul(number, axes[1].input), y);
      Value to = e().add(e().mul(plane, planeElements()), e().mul(row, reach(2)));
      copyRow(number, isInside, to);
    });
  });
}

void SingleChannelKernel::copyRow(Value row, Value isInside, Value to) {
  // Places before, in and behind the input. A row outside has none in it.
  Value start = getWindowStart(e(), axes[2], first[2]), length = e().index(reach(2));
  Value before = e().min(e().max(e().sub(e().index(0), start), e().index(0)), length);
  Value behind = e().max(e().min(e().sub(axes[2].input, start), length), before);
  behind = e().select(isInside, behind, before);
  // Whole vectors, in this order: what they write behind the end is written later.
  auto fill = [&](Value from, Value end) {
    e().loop(from, end, lanes, [&](Value place) {
      e().store(e().constant(e().vector(e().b.getF32Type(), lanes), 0), copied,
                e().add(to, place));
    });
  };
  fill(e().index(0), before);
  Value source = e().add(e().add(e().mul(row, axes[2].input), start), before);
  Value target = e().add(to, before);
  e().vectorLoop(
      e().sub(behind, before), lanes, 1, [&](Value position, Value mask) {
        Value loaded = e().load(site.getInput(op.getInput()), e().add(source, position),
                                lanes, mask);
        if (isInteger()) {
          Type type = op.getInput().getType().getElementType();
          loaded = toF32(loaded, type.isUnsignedInteger());
          loaded = arith::SubFOp::create(
              e().b, e().loc, loaded,
              e().constant(loaded.getType(), op.getInputZeroPoint()));
        }
        e().store(loaded, copied, e().add(target, position));
      });
  fill(behind, length);
}

void SingleChannelKernel::emitTile(Value plane, Value place) {
  SmallVector<Value> tile(vectors, initial);
  Value start = e().add(plane, place);
  auto loop = [&](int64_t axis, ValueRange carried, auto body) {
    return e().loop(e().index(0), e().index(axes[axis].kernel), 1,
                    SmallVector<Value>(carried), body);
  };
  tile = loop(0, tile, [&](Value kd, ValueRange carried) {
    return loop(1, carried, [&](Value kh, ValueRange carried) {
      return loop(2, carried, [&](Value kw, ValueRange carried) {
        Value tap = e().add(e().mul(kd, axes[1].kernel), kh);
        tap = e().add(e().mul(tap, axes[2].kernel), kw);
        Value weight = e().loadSplat(site.getInput(weights), tap, lanes);
        Value row = e().add(e().mul(e().mul(kd, axes[0].dilation), planeElements()),
                            e().mul(e().mul(kh, axes[1].dilation), reach(2)));
        Value from = e().add(e().add(start, row), e().mul(kw, axes[2].dilation));
        SmallVector<Value> next;
        for (auto [v, sum] : llvm::enumerate(carried))
          next.push_back(
              e().fma(e().load(copied, e().add(from, v * lanes), lanes), weight, sum));
        return next;
      });
    });
  });
  for (auto [v, sum] : llvm::enumerate(tile))
    e().store(sum, sums, e().add(place, v * lanes));
}

void SingleChannelKernel::storeRow(Value depth, Value row) {
  Value start = e().mul(e().sub(row, first[1]), reach(2));
  Value rowNumber = e().add(e().mul(depth, axes[1].output), row);
  e().vectorLoop(
      e().sub(end[2], first[2]), lanes, 1, [&](Value position, Value mask) {
        Value sum = e().load(sums, e().add(start, position), lanes);
        if (isInteger())
          sum = emitCast(e().b, e().loc, sum, e().b.getI32Type(), false, false);
        if (integerBias)
          sum = e().sum(sum, integerBias);
        Value column = e().add(first[2], position);
        if (failed(epilogue.store(sum, {image, rowNumber, column}, lanes, mask)))
          status = failure();
      });
}

LogicalResult nn::emitSingleChannelKernel(KernelSite &site) {
  return SingleChannelKernel(site).emit();
}
