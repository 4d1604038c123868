//===- Pool.cpp - kernels of pools ----------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Maxima and sums are separable: windows are reduced over all spatial dimensions but the
// last, then along the last one, the line. In between, a line of the input is in scratch
// memory, with as many neutral elements at its ends as there is padding:
//
//   for row in [begin, end)               of N x (C x) outer dimensions of the result
//     for part of the line that fits into scratch memory
//       for column of the input under it
//         scratch[column] = reduce the outer taps that are inside the input
//       for pixel of the result
//         result[pixel] = epilogue(reduce scratch[pixel * stride + kw * dilation])
//
// Channels first, vectors lie along the line; with strides, their elements are picked
// from several vectors. Short lines are reduced several at a time: what was just stored
// cannot be loaded at other offsets without a delay. Channels last, a column is a vector
// of channels, and the parts are inside a loop over these. If windows hardly overlap
// there, each is reduced on its own.
//
// The last vector of a line, or of the channels, overlaps the one before.
//
//===----------------------------------------------------------------------===//

#include "dialects/NN/IR/SpatialShapes.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Conversion/ElementwiseToArith.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"
#include <limits>

using namespace mlir;
using namespace mlir::nn;

/// A column, or a piece of a line, is up to so many registers.
static constexpr int64_t kRegisters = 4;
/// Taps up to which they are written one by one.
static constexpr int64_t kUnrolledTaps = 16;
/// Lines that are in scratch memory at a time.
static constexpr int64_t kMostLines = 4;
/// Strides up to which elements are picked from vectors.
static constexpr int64_t kPickedStride = 4;

namespace {

/// One spatial dimension.
struct Axis {
  int64_t kernel = 1, stride = 1, dilation = 1;
  /// All taps are inside the input.
  bool isInside = false;
  Value input, output, padBegin; // in the kernel
  /// The positions that count in means.
  Value low, high;
  int64_t extent() const { return (kernel - 1) * dilation + 1; }
};

/// The taps of a window along one dimension.
struct Taps {
  const Axis *axis;
  Value first, end; // those that are inside the input
  Value start;      // the position of the first one
};

class PoolKernel {
public:
  explicit PoolKernel(KernelSite &site) : site(site), epilogue(site) {}
  LogicalResult emit();

private:
  bool match();
  template <typename Pool> bool matchWindow(Pool pool);
  bool chooseSizes();
  void setAxes();
  void emitRow(Value row);
  void emitLines(Value begin, Value end);
  /// Sets the state of the emission for a row.
  void locate(Value row);
  void emitWindow(Value pixel);
  void emitPart(Value first, Value count);
  /// The two halves of it.
  void fillScratch(Value first, Value count);
  void emitColumns(Value begin, Value end, Value start);
  void emitPixels(Value first, Value count);
  void fill(Value begin, Value end);
  /// The elements at `taps`: those of the outer dimensions and, without a column of the
  /// input, of the line.
  Value reduce(ArrayRef<Taps> taps, Value column, int64_t width, Value columnMask);
  Value load(ArrayRef<Taps> taps, ArrayRef<Value> indices, Value column, int64_t width,
             Value columnMask);
  void storePixels(Value pixel, Value reduced, int64_t width, Value pixelMask);
  /// `width` elements of scratch memory, `stride` apart.
  Value loadScratch(Value offset, int64_t width, int64_t stride);
  /// The number of taps that count, of `width` windows from `pixel` on: i32.
  Value countTaps(const Axis &axis, Value pixel, int64_t width);
  Taps getTaps(const Axis &axis, Value output);
  /// Covers [begin, end), with the first of `widths` that fits, overlapping at the end;
  /// or by a masked vector of the last of them.
  void cover(Value begin, Value end, ArrayRef<int64_t> widths,
             function_ref<void(Value position, int64_t width, Value mask)> body);
  SmallVector<int64_t> getWidths(std::optional<int64_t> size, int64_t most);

  /// Where a column is stored.
  Value placeOf(Value column) {
    Value at = e().mul(column, channelWidth);
    return lines > 1 ? e().add(scratchOrigin, at) : at;
  }
  Value combine(Value lhs, Value rhs);
  Value neutral(int64_t width);
  KernelEmitter &e() { return site.getEmitter(); }

  KernelSite &site;
  EpilogueStorer epilogue;
  Operation *op = nullptr;
  RankedTensorType input, result;
  bool isMax = false, isUnsigned = false, countsPadding = false;
  AutoPad autoPad = AutoPad::NotSet;
  bool channelsLast = false, isDirect = false;
  int64_t rank = 0, spatial = 0;
  SmallVector<int64_t> pads;
  SmallVector<Axis> outer;
  Axis line;
  SmallVector<int64_t> channelWidths, lineWidths;
  int64_t partPixels = 0, scratchColumns = 0, lines = 1;
  // The state of the emission.
  Array scratch;
  /// Where the line begins in it. For a single line 0, which LLVM does not know: it would
  /// make loads of parts of what was just stored shifts of very wide integers.
  Value scratchOrigin;
  Value channels, image, channel, mask, place, rowCount;
  SmallVector<Taps> outerTaps;
  int64_t channelWidth = 1;
  LogicalResult status = success();
};

} // namespace

template <typename Pool> bool PoolKernel::matchWindow(Pool pool) {
  input = cast<RankedTensorType>(pool.getInput().getType());
  result = cast<RankedTensorType>(pool.getResult().getType());
  rank = input.getRank();
  spatial = rank - 2;
  channelsLast = pool.getLayout() == Layout::ChannelsLast;
  autoPad = pool.getAutoPad();
  Window window(spatial, pool.getStrides(), pool.getDilations(), pool.getPads());
  pads = autoPad == AutoPad::NotSet ? window.pads : SmallVector<int64_t>(2 * spatial, 0);
  SpatialDims where(pool.getLayout(), rank);
  bool isPadded = autoPad == AutoPad::SameUpper || autoPad == AutoPad::SameLower;
  for (int64_t i = 0; i < spatial; ++i) {
    Axis axis;
    axis.kernel = pool.getKernelShape()[i];
    axis.stride = window.strides[i];
    axis.dilation = window.dilations[i];
    int64_t from = input.getDimSize(where.firstSpatial + i);
    int64_t to = result.getDimSize(where.firstSpatial + i);
    if (!isPadded && pads[i] == 0)
      axis.isInside = ShapedType::isDynamic(from) || ShapedType::isDynamic(to)
                          ? pads[spatial + i] == 0 && !pool.getCeilMode()
                          : (to - 1) * axis.stride + axis.extent() <= from;
    outer.push_back(axis);
  }
  line = outer.pop_back_val();
  return site.view.getOuter(pool.getInput()) && !site.view.getConstant(pool.getInput());
}

bool PoolKernel::match() {
  op = site.view.anchor;
  if (auto max = dyn_cast_or_null<MaxPoolOp>(op)) {
    isMax = true;
    return matchWindow(max);
  }
  auto average = dyn_cast_or_null<AveragePoolOp>(op);
  countsPadding = average && average.getCountIncludePad();
  return average && matchWindow(average);
}

/// Powers of two: the most lanes that fit into `most` registers and, if the size is
/// known, into it; else also those of one register.
SmallVector<int64_t> PoolKernel::getWidths(std::optional<int64_t> size, int64_t most) {
  int64_t lanes = site.getVectorBits() / input.getElementTypeBitWidth();
  if (!size)
    return most > 1 ? SmallVector<int64_t>{most * lanes, lanes}
                    : SmallVector<int64_t>{lanes};
  int64_t width = std::min<int64_t>(
      most * lanes, llvm::bit_floor(uint64_t(std::max<int64_t>(*size, 1))));
  // Rather more vectors than much that is computed twice.
  while (width > lanes && *size % width && *size % width < width * 3 / 4)
    width /= 2;
  return {width};
}

/// Failure if a window takes too much scratch memory.
bool PoolKernel::chooseSizes() {
  auto known = [](int64_t size) {
    return ShapedType::isDynamic(size) ? std::nullopt : std::optional(size);
  };
  std::optional<int64_t> width =
      known(result.getDimSize(channelsLast ? rank - 2 : rank - 1));
  int64_t columnElements = 1, slack = 0;
  if (channelsLast) {
    channelWidths = getWidths(known(result.getDimSize(rank - 1)), kRegisters);
    columnElements = channelWidths.front();
    lineWidths = {1};
    // Loads and stores of scratch memory, and those without it.
    int64_t outerTaps = 1;
    for (const Axis &axis : outer)
      outerTaps *= axis.kernel;
    isDirect = outerTaps * line.kernel <= line.stride * (outerTaps + 1) + line.kernel;
    if (isDirect)
      return true;
  } else {
    lineWidths = getWidths(width, line.stride == 1 ? kRegisters : 1);
    slack = std::max(lineWidths.front() * line.stride,
                     site.getVectorBits() / input.getElementTypeBitWidth());
  }
  int64_t bytes = input.getElementTypeBitWidth() / 8;
  int64_t columns = site.getThresholds().poolScratchBytes / (bytes * columnElements);
  int64_t minPart = site.getThresholds().poolPart;
  partPixels = (columns - slack - line.extent()) / line.stride + 1;
  if (width)
    partPixels = std::min(partPixels, std::max<int64_t>(*width, 1));
  if (columns < slack + line.extent() ||
      partPixels < std::min(minPart, width.value_or(minPart)))
    return false;
  scratchColumns = (partPixels - 1) * line.stride + line.extent() + slack;
  if (!channelsLast && width && *width <= partPixels)
    lines = std::clamp<int64_t>(columns / scratchColumns, 1, kMostLines);
  return true;
}

LogicalResult PoolKernel::emit() {
  if (!match() || !chooseSizes())
    return failure();
  SmallVector<int64_t> ends = channelsLast
                                  ? SmallVector<int64_t>{1, rank - 2, rank - 1, rank}
                                  : SmallVector<int64_t>{1, 2, rank - 1, rank};
  if (outer.empty())
    ends.erase(ends.begin() + (channelsLast ? 1 : 2));
  if (failed(epilogue.add(ends)))
    return failure();
  site.addInput(op->getOperand(0));
  if (failed(site.begin("pool")))
    return failure();
  isUnsigned = input.getElementType().isUnsignedInteger();
  setAxes();
  Value output = site.getOutputMemref(0);
  channels = e().size(output, channelsLast ? rank - 1 : 1);
  Value places = e().index(1);
  for (const Axis &axis : outer)
    places = e().mul(places, axis.output);
  SmallVector<Value> sizes{e().size(output, 0), places, line.output};
  if (outer.empty())
    sizes.erase(sizes.begin() + 1);
  sizes.insert(channelsLast ? sizes.end() : sizes.begin() + 1, channels);
  epilogue.setSizes(sizes);
  scratch.elementType = getSignlessType(input.getElementType());
  if (!isDirect) {
    int64_t elements =
        lines * scratchColumns * (channelsLast ? channelWidths.front() : 1);
    scratch.flat = e().scratch(elements, scratch.elementType);
    scratchOrigin =
        arith::ShRSIOp::create(e().b, e().loc, site.getBegin(), e().index(63));
  }

  if (lines > 1)
    e().loop(site.getBegin(), site.getEnd(), lines, [&](Value begin) {
      emitLines(begin, e().min(e().add(begin, lines), site.getEnd()));
    });
  else
    e().loop(site.getBegin(), site.getEnd(), 1, [&](Value row) { emitRow(row); });
  if (failed(status))
    return failure();
  int64_t taps = line.kernel;
  for (const Axis &axis : outer)
    taps += axis.kernel * axis.stride;
  int64_t pixels = getConstantIntValue(line.output).value_or(64);
  if (channelsLast)
    pixels *= getConstantIntValue(channels).value_or(64);
  int64_t lanes = site.getVectorBits() / input.getElementTypeBitWidth();
  site.finish(site.hostResultProduct(0, 0, channelsLast ? rank - 2 : rank - 1),
              site.chooseGrain(pixels * taps * 2 / lanes,
                               site.getThresholds().windowThreadWork));
  return success();
}

void PoolKernel::setAxes() {
  Value from = site.getInputMemref(op->getOperand(0)), to = site.getOutputMemref(0);
  int64_t firstSpatial = channelsLast ? 1 : 2;
  for (int64_t i = 0; i < spatial; ++i) {
    Axis &axis = i + 1 == spatial ? line : outer[i];
    axis.input = e().size(from, firstSpatial + i);
    axis.output = e().size(to, firstSpatial + i);
    Value padEnd = e().index(pads[spatial + i]);
    axis.padBegin = e().index(pads[i]);
    if (autoPad == AutoPad::SameUpper || autoPad == AutoPad::SameLower) {
      Value last = e().mul(e().sub(axis.output, e().index(1)), axis.stride);
      Value total = e().sub(e().add(last, axis.extent()), axis.input);
      total = e().max(total, e().index(0));
      Value half = e().div(total, e().index(2)), rest = e().sub(total, half);
      axis.padBegin = autoPad == AutoPad::SameUpper ? half : rest;
      padEnd = autoPad == AutoPad::SameUpper ? rest : half;
    }
    axis.low = countsPadding ? e().sub(e().index(0), axis.padBegin) : e().index(0);
    axis.high = countsPadding ? e().add(axis.input, padEnd) : axis.input;
  }
}

Value PoolKernel::combine(Value lhs, Value rhs) {
  return isMax ? emitMax(e().b, e().loc, lhs, rhs, isUnsigned)
               : arith::AddFOp::create(e().b, e().loc, lhs, rhs).getResult();
}

Value PoolKernel::neutral(int64_t width) {
  Type type = e().vector(scratch.elementType, width);
  if (!isMax || isUnsigned)
    return e().constant(type, 0);
  return e().constant(type, scratch.elementType.isInteger(8)
                                ? -128.0
                                : -std::numeric_limits<double>::infinity());
}

Taps PoolKernel::getTaps(const Axis &axis, Value output) {
  Value start = e().sub(e().mul(output, axis.stride), axis.padBegin);
  if (axis.isInside)
    return {&axis, e().index(0), e().index(axis.kernel), start};
  // Tap k reads start + k * dilation, which must be in [0, input).
  auto tapsBelow = [&](Value bound) {
    Value distance = e().max(e().sub(bound, start), e().index(0));
    return e().min(e().ceilDiv(distance, e().index(axis.dilation)),
                   e().index(axis.kernel));
  };
  return {&axis, tapsBelow(e().index(0)), tapsBelow(axis.input), start};
}

Value PoolKernel::countTaps(const Axis &axis, Value pixel, int64_t width) {
  Type type = e().vector(e().b.getI32Type(), width);
  auto splat = [&](Value value) {
    return e().broadcast(
        arith::IndexCastOp::create(e().b, e().loc, e().b.getI32Type(), value), width);
  };
  if (axis.isInside)
    return splat(e().index(axis.kernel));
  Value position = splat(e().sub(e().mul(pixel, axis.stride), axis.padBegin));
  if (width > 1) {
    SmallVector<int32_t> steps;
    for (int64_t i = 0; i < width; ++i)
      steps.push_back(i * axis.stride);
    Value distance = arith::ConstantOp::create(
        e().b, e().loc, DenseElementsAttr::get(cast<VectorType>(type), ArrayRef(steps)));
    position = arith::AddIOp::create(e().b, e().loc, position, distance);
  }
  auto tapsBelow = [&](Value bound) -> Value {
    Value distance = arith::SubIOp::create(e().b, e().loc, splat(bound), position);
    distance = arith::MaxSIOp::create(e().b, e().loc, distance, e().constant(type, 0));
    if (axis.dilation > 1) {
      distance = arith::AddIOp::create(e().b, e().loc, distance,
                                       e().constant(type, axis.dilation - 1));
      distance = arith::DivUIOp::create(e().b, e().loc, distance,
                                        e().constant(type, axis.dilation));
    }
    return arith::MinSIOp::create(e().b, e().loc, distance,
                                  e().constant(type, axis.kernel));
  };
  return arith::SubIOp::create(e().b, e().loc, tapsBelow(axis.high), tapsBelow(axis.low));
}

void PoolKernel::cover(Value begin, Value end, ArrayRef<int64_t> widths,
                       function_ref<void(Value, int64_t, Value)> body) {
  int64_t width = widths.front();
  Value size = e().sub(end, begin);
  auto fits = [&] {
    if (width == 1)
      return e().loop(begin, end, 1, [&](Value position) { body(position, 1, Value()); });
    Value last = e().sub(end, e().index(width));
    e().loop(begin, end, width,
             [&](Value position) { body(e().min(position, last), width, Value()); });
  };
  auto otherwise = [&] {
    if (widths.size() > 1)
      return cover(begin, end, widths.drop_front(), body);
    e().ifTrue(e().less(begin, end), [&] { body(begin, width, e().mask(size, width)); });
  };
  if (std::optional<int64_t> known = getConstantIntValue(size)) {
    if (*known >= width)
      fits();
    else if (*known > 0)
      widths.size() > 1 ? cover(begin, end, widths.drop_front(), body)
                        : body(begin, width, e().mask(size, width));
    return;
  }
  width == 1 ? fits() : e().ifTrue(e().less(size, e().index(width)), otherwise, fits);
}

void PoolKernel::emitLines(Value begin, Value end) {
  auto forEachLine = [&](function_ref<void()> emit) {
    e().loop(begin, end, 1, [&](Value row) {
      scratchOrigin = e().mul(e().sub(row, begin), scratchColumns);
      locate(row);
      emit();
    });
  };
  forEachLine([&] { fillScratch(e().index(0), line.output); });
  forEachLine([&] { emitPixels(e().index(0), line.output); });
}

void PoolKernel::locate(Value row) {
  // Sizes of 0 leave no rows, but divisors are hoisted. The number of images is not
  // needed.
  SmallVector<Value> sizes{e().index(1)};
  if (!channelsLast)
    sizes.push_back(e().max(channels, e().index(1)));
  for (const Axis &axis : outer)
    sizes.push_back(e().max(axis.output, e().index(1)));
  SmallVector<Value> indices = e().delinearize(row, sizes);
  image = indices[0];
  channel = channelsLast ? Value() : indices[1];
  outerTaps.clear();
  place = e().index(0);
  rowCount = Value();
  for (auto [axis, output] :
       llvm::zip(outer, ArrayRef(indices).take_back(outer.size()))) {
    outerTaps.push_back(getTaps(axis, output));
    place = e().add(e().mul(place, axis.output), output);
    if (isMax)
      continue;
    Value count = countTaps(axis, output, 1);
    rowCount = rowCount
                   ? arith::MulIOp::create(e().b, e().loc, rowCount, count).getResult()
                   : count;
  }
}

void PoolKernel::emitRow(Value row) {
  locate(row);
  if (isDirect)
    return e().loop(e().index(0), line.output, 1,
                    [&](Value pixel) { emitWindow(pixel); });
  auto emitParts = [&] {
    e().loop(e().index(0), line.output, partPixels, [&](Value first) {
      emitPart(first, e().min(e().index(partPixels), e().sub(line.output, first)));
    });
  };
  if (!channelsLast)
    return emitParts();
  cover(e().index(0), channels, channelWidths,
        [&](Value position, int64_t width, Value last) {
          channel = position;
          channelWidth = width;
          mask = last;
          emitParts();
        });
}

void PoolKernel::emitWindow(Value pixel) {
  SmallVector<Taps> taps = outerTaps;
  taps.push_back(getTaps(line, pixel));
  cover(e().index(0), channels, channelWidths,
        [&](Value position, int64_t width, Value last) {
          channel = position;
          channelWidth = width;
          mask = last;
          storePixels(pixel, reduce(taps, Value(), width, mask), 1, Value());
        });
}

void PoolKernel::emitPart(Value first, Value count) {
  fillScratch(first, count);
  emitPixels(first, count);
}

void PoolKernel::fillScratch(Value first, Value count) {
  Value start = e().sub(e().mul(first, line.stride), line.padBegin);
  Value length =
      e().add(e().mul(e().sub(count, e().index(1)), line.stride), line.extent());
  Value begin = e().index(0), end = length;
  if (!line.isInside) {
    begin = e().min(e().max(e().sub(e().index(0), start), begin), length);
    end = e().max(e().min(e().sub(line.input, start), length), begin);
  }
  emitColumns(begin, end, start);
  // Masked vectors of columns end behind these.
  fill(e().index(0), begin);
  fill(end, length);
}

void PoolKernel::fill(Value begin, Value end) {
  e().loop(begin, end, 1, [&](Value column) {
    e().store(neutral(channelWidth), scratch, placeOf(column));
  });
}

void PoolKernel::emitColumns(Value begin, Value end, Value start) {
  std::optional<int64_t> from = getConstantIntValue(begin), to = getConstantIntValue(end);
  SmallVector<int64_t> widths{1};
  if (!channelsLast)
    widths =
        getWidths(from && to ? std::optional(*to - *from) : std::nullopt, kRegisters);
  cover(begin, end, widths, [&](Value column, int64_t width, Value columnMask) {
    Value reduced = channelsLast
                        ? reduce(outerTaps, e().add(start, column), channelWidth, mask)
                        : reduce(outerTaps, e().add(start, column), width, columnMask);
    e().store(reduced, scratch, placeOf(column));
  });
}

Value PoolKernel::load(ArrayRef<Taps> taps, ArrayRef<Value> indices, Value column,
                       int64_t width, Value columnMask) {
  Value offset = channelsLast ? image : e().add(e().mul(image, channels), channel);
  for (auto [tap, index] : llvm::zip(taps, indices))
    offset = e().add(e().mul(offset, tap.axis->input),
                     e().add(tap.start, e().mul(index, tap.axis->dilation)));
  if (column)
    offset = e().add(e().mul(offset, line.input), column);
  if (channelsLast)
    offset = e().add(e().mul(offset, channels), channel);
  return e().load(site.getInput(op->getOperand(0)), offset, width, columnMask);
}

Value PoolKernel::reduce(ArrayRef<Taps> taps, Value column, int64_t width,
                         Value columnMask) {
  int64_t all = 1;
  Value isInside;
  for (const Taps &tap : taps) {
    all *= tap.axis->kernel;
    if (tap.axis->isInside)
      continue;
    Value count = e().sub(tap.end, tap.first);
    Value inside = e().equal(count, tap.axis->kernel);
    isInside = isInside
                   ? arith::AndIOp::create(e().b, e().loc, isInside, inside).getResult()
                   : inside;
  }
  auto reduceAll = [&] {
    Value reduced;
    for (int64_t number = 0; number < all; ++number) {
      SmallVector<Value> indices(taps.size());
      int64_t rest = number;
      for (size_t i = taps.size(); i-- > 0; rest /= taps[i].axis->kernel)
        indices[i] = e().index(rest % taps[i].axis->kernel);
      Value loaded = load(taps, indices, column, width, columnMask);
      reduced = reduced ? combine(reduced, loaded) : loaded;
    }
    return SmallVector<Value>{reduced};
  };
  SmallVector<Value> indices;
  std::function<SmallVector<Value>(ValueRange)> reduceSome = [&](ValueRange carried) {
    size_t i = indices.size();
    if (i == taps.size())
      return SmallVector<Value>{
          combine(carried[0], load(taps, indices, column, width, columnMask))};
    return e().loop(taps[i].first, taps[i].end, 1, SmallVector<Value>(carried),
                    [&](Value index, ValueRange values) {
                      indices.push_back(index);
                      SmallVector<Value> next = reduceSome(values);
                      indices.pop_back();
                      return next;
                    });
  };
  if (all > kUnrolledTaps)
    return reduceSome(neutral(width))[0];
  if (!isInside)
    return reduceAll()[0];
  Value start = neutral(width);
  return e().ifElse(isInside, start.getType(), reduceAll,
                    [&] { return reduceSome(start); })[0];
}

Value PoolKernel::loadScratch(Value offset, int64_t width, int64_t stride) {
  if (width == 1 || stride == 1)
    return e().load(scratch, offset, width);
  if (stride > kPickedStride) {
    SmallVector<Value> elements;
    for (int64_t i = 0; i < width; ++i)
      elements.push_back(e().load(scratch, e().add(offset, i * stride), 1));
    return vector::FromElementsOp::create(
        e().b, e().loc, VectorType::get({width}, scratch.elementType), elements);
  }
  Value picked = e().load(scratch, offset, width);
  for (int64_t part = 1; part < stride; ++part) {
    Value next = e().load(scratch, e().add(offset, part * width), width);
    SmallVector<int64_t> lanes;
    for (int64_t i = 0; i < width; ++i) {
      int64_t element = i * stride, from = element / width;
      // Lanes of parts to come are any.
      lanes.push_back(from == part  ? width + element % width
                      : from < part ? (part == 1 ? element : i)
                                    : i);
    }
    picked = vector::ShuffleOp::create(e().b, e().loc, picked, next, lanes);
  }
  return picked;
}

void PoolKernel::emitPixels(Value first, Value count) {
  cover(e().index(0), count, lineWidths,
        [&](Value pixel, int64_t width, Value pixelMask) {
          auto load = [&](Value tap) {
            Value column =
                e().add(e().mul(pixel, line.stride), e().mul(tap, line.dilation));
            Value offset = e().add(scratchOrigin, e().mul(column, channelWidth));
            return channelsLast ? e().load(scratch, offset, channelWidth)
                                : loadScratch(offset, width, line.stride);
          };
          int64_t unrolled = std::min(line.kernel, kUnrolledTaps);
          Value reduced = load(e().index(0));
          for (int64_t tap = 1; tap < unrolled; ++tap)
            reduced = combine(reduced, load(e().index(tap)));
          reduced = e().loop(e().index(unrolled), e().index(line.kernel), 1, {reduced},
                             [&](Value tap, ValueRange carried) {
                               return SmallVector<Value>{combine(carried[0], load(tap))};
                             })[0];
          storePixels(e().add(first, pixel), reduced, width, pixelMask);
        });
}

void PoolKernel::storePixels(Value pixel, Value reduced, int64_t width, Value pixelMask) {
  int64_t lanes = channelsLast ? channelWidth : width;
  if (!isMax) {
    Value count = countTaps(line, pixel, width);
    if (rowCount)
      count =
          arith::MulIOp::create(e().b, e().loc, e().broadcast(rowCount, width), count);
    count =
        arith::MaxSIOp::create(e().b, e().loc, count, e().constant(count.getType(), 1));
    Type type = e().vector(scratch.elementType, width);
    Value divisor = arith::SIToFPOp::create(e().b, e().loc, type, count);
    if (channelsLast)
      divisor = e().broadcast(divisor, lanes);
    reduced = arith::DivFOp::create(e().b, e().loc, reduced, divisor);
  }
  SmallVector<Value> indices{image, place, pixel};
  if (outer.empty())
    indices.erase(indices.begin() + 1);
  indices.insert(channelsLast ? indices.end() : indices.begin() + 1, channel);
  if (failed(epilogue.store(reduced, indices, lanes, channelsLast ? mask : pixelMask)))
    status = failure();
}

LogicalResult nn::emitPoolKernel(KernelSite &site) { return PoolKernel(site).emit(); }
