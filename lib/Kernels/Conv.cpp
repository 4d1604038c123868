//===- Conv.cpp - kernels of dense convolutions ---------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Direct convolution of f32, channels last, with constant weights that are packed to
// groups x panels x KD x KH x KW x C x columns of a panel:
//
//   for iteration in [begin, end)        of images x pieces x groups x panels
//     for tile of output pixels in the piece of the image
//       acc[pixel][vector] = bias[columns]
//       for kd, kh, kw, c                      carries acc in registers
//         b[vector] = weights[kd, kh, kw, c, columns]
//         acc[pixel][vector] += input[pixel at kd, kh, kw; c] * b[vector]
//       result[pixel, columns] = epilogue(acc[pixel][vector])
//
// Panels are innermost, so that the input of a piece stays in the cache.
//
// A gathered tile may hold any pixels: each has its own address for a tap, that of zeros
// if it is outside the input or behind the last pixel. So one copy of the code computes
// all tiles. These addresses cost too much where an output has few products. There, tiles
// are parts of rows, whose taps are contiguous: if the width is known, rows of a padded
// input are first copied, with their padding, to a small buffer.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;

/// Bytes of input that one piece should read: less than half of a small L2 cache.
static constexpr int64_t kPieceBytes = 192 << 10;
/// Pixels of an image and of a row whose size is known only at run time.
static constexpr int64_t kAssumedPixels = 4096;
static constexpr int64_t kAssumedWidth = 64;
/// Bytes of padded rows on the stack, which should stay in the L1 cache.
static constexpr int64_t kMaxPaddedBytes = 24 << 10;
/// Iterations that suffice for threads to share the work.
static constexpr int64_t kManyIterations = 16;
/// With fewer products for an output, addresses of single pixels cost too much.
static constexpr int64_t kManyProducts = 512;
/// Instructions for an element up to which each accumulator has its own epilogue.
static constexpr int64_t kCheapEpilogue = 3;
/// Vectors in a panel.
static constexpr int64_t kPanelVectors = 2;

namespace {

/// One spatial dimension.
struct Axis {
  int64_t kernel = 1, stride = 1, dilation = 1, padBegin = 0, padEnd = 0;
  Value input, output; // sizes, in the kernel

  bool isPointwise() const { return kernel == 1 && stride == 1 && !isPadded(); }
  bool isPadded() const { return padBegin != 0 || padEnd != 0; }
  /// Elements of the input that each output reads and the one before does not.
  int64_t advance() const { return std::min(kernel, stride); }
};

/// An output pixel of a gathered tile: where its window begins on each axis.
struct Pixel {
  Value isBeforeEnd;
  SmallVector<Value> starts;
};

/// Where a tap of a pixel lies: the number of the input's row, or pixel.
struct Position {
  Value isInside, number;
};

class ConvKernel {
public:
  explicit ConvKernel(KernelSite &site) : site(site), epilogue(site) {}
  LogicalResult emit();

private:
  bool match();
  bool packWeights();
  void chooseTile();
  void choosePieces();
  void emitIteration(Value iteration);
  void emitPanel(Value panel, Value first, Value end);
  void emitPiece(Value first, Value end);
  /// Copies the input of rows [first, end) of the output, with padding.
  void padRows(Value first, Value end);
  /// Pixels [begin, end) of the image, which are in one row if there are inner tiles.
  void emitTiles(Value begin, Value end);
  void emitInnerTile(Value first, Value column, int64_t count);
  void emitGatheredTile(Value first, Value end);
  Value isInnerTile(Value first, Value end, Value column);
  SmallVector<Value> makeSums(int64_t count);
  Value outerProduct();
  /// Adds the taps from axis `number` on, for pixels at `positions`; `tap` is the number
  /// of the tap so far.
  SmallVector<Value> gatherTaps(size_t number, ArrayRef<Pixel> pixels,
                                ArrayRef<Position> positions, Value tap, ValueRange sums);
  SmallVector<Value> addInnerTaps(size_t number, Value inputRow, Value tap, Value left,
                                  ValueRange sums);
  /// sums += pixels * weights, for `depth` elements from `tap` on. `load` reads element k
  /// of a pixel.
  SmallVector<Value> multiply(Value tap, int64_t depth, ValueRange sums,
                              function_ref<Value(int64_t pixel, Value k)> load);
  void storeVector(Value sum, Value pixel, int64_t vector);
  /// Stores the tile's first `count` pixels, with one copy of the epilogue.
  void storeInLoop(ValueRange sums, Value first, Value count);

  KernelEmitter &e() { return site.getEmitter(); }
  Axis &width() { return axes.back(); }
  /// Whether pieces consist of rows of the image, not of pixels.
  bool isByRows() { return hasInnerTiles && axes.size() > 1; }
  Value maskOf(int64_t vector) { return vector + 1 == vectors ? mask : Value(); }
  /// The taps of an output's window that are inside the input: [first, second).
  std::pair<Value, Value> tapRange(const Axis &axis, Value output);

  KernelSite &site;
  EpilogueStorer epilogue;
  std::optional<PrologueLoader> bias;
  ConvOp op;
  SmallVector<Axis> axes;
  /// A single tap and no stride: all pixels of all images are one row.
  bool isFlat = false;
  bool hasInnerTiles = false;
  /// The length of a row and the number of pixels of all rows, if known.
  std::optional<int64_t> knownWidth, knownPixels;
  /// Pixels in a padded row, and how many rows there are at a time; 0 without padding.
  int64_t paddedWidth = 0, paddedRows = 0;
  int64_t rank = 0, groups = 1, channels = 0, columns = 0; // the latter two: of a group
  int64_t taps = 1, lanes = 1, panels = 1, tilePixels = 1;
  /// Pixels, or rows if there are inner tiles that are not flat.
  int64_t pieceSize = 1;
  unsigned weights = 0;
  /// The offset of `channels` zeros among the weights.
  int64_t zeros = 0;
  Value imagePixels, pieces;
  // The state of the emission.
  int64_t vectors = 1;
  Value group, column, mask, panelWeights, image;
  Array padded, buffer;
  Value firstPaddedRow;
  SmallVector<Value> outerIndices;
  LogicalResult status = success();
};

} // namespace

bool ConvKernel::match() {
  op = dyn_cast_or_null<ConvOp>(site.view.anchor);
  if (!op || site.getVectorBits() != 256 || op.getLayout() != Layout::ChannelsLast ||
      !(op.getAutoPad() == AutoPad::NotSet || op.getAutoPad() == AutoPad::Valid))
    return false;
  auto input = cast<RankedTensorType>(op.getInput().getType());
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  rank = input.getRank();
  if (!input.getElementType().isF32() || !weight.hasStaticShape())
    return false;
  groups = op.getGroup();
  channels = weight.getDimSize(1);
  columns = weight.getDimSize(0) / groups;
  if (channels == 0 || columns < 4 || input.getDimSize(rank - 1) != channels * groups ||
      !site.view.getOuter(op.getInput()) || site.view.getConstant(op.getInput()))
    return false;
  int64_t spatial = rank - 2;
  auto entry = [](ArrayRef<int64_t> list, int64_t index, int64_t otherwise) {
    return list.empty() ? otherwise : list[index];
  };
  for (int64_t i = 0; i < spatial; ++i) {
    Axis axis;
    axis.kernel = weight.getDimSize(2 + i);
    axis.stride = entry(op.getStrides(), i, 1);
    axis.dilation = entry(op.getDilations(), i, 1);
    if (op.getAutoPad() == AutoPad::NotSet) {
      axis.padBegin = entry(op.getPads(), i, 0);
      axis.padEnd = entry(op.getPads(), spatial + i, 0);
    }
    if (axis.kernel == 0 || axis.padBegin < 0 || axis.padEnd < 0)
      return false;
    taps *= axis.kernel;
    axes.push_back(axis);
  }
  isFlat = llvm::all_of(axes, [](const Axis &axis) { return axis.isPointwise(); });
  if (isFlat)
    axes.assign(1, Axis());
  return true;
}

bool ConvKernel::packWeights() {
  ElementsAttr attr = site.view.getConstant(op.getWeight());
  if (!attr)
    return false;
  FailureOr<HostTensor> original = toHostTensor(attr);
  if (failed(original))
    return false;
  lanes = site.getVectorBits() / 32;
  int64_t width = lanes * kPanelVectors;
  panels = llvm::divideCeil(columns, width);
  zeros = groups * panels * taps * channels * width;
  HostTensor packed = HostTensor::allocate(DataType::Float32, {zeros + channels});
  ArrayRef<float> from = original->get<float>();
  MutableArrayRef<float> to = packed.getMutable<float>();
  std::fill(to.begin(), to.end(), 0.0f);
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t n = 0; n < columns; ++n)
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t tap = 0; tap < taps; ++tap) {
          int64_t panel = g * panels + n / width;
          to[((panel * taps + tap) * channels + c) * width + n % width] =
              from[((g * columns + n) * channels + c) * taps + tap];
        }
  weights = site.addConstant(
      makeConstantAttr(op.getContext(), packed, Float32Type::get(op.getContext())));
  return true;
}

void ConvKernel::chooseTile() {
  knownWidth = getConstantIntValue(width().output);
  knownPixels = getConstantIntValue(imagePixels);
  // Accumulators leave room for a row of the weights and an element of the input.
  int64_t vectorsOfTile = columns <= lanes ? 1 : kPanelVectors;
  tilePixels = vectorsOfTile == 1 ? 8 : 6;
  if (groups == 1 && width().dilation == 1) {
    hasInnerTiles = taps * channels < kManyProducts || !width().isPadded();
    if (knownWidth && width().isPadded() && axes.size() == 2) {
      int64_t rows = (axes[0].kernel - 1) * axes[0].dilation + 1;
      int64_t pixels = (*knownWidth - 1) * width().stride + width().kernel;
      if (rows * pixels * channels * int64_t(sizeof(float)) <= kMaxPaddedBytes) {
        hasInnerTiles = true;
        paddedRows = rows;
        paddedWidth = pixels;
      }
    }
  }
  // The size whose tiles, the last of which may be smaller, take the least time.
  std::optional<int64_t> length = isByRows() ? knownWidth : knownPixels;
  if (!length)
    return;
  auto cost = [&](int64_t size) {
    auto ofTile = [&](int64_t count) {
      return count ? std::max(count * vectorsOfTile, kMinIndependentAccumulators) : 0;
    };
    return hasInnerTiles ? *length / size * ofTile(size) + ofTile(*length % size)
                         : llvm::divideCeil(*length, size) * ofTile(size);
  };
  for (int64_t size = tilePixels - 1; size >= tilePixels / 2; --size)
    if (cost(size) < cost(tilePixels))
      tilePixels = size;
}

/// Pieces of about the same size, of which there are enough for threads.
void ConvKernel::choosePieces() {
  int64_t bytes = channels * groups * sizeof(float);
  for (const Axis &axis : axes)
    bytes *= axis.advance();
  int64_t pixels = knownPixels.value_or(kAssumedPixels);
  int64_t unit = std::max<int64_t>(
      1, isByRows() ? knownWidth.value_or(kAssumedWidth) : tilePixels);
  int64_t units = llvm::divideCeil(pixels, unit);
  int64_t ofIterations = paddedRows ? groups : panels * groups;
  int64_t wanted =
      std::max<int64_t>({1, int64_t(llvm::divideCeil(pixels * bytes, kPieceBytes)),
                         int64_t(llvm::divideCeil(kManyIterations, ofIterations))});
  pieceSize = std::max<int64_t>(1, llvm::divideCeil(units, wanted));
  if (paddedRows) {
    int64_t rowBytes = paddedWidth * channels * sizeof(float);
    int64_t room = kMaxPaddedBytes / std::max<int64_t>(1, rowBytes) - paddedRows;
    pieceSize = std::min(pieceSize, room / axes[0].stride + 1);
    paddedRows += (pieceSize - 1) * axes[0].stride;
  }
  if (!isByRows())
    pieceSize *= unit;
}

/// The number of rows of an image.
Value ConvKernel::outerProduct() {
  Value rows = e().index(1);
  for (const Axis &axis : ArrayRef(axes).drop_back())
    rows = e().mul(rows, axis.output);
  return rows;
}

LogicalResult ConvKernel::emit() {
  if (!match())
    return failure();
  SmallVector<int64_t> ends = {rank - 1, rank};
  if (!isFlat)
    ends.insert(ends.begin(), 1);
  if (failed(epilogue.add(ends)))
    return failure();
  site.addInput(op.getInput());
  if (op.getBias()) {
    bias.emplace(site, op.getBias());
    if (failed(bias->add({rank - 1, rank}, op.getResult())))
      return failure();
  }
  if (!packWeights() || failed(site.begin("conv")))
    return failure();
  Value input = site.getInputMemref(op.getInput());
  Value output = site.getOutputMemref(0);
  Value depth = e().index(columns * groups);
  imagePixels = e().index(1);
  for (int64_t dim = isFlat ? 0 : 1; dim < rank - 1; ++dim)
    imagePixels = e().mul(imagePixels, e().size(output, dim));
  if (isFlat) {
    width().input = width().output = imagePixels;
    epilogue.setSizes({imagePixels, depth});
  } else {
    for (auto [i, axis] : llvm::enumerate(axes)) {
      axis.input = e().size(input, 1 + i);
      axis.output = e().size(output, 1 + i);
    }
    epilogue.setSizes({e().size(output, 0), imagePixels, depth});
  }
  if (bias)
    bias->setSizes({e().index(1), depth});
  chooseTile();
  choosePieces();
  pieces = e().ceilDiv(isByRows() ? outerProduct() : imagePixels, e().index(pieceSize));
  if (paddedRows)
    padded = e().array(
        e().scratch(paddedRows * paddedWidth * channels, e().b.getF32Type()));
  buffer = e().array(
      e().scratch(tilePixels * kPanelVectors * lanes, e().b.getF32Type()));
  e().loop(site.getBegin(), site.getEnd(), 1,
           [&](Value iteration) { emitIteration(iteration); });
  if (failed(status))
    return failure();

  Value units =
      site.hostResultProduct(0, isFlat ? 0 : 1, isByRows() ? rank - 2 : rank - 1);
  Value count = site.hostCeilDiv(units, pieceSize);
  int64_t ofIterations = paddedRows ? groups : panels * groups;
  count = site.hostMul(count, site.hostIndex(ofIterations));
  if (!isFlat)
    count = site.hostMul(count, site.getResultSize(0, 0));
  int64_t work = pieceSize * taps * channels * kPanelVectors;
  if (isByRows())
    work *= knownWidth.value_or(kAssumedWidth);
  if (paddedRows)
    work *= panels;
  site.finish(count, chooseGrain(work));
  return success();
}

void ConvKernel::emitIteration(Value iteration) {
  // With padded rows, an iteration computes all panels.
  int64_t ofIterations = paddedRows ? groups : panels * groups;
  Value panel = e().rem(iteration, e().index(ofIterations));
  Value piece = e().div(iteration, e().index(ofIterations));
  image = e().index(0);
  if (!isFlat) {
    image = e().div(piece, pieces);
    piece = e().rem(piece, pieces);
  }
  Value first = e().mul(piece, pieceSize);
  Value end = e().min(e().add(first, pieceSize),
                      isByRows() ? outerProduct() : imagePixels);
  if (!paddedRows)
    return emitPanel(panel, first, end);
  padRows(first, end);
  e().loop(e().index(0), e().index(panels), 1,
           [&](Value number) { emitPanel(number, first, end); });
}

void ConvKernel::emitPanel(Value panel, Value first, Value end) {
  group = e().div(panel, e().index(panels));
  int64_t width = lanes * kPanelVectors;
  panelWeights = e().mul(panel, taps * channels * width);
  panel = e().rem(panel, e().index(panels));
  column = e().add(e().mul(group, columns), e().mul(panel, width));
  auto emitColumns = [&](int64_t numColumns) {
    vectors = llvm::divideCeil(numColumns, lanes);
    mask = numColumns % lanes ? e().mask(e().index(numColumns % lanes), lanes) : Value();
    emitPiece(first, end);
  };
  int64_t last = columns - (panels - 1) * width;
  if (panels == 1 || last == width)
    emitColumns(last);
  else
    e().ifTrue(
        e().less(panel, e().index(panels - 1)), [&] { emitColumns(width); },
        [&] { emitColumns(last); });
}

void ConvKernel::emitPiece(Value first, Value end) {
  if (!isByRows())
    return emitTiles(first, end);
  e().loop(first, end, 1, [&](Value row) {
    Value begin = e().mul(row, width().output);
    emitTiles(begin, e().add(begin, width().output));
  });
}

void ConvKernel::padRows(Value first, Value end) {
  const Axis &axis = width();
  Array input = site.getInput(op.getInput());
  const Axis &rows = axes.front();
  Value top = e().sub(e().mul(first, rows.stride), e().index(rows.padBegin));
  Value last = e().sub(e().mul(e().sub(end, e().index(1)), rows.stride),
                       e().index(rows.padBegin));
  Value bottom = e().min(rows.input, e().add(last, (rows.kernel - 1) * rows.dilation + 1));
  firstPaddedRow = top;
  int64_t before = std::min(axis.padBegin, paddedWidth);
  Value taken = e().min(axis.input, e().index(paddedWidth - before));
  Value after = e().add(taken, before);
  auto fill = [&](Value from, Value pixels) {
    e().vectorLoop(e().mul(pixels, channels), lanes, 1, [&](Value position, Value rest) {
      Value zero = e().constant(e().vector(e().b.getF32Type(), lanes), 0);
      e().store(zero, padded, e().add(from, position), rest);
    });
  };
  e().loop(e().max(top, e().index(0)), bottom, 1, [&](Value y) {
    Value to = e().mul(e().sub(y, top), paddedWidth * channels);
    Value from = e().mul(e().add(e().mul(image, rows.input), y), e().mul(axis.input, channels));
    fill(to, e().index(before));
    Value start = e().add(to, before * channels);
    e().vectorLoop(e().mul(taken, channels), lanes, 4, [&](Value position, Value rest) {
      e().store(e().load(input, e().add(from, position), lanes, rest), padded,
                e().add(start, position), rest);
    });
    fill(e().add(to, e().mul(after, channels)), e().sub(e().index(paddedWidth), after));
  });
}

void ConvKernel::emitTiles(Value begin, Value end) {
  if (!hasInnerTiles)
    return e().loop(begin, end, tilePixels,
                    [&](Value first) { emitGatheredTile(first, end); });
  auto columnOf = [&](Value first) { return isByRows() ? e().sub(first, begin) : first; };
  std::optional<int64_t> known = isByRows() ? knownWidth : knownPixels;
  if (!known && !width().isPadded()) {
    Value wholeEnd = e().sub(end, e().rem(e().sub(end, begin), e().index(tilePixels)));
    e().loop(begin, wholeEnd, tilePixels, [&](Value first) {
      emitInnerTile(first, columnOf(first), tilePixels);
    });
    e().loop(wholeEnd, end, 1,
             [&](Value first) { emitInnerTile(first, columnOf(first), 1); });
    return;
  }
  if (width().isPadded() && !paddedRows)
    return e().loop(begin, end, tilePixels, [&](Value first) {
      Value column = columnOf(first);
      e().ifTrue(
          isInnerTile(first, end, column),
          [&] { emitInnerTile(first, column, tilePixels); },
          [&] { emitGatheredTile(first, end); });
    });
  // The last tile of a row, or of all pixels, may be smaller.
  int64_t rest = *known % tilePixels;
  Value wholeEnd = isByRows() ? e().add(begin, *known - rest)
                              : e().min(end, e().index(*known - rest));
  e().loop(begin, wholeEnd, tilePixels, [&](Value first) {
    emitInnerTile(first, columnOf(first), tilePixels);
  });
  if (!rest)
    return;
  auto emitRest = [&] { emitInnerTile(wholeEnd, columnOf(wholeEnd), rest); };
  if (isByRows())
    emitRest();
  else
    e().ifTrue(e().less(wholeEnd, end), emitRest);
}

/// Whether all pixels of a tile exist, and read only the input's rows.
Value ConvKernel::isInnerTile(Value first, Value end, Value column) {
  const Axis &axis = width();
  Value fits = e().less(e().add(first, tilePixels - 1), end);
  if (!axis.isPadded())
    return fits;
  Value left = e().sub(e().mul(column, axis.stride), e().index(axis.padBegin));
  Value last = e().add(left, (tilePixels - 1) * axis.stride + axis.kernel - 1);
  Value isInside = arith::AndIOp::create(e().b, e().loc, e().less(e().index(-1), left),
                                         e().less(last, axis.input));
  return arith::AndIOp::create(e().b, e().loc, fits, isInside);
}

SmallVector<Value> ConvKernel::makeSums(int64_t count) {
  Type type = e().vector(e().b.getF32Type(), lanes);
  SmallVector<Value> initials, sums;
  for (int64_t v = 0; v < vectors; ++v) {
    FailureOr<Value> initial = e().constant(type, 0);
    if (bias)
      initial = bias->load({e().index(0), e().add(column, v * lanes)}, lanes, maskOf(v));
    if (failed(initial))
      status = failure();
    initials.push_back(succeeded(initial) ? *initial : e().constant(type, 0));
  }
  for (int64_t pixel = 0; pixel < count; ++pixel)
    llvm::append_range(sums, initials);
  return sums;
}

void ConvKernel::storeVector(Value sum, Value pixel, int64_t vector) {
  SmallVector<Value> indices = {pixel, e().add(column, vector * lanes)};
  if (!isFlat)
    indices.insert(indices.begin(), image);
  if (failed(epilogue.store(sum, indices, lanes, maskOf(vector))))
    status = failure();
}

void ConvKernel::storeInLoop(ValueRange sums, Value first, Value count) {
  for (int64_t i = 0; i < int64_t(sums.size()); ++i)
    e().store(sums[i], buffer, e().index(i * lanes));
  e().loop(e().index(0), count, 1, [&](Value pixel) {
    Value at = e().mul(pixel, vectors * lanes);
    for (int64_t v = 0; v < vectors; ++v)
      storeVector(e().load(buffer, e().add(at, v * lanes), lanes), e().add(first, pixel),
                  v);
  });
}

std::pair<Value, Value> ConvKernel::tapRange(const Axis &axis, Value output) {
  // Tap k reads position + k * dilation, which must be in [0, input).
  Value position = e().sub(e().mul(output, axis.stride), e().index(axis.padBegin));
  Value step = e().index(axis.dilation);
  Value missing = e().max(e().sub(e().index(0), position), e().index(0));
  Value room = e().max(e().sub(axis.input, position), e().index(0));
  Value end = e().min(e().ceilDiv(room, step), e().index(axis.kernel));
  return {e().ceilDiv(missing, step), end};
}

//===----------------------------------------------------------------------===//
// Tiles inside a row
//===----------------------------------------------------------------------===//

void ConvKernel::emitInnerTile(Value first, Value column, int64_t count) {
  SmallVector<Value> sizes;
  for (const Axis &axis : axes)
    sizes.push_back(axis.output);
  outerIndices = e().delinearize(first, sizes);
  // Padded rows begin with the padding.
  Value left = e().mul(column, width().stride);
  if (!paddedRows)
    left = e().sub(left, e().index(width().padBegin));
  SmallVector<Value> sums = addInnerTaps(0, paddedRows ? e().index(0) : image,
                                         e().index(0), left, makeSums(count));
  if (site.view.estimateCost(site.view.results) > kCheapEpilogue)
    return storeInLoop(sums, first, e().index(count));
  for (int64_t pixel = 0; pixel < count; ++pixel)
    for (int64_t v = 0; v < vectors; ++v)
      storeVector(sums[pixel * vectors + v], e().add(first, pixel), v);
}

SmallVector<Value> ConvKernel::addInnerTaps(size_t number, Value inputRow, Value tap,
                                            Value left, ValueRange sums) {
  const Axis &axis = axes[number];
  tap = e().mul(tap, axis.kernel);
  if (number + 1 == axes.size()) {
    // Taps of a row follow each other, as do the channels of a tap: one loop.
    Array source = paddedRows ? padded : site.getInput(op.getInput());
    Value row = e().mul(inputRow, paddedRows ? e().index(paddedWidth) : axis.input);
    Value start = e().mul(e().add(row, left), channels);
    return multiply(tap, axis.kernel * channels, sums, [&](int64_t pixel, Value k) {
      return e().loadSplat(
          source, e().add(e().add(start, k), pixel * axis.stride * channels), lanes);
    });
  }
  std::pair<Value, Value> range = tapRange(axis, outerIndices[number]);
  Value position =
      e().sub(e().mul(outerIndices[number], axis.stride), e().index(axis.padBegin));
  return e().loop(range.first, range.second, 1, SmallVector<Value>(sums),
                  [&](Value k, ValueRange carried) {
                    Value y = e().add(position, e().mul(k, axis.dilation));
                    Value row = paddedRows
                                    ? e().sub(y, firstPaddedRow)
                                    : e().add(e().mul(inputRow, axis.input), y);
                    return addInnerTaps(number + 1, row, e().add(tap, k), left, carried);
                  });
}

//===----------------------------------------------------------------------===//
// Gathered tiles
//===----------------------------------------------------------------------===//

void ConvKernel::emitGatheredTile(Value first, Value end) {
  SmallVector<Value> sizes;
  for (const Axis &axis : axes)
    sizes.push_back(axis.output);
  SmallVector<Pixel> pixels(tilePixels);
  for (auto [i, pixel] : llvm::enumerate(pixels)) {
    Value number = e().add(first, i);
    pixel.isBeforeEnd = e().less(number, end);
    for (auto [axis, index] : llvm::zip(axes, e().delinearize(number, sizes)))
      pixel.starts.push_back(
          e().sub(e().mul(index, axis.stride), e().index(axis.padBegin)));
  }
  SmallVector<Position> positions;
  for (Pixel &pixel : pixels)
    positions.push_back({pixel.isBeforeEnd, image});
  // Indices on the first axis grow from pixel to pixel.
  outerIndices = e().delinearize(first, sizes);
  Value last = e().min(e().add(first, tilePixels - 1), e().sub(end, e().index(1)));
  outerIndices.push_back(e().delinearize(last, sizes).front());
  SmallVector<Value> sums = gatherTaps(0, pixels, positions, e().index(0), makeSums(tilePixels));

  storeInLoop(sums, first, e().min(e().sub(end, first), e().index(tilePixels)));
}

SmallVector<Value> ConvKernel::gatherTaps(size_t number, ArrayRef<Pixel> pixels,
                                          ArrayRef<Position> positions, Value tap,
                                          ValueRange sums) {
  if (number == axes.size()) {
    Array input = site.getInput(op.getInput());
    Value outside = e().address(site.getInput(weights), e().index(zeros));
    Value ownChannel = e().mul(group, channels);
    SmallVector<Value> pointers;
    for (const Position &position : positions) {
      Value offset = e().add(e().mul(position.number, channels * groups), ownChannel);
      pointers.push_back(e().pointer(
          e().select(position.isInside, e().address(input, offset), outside)));
    }
    return multiply(tap, channels, sums, [&](int64_t pixel, Value k) {
      return e().broadcast(e().load(pointers[pixel], e().b.getF32Type(), k), lanes);
    });
  }
  const Axis &axis = axes[number];
  Value low = e().index(0), high = e().index(axis.kernel);
  if (number == 0 && axes.size() > 1 && axis.isPadded()) {
    // Taps that some pixel of the tile has.
    low = tapRange(axis, outerIndices.back()).first;
    high = tapRange(axis, outerIndices.front()).second;
  }
  return e().loop(
      low, high, 1, SmallVector<Value>(sums), [&](Value k, ValueRange carried) {
        SmallVector<Position> next;
        for (auto [pixel, position] : llvm::zip(pixels, positions)) {
          Value at = e().add(pixel.starts[number], e().mul(k, axis.dilation));
          Value isInside = position.isInside;
          if (axis.isPadded())
            isInside = arith::AndIOp::create(e().b, e().loc, isInside,
                                             e().isBelow(at, axis.input));
          next.push_back({isInside, e().add(e().mul(position.number, axis.input), at)});
        }
        return gatherTaps(number + 1, pixels, next, e().add(e().mul(tap, axis.kernel), k),
                          carried);
      });
}

SmallVector<Value> ConvKernel::multiply(Value tap, int64_t depth, ValueRange sums,
                                        function_ref<Value(int64_t, Value)> load) {
  int64_t width = lanes * kPanelVectors, accumulators = sums.size();
  Value start = e().add(panelWeights, e().mul(tap, channels * width));
  auto step = [&](Value k, MutableArrayRef<Value> sums) {
    Value row = e().add(start, e().mul(k, width));
    SmallVector<Value> b;
    for (int64_t v = 0; v < vectors; ++v)
      b.push_back(e().load(site.getInput(weights), e().add(row, v * lanes), lanes));
    for (int64_t pixel = 0; pixel < accumulators / vectors; ++pixel) {
      Value a = load(pixel, k);
      for (int64_t v = 0; v < vectors; ++v) {
        Value &sum = sums[pixel * vectors + v];
        sum = e().fma(a, b[v], sum);
      }
    }
  };
  // A tile with few accumulators has several sets of them.
  int64_t sets = 1;
  while (sets * accumulators < kMinIndependentAccumulators && sets * 4 <= depth)
    sets *= 2;
  int64_t whole = depth - depth % sets;
  SmallVector<Value> all(sums);
  all.resize(sets * accumulators, e().constant(sums.front().getType(), 0));
  all = e().loop(e().index(0), e().index(whole), sets, all,
                 [&](Value k, ValueRange carried) {
                   SmallVector<Value> next(carried);
                   for (int64_t set = 0; set < sets; ++set)
                     step(e().add(k, set), MutableArrayRef(next).slice(
                                               set * accumulators, accumulators));
                   return next;
                 });
  for (int64_t k = whole; k < depth; ++k)
    step(e().index(k), MutableArrayRef(all).take_front(accumulators));
  for (int64_t half = sets / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half * accumulators; ++i)
      all[i] = arith::AddFOp::create(e().b, e().loc, all[i], all[i + half * accumulators]);
  all.truncate(accumulators);
  return all;
}

LogicalResult nn::emitConvKernel(KernelSite &site) { return ConvKernel(site).emit(); }
