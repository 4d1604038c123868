//===- DepthwiseConv.cpp - kernels of depthwise convolutions --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Channels last, one filter per channel, constant weights repacked to KH x KW x C:
//
//   for row in [begin, end)                       of N x OH
//     for c in vectors of the channels
//       for block of output pixels in the row
//         acc[pixel] = bias[c]
//         for kh whose input row exists           the only loop with carried values
//           for each input pixel under the block: load it once, and
//             acc[pixel] += input * weight[kh, kw, c] for all pixels it is under
//         result[pixel, c] = epilogue(acc[pixel])
//
// Blocks at the left and right border skip taps outside the input. If the width is
// known, this is decided when the code is emitted; otherwise border pixels are computed
// one by one with loops over kw.
//
// 8-bit integers are multiplied and added in f32, which is exact for the few products
// of a window, and converted to the i32 that the epilogue expects.
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

namespace {

class DepthwiseKernel {
public:
  explicit DepthwiseKernel(KernelSite &site) : site(site), epilogue(site) {}
  LogicalResult emit();

private:
  bool match();
  bool repackWeights();
  void emitRow(Value row);
  void emitChannels(Value channel, Value mask);
  /// Pixels [first, first + count) of the row. `knownFirst` is set for blocks at a
  /// border, where taps outside the input are skipped. Other blocks have no such taps.
  void emitBlock(Value first, std::optional<int64_t> knownFirst, int64_t count);
  /// One pixel anywhere, with a loop over the taps that exist.
  void emitBorderPixel(Value pixel);
  void storePixel(Value pixel, Value sum);
  Value loadInput(Value y, Value x);
  Value loadWeight(Value kh, Value kw);
  Value initial();

  KernelEmitter &e() { return site.getEmitter(); }
  bool isInteger() { return op.getType().getElementType().isInteger(32); }
  /// `value`, a vector of numbers, as f32.
  Value toF32(Value value, bool isUnsigned) {
    return emitCast(e().b, e().loc, value, e().b.getF32Type(), isUnsigned, false);
  }

  KernelSite &site;
  EpilogueStorer epilogue;
  ConvOp op;
  WindowAxis height, width;
  int64_t channels = 0, lanes = 0, blockPixels = 8;
  int64_t rank = 0; // 3 (one spatial dimension) or 4
  unsigned weights = 0;
  std::optional<PrologueLoader> bias;
  // The state of the emission.
  Value image, outputRow, firstTapRow, endTapRow, channel, mask;
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
      !weight.hasStaticShape() || weight.getDimSize(1) != 1 ||
      weight.getDimSize(0) != op.getGroup())
    return false;
  channels = weight.getDimSize(0);
  // With a single channel a vector would hold one element.
  if (channels < 4 || input.getDimSize(rank - 1) != channels ||
      !site.view.getOuter(op.getInput()) || site.view.getConstant(op.getInput()))
    return false;
  FailureOr<SmallVector<WindowAxis>> axes = getWindowAxes(op);
  if (failed(axes))
    return false;
  width = axes->back();
  if (axes->size() == 2)
    height = axes->front();
  // Beyond this limit, sums of integers are not exact in f32.
  if (isInteger() && height.kernel * width.kernel > 256)
    return false;
  // Code grows with the taps of a row.
  return width.kernel <= 11;
}

bool DepthwiseKernel::repackWeights() {
  ElementsAttr attr = site.view.getConstant(op.getWeight());
  if (!attr)
    return false;
  FailureOr<HostTensor> original = toHostTensor(attr);
  if (failed(original))
    return false;
  int64_t taps = height.kernel * width.kernel;
  HostTensor packed = HostTensor::allocate(
      DataType::Float32, {height.kernel, width.kernel, channels});
  MutableArrayRef<float> to = packed.getMutable<float>();
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t tap = 0; tap < taps; ++tap)
      to[tap * channels + c] = original->getDouble(c * taps + tap);
  weights = site.addConstant(
      makeConstantAttr(op.getContext(), packed, Float32Type::get(op.getContext())));
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
  lanes = e().getLanes();
  // AVX2 has half as many registers.
  blockPixels = site.getEmitter().vectorBits == 512 ? 8 : 6;
  Value input = site.getInputMemref(op.getInput());
  Value output = site.getOutputMemref(0);
  height.input = rank == 4 ? e().size(input, 1) : e().index(1);
  height.output = rank == 4 ? e().size(output, 1) : e().index(1);
  width.input = e().size(input, rank - 2);
  width.output = e().size(output, rank - 2);
  Value depth = e().index(channels);
  epilogue.setSizes({e().size(output, 0), e().mul(height.output, width.output), depth});
  if (bias)
    bias->setSizes({e().index(1), depth});

  e().loop(site.getBegin(), site.getEnd(), 1, [&](Value row) { emitRow(row); });
  if (failed(status))
    return failure();
  std::optional<int64_t> columns = getConstantIntValue(width.output);
  site.finish(site.hostResultProduct(0, 0, rank - 2),
              chooseGrain(columns.value_or(64) * channels * height.kernel *
                              width.kernel / lanes,
                          4096));
  return success();
}

void DepthwiseKernel::emitRow(Value row) {
  Value safe = e().max(height.output, e().index(1));
  image = e().div(row, safe);
  outputRow = e().rem(row, safe);
  std::tie(firstTapRow, endTapRow) = getTapRange(e(), height, outputRow);
  e().vectorLoop(e().index(channels), lanes, 1,
                 [&](Value position, Value lastMask) {
                   emitChannels(position, lastMask);
                 });
}

void DepthwiseKernel::emitChannels(Value at, Value lastMask) {
  channel = at;
  mask = lastMask;
  std::optional<int64_t> knownInput = getConstantIntValue(width.input),
                         knownOutput = getConstantIntValue(width.output);
  int64_t span = (width.kernel - 1) * width.dilation;
  if (knownInput && knownOutput) {
    // Output pixels [low, high) have all their taps.
    int64_t low = llvm::divideCeil(width.padBegin, width.stride);
    int64_t reach = *knownInput - 1 - span + width.padBegin;
    int64_t high = reach < 0 ? 0 : reach / width.stride + 1;
    high = std::min(high, *knownOutput);
    // Whole blocks between the borders are a loop.
    int64_t firstInner = llvm::divideCeil(low, blockPixels);
    int64_t endInner = std::max(firstInner, high / blockPixels);
    if (endInner - firstInner < 2)
      endInner = firstInner = 0;
    auto border = [&](int64_t from, int64_t to) {
      for (int64_t x = from; x < to; x += blockPixels)
        emitBlock(e().index(x), x, std::min(blockPixels, to - x));
    };
    border(0, firstInner * blockPixels);
    e().loop(e().index(firstInner * blockPixels),
             e().index(endInner * blockPixels), blockPixels,
             [&](Value x) { emitBlock(x, std::nullopt, blockPixels); });
    border(endInner * blockPixels, *knownOutput);
    return;
  }
  // Likewise at run time.
  Value reach = e().add(e().sub(width.input, e().index(1 + span)),
                        e().index(width.padBegin));
  Value high = e().div(e().max(e().add(reach, width.stride), e().index(0)),
                       e().index(width.stride));
  high = e().min(high, width.output);
  Value low = e().min(
      e().index(llvm::divideCeil(width.padBegin, width.stride)), width.output);
  high = e().max(high, low);
  e().loop(e().index(0), low, 1, [&](Value x) { emitBorderPixel(x); });
  Value inside = e().sub(high, low);
  Value whole = e().sub(high, e().rem(inside, e().index(blockPixels)));
  e().loop(low, whole, blockPixels,
           [&](Value x) { emitBlock(x, std::nullopt, blockPixels); });
  e().loop(whole, high, 1, [&](Value x) { emitBlock(x, std::nullopt, 1); });
  e().loop(high, width.output, 1, [&](Value x) { emitBorderPixel(x); });
}

Value DepthwiseKernel::initial() {
  Type vector = e().vector(e().b.getF32Type(), lanes);
  if (!bias)
    return e().constant(vector, 0);
  FailureOr<Value> loaded = bias->load({e().index(0), channel}, lanes, mask);
  if (succeeded(loaded))
    return isInteger() ? toF32(*loaded, /*isUnsigned=*/false) : *loaded;
  status = failure();
  return e().constant(vector, 0);
}

Value DepthwiseKernel::loadInput(Value y, Value x) {
  Value pixel = e().add(e().mul(image, height.input), y);
  pixel = e().add(e().mul(pixel, width.input), x);
  Value loaded = e().load(site.getInput(op.getInput()),
                          e().add(e().mul(pixel, channels), channel), lanes, mask);
  if (!isInteger())
    return loaded;
  loaded = toF32(loaded, op.getInput().getType().getElementType().isUnsignedInteger());
  if (op.getInputZeroPoint() == 0)
    return loaded;
  Value zero = e().constant(loaded.getType(), op.getInputZeroPoint());
  return arith::SubFOp::create(e().b, e().loc, loaded, zero);
}

Value DepthwiseKernel::loadWeight(Value kh, Value kw) {
  Value tap = e().add(e().mul(kh, width.kernel), kw);
  return e().load(site.getInput(weights),
                  e().add(e().mul(tap, channels), channel), lanes, mask);
}

void DepthwiseKernel::storePixel(Value pixel, Value sum) {
  Value place = e().add(e().mul(outputRow, width.output), pixel);
  if (isInteger())
    sum = emitCast(e().b, e().loc, sum, e().b.getI32Type(), false, false);
  if (failed(epilogue.store(sum, {image, place, channel}, lanes, mask)))
    status = failure();
}

void DepthwiseKernel::emitBlock(Value first, std::optional<int64_t> knownFirst,
                                int64_t count) {
  SmallVector<Value> sums(count, initial());
  Value top = e().sub(e().mul(outputRow, height.stride),
                      e().index(height.padBegin));
  Value left = e().sub(e().mul(first, width.stride), e().index(width.padBegin));
  std::optional<int64_t> inputWidth = getConstantIntValue(width.input);
  sums = e().loop(
      firstTapRow, endTapRow, 1, sums, [&](Value kh, ValueRange carried) {
        SmallVector<Value> next(carried);
        Value y = e().add(top, e().mul(kh, height.dilation));
        SmallVector<Value> taps;
        for (int64_t kw = 0; kw < width.kernel; ++kw)
          taps.push_back(loadWeight(kh, e().index(kw)));
        // By input pixels, each loaded once, from left to right.
        int64_t reach = (count - 1) * width.stride +
                        (width.kernel - 1) * width.dilation;
        for (int64_t offset = 0; offset <= reach; ++offset) {
          if (knownFirst) {
            int64_t x =
                *knownFirst * width.stride - width.padBegin + offset;
            if (x < 0 || x >= *inputWidth)
              continue;
          }
          Value loaded;
          for (int64_t kw = 0; kw < width.kernel; ++kw) {
            int64_t distance = offset - kw * width.dilation;
            if (distance < 0 || distance % width.stride ||
                distance / width.stride >= count)
              continue;
            if (!loaded)
              loaded = loadInput(y, e().add(left, offset));
            Value &sum = next[distance / width.stride];
            sum = e().fma(loaded, taps[kw], sum);
          }
        }
        return next;
      });
  for (int64_t pixel = 0; pixel < count; ++pixel)
    storePixel(e().add(first, pixel), sums[pixel]);
}

void DepthwiseKernel::emitBorderPixel(Value pixel) {
  std::pair<Value, Value> taps = getTapRange(e(), width, pixel);
  Value top = e().sub(e().mul(outputRow, height.stride),
                      e().index(height.padBegin));
  Value left = e().sub(e().mul(pixel, width.stride), e().index(width.padBegin));
  SmallVector<Value> sum = e().loop(
      firstTapRow, endTapRow, 1, {initial()}, [&](Value kh, ValueRange rows) {
        Value y = e().add(top, e().mul(kh, height.dilation));
        return e().loop(taps.first, taps.second, 1, {rows[0]}, [&](Value kw, ValueRange sums) {
          Value x = e().add(left, e().mul(kw, width.dilation));
          return SmallVector<Value>{
              e().fma(loadInput(y, x), loadWeight(kh, kw), sums[0])};
        });
      });
  storePixel(pixel, sum[0]);
}

LogicalResult nn::emitDepthwiseKernel(KernelSite &site) {
  return DepthwiseKernel(site).emit();
}
