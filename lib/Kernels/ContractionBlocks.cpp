//===- ContractionBlocks.cpp - weights of which many are zero -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A block is a step of a panel: the weights of 16 columns for one tap and channel, or of bytes
// for four neighbouring channels. Only blocks that are not all zero are stored, with the
// numbers of their steps:
//
//   acc[pixel][vector] = bias[columns]
//   for kd, kh
//     for i in [starts[panel, kd, kh], the next one)
//       acc[pixel][vector] += input[pixel at kd, kh; rows[i]] * blocks[i]
//
// So what an infinite or NaN input times zero is has no effect. Blocks are as wide for all
// lengths of vectors. A tile has more pixels than one of dense weights, which it reads for
// each; all panels of a tile follow each other, so that its pixels stay in the L1 cache.
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "llvm/ADT/TypeSwitch.h"
#include "nn/Kernels/Templates.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;

/// The part of the blocks that are not zero, if it is at most `most` percent. Columns are the
/// first dimension of the constant or the last; `taps` rows are of one channel, of which blocks
/// have `depth`.
template <typename T>
static std::optional<double> getDensity(ArrayRef<T> elements, int64_t columns,
                                        bool columnsFirst, int64_t taps, int64_t depth,
                                        int64_t most) {
  int64_t rows = int64_t(elements.size()) / columns, all = 0;
  int64_t total = int64_t(llvm::divideCeil(columns, kBlockColumns)) * (rows / depth);
  int64_t limit = total * most / 100;
  std::vector<char> seen(rows / depth);
  auto blockOf = [&](int64_t k) { return k / taps / depth * taps + k % taps; };
  for (int64_t first = 0; first < columns; first += kBlockColumns) {
    int64_t end = std::min(columns, first + kBlockColumns);
    std::fill(seen.begin(), seen.end(), 0);
    // As they lie in memory.
    if (columnsFirst)
      for (int64_t n = first; n < end; ++n)
        for (int64_t k = 0; k < rows; ++k)
          seen[blockOf(k)] |= elements[n * rows + k] != 0;
    else
      for (int64_t k = 0; k < rows; ++k)
        for (int64_t n = first; n < end; ++n)
          seen[blockOf(k)] |= elements[k * columns + n] != 0;
    all += llvm::count(seen, 1);
    if (all > limit)
      return std::nullopt;
  }
  return double(all) / double(total);
}

/// The same of a constant, of floats or of bytes that are multiplied with unsigned ones.
static std::optional<double> getDensity(const FusionView &view, Value weight,
                                        bool columnsFirst, int64_t most) {
  auto type = dyn_cast<RankedTensorType>(weight.getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() == 0 ||
      !view.getConstant(weight))
    return std::nullopt;
  int64_t columns = columnsFirst ? type.getShape().front() : type.getShape().back();
  int64_t taps = 1;
  for (int64_t size : type.getShape().drop_front(2))
    taps *= size;
  bool isInteger = type.getElementType().isInteger(8);
  bool isSigned = !type.getElementType().isUnsignedInteger();
  if (!(isInteger && isSigned) && !type.getElementType().isF32())
    return std::nullopt;
  if (isInteger && type.getNumElements() / columns / taps % kBlockBytes)
    return std::nullopt;
  FailureOr<HostTensor> tensor = view.readConstant(weight);
  if (failed(tensor))
    return std::nullopt;
  return isInteger ? getDensity(tensor->get<int8_t>(), columns, columnsFirst, taps,
                                kBlockBytes, most)
                   : getDensity(tensor->get<float>(), columns, columnsFirst, taps,
                                /*depth=*/1, most);
}

/// Whether reading the weights limits the product.
static bool hasFewRows(const FusionView &view, const Thresholds &thresholds) {
  auto type = cast<RankedTensorType>(view.anchor->getResult(0).getType());
  return isa<MatMulOp>(view.anchor) && type.hasStaticShape() &&
         type.getNumElements() <= type.getShape().back() * thresholds.blockRows;
}

std::optional<double> nn::getBlockShare(const FusionView &view, const CostModel &costs) {
  if (!isa_and_nonnull<ConvOp, MatMulOp>(view.anchor))
    return std::nullopt;
  const Thresholds &thresholds = costs.getThresholds();
  bool isFew = hasFewRows(view, thresholds);
  int64_t most = isFew ? thresholds.blockDensityOfFewRows : thresholds.blockDensity;
  // Pairs of bytes are not skipped.
  if (getElementTypeOrSelf(view.anchor->getOperand(0).getType()).isInteger(8) &&
      !costs.addsFourProducts())
    return std::nullopt;
  std::optional<double> density =
      llvm::TypeSwitch<Operation *, std::optional<double>>(view.anchor)
          .Case([&](ConvOp op) {
            return getDensity(view, op.getWeight(), /*columnsFirst=*/true, most);
          })
          .Case([&](MatMulOp op) {
            if (cast<RankedTensorType>(op.getRhs().getType()).getRank() != 2)
              return std::optional<double>();
            return getDensity(view, op.getRhs(), op.getTransposeRhs(), most);
          })
          .Default(std::optional<double>());
  if (!density)
    return std::nullopt;
  return isFew ? *density * 100 / most : *density;
}

bool ContractionKernel::packBlocks() {
  FailureOr<HostTensor> original = site.view.readConstant(weight);
  if (failed(original))
    return false;
  if (isInteger)
    packBlocks(original->get<int8_t>(), DataType::Int8);
  else
    packBlocks(original->get<float>(), DataType::Float32);
  if (storedZeroPoint())
    addCorrections(*original);
  return true;
}

template <typename T>
void ContractionKernel::packBlocks(ArrayRef<T> elements, DataType type) {
  lanes = site.getVectorBits() / 32;
  panelVectors = kBlockColumns / lanes;
  panels = llvm::divideCeil(columns, kBlockColumns);
  int64_t kernel = width().kernel, rows = taps / kernel;
  std::vector<T> packed, block(kBlockColumns * stepElements);
  std::vector<int32_t> numbers, starts;
  for (int64_t panel = 0; panel < panels; ++panel)
    for (int64_t row = 0; row < rows; ++row) {
      starts.push_back(numbers.size());
      for (int64_t step = 0; step < rowSteps; ++step) {
        std::fill(block.begin(), block.end(), T(0));
        bool isZero = true;
        for (int64_t i = 0; i < stepElements; ++i) {
          int64_t k = step * stepElements + i;
          int64_t tap = row * kernel + k / channels;
          for (int64_t n = panel * kBlockColumns;
               k < kernel * channels && n < std::min(columns, (panel + 1) * kBlockColumns);
               ++n) {
            T value = elements[getWeightIndex(/*group=*/0, n, k % channels, tap)];
            block[n % kBlockColumns * stepElements + i] = value;
            isZero &= value == 0;
          }
        }
        if (isZero)
          continue;
        numbers.push_back(step);
        llvm::append_range(packed, block);
      }
    }
  starts.push_back(numbers.size());
  // A constant has an element at least.
  numbers.resize(std::max<size_t>(numbers.size(), 1));
  packed.resize(std::max<size_t>(packed.size(), block.size()));
  auto add = [&](auto &list, DataType type) {
    HostTensor tensor = HostTensor::allocate(type, {int64_t(list.size())});
    llvm::copy(list, tensor.getMutable<typename std::decay_t<decltype(list)>::value_type>()
                         .begin());
    return site.addConstant(makeConstantAttr(result.getContext(), tensor));
  };
  weights = add(packed, type);
  blockRows = add(numbers, DataType::Int32);
  blockStarts = add(starts, DataType::Int32);
}

Value ContractionKernel::loadNumber(unsigned list, Value place) {
  Value number = e().load(site.getInput(list), place, 1);
  return arith::IndexCastUIOp::create(e().b, e().loc, e().b.getIndexType(), number);
}

SmallVector<Value>
ContractionKernel::multiplyBlocks(Value row, ValueRange sums, Load load) {
  Value list = e().add(panelStart, row);
  Value begin = loadNumber(blockStarts, list), end = loadNumber(blockStarts, e().add(list, 1));
  int64_t accumulators = sums.size();
  auto step = [&](Value number, MutableArrayRef<Value> sums) {
    Value k = loadNumber(blockRows, number), at = e().mul(number, kBlockColumns * stepElements);
    SmallVector<Value> b;
    for (int64_t v = 0; v < vectors; ++v)
      b.push_back(e().load(site.getInput(weights), e().add(at, v * lanes * stepElements),
                           lanes * stepElements));
    for (int64_t pixel = 0; pixel < accumulators / vectors; ++pixel) {
      Value a = load(pixel, k, /*half=*/0);
      for (int64_t v = 0; v < vectors; ++v)
        sums[pixel * vectors + v] = multiplyAdd(a, b[v], sums[pixel * vectors + v]);
    }
  };
  int64_t sets = 1;
  while (sets * accumulators < kMinIndependentAccumulators)
    sets *= 2;
  SmallVector<Value> all(sums);
  if (sets == 1)
    return e().loopInSets(begin, end, 1, all, step);
  all.resize(sets * accumulators, e().constant(all.front().getType(), 0));
  Value whole = e().sub(end, e().rem(e().sub(end, begin), e().index(sets)));
  all = e().addSets(e().loopInSets(begin, whole, sets, all, step), sets);
  return e().loopInSets(whole, end, 1, all, step);
}

LogicalResult nn::emitBlockContractionKernel(KernelSite &site) {
  if (!getBlockShare(site.view, site.getCosts()))
    return failure();
  return ContractionKernel(site, /*skipsZeros=*/true).emit();
}
