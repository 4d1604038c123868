//===- Contraction.cpp - kernels of convolutions and matrix products ------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Direct convolution, channels last, with constant weights that are packed to groups x
// panels x KD x KH x KW x C x columns of a panel. A matrix product is one with a single
// tap, whose pixels are the rows of the lhs:
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
// Tiles are parts of a row where they can: the taps of a row follow each other in memory,
// as do the channels of a tap, so kw and c are one loop. Rows of a padded input are first
// copied, with their padding, to a small buffer. An iteration then computes all panels.
//
// A gathered tile may hold any pixels: each has its own address for a tap, that of zeros
// if it is outside the input or behind the last pixel. This serves groups, dilated rows,
// volumes, and rows too large to be copied, where the many products of an output make up
// for the addresses.
//
// 8-bit integers are copied as 16 bits, less the zero point, and weights are widened when
// they are loaded. vpmaddwd multiplies and adds two at a time, which is exact; two pairs
// take as long as one product of floats.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Conversion/ElementwiseToArith.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"
#include "nn/Kernels/WindowAxes.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;

/// Bytes of input that one piece should read: what an L2 cache holds.
static constexpr int64_t kPieceBytes = 384 << 10;
/// Bytes of copied rows, on the stack: of floats, for which gathered tiles are the other
/// way, and of integers.
static constexpr int64_t kCopiedFloats = 24 << 10, kCopiedIntegers = 64 << 10;
/// Sizes known only at run time are assumed to be this.
static constexpr int64_t kAssumedRows = 64, kAssumedWidth = 64;
/// Iterations that suffice for threads to share the work.
static constexpr int64_t kManyIterations = 16;
/// Instructions for an element up to which each accumulator has its own epilogue.
static constexpr int64_t kCheapEpilogue = 3;
/// Vectors in a panel.
static constexpr int64_t kPanelVectors = 2;

namespace {

/// An output pixel of a gathered tile: where its window begins on each axis.
struct Pixel {
  Value isBeforeEnd;
  SmallVector<Value> starts;
};

/// Where a tap of a pixel lies: the number of the input's row, or pixel.
struct Position {
  Value isInside, number;
};

class ContractionKernel {
public:
  explicit ContractionKernel(KernelSite &site) : site(site), epilogue(site) {}
  LogicalResult emit();

private:
  bool match();
  bool matchConv(ConvOp op);
  bool matchMatMul(MatMulOp op);
  bool packWeights();
  void chooseTile();
  void choosePieces();
  void emitIteration(Value iteration);
  /// `emitPiece` for one panel, in the state of the emission.
  void emitPanel(Value panel, function_ref<void()> emitPiece);

  void copyRows(Value firstRow, Value endRow, Value firstColumn);
  Value convertInput(Value loaded);
  Value widen(Value loaded, Value tensor);
  void emitRow(Value row, Value firstColumn, Value endColumn);
  /// `count` pixels of a row; the first `stored` are stored.
  void emitInnerTile(Value row, Value column, int64_t count, Value stored);
  void emitGatheredTile(Value first, Value end);
  /// Adds the taps from axis `number` on, for pixels at `positions`; `tap` is the number
  /// of the tap so far.
  SmallVector<Value> gatherTaps(size_t number, ArrayRef<Pixel> pixels,
                                ArrayRef<Position> positions, Value tap, ValueRange sums);

  /// What the accumulators of `count` pixels begin with.
  SmallVector<Value> makeSums(int64_t count);
  /// sums += pixels * weights, for `depth` steps from `start` on. `load` reads step k of a
  /// pixel.
  SmallVector<Value> multiply(Value start, int64_t depth, ValueRange sums,
                              function_ref<Value(int64_t pixel, Value k)> load);
  Value multiplyAdd(Value a, Value b, Value sum);
  void storeTile(ValueRange sums, Value first, int64_t count, Value stored);
  void storeVector(Value sum, Value pixel, int64_t vector);

  KernelEmitter &e() { return site.getEmitter(); }
  WindowAxis &height() { return axes[axes.size() - 2]; }
  WindowAxis &width() { return axes.back(); }
  Value maskOf(int64_t vector) { return vector + 1 == vectors ? mask : Value(); }
  Value both(Value lhs, Value rhs) {
    return arith::AndIOp::create(e().b, e().loc, lhs, rhs);
  }
  /// Panels that are iterations of their own.
  int64_t sharedPanels() const { return isCopied ? 1 : panels * groups; }
  /// Pixels of the input that may be copied at a time.
  int64_t copiedRoom() const {
    return isInteger ? kCopiedIntegers / (channels * int64_t(sizeof(int16_t)))
                     : kCopiedFloats / (channels * int64_t(sizeof(float)));
  }
  Type sumType() { return isInteger ? Type(e().b.getI32Type()) : e().b.getF32Type(); }

  KernelSite &site;
  EpilogueStorer epilogue;
  std::optional<PrologueLoader> bias;
  ConvOp conv; // null: a matrix product
  Value input, weight, result;
  bool isTransposed = false; // weights of a product: columns x depth
  /// Those of the window, and before them a height of 1 if it has only a width.
  SmallVector<WindowAxis> axes;
  int64_t rank = 0, groups = 1, channels = 0, columns = 0; // the latter two: of a group
  bool isInteger = false;
  /// A single tap and no stride: all pixels of all images are one row.
  bool isFlat = false;
  bool isGathered = false, isCopied = false;
  int64_t taps = 1, lanes = 1, panels = 1, tilePixels = 1;
  /// Steps of a row of taps: elements, or pairs of integers.
  int64_t rowSteps = 1;
  int64_t pieceRows = 1, pieceColumns = 1, piecePixels = 1; // the latter: gathered
  /// The length of a row and the number of pixels, if known.
  std::optional<int64_t> knownWidth, knownPixels;
  unsigned weights = 0;
  /// The offset of `channels` zeros among the weights.
  int64_t zeros = 0;
  Value imagePixels;
  // The state of the emission.
  int64_t vectors = 1;
  Value group, column, mask, panelSteps, image;
  Array copied, buffer;
  Value firstCopiedRow, firstCopiedColumn;
  LogicalResult status = success();
};

} // namespace

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

bool ContractionKernel::matchConv(ConvOp op) {
  conv = op;
  input = op.getInput();
  weight = op.getWeight();
  auto type = cast<RankedTensorType>(weight.getType());
  if (op.getLayout() != Layout::ChannelsLast || !type.hasStaticShape())
    return false;
  groups = op.getGroup();
  channels = type.getDimSize(1);
  columns = type.getDimSize(0) / groups;
  FailureOr<SmallVector<WindowAxis>> window = getWindowAxes(op);
  if (failed(window))
    return false;
  axes = std::move(*window);
  for (const WindowAxis &axis : axes)
    taps *= axis.kernel;
  return taps != 0;
}

bool ContractionKernel::matchMatMul(MatMulOp op) {
  input = op.getLhs();
  weight = op.getRhs();
  auto type = cast<RankedTensorType>(weight.getType());
  if (op.getTransposeLhs() || type.getRank() != 2 || !type.hasStaticShape() ||
      cast<RankedTensorType>(input.getType()).getRank() < 2)
    return false;
  isTransposed = op.getTransposeRhs();
  channels = type.getDimSize(isTransposed ? 1 : 0);
  columns = type.getDimSize(isTransposed ? 0 : 1);
  axes.push_back(WindowAxis());
  return true;
}

bool ContractionKernel::match() {
  Operation *op = site.view.anchor;
  if (!op || site.getVectorBits() != 256 || !isa<ConvOp, MatMulOp>(op))
    return false;
  if (auto product = dyn_cast<MatMulOp>(op); product ? !matchMatMul(product)
                                                     : !matchConv(cast<ConvOp>(op)))
    return false;
  result = op->getResult(0);
  auto type = cast<RankedTensorType>(input.getType());
  rank = type.getRank();
  isInteger = type.getElementType().isInteger(8);
  if (!(isInteger || type.getElementType().isF32()) || channels == 0 || columns < 4 ||
      type.getDimSize(rank - 1) != channels * groups || !site.view.getOuter(input) ||
      site.view.getConstant(input))
    return false;
  isFlat = llvm::all_of(axes, [](const WindowAxis &axis) { return axis.isPointwise(); });
  if (isFlat)
    axes.assign(1, WindowAxis());
  if (axes.size() == 1)
    axes.insert(axes.begin(), WindowAxis());

  tilePixels = columns <= site.getVectorBits() / 32 ? 8 : 6;
  int64_t steps = width().kernel * channels;
  rowSteps = isInteger ? llvm::divideCeil(steps, 2) : steps;
  // Whether the rows under a tile can be copied.
  bool fits = height().reach(1) * width().reach(tilePixels) <= copiedRoom();
  isGathered = groups != 1 || width().dilation != 1 || axes.size() > 2 ||
               (width().isPadded() && !fits);
  isCopied = !isGathered && (width().isPadded() || isInteger);
  return !isInteger || (isCopied && fits);
}

bool ContractionKernel::packWeights() {
  ElementsAttr attr = site.view.getConstant(weight);
  if (!attr)
    return false;
  FailureOr<HostTensor> original = toHostTensor(attr);
  if (failed(original))
    return false;
  lanes = site.getVectorBits() / 32;
  int64_t width = lanes * kPanelVectors;
  panels = llvm::divideCeil(columns, width);
  int64_t rows = taps / this->width().kernel, pairs = isInteger ? 2 : 1;
  int64_t rowElements = rowSteps * pairs;
  zeros = groups * panels * rows * rowElements * width;
  bool isUnsigned = getElementTypeOrSelf(weight.getType()).isUnsignedInteger();
  DataType type = !isInteger   ? DataType::Float32
                  : isUnsigned ? DataType::UInt8
                               : DataType::Int8;
  HostTensor packed = HostTensor::allocate(type, {zeros + channels});
  auto pack = [&](auto from, auto to) {
    std::fill(to.begin(), to.end(), 0);
    for (int64_t g = 0; g < groups; ++g)
      for (int64_t n = 0; n < columns; ++n)
        for (int64_t c = 0; c < channels; ++c)
          for (int64_t tap = 0; tap < taps; ++tap) {
            int64_t panel = g * panels + n / width;
            int64_t row = tap / this->width().kernel;
            int64_t k = tap % this->width().kernel * channels + c;
            int64_t step = (panel * rows + row) * rowSteps + k / pairs;
            to[(step * width + n % width) * pairs + k % pairs] =
                from(conv           ? ((g * columns + n) * channels + c) * taps + tap
                     : isTransposed ? n * channels + c
                                    : c * columns + n);
          }
  };
  auto copy = [&](auto zero) {
    using T = decltype(zero);
    pack([from = original->get<T>()](int64_t i) { return from[i]; },
         packed.getMutable<T>());
  };
  if (!isInteger)
    copy(0.0f);
  else if (isUnsigned)
    copy(uint8_t(0));
  else
    copy(int8_t(0));
  weights = site.addConstant(makeConstantAttr(
      result.getContext(), packed,
      getSignlessType(getElementTypeOrSelf(weight.getType()))));
  return true;
}

/// The number of pixels whose tiles, the last of which may be smaller, take the least
/// time. Accumulators leave room for a row of the weights and an element of the input.
void ContractionKernel::chooseTile() {
  knownWidth = getConstantIntValue(width().output);
  knownPixels = getConstantIntValue(imagePixels);
  std::optional<int64_t> length = isGathered ? knownPixels : knownWidth;
  if (!length)
    return;
  int64_t vectorsOfTile = columns <= lanes ? 1 : kPanelVectors;
  auto cost = [&](int64_t size) {
    auto ofTile = [&](int64_t count) {
      return count ? std::max(count * vectorsOfTile, kMinIndependentAccumulators) : 0;
    };
    return isGathered ? int64_t(llvm::divideCeil(*length, size)) * ofTile(size)
                      : *length / size * ofTile(size) + ofTile(*length % size);
  };
  int64_t largest = tilePixels;
  for (int64_t size = largest - 1; size >= largest / 2; --size)
    if (cost(size) < cost(tilePixels))
      tilePixels = size;
}

/// Pieces of about the same size, of which there are enough for threads.
void ContractionKernel::choosePieces() {
  auto split = [](int64_t length, int64_t most, int64_t unit) {
    length = std::max<int64_t>(length, 1);
    int64_t parts = llvm::divideCeil(length, std::max(most, unit));
    int64_t part = llvm::divideCeil(length, parts);
    return int64_t(llvm::divideCeil(part, unit)) * unit;
  };
  int64_t bytes = channels * groups * sizeof(float);
  for (const WindowAxis &axis : axes)
    bytes *= axis.advance();
  int64_t most = std::max<int64_t>(1, kPieceBytes / bytes);
  int64_t parts = llvm::divideCeil(kManyIterations, sharedPanels());
  if (isGathered) {
    int64_t pixels = knownPixels.value_or(kAssumedRows * kAssumedWidth);
    most = std::min<int64_t>(most, llvm::divideCeil(pixels, parts));
    piecePixels = split(pixels, most, tilePixels);
    return;
  }
  int64_t length = knownWidth.value_or(isFlat ? kAssumedRows * kAssumedWidth
                                               : kAssumedWidth);
  int64_t rows = getConstantIntValue(height().output).value_or(kAssumedRows);
  int64_t mostColumns = most;
  if (rows == 1)
    mostColumns = std::min<int64_t>(most, llvm::divideCeil(length, parts));
  // Rows that are computed as a whole end where the last tile does.
  auto chooseColumns = [&](int64_t most) {
    int64_t part = split(length, most, tilePixels);
    return knownWidth && part >= *knownWidth ? std::max<int64_t>(*knownWidth, 1) : part;
  };
  auto chooseRows = [&](int64_t most) {
    return split(rows, std::min<int64_t>(most, llvm::divideCeil(rows, parts)), 1);
  };
  if (!isCopied) {
    pieceColumns = chooseColumns(mostColumns);
    pieceRows = chooseRows(std::max<int64_t>(1, most / pieceColumns));
    return;
  }
  // Neighbouring pieces copy some of the same pixels: the fewest are copied in pieces that
  // are about as high as wide.
  std::optional<double> fewest;
  for (int64_t columns = tilePixels;; columns += tilePixels) {
    int64_t width = chooseColumns(std::min(columns, mostColumns));
    int64_t reach = copiedRoom() / this->width().reach(width);
    int64_t fitting = (reach - height().reach(1)) / height().stride + 1;
    if (fewest && reach < height().reach(1))
      return;
    int64_t piece = chooseRows(std::max<int64_t>(
        1, std::min<int64_t>(fitting, llvm::divideCeil(most, width))));
    double copies = double(height().reach(piece) * this->width().reach(width)) *
                    llvm::divideCeil(rows, piece) * llvm::divideCeil(length, width);
    if (!fewest || copies <= *fewest)
      std::tie(fewest, pieceColumns, pieceRows) = std::tuple(copies, width, piece);
    if (columns >= std::min(length, mostColumns))
      return;
  }
}

LogicalResult ContractionKernel::emit() {
  if (!match())
    return failure();
  SmallVector<int64_t> ends = {rank - 1, rank};
  if (!isFlat)
    ends.insert(ends.begin(), 1);
  if (failed(epilogue.add(ends)))
    return failure();
  site.addInput(input);
  if (conv && conv.getBias()) {
    bias.emplace(site, conv.getBias());
    if (failed(bias->add({rank - 1, rank}, result)))
      return failure();
  }
  if (!packWeights() || failed(site.begin(conv ? "packed_conv" : "packed_matmul")))
    return failure();
  Value source = site.getInputMemref(input);
  Value output = site.getOutputMemref(0);
  Value depth = e().index(columns * groups), one = e().index(1);
  imagePixels = one;
  for (int64_t dim = isFlat ? 0 : 1; dim < rank - 1; ++dim)
    imagePixels = e().mul(imagePixels, e().size(output, dim));
  height().input = height().output = one;
  if (isFlat) {
    width().input = width().output = imagePixels;
    epilogue.setSizes({imagePixels, depth});
  } else {
    for (int64_t i = 0; i < rank - 2; ++i) {
      WindowAxis &axis = axes[axes.size() - (rank - 2) + i];
      axis.input = e().size(source, 1 + i);
      axis.output = e().size(output, 1 + i);
    }
    epilogue.setSizes({e().size(output, 0), imagePixels, depth});
  }
  if (bias)
    bias->setSizes({one, depth});
  chooseTile();
  choosePieces();
  if (isCopied) {
    // Tiles may reach behind a row, and a pair behind its last element.
    int64_t pixels = height().reach(pieceRows) * width().reach(pieceColumns) +
                     tilePixels * width().stride;
    Type type = isInteger ? Type(e().b.getI16Type()) : e().b.getF32Type();
    copied = e().array(e().scratch(pixels * channels + 1, type));
  }
  buffer = e().array(e().scratch(tilePixels * kPanelVectors * lanes, sumType()));
  e().loop(site.getBegin(), site.getEnd(), 1,
           [&](Value iteration) { emitIteration(iteration); });
  if (failed(status))
    return failure();

  Value count = site.hostIndex(sharedPanels());
  if (!isFlat)
    count = site.hostMul(count, site.getResultSize(0, 0));
  int64_t work = taps * channels * kPanelVectors * (isCopied ? panels : 1);
  if (isGathered) {
    Value pixels = site.hostResultProduct(0, isFlat ? 0 : 1, rank - 1);
    count = site.hostMul(count, site.hostCeilDiv(pixels, piecePixels));
    work *= piecePixels;
  } else {
    Value pixels = isFlat ? site.hostResultProduct(0, 0, rank - 1)
                          : site.getResultSize(0, rank - 2);
    Value rows = rank == 4 && !isFlat ? site.getResultSize(0, 1) : site.hostIndex(1);
    count = site.hostMul(count, site.hostCeilDiv(pixels, pieceColumns));
    count = site.hostMul(count, site.hostCeilDiv(rows, pieceRows));
    work *= pieceColumns * pieceRows;
  }
  site.finish(count, chooseGrain(work));
  return success();
}

void ContractionKernel::emitIteration(Value iteration) {
  Value panel = e().rem(iteration, e().index(sharedPanels()));
  Value piece = e().div(iteration, e().index(sharedPanels()));
  if (isGathered) {
    Value pieces = e().ceilDiv(imagePixels, e().index(piecePixels));
    image = e().div(piece, pieces);
    Value first = e().mul(e().rem(piece, pieces), piecePixels);
    Value end = e().min(e().add(first, piecePixels), imagePixels);
    return emitPanel(panel, [&] {
      e().loop(first, end, tilePixels,
               [&](Value tile) { emitGatheredTile(tile, end); });
    });
  }
  auto piecesOf = [&](const WindowAxis &axis, int64_t size) {
    return e().ceilDiv(axis.output, e().index(size));
  };
  SmallVector<Value> indices =
      e().delinearize(piece, {Value(), piecesOf(height(), pieceRows),
                              piecesOf(width(), pieceColumns)});
  image = isFlat ? e().index(0) : indices[0];
  Value firstRow = e().mul(indices[1], pieceRows);
  Value endRow = e().min(e().add(firstRow, pieceRows), height().output);
  Value firstColumn = e().mul(indices[2], pieceColumns);
  Value endColumn = e().min(e().add(firstColumn, pieceColumns), width().output);
  auto emitPiece = [&] {
    e().loop(firstRow, endRow, 1,
             [&](Value row) { emitRow(row, firstColumn, endColumn); });
  };
  if (!isCopied)
    return emitPanel(panel, emitPiece);
  copyRows(firstRow, endRow, firstColumn);
  e().loop(e().index(0), e().index(panels), 1,
           [&](Value number) { emitPanel(number, emitPiece); });
}

void ContractionKernel::emitPanel(Value panel, function_ref<void()> emitPiece) {
  group = e().div(panel, e().index(panels));
  int64_t width = lanes * kPanelVectors;
  panelSteps = e().mul(panel, taps / this->width().kernel * rowSteps);
  panel = e().rem(panel, e().index(panels));
  column = e().add(e().mul(group, columns), e().mul(panel, width));
  auto emitColumns = [&](int64_t numColumns) {
    vectors = llvm::divideCeil(numColumns, lanes);
    mask = numColumns % lanes ? e().mask(e().index(numColumns % lanes), lanes) : Value();
    emitPiece();
  };
  int64_t last = columns - (panels - 1) * width;
  if (panels == 1 || last == width)
    emitColumns(last);
  else
    e().ifTrue(
        e().less(panel, e().index(panels - 1)), [&] { emitColumns(width); },
        [&] { emitColumns(last); });
}

//===----------------------------------------------------------------------===//
// Tiles that are parts of rows
//===----------------------------------------------------------------------===//

/// Copies what outputs from `firstColumn` on read of the input of these rows.
void ContractionKernel::copyRows(Value firstRow, Value endRow, Value firstColumn) {
  Array source = site.getInput(input);
  int64_t reach = width().reach(pieceColumns);
  firstCopiedRow = getWindowStart(e(), height(), firstRow);
  firstCopiedColumn = getWindowStart(e(), width(), firstColumn);
  Value last = getWindowStart(e(), height(), e().sub(endRow, e().index(1)));
  Value bottom = e().min(height().input, e().add(last, height().reach(1)));
  // Columns before, in and behind the input.
  Value before = e().min(e().max(e().sub(e().index(0), firstCopiedColumn), e().index(0)),
                         e().index(reach));
  Value end = e().min(e().sub(width().input, firstCopiedColumn), e().index(reach));
  end = e().max(end, before);
  Type type = copied.elementType;
  int64_t width = e().getLanes(type.getIntOrFloatBitWidth());
  auto fill = [&](Value from, Value to) {
    Value count = e().mul(e().sub(to, from), channels);
    Value start = e().mul(from, channels);
    e().vectorLoop(count, width, 1, [&](Value position, Value rest) {
      e().store(e().constant(e().vector(type, width), 0), copied,
                e().add(start, position), rest);
    });
  };
  e().loop(e().max(firstCopiedRow, e().index(0)), bottom, 1, [&](Value y) {
    Value row = e().mul(e().sub(y, firstCopiedRow), reach);
    fill(row, e().add(row, before));
    Value pixel = e().add(e().mul(image, height().input), y);
    pixel = e().add(e().add(e().mul(pixel, this->width().input), firstCopiedColumn), before);
    Value from = e().mul(pixel, channels);
    Value to = e().mul(e().add(row, before), channels);
    e().vectorLoop(
        e().mul(e().sub(end, before), channels), width, 4, [&](Value position, Value rest) {
          Value loaded = e().load(source, e().add(from, position), width, rest);
          e().store(convertInput(loaded), copied, e().add(to, position), rest);
        });
    fill(e().add(row, end), e().add(row, e().index(reach)));
  });
}

/// 8-bit integers loaded of `tensor` as 16 bits; floats stay.
Value ContractionKernel::widen(Value loaded, Value tensor) {
  if (!isInteger)
    return loaded;
  int64_t count = cast<VectorType>(loaded.getType()).getNumElements();
  Type type = e().vector(e().b.getI16Type(), count);
  return getElementTypeOrSelf(tensor.getType()).isUnsignedInteger()
             ? arith::ExtUIOp::create(e().b, e().loc, type, loaded).getResult()
             : arith::ExtSIOp::create(e().b, e().loc, type, loaded).getResult();
}

/// An input as it is copied: less its zero point.
Value ContractionKernel::convertInput(Value loaded) {
  Value wide = widen(loaded, input);
  int64_t zeroPoint = conv ? conv.getInputZeroPoint() : 0;
  if (zeroPoint == 0)
    return wide;
  return arith::SubIOp::create(e().b, e().loc, wide,
                               e().constant(wide.getType(), zeroPoint));
}

void ContractionKernel::emitRow(Value row, Value firstColumn, Value endColumn) {
  auto emitTiles = [&](Value from, Value to, int64_t size) {
    e().loop(from, to, size, [&](Value tile) {
      emitInnerTile(row, tile, size, e().index(size));
    });
  };
  if (knownWidth) {
    // The last tile of a row may be smaller.
    int64_t rest = *knownWidth % tilePixels;
    Value wholeEnd = e().min(endColumn, e().index(*knownWidth - rest));
    emitTiles(firstColumn, wholeEnd, tilePixels);
    if (rest && pieceColumns == *knownWidth)
      emitInnerTile(row, wholeEnd, rest, e().index(rest));
    else if (rest)
      e().ifTrue(e().less(wholeEnd, endColumn),
                 [&] { emitInnerTile(row, wholeEnd, rest, e().index(rest)); });
    return;
  }
  Value rest = e().rem(e().sub(endColumn, firstColumn), e().index(tilePixels));
  Value wholeEnd = e().sub(endColumn, rest);
  emitTiles(firstColumn, wholeEnd, tilePixels);
  if (isCopied) {
    // There is room behind the copied rows: the last tile is computed whole.
    auto emitWhole = [&] {
      e().ifTrue(e().less(e().index(0), rest),
                 [&] { emitInnerTile(row, wholeEnd, tilePixels, rest); });
    };
    if (!isFlat)
      return emitWhole();
    return e().ifTrue(
        e().equal(rest, 1), [&] { emitInnerTile(row, wholeEnd, 1, e().index(1)); },
        emitWhole);
  }
  if (!conv) { // A product may have no more rows than these.
    Value pairsEnd = e().sub(endColumn, e().rem(rest, e().index(2)));
    emitTiles(wholeEnd, pairsEnd, 2);
    wholeEnd = pairsEnd;
  }
  emitTiles(wholeEnd, endColumn, 1);
}

void ContractionKernel::emitInnerTile(Value row, Value column, int64_t count,
                                      Value stored) {
  Array source = isCopied ? copied : site.getInput(input);
  Value left = getWindowStart(e(), width(), column), top = getWindowStart(e(), height(), row);
  Value rowLength = width().input;
  if (isCopied) {
    left = e().sub(left, firstCopiedColumn);
    top = e().sub(top, firstCopiedRow);
    rowLength = e().index(width().reach(pieceColumns));
  } else {
    top = e().add(e().mul(image, height().input), top);
  }
  int64_t pixelStep = width().stride * channels;
  std::pair<Value, Value> range = {e().index(0), e().index(height().kernel)};
  if (height().isPadded())
    range = getTapRange(e(), height(), row);
  SmallVector<Value> sums = e().loop(
      range.first, range.second, 1, makeSums(count), [&](Value kh, ValueRange carried) {
        Value y = e().add(top, e().mul(kh, height().dilation));
        Value start = e().mul(e().add(e().mul(y, rowLength), left), channels);
        Value pairs = isInteger ? e().pointer(e().address(source, start)) : Value();
        return multiply(
            e().mul(kh, rowSteps), rowSteps, carried, [&](int64_t pixel, Value k) {
              if (!isInteger)
                return e().loadSplat(source,
                                     e().add(e().add(start, k), pixel * pixelStep), lanes);
              // Pairs of a pixel may begin at any element.
              Value first = e().offset(pairs, source.elementType,
                                       e().index(pixel * pixelStep));
              return e().broadcast(e().load(first, sumType(), k), lanes);
            });
      });
  storeTile(sums, e().add(e().mul(row, width().output), column), count, stored);
}

//===----------------------------------------------------------------------===//
// Gathered tiles
//===----------------------------------------------------------------------===//

void ContractionKernel::emitGatheredTile(Value first, Value end) {
  SmallVector<Value> sizes;
  for (const WindowAxis &axis : axes)
    sizes.push_back(axis.output);
  SmallVector<Pixel> pixels(tilePixels);
  for (auto [i, pixel] : llvm::enumerate(pixels)) {
    Value number = e().add(first, i);
    pixel.isBeforeEnd = e().less(number, end);
    for (auto [axis, index] : llvm::zip(axes, e().delinearize(number, sizes)))
      pixel.starts.push_back(getWindowStart(e(), axis, index));
  }
  SmallVector<Position> positions;
  for (Pixel &pixel : pixels)
    positions.push_back({pixel.isBeforeEnd, image});
  SmallVector<Value> sums =
      gatherTaps(0, pixels, positions, e().index(0), makeSums(tilePixels));
  storeTile(sums, first, tilePixels,
            e().min(e().sub(end, first), e().index(tilePixels)));
}

SmallVector<Value> ContractionKernel::gatherTaps(size_t number, ArrayRef<Pixel> pixels,
                                                 ArrayRef<Position> positions, Value tap,
                                                 ValueRange sums) {
  if (number == axes.size()) {
    Array source = site.getInput(input);
    Value outside = e().address(site.getInput(weights), e().index(zeros));
    Value ownChannel = e().mul(group, channels);
    SmallVector<Value> pointers;
    for (const Position &position : positions) {
      Value offset = e().add(e().mul(position.number, channels * groups), ownChannel);
      pointers.push_back(e().pointer(
          e().select(position.isInside, e().address(source, offset), outside)));
    }
    return multiply(e().mul(tap, channels), channels, sums, [&](int64_t pixel, Value k) {
      return e().broadcast(e().load(pointers[pixel], e().b.getF32Type(), k), lanes);
    });
  }
  const WindowAxis &axis = axes[number];
  Value low = e().index(0), high = e().index(axis.kernel);
  // Taps that some pixel of the tile has: indices on the first axis grow.
  if (number == 0 && axis.isPadded()) {
    auto indexOf = [&](const Pixel &pixel) {
      return e().div(e().add(pixel.starts[0], axis.padBegin), e().index(axis.stride));
    };
    Value last = e().min(indexOf(pixels.back()), e().sub(axis.output, e().index(1)));
    low = getTapRange(e(), axis, last).first;
    high = getTapRange(e(), axis, indexOf(pixels.front())).second;
  }
  return e().loop(
      low, high, 1, SmallVector<Value>(sums), [&](Value k, ValueRange carried) {
        SmallVector<Position> next;
        for (auto [pixel, position] : llvm::zip(pixels, positions)) {
          Value at = e().add(pixel.starts[number], e().mul(k, axis.dilation));
          Value isInside = position.isInside;
          if (axis.isPadded())
            isInside = both(isInside, e().isBelow(at, axis.input));
          next.push_back({isInside, e().add(e().mul(position.number, axis.input), at)});
        }
        return gatherTaps(number + 1, pixels, next, e().add(e().mul(tap, axis.kernel), k),
                          carried);
      });
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

SmallVector<Value> ContractionKernel::makeSums(int64_t count) {
  Type type = e().vector(sumType(), lanes);
  SmallVector<Value> initials, sums;
  for (int64_t v = 0; v < vectors; ++v) {
    FailureOr<Value> initial = e().constant(type, 0);
    if (bias)
      initial = bias->load({e().index(0), e().add(column, v * lanes)}, lanes, maskOf(v));
    if (failed(initial)) {
      status = failure();
      initial = e().constant(type, 0);
    }
    initials.push_back(*initial);
  }
  for (int64_t pixel = 0; pixel < count; ++pixel)
    llvm::append_range(sums, initials);
  return sums;
}

Value ContractionKernel::multiplyAdd(Value a, Value b, Value sum) {
  if (!isInteger)
    return e().fma(a, b, sum);
  Value pairs = LLVM::BitcastOp::create(e().b, e().loc, b.getType(), a);
  auto products = LLVM::CallIntrinsicOp::create(
      e().b, e().loc, sum.getType(), e().b.getStringAttr("llvm.x86.avx2.pmadd.wd"),
      ValueRange{pairs, b});
  return arith::AddIOp::create(e().b, e().loc, products.getResults(), sum);
}

SmallVector<Value>
ContractionKernel::multiply(Value start, int64_t depth, ValueRange sums,
                            function_ref<Value(int64_t, Value)> load) {
  int64_t size = isInteger ? 2 : 1, width = lanes * kPanelVectors * size;
  int64_t accumulators = sums.size();
  start = e().mul(e().add(panelSteps, start), width);
  auto step = [&](Value k, MutableArrayRef<Value> sums) {
    Value row = e().add(start, e().mul(k, width));
    SmallVector<Value> b;
    for (int64_t v = 0; v < vectors; ++v)
      b.push_back(widen(e().load(site.getInput(weights), e().add(row, v * lanes * size),
                                 lanes * size),
                        weight));
    for (int64_t pixel = 0; pixel < accumulators / vectors; ++pixel) {
      Value a = load(pixel, k);
      for (int64_t v = 0; v < vectors; ++v) {
        Value &sum = sums[pixel * vectors + v];
        sum = multiplyAdd(a, b[v], sum);
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
      all[i] = e().sum(all[i], all[i + half * accumulators]);
  all.truncate(accumulators);
  return all;
}

void ContractionKernel::storeTile(ValueRange sums, Value first, int64_t count,
                                  Value stored) {
  if (isConstantIntValue(stored, count) &&
      site.view.estimateCost(site.view.results) <= kCheapEpilogue) {
    for (int64_t pixel = 0; pixel < count; ++pixel)
      for (int64_t v = 0; v < vectors; ++v)
        storeVector(sums[pixel * vectors + v], e().add(first, pixel), v);
    return;
  }
  for (int64_t i = 0; i < int64_t(sums.size()); ++i)
    e().store(sums[i], buffer, e().index(i * lanes));
  e().loop(e().index(0), stored, 1, [&](Value pixel) {
    Value at = e().mul(pixel, vectors * lanes);
    for (int64_t v = 0; v < vectors; ++v)
      storeVector(e().load(buffer, e().add(at, v * lanes), lanes), e().add(first, pixel),
                  v);
  });
}

void ContractionKernel::storeVector(Value sum, Value pixel, int64_t vector) {
  SmallVector<Value> indices = {pixel, e().add(column, vector * lanes)};
  if (!isFlat)
    indices.insert(indices.begin(), image);
  if (failed(epilogue.store(sum, indices, lanes, maskOf(vector))))
    status = failure();
}

LogicalResult nn::emitContractionKernel(KernelSite &site) {
  return ContractionKernel(site).emit();
}
