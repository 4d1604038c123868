//===- MatMul.cpp - kernels of small matrix products ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Products that are small, oddly sized or have few rows, where call overhead dominates,
// and all of f64, which the library does not have; of f64, any size may be dynamic:
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
// and ones. DotProducts.cpp has the products whose operands both lie along k.
//
//===----------------------------------------------------------------------===//

#include "MatMulView.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;

namespace {

class MatMulKernel {
public:
  explicit MatMulKernel(KernelSite &site) : site(site), epilogue(site) {}
  LogicalResult emit();

private:
  bool match();
  bool addOperands();
  /// The rhs, if it is a transposed constant, turned.
  LogicalResult turnRhs();
  void chooseTile();
  void emitIteration(Value iteration);
  /// The vectors of a panel from `column` on, of which only the first `width` columns are
  /// in the matrix (null: all).
  void emitPanel(Value batch, Value block, Value column, int64_t vectors, Value width);
  void emitTile(Value batch, Value row, int64_t numRows, Value column, int64_t vectors,
                Value width);

  KernelEmitter &e() { return site.getEmitter(); }
  bool hasKnownRows() const { return !ShapedType::isDynamic(product.rows); }

  KernelSite &site;
  EpilogueStorer epilogue;
  MatMulView product;
  unsigned lhs = 0, rhs = 0; // inputs
  int64_t tileRows = 1, tileVectors = 1, lanes = 1;
  Value rows, columns, depth, panels;
  LogicalResult status = success();
};

} // namespace

bool MatMulKernel::match() {
  std::optional<MatMulView> seen = MatMulView::get(site.view);
  if (!seen)
    return false;
  product = *seen;
  return cast<RankedTensorType>(product.rhs.getType()).getRank() > 1;
}

bool nn::isMatMulFast(const FusionView &view, const CostModel &costs) {
  std::optional<MatMulView> product = MatMulView::get(view);
  return product && (product->elementType.isF64() ||
                     costs.isSmallProduct({product->rows, product->depth, product->columns}));
}

LogicalResult MatMulKernel::turnRhs() {
  product.checkDepth(site, product.rhs, /*isTransposed=*/true);
  FailureOr<HostTensor> original = site.view.readConstant(product.rhs);
  if (failed(original))
    return failure();
  HostTensor tensor =
      HostTensor::allocate(original->getType(), {product.depth, product.columns});
  auto turn = [&](auto zero) {
    using Element = decltype(zero);
    ArrayRef<Element> from = original->get<Element>();
    MutableArrayRef<Element> to = tensor.getMutable<Element>();
    for (int64_t n = 0; n < product.columns; ++n)
      for (int64_t k = 0; k < product.depth; ++k)
        to[k * product.columns + n] = from[n * product.depth + k];
  };
  if (product.elementType.isF64())
    turn(double());
  else
    turn(float());
  rhs = site.addConstant(
      makeConstantAttr(site.host.getContext(), tensor, product.elementType));
  return success();
}

bool MatMulKernel::addOperands() {
  lhs = product.addLhs(site);
  if (!product.op.getTransposeRhs()) {
    rhs = product.addRhs(site);
    return true;
  }
  return !product.isBatched && succeeded(turnRhs());
}

/// Accumulators fill the registers, except for those of a row of the rhs and an element
/// of the lhs.
void MatMulKernel::chooseTile() {
  bool wide = e().vectorBits == 512;
  int64_t maxVectors = wide ? 4 : 2, maxAccumulators = wide ? 24 : 12;
  if (product.rows == 1)
    maxVectors = kMinIndependentAccumulators;
  tileVectors = maxVectors;
  if (!ShapedType::isDynamic(product.columns)) { // Panels of about the same size.
    int64_t vectors = llvm::divideCeil(product.columns, lanes);
    tileVectors = llvm::divideCeil(vectors, llvm::divideCeil(vectors, maxVectors));
  }
  tileRows = std::min<int64_t>(maxAccumulators / tileVectors, 12);
  if (hasKnownRows()) // Blocks of about the same size.
    tileRows = llvm::divideCeil(product.rows, llvm::divideCeil(product.rows, tileRows));
  tileRows = std::max<int64_t>(tileRows, 1);
}

LogicalResult MatMulKernel::emit() {
  if (!match())
    return failure();
  int64_t rank = product.rank;
  if (failed(epilogue.add({rank - 1, rank})) || !addOperands() ||
      failed(site.begin("matmul")))
    return failure();
  lanes = e().getLanes(product.elementType.getWidth());
  chooseTile();
  Value output = site.getOutputMemref(0), allRows = e().index(1);
  for (int64_t dim = 0; dim < rank - 1; ++dim)
    allRows = e().mul(allRows, e().size(output, dim));
  rows = product.isBatched ? e().size(output, rank - 2) : allRows;
  columns = e().size(output, rank - 1);
  depth = e().size(site.getInputMemref(lhs), rank - 1);
  panels = e().ceilDiv(columns, e().index(tileVectors * lanes));
  epilogue.setSizes({allRows, columns});
  e().loop(site.getBegin(), site.getEnd(), 1,
           [&](Value iteration) { emitIteration(iteration); });
  if (failed(status))
    return failure();

  Value hostRows = product.isBatched ? site.getResultSize(0, rank - 2)
                                     : site.hostResultProduct(0, 0, rank - 1);
  Value count = site.hostMul(
      site.hostCeilDiv(hostRows, tileRows),
      site.hostCeilDiv(site.getResultSize(0, rank - 1), tileVectors * lanes));
  if (product.isBatched)
    count = site.hostMul(count, site.hostResultProduct(0, 0, rank - 2));
  site.finish(count, site.chooseGrain(product.getLikelyDepth() * tileRows * tileVectors));
  return success();
}

void MatMulKernel::emitIteration(Value iteration) {
  // Row blocks are innermost, so that a panel of the rhs stays in the cache.
  Value blocks = e().ceilDiv(rows, e().index(tileRows));
  Value block = e().rem(iteration, blocks);
  Value rest = e().div(iteration, blocks);
  Value panel = e().rem(rest, panels);
  Value batch = product.isBatched ? e().div(rest, panels) : e().index(0);
  int64_t width = tileVectors * lanes;
  Value column = e().mul(panel, width);
  auto emitLast = [&] {
    Value last = column;
    int64_t vectors = tileVectors;
    if (!ShapedType::isDynamic(product.columns)) {
      int64_t known = (product.columns - 1) % width + 1;
      last = e().index(product.columns - known);
      vectors = llvm::divideCeil(known, lanes);
    }
    emitPanel(batch, block, last, vectors, e().sub(columns, last));
  };
  auto emitFull = [&] { emitPanel(batch, block, column, tileVectors, Value()); };
  if (ShapedType::isDynamic(product.columns) ||
      (product.columns > width && product.columns % width))
    e().ifTrue(e().less(columns, e().add(column, width)), emitLast, emitFull);
  else if (product.columns % width)
    emitLast();
  else
    emitFull();
}

void MatMulKernel::emitPanel(Value batch, Value block, Value column, int64_t vectors,
                             Value width) {
  Value first = e().mul(block, tileRows);
  auto emitFull = [&] { emitTile(batch, first, tileRows, column, vectors, width); };
  if (hasKnownRows() && product.rows % tileRows == 0)
    return emitFull();
  Value isPartial = e().less(rows, e().add(first, tileRows));
  e().ifTrue(
      isPartial,
      [&] {
        if (hasKnownRows()) {
          emitTile(batch, first, product.rows % tileRows, column, vectors, width);
          return;
        }
        Value done = first;
        for (int64_t some : {4, 2, 1}) {
          if (some >= tileRows)
            continue;
          Value left = e().sub(rows, done);
          Value next = e().add(done, e().sub(left, e().rem(left, e().index(some))));
          e().loop(done, next, some, [&](Value row) {
            emitTile(batch, row, some, column, vectors, width);
          });
          done = next;
        }
      },
      emitFull);
}

void MatMulKernel::emitTile(Value batch, Value row, int64_t numRows, Value column,
                            int64_t vectors, Value width) {
  Type type = e().vector(product.elementType, lanes);
  SmallVector<Value> masks(vectors);
  if (std::optional<int64_t> known = width ? getConstantIntValue(width) : std::nullopt) {
    if (*known % lanes)
      masks.back() = e().mask(e().index(*known % lanes), lanes);
  } else if (width) {
    for (int64_t n = 0; n < vectors; ++n)
      masks[n] = e().mask(e().sub(width, e().index(n * lanes)), lanes);
  }
  int64_t accumulators = numRows * vectors, sets = 1;
  while (sets * accumulators < kMinIndependentAccumulators &&
         (ShapedType::isDynamic(product.depth) || sets * 2 <= product.depth))
    sets *= 2;

  Value globalRow = e().add(e().mul(batch, rows), row);
  Value rhsStart =
      product.isBatched ? e().mul(batch, e().mul(depth, columns)) : e().index(0);
  rhsStart = e().add(rhsStart, column);
  SmallVector<Value> sums(sets * accumulators, e().constant(type, 0));
  auto step = [&](Value k, MutableArrayRef<Value> sums) {
    SmallVector<Value> b;
    Value rhsRow = e().add(rhsStart, e().mul(k, columns));
    for (int64_t n = 0; n < vectors; ++n)
      b.push_back(e().load(site.getInput(rhs), e().add(rhsRow, n * lanes), lanes, masks[n]));
    for (int64_t r = 0; r < numRows; ++r) {
      Value place = e().add(e().mul(e().add(globalRow, r), depth), k);
      Value a = e().loadSplat(site.getInput(lhs), place, lanes);
      for (int64_t n = 0; n < vectors; ++n)
        sums[r * vectors + n] = e().fma(a, b[n], sums[r * vectors + n]);
    }
  };
  auto loopSteps = [&](Value begin, Value end, int64_t count, ArrayRef<Value> carried) {
    return e().loop(begin, end, count, carried, [&](Value k, ValueRange carried) {
      SmallVector<Value> next(carried);
      for (int64_t set = 0; set < count; ++set)
        step(e().add(k, set),
             MutableArrayRef(next).slice(set * accumulators, accumulators));
      return next;
    });
  };
  Value rest = e().rem(depth, e().index(sets)), whole = e().sub(depth, rest);
  sums = loopSteps(e().index(0), whole, sets, sums);
  if (std::optional<int64_t> known = getConstantIntValue(rest)) {
    for (int64_t set = 0; set < *known; ++set)
      step(e().add(whole, set),
           MutableArrayRef(sums).slice(set * accumulators, accumulators));
  } else {
    llvm::copy(loopSteps(whole, depth, 1, ArrayRef(sums).take_front(accumulators)),
               sums.begin());
  }
  for (int64_t half = sets / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half * accumulators; ++i)
      sums[i] = e().sum(sums[i], sums[i + half * accumulators]);
  for (int64_t r = 0; r < numRows; ++r)
    for (int64_t n = 0; n < vectors; ++n)
      if (failed(epilogue.store(sums[r * vectors + n],
                                {e().add(globalRow, r), e().add(column, n * lanes)}, lanes,
                                masks[n])))
        status = failure();
}

LogicalResult nn::emitMatMulKernel(KernelSite &site) {
  return MatMulKernel(site).emit();
}
