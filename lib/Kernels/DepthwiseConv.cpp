//===- DepthwiseConv.cpp - kernels of depthwise convolutions --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Channels last, one filter per channel, constant weights repacked to KH x KW x C:
//
//   for row in [begin, end)                       of N x OH
//     for c in vectors of the channels
//       for block of output pixels in the row
//         acc[pixel] = bias[c]
//         for kh whose input row exists           carries acc in registers
//           for each input pixel under the block: load it once, and
//             acc[pixel] += input * weight[kh, kw, c] for all pixels it is under
//         result[pixel, c] = epilogue(acc[pixel])
//
// Small groups of D channels, each with F filters, are computed likewise. Vectors lie
// along the results' channels, and hold whole groups. For each number d of a channel in
// its group, a shuffle gives each lane that channel of its own group:
//
//   D = F = 2, d = 1:   input 0 1 2 3 4 5 6 7  ->  1 1 3 3 5 5 7 7
//
// Blocks at the left and right border skip taps outside the input, if the width is known,
// when the code is emitted. Otherwise, and in rows of many taps, which are a loop, inputs
// outside are replaced by zeros.
//
// 8-bit integers are multiplied and added in f32, which is exact for the few products
// of an output. Blocks have two rows then, so that fewer inputs are converted.
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

/// Rows of no more products of an output pixel are emitted without a loop.
static constexpr int64_t kUnrolledProducts = 16;
/// Taps of an iteration of that loop.
static constexpr int64_t kLoopTaps = 4;

namespace {

/// Neighbouring output pixels of a row, computed together.
struct Block {
  /// The first column.
  Value first;
  int64_t count;
  enum { Inside, AtBorder } place;
  /// `first` at the border, if known: taps outside the input are not emitted.
  std::optional<int64_t> known = std::nullopt;
};

/// A row of taps that adds to the sums of a row of a block.
struct TapRow {
  Value kh;
  int64_t row;
};

class DepthwiseKernel {
public:
  explicit DepthwiseKernel(KernelSite &site) : site(site), epilogue(site) {}
  LogicalResult emit();

private:
  bool match();
  bool repackWeights();
  /// Whether f32 holds the sums of integers with their bias.
  bool isExactWithBias(const HostTensor &weights);
  void emitRows(Value rows);
  void emitPixels();
  void emitBlock(const Block &block);
  /// The sums of a block of one row, and of several rows.
  SmallVector<Value> sumRow(const Block &block);
  SmallVector<Value> sumRows(const Block &block);
  /// Adds `count` taps, from number `kw` of the rows on, to the sums of a block. All of these
  /// rows of taps lie over row `y` of the input.
  SmallVector<Value> addTaps(const Block &block, Value y, ArrayRef<TapRow> rows, Value kw,
                             int64_t count, ValueRange sums);
  void storePixel(Value row, Value pixel, Value sum);
  /// The channels of the input under a vector, at column `x` of row `y`.
  Value loadInput(Value y, Value x, bool mayBeOutside);
  /// Gives each lane the channel number `depth` of its group.
  Value spread(Value loaded, int64_t depth);
  Value loadWeight(Value kh, Value kw, int64_t depth);
  Value loadBias();
  /// What the sums begin with.
  Value initial();

  KernelEmitter &e() { return site.getEmitter(); }
  /// Whether the taps of a row are emitted one by one.
  bool isUnrolled() const { return width.kernel * depth <= kUnrolledProducts; }
  bool isInteger() { return op.getType().getElementType().isInteger(32); }
  /// Whether the bias is added to the sums of integers in the end, as integers.
  bool addsBiasLast() { return isInteger() && !hasFloatSums; }
  /// `value`, a vector of numbers, as f32.
  Value toF32(Value value, bool isUnsigned) {
    return emitCast(e().b, e().loc, value, e().b.getF32Type(), isUnsigned, false);
  }

  KernelSite &site;
  EpilogueStorer epilogue;
  ConvOp op;
  WindowAxis height, width;
  /// Channels of the input in a group, and of the result.
  int64_t depth = 1, filters = 1;
  int64_t groups = 0;
  /// Those of a vector. Groups are not divided.
  int64_t vectorGroups = 0, lanes = 0;
  int64_t blockPixels = 8, blockRows = 1;
  int64_t rank = 0; // 3 (one spatial dimension) or 4
  unsigned weights = 0;
  std::optional<PrologueLoader> bias;
  /// Integers, with their bias, are f32 for the operators that follow, too.
  bool hasFloatSums = false;
  // The state of the emission.
  Value image, outputRow, firstTapRow, endTapRow;
  Value group, channel, inputMask, mask; // of a vector
  LogicalResult status = success();
};

} // namespace

bool DepthwiseKernel::match() {
  op = dyn_cast_or_null<ConvOp>(site.view.anchor);
  if (!op || op.getLayout() != Layout::ChannelsLast)
    return false;
  auto input = cast<RankedTensorType>(op.getInput().getType());
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  rank = input.getRank();
  if ((rank != 3 && rank != 4) ||
      !(input.getElementType().isF32() || input.getElementType().isInteger(8)) ||
      !weight.hasStaticShape())
    return false;
  groups = op.getGroup();
  depth = weight.getDimSize(1);
  filters = weight.getDimSize(0) / groups;
  // With a single channel a vector would hold one element.
  if (groups * filters < 4 || input.getDimSize(rank - 1) != groups * depth ||
      !site.view.getOuter(op.getInput()) || site.view.getConstant(op.getInput()))
    return false;
  FailureOr<SmallVector<WindowAxis>> axes = getWindowAxes(op);
  if (failed(axes))
    return false;
  width = axes->back();
  if (axes->size() == 2)
    height = axes->front();
  if (isInteger() && height.kernel * width.kernel * depth > kExactProducts)
    return false;
  return groups > 1;
}

bool DepthwiseKernel::repackWeights() {
  FailureOr<HostTensor> original = site.view.readConstant(op.getWeight());
  if (failed(original))
    return false;
  int64_t taps = height.kernel * width.kernel, channels = groups * filters;
  SmallVector<int64_t> shape = {height.kernel, width.kernel, channels};
  if (depth > 1)
    shape.insert(shape.begin() + 2, depth);
  HostTensor packed = HostTensor::allocate(DataType::Float32, shape);
  MutableArrayRef<float> to = packed.getMutable<float>();
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t d = 0; d < depth; ++d)
      for (int64_t tap = 0; tap < taps; ++tap)
        to[(tap * depth + d) * channels + c] =
            original->getDouble((c * depth + d) * taps + tap);
  weights = site.addConstant(
      makeConstantAttr(op.getContext(), packed, Float32Type::get(op.getContext())));
  hasFloatSums = isInteger() && epilogue.readsFloats() && isExactWithBias(*original);
  return true;
}

bool DepthwiseKernel::isExactWithBias(const HostTensor &weights) {
  if (!op.getBias())
    return true;
  FailureOr<HostTensor> added = site.view.readConstant(op.getBias());
  if (failed(added))
    return false;
  int64_t products = height.kernel * width.kernel * depth;
  for (int64_t c = 0; c < groups * filters; ++c) {
    double most = std::abs(added->getDouble(c));
    for (int64_t i = 0; i < products; ++i)
      most += std::abs(weights.getDouble(c * products + i)) * 255;
    if (most > double(1 << 24))
      return false;
  }
  return true;
}

LogicalResult DepthwiseKernel::emit() {
  if (!match() || failed(epilogue.add({1, rank - 1, rank})))
    return failure();
  site.addInput(op.getInput());
  if (op.getBias()) {
    bias.emplace(site, op.getBias());
    if (failed(bias->add({rank - 1, rank}, op.getResult())))
      return failure();
  }
  if (!repackWeights() || failed(site.begin("depthwise_conv")))
    return failure();
  vectorGroups = e().getLanes() / filters;
  lanes = vectorGroups * filters;
  // AVX2 has half as many registers.
  bool isWide = e().vectorBits == 512;
  if (isInteger() && isUnrolled() && height.kernel > 1)
    blockRows = 2;
  blockPixels = isWide ? 8 : blockRows == 2 ? 4 : 6;
  Value input = site.getInputMemref(op.getInput());
  Value output = site.getOutputMemref(0);
  height.input = rank == 4 ? e().size(input, 1) : e().index(1);
  height.output = rank == 4 ? e().size(output, 1) : e().index(1);
  width.input = e().size(input, rank - 2);
  width.output = e().size(output, rank - 2);
  Value channels = e().index(groups * filters);
  epilogue.setSizes(
      {e().size(output, 0), e().mul(height.output, width.output), channels});
  if (bias)
    bias->setSizes({e().index(1), channels});

  e().loop(site.getBegin(), site.getEnd(), 1, [&](Value rows) { emitRows(rows); });
  if (failed(status))
    return failure();
  std::optional<int64_t> columns = getConstantIntValue(width.output);
  Value count = site.getResultSize(0, 0);
  if (rank == 4)
    count = site.hostMul(count, site.hostCeilDiv(site.getResultSize(0, 1), blockRows));
  site.finish(count,
              site.chooseGrain(columns.value_or(64) * groups * filters * depth * blockRows *
                                   height.kernel * width.kernel / lanes,
                               site.getThresholds().windowThreadWork));
  return success();
}

void DepthwiseKernel::emitRows(Value rows) {
  Value safe = e().max(e().ceilDiv(height.output, e().index(blockRows)), e().index(1));
  image = e().div(rows, safe);
  outputRow = e().mul(e().rem(rows, safe), blockRows);
  std::tie(firstTapRow, endTapRow) = getTapRange(e(), height, outputRow);
  e().vectorLoop(e().index(groups), vectorGroups, 1, [&](Value first, Value isLast) {
    group = first;
    channel = e().mul(group, filters);
    mask = inputMask = Value();
    if (isLast) {
      int64_t rest = groups % vectorGroups;
      mask = e().mask(e().index(rest * filters), lanes);
      inputMask = e().mask(e().index(rest * depth), vectorGroups * depth);
    }
    emitPixels();
  });
}

void DepthwiseKernel::emitPixels() {
  // Output pixels [low, high) have all their taps, at most `left` and `right` have not.
  int64_t span = (width.kernel - 1) * width.dilation;
  int64_t left = llvm::divideCeil(width.padBegin, width.stride),
          right = llvm::divideCeil(width.padEnd, width.stride);
  std::optional<int64_t> knownInput = getConstantIntValue(width.input),
                         knownOutput = getConstantIntValue(width.output);
  if (knownInput && knownOutput && isUnrolled()) {
    int64_t reach = *knownInput - 1 - span + width.padBegin;
    int64_t high = reach < 0 ? 0 : reach / width.stride + 1;
    high = std::min(high, *knownOutput);
    // Whole blocks between the borders are a loop.
    int64_t firstInner = llvm::divideCeil(left, blockPixels);
    int64_t endInner = std::max(firstInner, high / blockPixels);
    if (endInner - firstInner < 2)
      endInner = firstInner = 0;
    auto border = [&](int64_t from, int64_t to) {
      for (int64_t x = from; x < to; x += blockPixels)
        emitBlock({e().index(x), std::min(blockPixels, to - x), Block::AtBorder, x});
    };
    border(0, firstInner * blockPixels);
    e().loop(e().index(firstInner * blockPixels),
             e().index(endInner * blockPixels), blockPixels,
             [&](Value x) { emitBlock({x, blockPixels, Block::Inside}); });
    border(endInner * blockPixels, *knownOutput);
    return;
  }
  // Likewise at run time.
  Value reach = e().add(e().sub(width.input, e().index(1 + span)),
                        e().index(width.padBegin));
  Value high = e().div(e().max(e().add(reach, width.stride), e().index(0)),
                       e().index(width.stride));
  high = e().min(high, width.output);
  Value low = e().min(e().index(left), width.output);
  high = e().max(high, low);
  auto emitRange = [&](Value from, Value to, auto place, int64_t atMost) {
    if (atMost == 0)
      return;
    Value whole = from;
    if (atMost >= blockPixels) {
      whole = e().sub(to, e().rem(e().sub(to, from), e().index(blockPixels)));
      e().loop(from, whole, blockPixels,
               [&](Value x) { emitBlock({x, blockPixels, place}); });
    }
    if (std::optional<int64_t> rest = getConstantIntValue(e().sub(to, whole)))
      return *rest ? emitBlock({whole, *rest, place}) : void();
    e().loop(whole, to, 1, [&](Value x) { emitBlock({x, 1, place}); });
  };
  emitRange(e().index(0), low, Block::AtBorder, left);
  emitRange(low, high, Block::Inside, blockPixels);
  emitRange(high, width.output, Block::AtBorder, right);
}

Value DepthwiseKernel::loadBias() {
  FailureOr<Value> loaded = bias->load({e().index(0), channel}, lanes, mask);
  if (succeeded(loaded))
    return hasFloatSums ? toF32(*loaded, /*isUnsigned=*/false) : *loaded;
  status = failure();
  return e().constant(e().vector(e().b.getF32Type(), lanes), 0);
}

Value DepthwiseKernel::initial() {
  if (bias && !addsBiasLast())
    return loadBias();
  return e().constant(e().vector(e().b.getF32Type(), lanes), 0);
}

Value DepthwiseKernel::loadInput(Value y, Value x, bool mayBeOutside) {
  Value column = x;
  if (mayBeOutside)
    column = e().min(e().max(x, e().index(0)), e().sub(width.input, e().index(1)));
  Value pixel = e().add(e().mul(image, height.input), y);
  pixel = e().add(e().mul(pixel, width.input), column);
  Value start = e().add(e().mul(pixel, groups * depth), e().mul(group, depth));
  Value loaded =
      e().load(site.getInput(op.getInput()), start, vectorGroups * depth, inputMask);
  if (isInteger()) {
    loaded = toF32(loaded, op.getInput().getType().getElementType().isUnsignedInteger());
    if (int64_t zeroPoint = op.getInputZeroPoint())
      loaded = arith::SubFOp::create(e().b, e().loc, loaded,
                                     e().constant(loaded.getType(), zeroPoint));
  }
  if (!mayBeOutside)
    return loaded;
  return e().select(e().isBelow(x, width.input), loaded,
                    e().constant(loaded.getType(), 0));
}

Value DepthwiseKernel::spread(Value loaded, int64_t number) {
  if (depth == 1 && filters == 1)
    return loaded;
  SmallVector<int64_t> from;
  for (int64_t lane = 0; lane < lanes; ++lane)
    from.push_back(lane / filters * depth + number);
  return vector::ShuffleOp::create(e().b, e().loc, loaded, loaded, from);
}

Value DepthwiseKernel::loadWeight(Value kh, Value kw, int64_t number) {
  Value tap = e().add(e().mul(kh, width.kernel), kw);
  Value row = e().add(e().mul(tap, depth), number);
  return e().load(site.getInput(weights),
                  e().add(e().mul(row, groups * filters), channel), lanes, mask);
}

void DepthwiseKernel::storePixel(Value row, Value pixel, Value sum) {
  Value place = e().add(e().mul(row, width.output), pixel);
  if (addsBiasLast()) {
    sum = emitCast(e().b, e().loc, sum, e().b.getI32Type(), false, false);
    // f32 need not hold a bias.
    if (bias)
      sum = e().sum(sum, loadBias());
  }
  if (failed(epilogue.store(sum, {image, place, channel}, lanes, mask)))
    status = failure();
}

void DepthwiseKernel::emitBlock(const Block &block) {
  SmallVector<Value> sums = blockRows == 1 ? sumRow(block) : sumRows(block);
  for (int64_t row = 0; row < blockRows; ++row) {
    Value number = e().add(outputRow, row);
    auto store = [&] {
      for (int64_t pixel = 0; pixel < block.count; ++pixel)
        storePixel(number, e().add(block.first, pixel), sums[row * block.count + pixel]);
    };
    row == 0 ? store() : e().ifTrue(e().less(number, height.output), store);
  }
}

SmallVector<Value> DepthwiseKernel::sumRow(const Block &block) {
  SmallVector<Value> sums(block.count, initial());
  int64_t step = isUnrolled() ? width.kernel : kLoopTaps;
  int64_t whole = width.kernel - width.kernel % step;
  return e().loop(
      firstTapRow, endTapRow, 1, sums, [&](Value kh, ValueRange carried) {
        Value y = e().add(getWindowStart(e(), height, outputRow),
                          e().mul(kh, height.dilation));
        SmallVector<Value> next = e().loop(
            e().index(0), e().index(whole), step, SmallVector<Value>(carried),
            [&](Value kw, ValueRange sums) {
              return addTaps(block, y, TapRow{kh, 0}, kw, step, sums);
            });
        return addTaps(block, y, TapRow{kh, 0}, e().index(whole), width.kernel - whole, next);
      });
}

SmallVector<Value> DepthwiseKernel::sumRows(const Block &block) {
  SmallVector<Value> sums(blockRows * block.count, initial());
  int64_t reach = (blockRows - 1) * height.stride + (height.kernel - 1) * height.dilation;
  for (int64_t offset = 0; offset <= reach; ++offset) {
    SmallVector<TapRow> rows;
    for (int64_t row = 0; row < blockRows; ++row) {
      int64_t distance = offset - row * height.stride;
      if (distance >= 0 && distance % height.dilation == 0 &&
          distance / height.dilation < height.kernel)
        rows.push_back({e().index(distance / height.dilation), row});
    }
    if (rows.empty())
      continue;
    Value y = e().add(getWindowStart(e(), height, outputRow), offset);
    sums = e().ifElse(
        e().isBelow(y, height.input), ValueRange(sums).getTypes(),
        [&] { return addTaps(block, y, rows, e().index(0), width.kernel, sums); },
        [&] { return sums; });
  }
  return sums;
}

SmallVector<Value> DepthwiseKernel::addTaps(const Block &block, Value y,
                                            ArrayRef<TapRow> rows, Value kw, int64_t count,
                                            ValueRange carried) {
  SmallVector<Value> sums(carried);
  if (count == 0)
    return sums;
  Value left = e().add(getWindowStart(e(), width, block.first),
                       e().mul(kw, width.dilation));
  std::optional<int64_t> knownLeft;
  if (block.known)
    knownLeft = *block.known * width.stride - width.padBegin;
  // By input pixels, each loaded once, from left to right.
  int64_t reach = (block.count - 1) * width.stride + (count - 1) * width.dilation;
  SmallVector<Value> inputs(reach + 1);
  for (int64_t number = 0; number < depth; ++number) {
    SmallVector<Value> taps;
    for (const TapRow &row : rows)
      for (int64_t tap = 0; tap < count; ++tap)
        taps.push_back(loadWeight(row.kh, e().add(kw, tap), number));
    for (int64_t offset = 0; offset <= reach; ++offset) {
      if (knownLeft && (*knownLeft + offset < 0 ||
                        *knownLeft + offset >= *getConstantIntValue(width.input)))
        continue;
      Value input;
      for (int64_t tap = 0; tap < count; ++tap) {
        int64_t distance = offset - tap * width.dilation;
        if (distance < 0 || distance % width.stride ||
            distance / width.stride >= block.count)
          continue;
        if (!inputs[offset])
          inputs[offset] = loadInput(y, e().add(left, offset),
                                     block.place == Block::AtBorder && !knownLeft);
        if (!input)
          input = spread(inputs[offset], number);
        for (auto [i, row] : llvm::enumerate(rows)) {
          Value &sum = sums[row.row * block.count + distance / width.stride];
          sum = e().fma(input, taps[i * count + tap], sum);
        }
      }
    }
  }
  return sums;
}

LogicalResult nn::emitDepthwiseKernel(KernelSite &site) {
  return DepthwiseKernel(site).emit();
}
