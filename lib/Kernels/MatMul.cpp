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
// and ones. Operands may be read, and the result stored, through permutations. Of an rhs
// whose columns are not neighbours, a panel is copied to the stack, and an iteration computes
// all of its row blocks. DotProducts.cpp has the products whose operands both lie along k.
//
//===----------------------------------------------------------------------===//

#include "MatMulView.h"
#include "ProductTile.h"
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
  /// Whether the rhs is a matrix that can be turned at compile time.
  bool canTurnRhs() const {
    return product.copiesPanels() && product.rhs.order.size() == 2 &&
           site.view.getConstant(product.rhs.tensor);
  }
  /// The dimension of the stored result that is one of the computed one.
  int64_t getStoredDim(int64_t dim) { return nn::getStoredDim(product.stored, dim); }
  Value getHostSize(int64_t dim) { return site.getResultSize(0, getStoredDim(dim)); }
  void finish();
  void emitIteration(Value iteration);
  void emitPanels(Value panel,
                  function_ref<void(Value column, int64_t vectors, Value width)> emit);
  void copyPanel(Value batch, Value column, int64_t vectors);
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
  /// For what is not plain.
  std::optional<MatrixAddress> lhsAddress, rhsAddress, resultAddress;
  Array panelCopy;
  LogicalResult status = success();
};

} // namespace

bool MatMulKernel::match() {
  std::optional<MatMulView> seen = MatMulView::get(site.view);
  if (!seen)
    return false;
  product = *seen;
  return product.rhs.order.size() > 1 &&
         (!product.copiesPanels() || canTurnRhs() || product.canCopyPanels(site.getCosts()));
}

bool nn::isMatMulFast(const FusionView &view, const CostModel &costs) {
  std::optional<MatMulView> product = MatMulView::get(view);
  return product && (product->elementType.isF64() ||
                     costs.isSmallProduct({product->rows, product->depth, product->columns}));
}

LogicalResult MatMulKernel::turnRhs() {
  product.checkDepth(site);
  FailureOr<HostTensor> original = site.view.readConstant(product.rhs.tensor);
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
  product.rhs.order = {0, 1};
  return success();
}

bool MatMulKernel::addOperands() {
  lhs = product.addLhs(site);
  if (canTurnRhs())
    return succeeded(turnRhs());
  rhs = product.addRhs(site);
  return true;
}

/// Accumulators fill the registers, except for those of a row of the rhs and an element
/// of the lhs.
void MatMulKernel::chooseTile() {
  int64_t maxVectors = product.getMaxTileVectors(site.getCosts());
  int64_t maxAccumulators = e().vectorBits == 512 ? 24 : 12;
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
  auto getSize = [&](int64_t dim) { return e().size(output, getStoredDim(dim)); };
  for (int64_t dim = 0; dim < rank - 1; ++dim)
    allRows = e().mul(allRows, getSize(dim));
  rows = product.isBatched ? getSize(rank - 2) : allRows;
  columns = getSize(rank - 1);
  depth = ShapedType::isDynamic(product.depth)
              ? e().size(site.getInputMemref(lhs), product.lhs.order.back())
              : e().index(product.depth);
  panels = e().ceilDiv(columns, e().index(tileVectors * lanes));
  epilogue.setSizes({allRows, columns});
  if (!product.lhs.isPlain())
    lhsAddress.emplace(e(), site.getInputMemref(lhs), product.lhs.order);
  if (!product.rhs.isPlain())
    rhsAddress.emplace(e(), site.getInputMemref(rhs), product.rhs.order);
  if (product.stored)
    resultAddress.emplace(e(), output,
                          llvm::map_to_vector(llvm::seq<int64_t>(0, rank), [&](int64_t dim) {
                            return getStoredDim(dim);
                          }));
  if (product.copiesPanels())
    panelCopy = e().array(
        e().scratch(product.depth * tileVectors * lanes, product.elementType));
  e().loop(site.getBegin(), site.getEnd(), 1,
           [&](Value iteration) { emitIteration(iteration); });
  if (failed(status))
    return failure();
  finish();
  return success();
}

void MatMulKernel::finish() {
  int64_t rank = product.rank;
  auto getProduct = [&](int64_t from, int64_t to) {
    Value size = site.hostIndex(1);
    for (int64_t dim = from; dim < to; ++dim)
      size = site.hostMul(size, getHostSize(dim));
    return size;
  };
  Value hostRows = product.isBatched ? getHostSize(rank - 2) : getProduct(0, rank - 1);
  Value hostPanels = site.hostCeilDiv(getHostSize(rank - 1), tileVectors * lanes);
  int64_t work = product.getLikelyDepth() * tileRows * tileVectors;
  Value count = hostPanels;
  if (product.copiesPanels())
    work *= hasKnownRows() ? llvm::divideCeil(product.rows, tileRows) : 1;
  else
    count = site.hostMul(site.hostCeilDiv(hostRows, tileRows), hostPanels);
  if (product.isBatched)
    count = site.hostMul(count, getProduct(0, rank - 2));
  site.finish(count, site.chooseGrain(work));
}

void MatMulKernel::emitIteration(Value iteration) {
  // Row blocks are innermost, so that a panel of the rhs stays in the cache.
  Value blocks = e().ceilDiv(rows, e().index(tileRows));
  Value rest = iteration, block;
  if (!product.copiesPanels()) {
    block = e().rem(iteration, blocks);
    rest = e().div(iteration, blocks);
  }
  Value panel = e().rem(rest, panels);
  Value batch = product.isBatched ? e().div(rest, panels) : e().index(0);
  emitPanels(panel, [&](Value column, int64_t vectors, Value width) {
    if (!product.copiesPanels())
      return emitPanel(batch, block, column, vectors, width);
    copyPanel(batch, column, vectors);
    e().loop(e().index(0), blocks, 1,
             [&](Value block) { emitPanel(batch, block, column, vectors, width); });
  });
}

/// Calls `emit` for full panels and for the last one.
void MatMulKernel::emitPanels(
    Value panel, function_ref<void(Value column, int64_t vectors, Value width)> emit) {
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
    emit(last, vectors, e().sub(columns, last));
  };
  auto emitFull = [&] { emit(column, tileVectors, Value()); };
  if (ShapedType::isDynamic(product.columns) ||
      (product.columns > width && product.columns % width))
    e().ifTrue(e().less(columns, e().add(column, width)), emitLast, emitFull);
  else if (product.columns % width)
    emitLast();
  else
    emitFull();
}

/// Copies columns from `column` on, of all rows of the rhs, along which they lie.
void MatMulKernel::copyPanel(Value batch, Value column, int64_t vectors) {
  Value start = rhsAddress->getStart(batch);
  auto getStart = [&](Value index) {
    return e().add(start, e().mul(index, rhsAddress->getColumnStride()));
  };
  copyColumns(e(), site.getInput(rhs), getStart, depth, column, columns,
              e().index(vectors * lanes), panelCopy, vectors * lanes);
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
        SmallVector<int64_t> sizes;
        llvm::copy_if(ArrayRef<int64_t>{4, 2, 1}, std::back_inserter(sizes),
                      [&](int64_t size) { return size < tileRows; });
        forParts(e(), first, rows, sizes, [&](Value row, int64_t some) {
          emitTile(batch, row, some, column, vectors, width);
        });
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
  Value globalRow = e().add(e().mul(batch, rows), row);
  Value lhsStart = lhsAddress ? lhsAddress->getStart(batch) : Value();
  Value rhsStart = rhsAddress          ? rhsAddress->getStart(batch)
                   : product.isBatched ? e().mul(batch, e().mul(depth, columns))
                                       : e().index(0);
  rhsStart = e().add(rhsStart, column);
  auto getLhsPlace = [&](int64_t r, Value k) {
    if (!lhsAddress)
      return e().add(e().mul(e().add(globalRow, r), depth), k);
    Value start = e().add(lhsStart, e().mul(e().add(row, r), lhsAddress->getRowStride()));
    return e().add(start, e().mul(k, lhsAddress->getColumnStride()));
  };
  auto loadRhs = [&](Value k, int64_t n) {
    if (product.copiesPanels())
      return e().load(panelCopy, e().add(e().mul(k, vectors * lanes), n * lanes), lanes);
    Value distance = rhsAddress ? rhsAddress->getRowStride() : columns;
    Value rhsRow = e().add(rhsStart, e().mul(k, distance));
    return e().load(site.getInput(rhs), e().add(rhsRow, n * lanes), lanes, masks[n]);
  };
  SmallVector<Value> sums = ProductTile{numRows, vectors, type}.multiply(
      e(), depth,
      [&](int64_t r, Value k) {
        return e().loadSplat(site.getInput(lhs), getLhsPlace(r, k), lanes);
      },
      loadRhs);
  Value resultStart = resultAddress ? resultAddress->getStart(batch) : Value();
  for (int64_t r = 0; r < numRows; ++r)
    for (int64_t n = 0; n < vectors; ++n) {
      Value first = e().add(column, n * lanes), place;
      if (resultAddress)
        place = e().add(
            e().add(resultStart, e().mul(e().add(row, r), resultAddress->getRowStride())),
            first);
      if (failed(epilogue.store(sums[r * vectors + n], {e().add(globalRow, r), first}, lanes,
                                masks[n], place)))
        status = failure();
    }
}

LogicalResult nn::emitMatMulKernel(KernelSite &site) {
  return MatMulKernel(site).emit();
}
