//===- Contraction.cpp - kernels of convolutions and products -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Contraction.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Conversion/ElementwiseToArith.h"
#include "nn/Kernels/Templates.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;


/// Elements of a row of taps from which on pairs of bytes are not neighbours.
static constexpr int64_t kLongRow = 48;

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

static int64_t countTaps(ArrayRef<WindowAxis> axes) {
  int64_t taps = 1;
  for (const WindowAxis &axis : axes)
    taps *= axis.kernel;
  return taps;
}

bool ContractionKernel::matchConv(ConvOp op) {
  kind = Convolution;
  input = op.getInput();
  weight = op.getWeight();
  biasInput = op.getBias();
  zeroPoint = op.getInputZeroPoint();
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
  return columns >= 4;
}

bool ContractionKernel::matchConvTranspose(ConvTransposeOp op) {
  kind = TransposedConvolution;
  input = op.getInput();
  weight = op.getWeight();
  biasInput = op.getBias();
  auto type = cast<RankedTensorType>(weight.getType());
  if (op.getLayout() != Layout::ChannelsLast || !type.hasStaticShape())
    return false;
  groups = op.getGroup();
  channels = type.getDimSize(0) / groups;
  columns = type.getDimSize(1);
  FailureOr<SmallVector<WindowAxis>> window = getWindowAxes(op);
  if (failed(window))
    return false;
  axes = std::move(*window);
  // With fewer products for each tap, its addresses weigh more than what it computes; and
  // so they do in oneDNN, but in planes.
  return (channels >= site.getThresholds().transposedChannels || axes.size() != 2) &&
         (groups == 1 || columns >= site.getThresholds().transposedColumns) &&
         llvm::all_of(axes, [](const WindowAxis &axis) { return axis.dilation == 1; });
}

bool ContractionKernel::matchMatMul(MatMulOp op) {
  kind = Product;
  input = op.getLhs();
  weight = op.getRhs();
  auto type = cast<RankedTensorType>(weight.getType());
  if (op.getTransposeLhs() || type.getRank() != 2 || !type.hasStaticShape() ||
      cast<RankedTensorType>(input.getType()).getRank() < 2)
    return false;
  hasTransposedRhs = op.getTransposeRhs();
  channels = type.getDimSize(hasTransposedRhs ? 1 : 0);
  columns = type.getDimSize(hasTransposedRhs ? 0 : 1);
  axes.push_back(WindowAxis());
  return columns >= 4;
}

bool nn::isContractionFast(const FusionView &view, const CostModel &costs) {
  // Transposed convolutions are slow in libraries.
  return isa<ConvTransposeOp>(view.anchor) || costs.isPackedContractionFast(view);
}

bool ContractionKernel::match() {
  Operation *op = site.view.anchor;
  if (!op)
    return false;
  bool matches = llvm::TypeSwitch<Operation *, bool>(op)
                     .Case([&](ConvOp op) { return matchConv(op); })
                     .Case([&](ConvTransposeOp op) { return matchConvTranspose(op); })
                     .Case([&](MatMulOp op) { return matchMatMul(op); })
                     .Default(false);
  if (!matches)
    return false;
  result = op->getResult(0);
  auto type = cast<RankedTensorType>(input.getType());
  rank = type.getRank();
  isInteger = type.getElementType().isInteger(8);
  taps = countTaps(axes);
  if (!(isInteger || type.getElementType().isF32()) || taps == 0 || channels == 0 ||
      columns == 0 || type.getDimSize(rank - 1) != channels * groups ||
      !site.view.getOuter(input) || site.view.getConstant(input))
    return false;
  isFlat = kind != TransposedConvolution &&
           llvm::all_of(axes, [](const WindowAxis &axis) { return axis.isPointwise(); });
  if (isFlat)
    axes.assign(1, WindowAxis());
  if (axes.size() == 1)
    axes.insert(axes.begin(), WindowAxis());

  // Vectors of 512 bits have registers for more, but eight suffice to hide latency, and
  // fit into the ways of an L1 cache if they lie at multiples of 4096 bytes.
  bool isWide = site.getVectorBits() == 512;
  bool hasSpareRegisters = isWide || columns <= site.getVectorBits() / 32;
  hasDotProducts = isInteger && site.getCosts().addsFourProducts() && isSigned(weight);
  int64_t steps = width().kernel * channels;
  // For both, weights are packed alike, if pixels begin at multiples of four; but short rows,
  // which have few weights, are faster by neighbours.
  bool isAlternate = channels % 4 == 0 && isSigned(weight) && steps >= kLongRow;
  if (isInteger)
    stepElements = hasDotProducts || isAlternate ? 4 : 2;
  tilePixels = isInteger && !hasDotProducts && !isWide ? 5 : hasSpareRegisters ? 8 : 6;
  if (skipsZeros) // They have a vector each; what is said of the L1 cache holds.
    tilePixels = !isWide ? 6 : channels * (isInteger ? 1 : sizeof(float)) % 4096 == 0 ? 8 : 12;
  rowSteps = llvm::divideCeil(steps, stepElements);
  // Whether the rows under a tile can be copied.
  bool fits = height().reach(1) * width().reach(tilePixels) <= getCopiedRoom();
  isGathered = kind == TransposedConvolution || groups != 1 || width().dilation != 1 ||
               axes.size() > 2 || (width().isPadded() && !fits);
  bool isReadable = !isInteger || (hasQuads() && !isSigned(input) && steps % 4 == 0);
  isCopied = !isGathered && (width().isPadded() || !isReadable);
  if (skipsZeros && ((isInteger && !hasDotProducts) || isGathered))
    return false;
  // Steps of gathered integers are of one tap.
  return !isInteger || (isGathered ? channels % stepElements == 0 : fits || !isCopied);
}

bool ContractionKernel::isSigned(Value tensor) {
  return !getElementTypeOrSelf(tensor.getType()).isUnsignedInteger();
}

Type ContractionKernel::inputType() {
  return !isInteger ? Type(e().b.getF32Type()) : e().b.getIntegerType(hasQuads() ? 8 : 16);
}

int64_t ContractionKernel::getWeightIndex(int64_t group, int64_t column, int64_t channel,
                                          int64_t tap) {
  switch (kind) {
  case Convolution:
    return ((group * columns + column) * channels + channel) * taps + tap;
  case TransposedConvolution:
    return ((group * channels + channel) * columns + column) * taps + tap;
  case Product:
    return hasTransposedRhs ? column * channels + channel : channel * columns + column;
  }
  llvm_unreachable("unknown kind");
}

int64_t ContractionKernel::getPanelElements() const {
  return taps / axes.back().kernel * rowSteps * stepElements * kPanelColumns;
}

bool ContractionKernel::packWeights() {
  FailureOr<HostTensor> original = site.view.readConstant(weight);
  if (failed(original))
    return false;
  lanes = site.getVectorBits() / 32;
  panels = llvm::divideCeil(columns, lanes * panelVectors);
  int64_t stored = llvm::divideCeil(columns, kPanelColumns);
  zeros = groups * stored * getPanelElements();
  DataType type = !isInteger         ? DataType::Float32
                  : isSigned(weight) ? DataType::Int8
                                     : DataType::UInt8;
  HostTensor packed = HostTensor::allocate(type, {zeros + channels});
  auto pack = [&](auto from, auto to) {
    // What gathered taps outside of the input read.
    std::fill(to.begin() + zeros, to.end(), zeroPoint);
    int64_t kernel = width().kernel;
    int64_t stride = getWeightIndex(0, /*column=*/1, 0, 0) - getWeightIndex(0, 0, 0, 0);
    for (int64_t panel = 0; panel < groups * stored; ++panel) {
      int64_t group = panel / stored, column = panel % stored * kPanelColumns;
      int64_t count = std::min(kPanelColumns, columns - column);
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t tap = 0; tap < taps; ++tap) {
          int64_t k = tap % kernel * channels + c;
          int64_t step = tap / kernel * rowSteps + k / stepElements;
          auto *row = &to[panel * getPanelElements() + step * kPanelColumns * stepElements +
                          k % stepElements];
          const auto *weights = &from[getWeightIndex(group, column, c, tap)];
          for (int64_t n = 0; n < count; ++n)
            row[n * stepElements] = weights[n * stride];
        }
    }
  };
  auto copy = [&](auto zero) {
    using T = decltype(zero);
    pack(original->get<T>(), packed.getMutable<T>());
  };
  if (!isInteger)
    copy(0.0f);
  else if (isSigned(weight))
    copy(int8_t(0));
  else
    copy(uint8_t(0));
  weights = site.addConstant(makeConstantAttr(
      result.getContext(), packed,
      getSignlessType(getElementTypeOrSelf(weight.getType()))));
  if (storedZeroPoint())
    addCorrections(*original);
  return true;
}

void ContractionKernel::addCorrections(const HostTensor &weights) {
  HostTensor list =
      HostTensor::allocate(DataType::Int32, {taps / width().kernel, groups * columns});
  MutableArrayRef<int32_t> to = list.getMutable<int32_t>();
  llvm::fill(to, 0);
  ArrayRef<int8_t> from = weights.get<int8_t>();
  for (int64_t n = 0; n < groups * columns; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t tap = 0; tap < taps; ++tap)
        to[tap / width().kernel * groups * columns + n] -=
            from[getWeightIndex(n / columns, n % columns, c, tap)] *
            int32_t(storedZeroPoint());
  corrections = site.addConstant(makeConstantAttr(result.getContext(), list));
}

/// The number of pixels whose tiles, the last of which may be smaller, take the least
/// time. Accumulators leave room for a row of the weights and an element of the input.
void ContractionKernel::chooseTile() {
  knownWidth = getConstantIntValue(width().output);
  knownPixels = getConstantIntValue(imagePixels);
  if (kind == TransposedConvolution && knownPixels) {
    knownPixels = 1;
    for (const WindowAxis &axis : axes)
      *knownPixels *= llvm::divideCeil(*getConstantIntValue(axis.output), axis.stride);
  }
  std::optional<int64_t> length = isGathered ? knownPixels : knownWidth;
  if (!length)
    return;
  int64_t vectorsOfTile = columns <= lanes ? 1 : panelVectors;
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

int64_t ContractionKernel::getMostPixels() const {
  int64_t bytes = channels * groups * sizeof(float);
  if (kind != TransposedConvolution) // Its phases have no strides.
    for (const WindowAxis &axis : axes)
      bytes *= axis.advance();
  return std::max<int64_t>(1, site.getThresholds().pieceBytes / bytes);
}

int64_t ContractionKernel::getFewestPieces() const {
  return llvm::divideCeil(site.getThresholds().manyIterations,
                          sharedPanels() * getNumPhases());
}

int64_t nn::choosePart(int64_t length, int64_t most, int64_t unit) {
  length = std::max<int64_t>(length, 1);
  int64_t parts = llvm::divideCeil(length, std::max(most, unit));
  int64_t part = llvm::divideCeil(length, parts);
  return int64_t(llvm::divideCeil(part, unit)) * unit;
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
  if (biasInput) {
    bias.emplace(site, biasInput);
    if (failed(bias->add({rank - 1, rank}, result)))
      return failure();
  }
  constexpr StringLiteral names[] = {"packed_conv", "packed_conv_transpose",
                                     "packed_matmul"};
  if (!(skipsZeros ? packBlocks() : packWeights()))
    return failure();
  if (failed(site.begin(skipsZeros ? (Twine("sparse") + names[kind].drop_front(6)).str()
                                   : names[kind].str())))
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
    for (int64_t size : cast<RankedTensorType>(result.getType()).getShape().drop_back())
      widthUnit *= ShapedType::isDynamic(size) ? 1 : size;
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
  isGathered ? chooseGatheredPieces() : chooseRowPieces();
  if (isCopied) {
    // Tiles may reach behind a row, and a pair or four behind its last element.
    int64_t pixels = height().reach(pieceRows) * width().reach(pieceColumns) +
                     tilePixels * width().stride;
    copied = e().array(e().scratch(pixels * channels + stepElements - 1, inputType()));
  }
  if (kind == TransposedConvolution)
    numbers = e().array(e().scratch(tilePixels, e().b.getIndexType()));
  buffer = e().array(e().scratch(tilePixels * panelVectors * lanes, sumType()));
  e().loop(site.getBegin(), site.getEnd(), 1, [&](Value iteration) {
    Value panel = e().rem(iteration, e().index(sharedPanels()));
    Value piece = e().div(iteration, e().index(sharedPanels()));
    isGathered ? emitGatheredPiece(panel, piece) : emitRowPiece(panel, piece);
  });
  if (failed(status))
    return failure();
  Value count = site.hostIndex(sharedPanels());
  if (!isFlat)
    count = site.hostMul(count, site.getResultSize(0, 0));
  count = site.hostMul(count, isGathered ? countGatheredPieces() : countRowPieces());
  int64_t pixels = isGathered ? piecePixels : pieceColumns * pieceRows;
  int64_t work = taps / getNumPhases() * channels * panelVectors * (isCopied ? panels : 1);
  site.finish(count, site.chooseGrain(work * pixels));
  return success();
}

void ContractionKernel::emitPanel(Value panel, function_ref<void()> emitPiece) {
  group = e().div(panel, e().index(panels));
  int64_t width = lanes * panelVectors;
  if (skipsZeros)
    panelStart = e().mul(panel, taps / this->width().kernel);
  panel = e().rem(panel, e().index(panels));
  if (!skipsZeros) {
    Value stored = e().mul(group, llvm::divideCeil(columns, kPanelColumns));
    Value first = e().add(stored, e().mul(panel, width / kPanelColumns));
    panelStart = e().mul(first, getPanelElements());
  }
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
// Sums
//===----------------------------------------------------------------------===//

SmallVector<Value> ContractionKernel::makeSums(int64_t count, Value first, Value end) {
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
  if (corrections)
    initials = e().loop(first, end, 1, initials, [&](Value row, ValueRange carried) {
      Value start = e().add(e().mul(row, groups * columns), column);
      SmallVector<Value> next;
      for (int64_t v = 0; v < vectors; ++v)
        next.push_back(e().sum(carried[v], e().load(site.getInput(*corrections),
                                                    e().add(start, v * lanes), lanes,
                                                    maskOf(v))));
      return next;
    });
  for (int64_t pixel = 0; pixel < count; ++pixel)
    llvm::append_range(sums, initials);
  return sums;
}

Value ContractionKernel::widen(Value loaded, Value tensor) {
  if (!isInteger || hasQuads())
    return loaded;
  int64_t count = cast<VectorType>(loaded.getType()).getNumElements();
  Type type = e().vector(e().b.getI16Type(), count);
  return isSigned(tensor) ? arith::ExtSIOp::create(e().b, e().loc, type, loaded).getResult()
                          : arith::ExtUIOp::create(e().b, e().loc, type, loaded).getResult();
}

Value ContractionKernel::multiplyAdd(Value a, Value b, Value sum) {
  if (!isInteger)
    return e().fma(a, b, sum);
  bool isWide = e().vectorBits == 512;
  Value parts = LLVM::BitcastOp::create(e().b, e().loc, b.getType(), a);
  auto call = [&](StringRef name, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(e().b, e().loc, sum.getType(),
                                         e().b.getStringAttr(name), operands)
        .getResult(0);
  };
  if (hasQuads())
    return call(isWide ? "llvm.x86.avx512.vpdpbusd.512" : "llvm.x86.avx512.vpdpbusd.256",
                {sum, parts, b});
  return e().sum(
      call(isWide ? "llvm.x86.avx512.pmaddw.d.512" : "llvm.x86.avx2.pmadd.wd", {parts, b}),
      sum);
}

Value ContractionKernel::widenHalf(Value loaded, int64_t half, bool isSigned) {
  int64_t count = cast<VectorType>(loaded.getType()).getNumElements();
  Type type = e().vector(e().b.getI16Type(), count / 2);
  Value words = LLVM::BitcastOp::create(e().b, e().loc, type, loaded);
  Value byte = e().constant(type, 8);
  if (half == 0)
    words = arith::ShLIOp::create(e().b, e().loc, words, byte);
  if (isSigned)
    return arith::ShRSIOp::create(e().b, e().loc, words, byte);
  return arith::ShRUIOp::create(e().b, e().loc, words, byte);
}

SmallVector<Value> ContractionKernel::multiply(Value start, int64_t depth, ValueRange sums,
                                               Load load) {
  int64_t size = stepElements;
  int64_t accumulators = sums.size();
  start = e().add(panelStart, e().mul(start, kPanelColumns * size));
  auto step = [&](Value k, MutableArrayRef<Value> sums) {
    Value row = e().add(start, e().mul(k, kPanelColumns * size));
    SmallVector<Value> b;
    for (int64_t v = 0; v < vectors; ++v) {
      int64_t column = v * lanes;
      int64_t at =
          column / kPanelColumns * getPanelElements() + column % kPanelColumns * size;
      b.push_back(e().load(site.getInput(weights), e().add(row, at), lanes * size));
    }
    SmallVector<Value> parts;
    for (int64_t half = 0; half < halves(); ++half)
      for (Value loaded : b)
        parts.push_back(halves() == 2 ? widenHalf(loaded, half, /*isSigned=*/true)
                                      : widen(loaded, weight));
    for (int64_t pixel = 0; pixel < accumulators / vectors; ++pixel)
      for (int64_t half = 0; half < halves(); ++half) {
        Value a = load(pixel, k, half);
        for (int64_t v = 0; v < vectors; ++v) {
          Value &sum = sums[pixel * vectors + v];
          sum = multiplyAdd(a, parts[half * vectors + v], sum);
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
  all = e().loopInSets(e().index(0), e().index(whole), sets, all, step);
  for (int64_t k = whole; k < depth; ++k)
    step(e().index(k), MutableArrayRef(all).take_front(accumulators));
  return e().addSets(all, sets);
}

void ContractionKernel::storeTile(ValueRange sums, int64_t count, Value stored,
                                  function_ref<Value(Value)> numberOf) {
  auto storeAll = [&] {
    for (int64_t pixel = 0; pixel < count; ++pixel)
      storePixel(sums.slice(pixel * vectors, vectors), numberOf(e().index(pixel)));
  };
  auto storeInTurn = [&] {
    for (int64_t i = 0; i < int64_t(sums.size()); ++i)
      e().store(sums[i], buffer, e().index(i * lanes));
    e().loop(e().index(0), stored, 1, [&](Value pixel) {
      Value at = e().mul(pixel, vectors * lanes);
      SmallVector<Value> loaded;
      for (int64_t v = 0; v < vectors; ++v)
        loaded.push_back(e().load(buffer, e().add(at, v * lanes), lanes));
      storePixel(loaded, numberOf(pixel));
    });
  };
  if (site.view.estimateCost(site.view.results) > site.getThresholds().cheapEpilogue)
    storeInTurn();
  else if (isConstantIntValue(stored, count))
    storeAll();
  else
    e().ifTrue(e().equal(stored, count), storeAll, storeInTurn);
}

void ContractionKernel::storePixel(ValueRange sums, Value pixel) {
  auto store = [&](Value sum, int64_t first, int64_t count, Value mask) {
    SmallVector<Value> indices = {pixel, e().add(column, first)};
    if (!isFlat)
      indices.insert(indices.begin(), image);
    if (failed(epilogue.store(sum, indices, count, mask)))
      status = failure();
  };
  // Two short vectors are packed to 8 bits as one.
  if (isInteger && e().vectorBits == 256 && vectors == 2 && !mask) {
    auto both = llvm::to_vector(llvm::seq<int64_t>(2 * lanes));
    return store(vector::ShuffleOp::create(e().b, e().loc, sums[0], sums[1], both), 0,
                 2 * lanes, Value());
  }
  for (int64_t v = 0; v < vectors; ++v)
    store(sums[v], v * lanes, lanes, maskOf(v));
}

LogicalResult nn::emitContractionKernel(KernelSite &site) {
  return ContractionKernel(site).emit();
}
