//===- DequantizingMatMul.cpp - products whose weights are integers -------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The weights stay integers of 8 or 4 bits in memory. With few rows, which reading weights
// limits, they become floats in registers, once for all rows:
//
//   for iteration in [begin, end)              of pieces of rows x panels
//     for block of the depth
//       for k
//         w[vector] = float(weights[k, columns]) - zero[vector]
//         part[row][vector] += lhs[row, k] * w[vector]
//       sums[row][vector] += part[row][vector] * scale[vector]
//     result[rows, columns] = epilogue(sums)
//
// Scales of whole columns are multiplied with the sums at the end.
//
// With more, a part of a panel, which fits the L1 cache, becomes floats in memory, and is
// multiplied with all rows of the piece before the next one; sums are in memory in between:
//
//     for part of the depth
//       floats[k, columns] = (float(weights[k, columns]) - zero) * scale of the block
//       for tile of rows
//         sums[row][vector] += lhs[row, k] * floats[k, vector]   for all k of the part
//
// A number of 4 bits is put into the fraction of a float, from which 2^23 (or 2^19, where the
// number is 4 bits further up) is subtracted together with the zero point, exactly.
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "IntegerPanels.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;

/// Vectors of columns of a tile.
static constexpr int64_t kTileVectors = 2;
/// The distance of what is prefetched, in bytes.
static constexpr int64_t kPrefetched = 4096;
/// Rows up to which sums of blocks are scaled, rather than weights.
static constexpr int64_t kScaledRows = 4;

namespace {

class DequantizingMatMul {
public:
  explicit DequantizingMatMul(KernelSite &site) : site(site), epilogue(site) {}
  LogicalResult emit();

private:
  /// What the weights of a block of some columns are computed with.
  struct Block {
    int64_t firstVector = 0, vectors = 0;
    SmallVector<Value> scales;
    /// What is subtracted from each row of a step; empty for zero.
    SmallVector<Value> bases[2];
  };

  bool addOperands();
  void chooseSizes();
  void emitIteration(Value iteration);
  /// Tiles of so many rows, and a smaller one.
  void emitFewRows(Value count);
  void emitRegisterTile(int64_t rows, Value first);
  void emitManyRows(Value count);
  /// `length` rows of the depth, from part number `part` on.
  void emitPart(Value part, int64_t length, Value count);
  void storeFloats(Value step, Value block, Value firstRow, int64_t length);
  void multiplyFloats(int64_t rows, Value first, Value start, int64_t length);
  void emitResults(Value count);

  Block loadBlock(Value number, int64_t firstVector, int64_t vectors);
  /// Calls `use` with the weights of the first `rows` rows of a step.
  void decode(Value step, int64_t rows, const Block &block,
              function_ref<void(int64_t row, ArrayRef<Value> weights)> use);
  Value toFloat(Value bytes, int64_t row);
  /// Prefetches what comes some time after a step.
  void prefetchBehind(Value step);
  /// Carries sums through `steps` steps, in sets if they are few.
  SmallVector<Value> runSteps(int64_t steps, ArrayRef<Value> initial,
                              KernelEmitter::Step step);
  /// sums += lhs[rows from `starts` on, k] * weights
  void multiply(ArrayRef<Value> starts, Value k, ArrayRef<Value> weights,
                MutableArrayRef<Value> sums);
  SmallVector<Value> getRowStarts(Value first, int64_t count, Value k);

  KernelEmitter &e() { return site.getEmitter(); }
  Type vectorType() { return e().vector(e().b.getF32Type(), lanes); }
  int64_t panelVectors() const { return panels.columns / lanes; }
  /// Rows up to which weights become floats in registers only.
  int64_t getMostRegisterRows() const {
    return site.getThresholds().registerRows / panels.rowsOfStep;
  }
  bool hasBlocks() const { return matrix.countBlocks() > 1; }
  bool hasKnownRows() const { return !ShapedType::isDynamic(matrix.product.rows); }

  KernelSite &site;
  EpilogueStorer epilogue;
  IntegerMatrix matrix;
  IntegerPanels panels;
  unsigned lhs = 0, values = 0, scales = 0, zeros = 0; // inputs
  int64_t lanes = 1, tileRows = 1, pieceRows = 1, partRows = 1;
  Value rows;
  Array floats, sums;
  // The state of the emission.
  Value panel, firstRow;
  LogicalResult status = success();
};

} // namespace

bool DequantizingMatMul::addOperands() {
  FailureOr<IntegerPanels> packed = IntegerPanels::pack(matrix);
  if (failed(packed))
    return false;
  panels = std::move(*packed);
  auto add = [&](const HostTensor &tensor) {
    return site.addConstant(makeConstantAttr(site.host.getContext(), tensor));
  };
  matrix.product.checkDepth(site);
  lhs = matrix.product.addLhs(site);
  values = add(panels.values);
  scales = add(panels.scales);
  if (panels.zeros.isValid())
    zeros = add(panels.zeros);
  return true;
}

void DequantizingMatMul::chooseSizes() {
  bool isWide = site.getVectorBits() == 512;
  lanes = site.getVectorBits() / 32;
  tileRows = isWide ? 8 : 6;
  const Thresholds &thresholds = site.getThresholds();
  int64_t depth = matrix.product.depth;
  // Enough rows that making floats takes little of their time.
  constexpr int64_t fewest = 128, most = 256;
  pieceRows = std::clamp<int64_t>(thresholds.pieceBytes / (depth * int64_t(sizeof(float))),
                                  fewest, most);
  if (hasKnownRows()) {
    int64_t all = matrix.product.rows;
    if (all <= getMostRegisterRows()) {
      pieceRows = std::max<int64_t>(all, 1);
    } else {
      int64_t parts = llvm::divideCeil(thresholds.manyIterations, panels.count);
      pieceRows = std::min<int64_t>(pieceRows, llvm::divideCeil(all, parts));
      pieceRows = choosePart(all, std::max(pieceRows, 2 * tileRows), tileRows);
    }
  }
  int64_t unit = hasBlocks() ? matrix.blockRows : panels.rowsOfStep;
  int64_t fitting = thresholds.floatWeightBytes / (panels.columns * int64_t(sizeof(float)));
  partRows = choosePart(depth, fitting, unit);
}

LogicalResult DequantizingMatMul::emit() {
  std::optional<IntegerMatrix> seen = IntegerMatrix::get(site.view);
  if (!seen)
    return failure();
  matrix = *seen;
  int64_t rank = matrix.product.rank;
  if (!matrix.product.lhs.isPlain() || matrix.product.stored ||
      failed(epilogue.add({rank - 1, rank})) || !addOperands() ||
      failed(site.begin("dequantizing_matmul")))
    return failure();
  chooseSizes();
  Value output = site.getOutputMemref(0);
  rows = e().index(1);
  for (int64_t dim = 0; dim < rank - 1; ++dim)
    rows = e().mul(rows, e().size(output, dim));
  epilogue.setSizes({rows, e().index(matrix.product.columns)});
  sums = e().array(e().scratch(pieceRows * panels.columns, e().b.getF32Type()));
  if (pieceRows > getMostRegisterRows())
    floats = e().array(e().scratch(partRows * panels.columns, e().b.getF32Type()));
  e().loop(site.getBegin(), site.getEnd(), 1,
           [&](Value iteration) { emitIteration(iteration); });
  if (failed(status))
    return failure();
  Value pieces = site.hostCeilDiv(site.hostResultProduct(0, 0, rank - 1), pieceRows);
  int64_t likelyRows = hasKnownRows() ? pieceRows : tileRows;
  site.finish(site.hostMul(pieces, site.hostIndex(panels.count)),
              site.chooseGrain(matrix.product.depth * panelVectors() * likelyRows));
  return success();
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

void DequantizingMatMul::emitIteration(Value iteration) {
  Value numPanels = e().index(panels.count);
  panel = e().rem(iteration, numPanels);
  firstRow = e().mul(e().div(iteration, numPanels), pieceRows);
  Value count = e().min(e().sub(rows, firstRow), e().index(pieceRows));
  int64_t most = getMostRegisterRows();
  // The rows of the last piece, if they are known.
  std::optional<int64_t> last;
  if (hasKnownRows())
    last = (matrix.product.rows - 1) % pieceRows + 1;
  if (pieceRows <= most)
    emitFewRows(last == pieceRows ? e().index(pieceRows) : count);
  else if (last && *last > most)
    emitManyRows(count);
  else
    e().ifTrue(e().less(e().index(most), count), [&] { emitManyRows(count); },
               [&] { emitFewRows(last ? e().index(*last) : count); });
  emitResults(count);
}

void DequantizingMatMul::emitResults(Value count) {
  Value column = e().mul(panel, panels.columns);
  auto emitColumns = [&](int64_t columns) {
    int64_t vectors = llvm::divideCeil(columns, lanes);
    SmallVector<Value> scales;
    if (!hasBlocks())
      scales = loadBlock(e().index(0), /*firstVector=*/0, vectors).scales;
    e().loop(e().index(0), count, 1, [&](Value row) {
      for (int64_t first = 0; first < columns; first += lanes) {
        Value mask;
        if (columns - first < lanes)
          mask = e().mask(e().index(columns - first), lanes);
        Value sum = e().load(sums, e().add(e().mul(row, panels.columns), first), lanes);
        if (!hasBlocks())
          sum = arith::MulFOp::create(e().b, e().loc, sum, scales[first / lanes]);
        if (failed(epilogue.store(sum, {e().add(firstRow, row), e().add(column, first)},
                                  lanes, mask)))
          status = failure();
      }
    });
  };
  int64_t last = matrix.product.columns % panels.columns;
  if (last == 0)
    return emitColumns(panels.columns);
  if (panels.count == 1)
    return emitColumns(last);
  e().ifTrue(e().equal(panel, panels.count - 1), [&] { emitColumns(last); },
             [&] { emitColumns(panels.columns); });
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

DequantizingMatMul::Block DequantizingMatMul::loadBlock(Value number, int64_t firstVector,
                                                        int64_t vectors) {
  Block block;
  block.firstVector = firstVector;
  block.vectors = vectors;
  Value place = e().add(e().mul(panel, matrix.countBlocks()), number);
  place = e().add(e().mul(place, panels.columns), firstVector * lanes);
  for (int64_t v = 0; v < vectors; ++v)
    block.scales.push_back(
        e().load(site.getInput(scales), e().add(place, v * lanes), lanes));
  bool isSplit = panels.rowsOfStep == 2, hasZeros = panels.zeros.isValid();
  if (!isSplit && !hasZeros && panels.zero == 0)
    return block;
  for (int64_t row = 0; row < panels.rowsOfStep; ++row)
    for (int64_t v = 0; v < vectors; ++v) {
      double base = !isSplit ? 0 : row == 0 ? 0x1p23 : 0x1p19;
      if (!hasZeros) {
        block.bases[row].push_back(e().constant(vectorType(), base + double(panels.zero)));
        continue;
      }
      Value zero = e().load(site.getInput(zeros), e().add(place, v * lanes), lanes);
      zero = arith::SIToFPOp::create(e().b, e().loc, vectorType(), zero);
      block.bases[row].push_back(e().sum(zero, e().constant(vectorType(), base)));
    }
  return block;
}

Value DequantizingMatMul::toFloat(Value bytes, int64_t row) {
  Type integers = e().vector(e().b.getI32Type(), lanes);
  if (panels.rowsOfStep == 1)
    return arith::SIToFPOp::create(e().b, e().loc, vectorType(),
                                   arith::ExtSIOp::create(e().b, e().loc, integers, bytes));
  Value wide = arith::ExtUIOp::create(e().b, e().loc, integers, bytes);
  // The exponents of 2^23 and of 2^19.
  Value half = arith::AndIOp::create(e().b, e().loc, wide,
                                     e().constant(integers, row == 0 ? 0x0f : 0xf0));
  Value bits = arith::OrIOp::create(
      e().b, e().loc, half, e().constant(integers, row == 0 ? 0x4b000000 : 0x49000000));
  return arith::BitcastOp::create(e().b, e().loc, vectorType(), bits);
}

void DequantizingMatMul::decode(
    Value step, int64_t rows, const Block &block,
    function_ref<void(int64_t row, ArrayRef<Value> weights)> use) {
  Value place = e().add(e().mul(panel, panels.steps), step);
  place = e().add(e().mul(place, panels.columns), block.firstVector * lanes);
  SmallVector<Value> bytes;
  for (int64_t v = 0; v < block.vectors; ++v)
    bytes.push_back(e().load(site.getInput(values), e().add(place, v * lanes), lanes));
  for (int64_t row = 0; row < rows; ++row) {
    SmallVector<Value> weights;
    for (int64_t v = 0; v < block.vectors; ++v) {
      weights.push_back(toFloat(bytes[v], row));
      if (!block.bases[row].empty())
        weights.back() = arith::SubFOp::create(e().b, e().loc, weights.back(),
                                               block.bases[row][v]);
    }
    use(row, weights);
  }
}

void DequantizingMatMul::prefetchBehind(Value step) {
  Value last = e().index(panels.values.getNumElements() - panels.columns);
  Value place = e().mul(e().add(e().mul(panel, panels.steps), step), panels.columns);
  e().prefetch(site.getInput(values), e().min(e().add(place, kPrefetched), last),
               panels.columns);
}

SmallVector<Value> DequantizingMatMul::runSteps(int64_t steps, ArrayRef<Value> initial,
                                                KernelEmitter::Step step) {
  int64_t count = initial.size(), sets = 1;
  while (sets * count < kMinIndependentAccumulators && sets * 4 <= steps)
    sets *= 2;
  SmallVector<Value> all(initial);
  all.resize(sets * count, e().constant(vectorType(), 0));
  int64_t whole = steps - steps % sets;
  all = e().loopInSets(e().index(0), e().index(whole), sets, all, step);
  for (int64_t rest = whole; rest < steps; ++rest)
    step(e().index(rest), MutableArrayRef(all).slice((rest - whole) * count, count));
  return e().addSets(all, sets);
}

SmallVector<Value> DequantizingMatMul::getRowStarts(Value first, int64_t count, Value k) {
  SmallVector<Value> starts;
  for (int64_t row = 0; row < count; ++row)
    starts.push_back(e().add(e().mul(e().add(first, row), matrix.product.depth), k));
  return starts;
}

void DequantizingMatMul::multiply(ArrayRef<Value> starts, Value k, ArrayRef<Value> weights,
                                  MutableArrayRef<Value> sums) {
  for (auto [row, start] : llvm::enumerate(starts)) {
    Value a = e().loadSplat(site.getInput(lhs), e().add(start, k), lanes);
    for (auto [v, weight] : llvm::enumerate(weights)) {
      Value &sum = sums[row * weights.size() + v];
      sum = e().fma(a, weight, sum);
    }
  }
}

//===----------------------------------------------------------------------===//
// Few rows
//===----------------------------------------------------------------------===//

void DequantizingMatMul::emitFewRows(Value count) {
  Value rest = e().rem(count, e().index(tileRows)), whole = e().sub(count, rest);
  e().loop(e().index(0), whole, tileRows,
           [&](Value first) { emitRegisterTile(tileRows, first); });
  if (std::optional<int64_t> known = getConstantIntValue(rest)) {
    if (*known)
      emitRegisterTile(*known, whole);
    return;
  }
  for (int64_t rows = 1; rows < tileRows; ++rows)
    e().ifTrue(e().equal(rest, rows), [&] { emitRegisterTile(rows, whole); });
}

void DequantizingMatMul::emitRegisterTile(int64_t rows, Value firstOfTile) {
  int64_t depth = matrix.product.depth, rowsOfStep = panels.rowsOfStep;
  int64_t stepsOfBlock = matrix.blockRows / rowsOfStep;
  bool scalesSums = hasBlocks() && rows <= kScaledRows;
  bool scalesWeights = hasBlocks() && !scalesSums;
  Value zero = e().constant(vectorType(), 0);
  auto addBlock = [&](Value number, int64_t length, int64_t firstVector, int64_t vectors,
                      ArrayRef<Value> carried) {
    Block block = loadBlock(number, firstVector, vectors);
    Value firstStep = e().mul(number, stepsOfBlock);
    SmallVector<Value> starts =
        getRowStarts(e().add(firstRow, firstOfTile), rows, e().mul(number, matrix.blockRows));
    auto step = [&](Value number, MutableArrayRef<Value> sums, int64_t count) {
      Value place = e().add(firstStep, number);
      if (firstVector == 0)
        prefetchBehind(place);
      decode(place, count, block, [&](int64_t row, ArrayRef<Value> weights) {
        SmallVector<Value> scaled(weights);
        if (scalesWeights)
          for (auto [weight, scale] : llvm::zip(scaled, block.scales))
            weight = arith::MulFOp::create(e().b, e().loc, weight, scale);
        multiply(starts, e().add(e().mul(number, rowsOfStep), row), scaled, sums);
      });
    };
    int64_t whole = length / rowsOfStep, rest = length % rowsOfStep;
    SmallVector<Value> parts(carried);
    if (scalesSums)
      parts.assign(carried.size(), zero);
    parts = runSteps(whole, parts, [&](Value number, MutableArrayRef<Value> sums) {
      step(number, sums, rowsOfStep);
    });
    if (rest)
      step(e().index(whole), parts, rest);
    if (!scalesSums)
      return parts;
    SmallVector<Value> sums(carried);
    for (auto [i, sum] : llvm::enumerate(sums))
      sum = e().fma(parts[i], block.scales[i % vectors], sum);
    return sums;
  };
  for (int64_t first = 0; first < panelVectors(); first += kTileVectors) {
    int64_t vectors = std::min(kTileVectors, panelVectors() - first);
    SmallVector<Value> results(rows * vectors, zero);
    int64_t whole = depth / matrix.blockRows, rest = depth % matrix.blockRows;
    results = e().loop(e().index(0), e().index(whole), 1, results,
                       [&](Value number, ValueRange carried) {
                         return addBlock(number, matrix.blockRows, first, vectors,
                                         llvm::to_vector(carried));
                       });
    if (rest)
      results = addBlock(e().index(whole), rest, first, vectors, results);
    for (int64_t i = 0; i < rows * vectors; ++i) {
      Value place = e().mul(e().add(firstOfTile, i / vectors), panels.columns);
      e().store(results[i], sums, e().add(place, (first + i % vectors) * lanes));
    }
  }
}

//===----------------------------------------------------------------------===//
// Many rows
//===----------------------------------------------------------------------===//

void DequantizingMatMul::emitManyRows(Value count) {
  e().loop(e().index(0), e().mul(count, panels.columns), lanes, [&](Value place) {
    e().store(e().constant(vectorType(), 0), sums, place);
  });
  int64_t depth = matrix.product.depth, whole = depth / partRows;
  e().loop(e().index(0), e().index(whole), 1,
           [&](Value part) { emitPart(part, partRows, count); });
  if (int64_t rest = depth % partRows)
    emitPart(e().index(whole), rest, count);
}

void DequantizingMatMul::emitPart(Value part, int64_t length, Value count) {
  Value start = e().mul(part, partRows);
  Value step = e().mul(part, partRows / panels.rowsOfStep);
  if (!hasBlocks()) {
    storeFloats(step, e().index(0), e().index(0), length);
  } else {
    int64_t size = matrix.blockRows, whole = length / size;
    Value block = e().mul(part, partRows / size);
    auto store = [&](Value number, int64_t length) {
      storeFloats(e().add(step, e().mul(number, size / panels.rowsOfStep)),
                  e().add(block, number), e().mul(number, size), length);
    };
    e().loop(e().index(0), e().index(whole), 1, [&](Value number) { store(number, size); });
    if (length % size)
      store(e().index(whole), length % size);
  }
  Value done = e().index(0);
  for (int64_t tile : {tileRows, int64_t(4), int64_t(2), int64_t(1)}) {
    Value end = e().sub(count, e().rem(e().sub(count, done), e().index(tile)));
    e().loop(done, end, tile,
             [&](Value first) { multiplyFloats(tile, first, start, length); });
    done = end;
  }
}

void DequantizingMatMul::storeFloats(Value step, Value block, Value firstRow,
                                     int64_t length) {
  Block parameters = loadBlock(block, /*firstVector=*/0, panelVectors());
  int64_t rowsOfStep = panels.rowsOfStep;
  auto store = [&](Value number, int64_t count) {
    prefetchBehind(e().add(step, number));
    decode(e().add(step, number), count, parameters,
           [&](int64_t row, ArrayRef<Value> weights) {
             Value place = e().add(firstRow, e().add(e().mul(number, rowsOfStep), row));
             place = e().mul(place, panels.columns);
             for (auto [v, weight] : llvm::enumerate(weights)) {
               Value scaled = weight;
               if (hasBlocks())
                 scaled =
                     arith::MulFOp::create(e().b, e().loc, weight, parameters.scales[v]);
               e().store(scaled, floats, e().add(place, v * lanes));
             }
           });
  };
  constexpr int64_t unroll = 4;
  int64_t whole = length / rowsOfStep, unrolled = whole - whole % unroll;
  e().loop(e().index(0), e().index(unrolled), unroll, [&](Value number) {
    for (int64_t i = 0; i < unroll; ++i)
      store(e().add(number, i), rowsOfStep);
  });
  for (int64_t number = unrolled; number < whole; ++number)
    store(e().index(number), rowsOfStep);
  if (length % rowsOfStep)
    store(e().index(whole), length % rowsOfStep);
}

void DequantizingMatMul::multiplyFloats(int64_t rows, Value first, Value start,
                                        int64_t length) {
  SmallVector<Value> starts = getRowStarts(e().add(firstRow, first), rows, start);
  for (int64_t vector = 0; vector < panelVectors(); vector += kTileVectors) {
    int64_t vectors = std::min(kTileVectors, panelVectors() - vector);
    auto getPlace = [&](int64_t i) {
      Value place = e().mul(e().add(first, i / vectors), panels.columns);
      return e().add(place, (vector + i % vectors) * lanes);
    };
    SmallVector<Value> tile;
    for (int64_t i = 0; i < rows * vectors; ++i)
      tile.push_back(e().load(sums, getPlace(i), lanes));
    tile = runSteps(length, tile, [&](Value k, MutableArrayRef<Value> carried) {
      SmallVector<Value> weights;
      for (int64_t v = 0; v < vectors; ++v)
        weights.push_back(e().load(
            floats, e().add(e().mul(k, panels.columns), (vector + v) * lanes), lanes));
      multiply(starts, k, weights, carried);
    });
    for (int64_t i = 0; i < rows * vectors; ++i)
      e().store(tile[i], sums, getPlace(i));
  }
}

LogicalResult nn::emitDequantizingMatMulKernel(KernelSite &site) {
  return DequantizingMatMul(site).emit();
}

std::optional<double> nn::getDequantizingShare(const FusionView &view, const CostModel &) {
  // Weights are read faster, and with many rows nothing is lost.
  constexpr double share = 0.9;
  return IntegerMatrix::get(view) ? std::optional(share) : std::nullopt;
}
