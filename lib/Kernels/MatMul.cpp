//===- MatMul.cpp - kernels of small matrix products ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Products of f32 that are small, oddly sized or have few rows, where call overhead
// dominates. K and N are static, the number of rows need not be:
//
//   for tile in [begin, end)             of batches x column panels x row blocks
//     acc[row][vector] = 0
//     for k                                        carries acc in registers
//       b[vector] = rhs[k, columns of the panel]   the last one masked
//       acc[row][vector] += lhs[row, k] * b[vector]
//     result[row, columns] = epilogue(acc[row][vector])
//
// A tile with few accumulators processes several steps of k at once, each with its own
// set, to hide FMA latency. Tiles at the last rows and columns have their own code; if
// the number of last rows is known only at run time, they are computed by fours, twos
// and ones.
//
//===----------------------------------------------------------------------===//

#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;

/// Elements of an rhs that stays in the L2 cache.
static constexpr int64_t kMaxWeights = 1 << 18;
/// The same for a number of rows known only at run time.
static constexpr int64_t kMaxWeightsOfManyRows = 1 << 16;
/// Multiplications; below this, the overhead of a library call dominates.
static constexpr int64_t kMaxWork = 1 << 21;
/// With this many rows or fewer, reading the rhs limits a product.
static constexpr int64_t kFewRows = 8;

namespace {

class MatMulKernel {
public:
  explicit MatMulKernel(KernelSite &site) : site(site), epilogue(site) {}
  LogicalResult emit();

private:
  bool match();
  bool isWorthwhile() const;
  bool addOperands();
  void chooseTile();
  void emitIteration(Value iteration);
  /// `vectors` columns from `column` on, of which the last has `rest` lanes (0:
  /// all).
  void emitPanel(Value batch, Value block, Value column, int64_t vectors,
                 int64_t rest);
  void emitTile(Value batch, Value row, int64_t numRows, Value column,
                int64_t vectors, int64_t rest);

  KernelEmitter &e() { return site.getEmitter(); }
  Array getRhs() { return packed ? site.getInput(*packed) : site.getInput(op.getRhs()); }

  KernelSite &site;
  EpilogueStorer epilogue;
  MatMulOp op;
  int64_t rank = 0, columns = 0, depth = 0;
  /// Rows of each product, if known: all rows of a shared rhs are one product.
  std::optional<int64_t> knownRows;
  bool isBatched = false;
  std::optional<unsigned> packed; // a transposed constant, turned
  int64_t tileRows = 1, tileVectors = 1, panels = 1, lanes = 1;
  Value rows;
  LogicalResult status = success();
};

} // namespace

bool MatMulKernel::match() {
  op = dyn_cast_or_null<MatMulOp>(site.view.anchor);
  if (!op || op.getTransposeLhs())
    return false;
  auto lhs = cast<RankedTensorType>(op.getLhs().getType());
  auto rhs = cast<RankedTensorType>(op.getRhs().getType());
  auto result = cast<RankedTensorType>(op.getResult().getType());
  rank = result.getRank();
  if (rank < 2 || lhs.getRank() != rank || rhs.getRank() < 2 ||
      !lhs.getElementType().isF32())
    return false;
  depth = lhs.getDimSize(rank - 1);
  columns = result.getDimSize(rank - 1);
  if (ShapedType::isDynamic(depth) || ShapedType::isDynamic(columns) ||
      depth == 0 || columns == 0)
    return false;
  isBatched = rhs.getRank() > 2;
  if (isBatched) {
    if (rhs.getRank() != rank)
      return false;
    SmallVector<DimUse> left = site.view.getUses(op.getLhs(), op.getResult()),
                        right = site.view.getUses(op.getRhs(), op.getResult());
    for (int64_t dim = 0; dim < rank - 2; ++dim)
      if (left[dim] != DimUse::Full || right[dim] != DimUse::Full)
        return false;
  }
  int64_t product = 1;
  for (int64_t dim = isBatched ? rank - 2 : 0; dim < rank - 1; ++dim) {
    int64_t size = lhs.getDimSize(dim);
    product = ShapedType::isDynamic(size) || ShapedType::isDynamic(product)
                  ? ShapedType::kDynamic
                  : product * size;
  }
  if (!ShapedType::isDynamic(product))
    knownRows = product;
  return isWorthwhile() && site.view.getOuter(op.getLhs());
}

bool MatMulKernel::isWorthwhile() const {
  int64_t weights = depth * columns;
  if (!knownRows)
    return weights <= kMaxWeightsOfManyRows;
  return weights <= kMaxWeights &&
         (*knownRows <= kFewRows || *knownRows * weights <= kMaxWork);
}

bool MatMulKernel::addOperands() {
  site.addInput(op.getLhs());
  ElementsAttr constant = site.view.getConstant(op.getRhs());
  if (!op.getTransposeRhs()) {
    if (!constant && !site.view.getOuter(op.getRhs()))
      return false;
    site.addInput(op.getRhs());
    auto type = cast<RankedTensorType>(op.getRhs().getType());
    int64_t contracted = type.getRank() - 2;
    if (type.isDynamicDim(contracted))
      site.checkSize(op.getRhs(), contracted, site.hostIndex(depth),
                     "the contracted dimensions of a matrix product differ");
    return true;
  }
  if (!constant || isBatched)
    return false;
  FailureOr<HostTensor> original = toHostTensor(constant);
  if (failed(original))
    return false;
  HostTensor turned = HostTensor::allocate(DataType::Float32, {depth, columns});
  ArrayRef<float> from = original->get<float>();
  MutableArrayRef<float> to = turned.getMutable<float>();
  for (int64_t n = 0; n < columns; ++n)
    for (int64_t k = 0; k < depth; ++k)
      to[k * columns + n] = from[n * depth + k];
  packed = site.addConstant(makeConstantAttr(op.getContext(), turned,
                                             Float32Type::get(op.getContext())));
  return true;
}

/// Accumulators fill the registers, except for those of a row of the rhs and an element
/// of the lhs.
void MatMulKernel::chooseTile() {
  bool wide = e().vectorBits == 512;
  int64_t vectors = llvm::divideCeil(columns, lanes);
  int64_t maxVectors = wide ? 4 : 2, maxAccumulators = wide ? 24 : 12;
  if (knownRows == 1)
    maxVectors = kMinIndependentAccumulators;
  panels = llvm::divideCeil(vectors, maxVectors);
  tileVectors = llvm::divideCeil(vectors, panels);
  panels = llvm::divideCeil(vectors, tileVectors);
  tileRows = std::min<int64_t>(maxAccumulators / tileVectors, 12);
  if (knownRows) // Blocks of about the same size.
    tileRows = llvm::divideCeil(*knownRows, llvm::divideCeil(*knownRows, tileRows));
  tileRows = std::max<int64_t>(tileRows, 1);
}

LogicalResult MatMulKernel::emit() {
  if (!match() || failed(epilogue.add({rank - 1, rank})) || !addOperands() ||
      failed(site.begin("matmul")))
    return failure();
  lanes = e().getLanes();
  chooseTile();
  Value output = site.getOutputMemref(0), allRows = e().index(1);
  for (int64_t dim = 0; dim < rank - 1; ++dim)
    allRows = e().mul(allRows, e().size(output, dim));
  rows = isBatched ? e().size(output, rank - 2) : allRows;
  epilogue.setSizes({allRows, e().index(columns)});
  e().loop(site.getBegin(), site.getEnd(), 1,
           [&](Value iteration) { emitIteration(iteration); });
  if (failed(status))
    return failure();

  Value hostRows = isBatched ? site.getResultSize(0, rank - 2)
                             : site.hostResultProduct(0, 0, rank - 1);
  Value count = site.hostMul(site.hostCeilDiv(hostRows, tileRows),
                             site.hostIndex(panels));
  if (isBatched)
    count = site.hostMul(count, site.hostResultProduct(0, 0, rank - 2));
  site.finish(count, chooseGrain(depth * tileRows * tileVectors));
  return success();
}

void MatMulKernel::emitIteration(Value iteration) {
  // Row blocks are innermost, so that a panel of the rhs stays in the cache.
  Value blocks = e().ceilDiv(rows, e().index(tileRows));
  Value block = e().rem(iteration, blocks);
  Value rest = e().div(iteration, blocks);
  Value panel = e().rem(rest, e().index(panels));
  Value batch = isBatched ? e().div(rest, e().index(panels)) : e().index(0);
  int64_t width = tileVectors * lanes;
  int64_t lastColumn = (panels - 1) * width;
  int64_t lastWidth = columns - lastColumn;
  auto emitLast = [&] {
    emitPanel(batch, block, e().index(lastColumn),
              llvm::divideCeil(lastWidth, lanes), lastWidth % lanes);
  };
  auto emitFull = [&] {
    emitPanel(batch, block, e().mul(panel, width), tileVectors, 0);
  };
  if (panels == 1)
    emitLast();
  else if (lastWidth == width)
    emitFull();
  else
    e().ifTrue(e().less(panel, e().index(panels - 1)), emitFull, emitLast);
}

void MatMulKernel::emitPanel(Value batch, Value block, Value column,
                             int64_t vectors, int64_t rest) {
  Value first = e().mul(block, tileRows);
  auto emitFull = [&] {
    emitTile(batch, first, tileRows, column, vectors, rest);
  };
  if (knownRows && *knownRows % tileRows == 0)
    return emitFull();
  Value end = e().add(first, tileRows);
  Value isPartial = e().less(rows, end);
  e().ifTrue(
      isPartial,
      [&] {
        if (knownRows) {
          emitTile(batch, first, *knownRows % tileRows, column, vectors, rest);
          return;
        }
        Value done = first;
        for (int64_t some : {4, 2, 1}) {
          if (some >= tileRows)
            continue;
          Value left = e().sub(rows, done);
          Value next = e().add(done, e().sub(left, e().rem(left, e().index(some))));
          e().loop(done, next, some, [&](Value row) {
            emitTile(batch, row, some, column, vectors, rest);
          });
          done = next;
        }
      },
      emitFull);
}

void MatMulKernel::emitTile(Value batch, Value row, int64_t numRows, Value column,
                            int64_t vectors, int64_t rest) {
  Type type = e().vector(e().b.getF32Type(), lanes);
  Value mask = rest ? e().mask(e().index(rest), lanes) : Value();
  auto maskOf = [&](int64_t n) { return n + 1 == vectors ? mask : Value(); };
  int64_t accumulators = numRows * vectors, sets = 1;
  while (sets * accumulators < kMinIndependentAccumulators && sets * 2 <= depth)
    sets *= 2;

  Value globalRow = e().add(e().mul(batch, rows), row);
  Value rhsStart = isBatched ? e().mul(batch, depth * columns) : e().index(0);
  rhsStart = e().add(rhsStart, column);
  auto step = [&](Value k, MutableArrayRef<Value> sums) {
    SmallVector<Value> b;
    Value rhsRow = e().add(rhsStart, e().mul(k, columns));
    for (int64_t n = 0; n < vectors; ++n)
      b.push_back(e().load(getRhs(), e().add(rhsRow, n * lanes), lanes, maskOf(n)));
    for (int64_t r = 0; r < numRows; ++r) {
      Value place = e().add(e().mul(e().add(globalRow, r), depth), k);
      Value a = e().loadSplat(site.getInput(op.getLhs()), place, lanes);
      for (int64_t n = 0; n < vectors; ++n)
        sums[r * vectors + n] = e().fma(a, b[n], sums[r * vectors + n]);
    }
  };
  SmallVector<Value> sums(sets * accumulators, e().constant(type, 0));
  int64_t whole = depth - depth % sets;
  sums = e().loop(e().index(0), e().index(whole), sets, sums,
                  [&](Value k, ValueRange carried) {
                    SmallVector<Value> next(carried);
                    for (int64_t set = 0; set < sets; ++set)
                      step(e().add(k, set),
                           MutableArrayRef(next).slice(set * accumulators,
                                                       accumulators));
                    return next;
                  });
  for (int64_t k = whole; k < depth; ++k)
    step(e().index(k), MutableArrayRef(sums).slice((k - whole) * accumulators,
                                                   accumulators));
  for (int64_t half = sets / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half * accumulators; ++i)
      sums[i] = arith::AddFOp::create(e().b, e().loc, sums[i],
                                      sums[i + half * accumulators]);
  for (int64_t r = 0; r < numRows; ++r)
    for (int64_t n = 0; n < vectors; ++n)
      if (failed(epilogue.store(sums[r * vectors + n],
                            {e().add(globalRow, r), e().add(column, n * lanes)},
                            lanes, maskOf(n))))
        status = failure();
}

LogicalResult nn::emitMatMulKernel(KernelSite &site) {
  return MatMulKernel(site).emit();
}
