//===- DotProducts.cpp - kernels of products along the last dimension -----===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Matrix products in which both operands lie along k: rows times a single column, or few
// rows times a transposed matrix, as the scores of an attention with one query (whose
// transpositions are not computed if they keep k innermost). Each
// result is the dot product of one of the `many` lines of one operand and one of the
// `few` of the other:
//
//   for block in [begin, end)            of batches x blocks of many
//     acc[line][other] = 0
//     for k in vectors
//       acc[line][other] += many[line, k] * few[other, k]
//     sums[other][line] = the sum of the lanes of acc[line][other]
//     result[lines, other] = epilogue(sums[other])     lines are neighbours in the result
//
// The last lines are computed one by one.
//
//===----------------------------------------------------------------------===//

#include "MatMulView.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"

using namespace mlir;
using namespace mlir::nn;

/// Lines of the smaller operand. With as many of the other as there are f32 in 128 bits,
/// these are 12 accumulators, which leave registers for a vector of each operand.
static constexpr int64_t kMaxFew = 3;

namespace {

class DotProductsKernel {
public:
  explicit DotProductsKernel(KernelSite &site) : site(site), epilogue(site) {}
  LogicalResult emit();

private:
  bool match();
  void emitIteration(Value iteration);
  /// `count` is 1 or a multiple of the lanes of 128 bits.
  void emitTile(Value batch, Value line, int64_t count);
  /// The sums of the lanes of vectors, as many as fit into 128 bits, as one vector.
  Value joinLanes(ArrayRef<Value> vectors);

  KernelEmitter &e() { return site.getEmitter(); }
  /// The offset of a line of the lhs or rhs, of which a matrix has `lines`.
  Value getLine(bool isLhs, Value batch, Value lines, Value line);
  int64_t getBits() { return product.elementType.getWidth(); }

  KernelSite &site;
  EpilogueStorer epilogue;
  MatMulView product;
  bool hasOneColumn = false;
  unsigned lhs = 0, rhs = 0; // inputs
  int64_t few = 1, tile = 1, lanes = 1;
  Value many, depth;
  /// Of operands that are read through a permutation.
  std::optional<MatrixAddress> lhsAddress, rhsAddress;
  LogicalResult status = success();
};

} // namespace

bool DotProductsKernel::match() {
  std::optional<MatMulView> seen = MatMulView::get(site.view);
  if (!seen)
    return false;
  product = *seen;
  if (product.stored || !product.lhs.isDepthContiguous(/*isLhs=*/true) ||
      !product.rhs.isDepthContiguous(/*isLhs=*/false))
    return false;
  hasOneColumn = product.columns == 1;
  if (hasOneColumn)
    return true;
  few = product.rows;
  // A constant is turned or packed instead.
  return !site.view.getConstant(product.rhs.tensor) && few >= 1 && few <= kMaxFew;
}

/// Whether lines of the rhs, its columns, do not follow one another.
static bool needsAddress(const MatMulOperand &rhs) {
  SmallVector<int64_t> order = rhs.order;
  if (order.size() > 1)
    std::swap(order[order.size() - 1], order[order.size() - 2]);
  return order.size() > 1 && !llvm::is_sorted(order);
}

LogicalResult DotProductsKernel::emit() {
  if (!match())
    return failure();
  int64_t rank = cast<RankedTensorType>(product.op.getType()).getRank();
  // Vectors lie along the many lines: with one column, those are rows, and all
  // rows of a shared rhs are one range.
  int64_t last = hasOneColumn ? (product.isBatched ? rank - 2 : 0) : rank - 1;
  SmallVector<int64_t> groups{rank};
  if (last > 0)
    groups.insert(groups.begin(), last);
  if (failed(epilogue.add(groups)))
    return failure();
  lhs = product.addLhs(site);
  rhs = product.addRhs(site);
  if (failed(site.begin("dot_products")))
    return failure();
  lanes = e().getLanes(getBits());
  int64_t joined = 128 / getBits();
  tile = joined * std::max<int64_t>(1, kMinIndependentAccumulators / (joined * few));

  Value output = site.getOutputMemref(0);
  auto sizeOf = [&](int64_t from, int64_t to) {
    Value size = e().index(1);
    for (int64_t dim = from; dim < to; ++dim)
      size = e().mul(size, e().size(output, dim));
    return size;
  };
  many = sizeOf(last, rank);
  depth = e().size(site.getInputMemref(lhs), product.lhs.order.back());
  if (!product.lhs.isPlain())
    lhsAddress.emplace(e(), site.getInputMemref(lhs), product.lhs.order);
  if (needsAddress(product.rhs))
    rhsAddress.emplace(e(), site.getInputMemref(rhs), product.rhs.order);
  SmallVector<Value> sizes{many};
  if (last > 0)
    sizes.insert(sizes.begin(), sizeOf(0, last));
  epilogue.setSizes(sizes);
  e().loop(site.getBegin(), site.getEnd(), 1,
           [&](Value iteration) { emitIteration(iteration); });
  if (failed(status))
    return failure();

  Value count = site.hostCeilDiv(site.hostResultProduct(0, last, rank), tile);
  if (product.isBatched)
    count = site.hostMul(count, site.hostResultProduct(0, 0, product.rank - 2));
  site.finish(count, site.chooseGrain(tile * few *
                                 llvm::divideCeil(product.getLikelyDepth(), lanes)));
  return success();
}

void DotProductsKernel::emitIteration(Value iteration) {
  Value blocks = e().ceilDiv(many, e().index(tile));
  Value batch = product.isBatched ? e().div(iteration, blocks) : e().index(0);
  Value first = e().mul(e().rem(iteration, blocks), tile);
  Value end = e().add(first, tile);
  e().ifTrue(
      e().less(many, end),
      [&] { e().loop(first, many, 1, [&](Value line) { emitTile(batch, line, 1); }); },
      [&] { emitTile(batch, first, tile); });
}

Value DotProductsKernel::getLine(bool isLhs, Value batch, Value lines, Value line) {
  const std::optional<MatrixAddress> &address = isLhs ? lhsAddress : rhsAddress;
  if (!address)
    return e().mul(e().add(e().mul(batch, lines), line), depth);
  Value stride = isLhs ? address->getRowStride() : address->getColumnStride();
  return e().add(address->getStart(batch), e().mul(line, stride));
}

void DotProductsKernel::emitTile(Value batch, Value line, int64_t count) {
  Value firstFew = e().mul(batch, few);
  auto load = [&](bool isMany, int64_t number, Value k, Value mask) {
    bool isLhs = isMany == hasOneColumn;
    Value start = isMany ? getLine(isLhs, batch, many, e().add(line, number))
                         : getLine(isLhs, batch, e().index(few), e().index(number));
    return e().load(site.getInput(isLhs ? lhs : rhs), e().add(start, k), lanes, mask);
  };
  Value zero = e().constant(e().vector(product.elementType, lanes), 0);
  int64_t accumulators = count * few;
  SmallVector<Value> sums = e().vectorLoop(
      depth, lanes, llvm::divideCeil(kMinIndependentAccumulators, accumulators),
      SmallVector<Value>(accumulators, zero),
      [&](Value k, Value mask, ValueRange carried) {
        SmallVector<Value> others, next(carried);
        for (int64_t other = 0; other < few; ++other)
          others.push_back(load(/*isMany=*/false, other, k, mask));
        for (int64_t i = 0; i < count; ++i) {
          Value own = load(/*isMany=*/true, i, k, mask);
          for (int64_t other = 0; other < few; ++other)
            next[other * count + i] = e().fma(own, others[other], next[other * count + i]);
        }
        return next;
      },
      [&](ValueRange lhs, ValueRange rhs) {
        SmallVector<Value> joined;
        for (auto [a, b] : llvm::zip(lhs, rhs))
          joined.push_back(e().sum(a, b));
        return joined;
      });

  int64_t step = count == 1 ? 1 : 128 / getBits();
  for (int64_t other = 0; other < few; ++other)
    for (int64_t i = 0; i < count; i += step) {
      ArrayRef<Value> part = ArrayRef(sums).slice(other * count + i, step);
      Value value = step == 1 ? e().joinLanes(part[0],
                                              [&](Value a, Value b) { return e().sum(a, b); })
                              : joinLanes(part);
      SmallVector<Value> indices{e().add(line, i)};
      if (!hasOneColumn)
        indices.insert(indices.begin(), e().add(firstFew, other));
      else if (product.isBatched)
        indices.insert(indices.begin(), batch);
      if (failed(epilogue.store(value, indices, step, Value())))
        status = failure();
    }
}

/// Adds neighbours within each 128 bits, until each of these has one lane of each vector,
/// then the parts of 128 bits.
Value DotProductsKernel::joinLanes(ArrayRef<Value> vectors) {
  int64_t chunk = vectors.size();
  SmallVector<Value> level(vectors);
  while (level.size() > 1) {
    SmallVector<Value> next;
    for (size_t i = 0; i < level.size(); i += 2) {
      SmallVector<Value, 2> parts;
      for (int64_t odd : {0, 1}) {
        SmallVector<int64_t> lanesOfPart;
        for (int64_t start = 0; start < lanes; start += chunk)
          for (int64_t from : {int64_t(0), lanes})
            for (int64_t lane = 0; lane < chunk; lane += 2)
              lanesOfPart.push_back(from + start + lane + odd);
        parts.push_back(vector::ShuffleOp::create(e().b, e().loc, level[i], level[i + 1],
                                                  lanesOfPart));
      }
      next.push_back(e().sum(parts[0], parts[1]));
    }
    level = next;
  }
  Value joined = level.front();
  for (int64_t width = lanes; width > chunk; width /= 2) {
    auto lower = e().lanesOf(joined, 0, width / 2);
    auto upper = e().lanesOf(joined, width / 2, width / 2);
    joined = e().sum(lower, upper);
  }
  return joined;
}

LogicalResult nn::emitDotProductsKernel(KernelSite &site) {
  return DotProductsKernel(site).emit();
}
