//===- Reduction.cpp - kernels of reductions ------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The input is treated as outer x reduced x inner. Without inner dimensions,
//
//   for row in [begin, end)              of outer
//     for i in vectors of reduced:       4 accumulators side by side
//       acc = acc (op) prologue(input[row, i])
//     result[row] = epilogue(reduce lanes(acc))
//
// otherwise (for example, global average pooling with channels last)
//
//   for block in [begin, end)            of outer x blocks of inner
//     for r in reduced:                  an accumulator for each vector of inner
//       acc[v] = acc[v] (op) prologue(input[outer, r, v])
//     result[outer, v] = epilogue(acc[v])
//
// Where the input exceeds a core's cache, blocks are wider than registers hold, and
// accumulators lie on the stack: rows are read in long pieces, several at a time.
//
//===----------------------------------------------------------------------===//

#include "ReductionRecipe.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"

using namespace mlir;
using namespace mlir::nn;

/// Vectors of a piece of a row: a quarter of a page, or half of one.
static constexpr int64_t kPieceVectors = 32;

namespace {

using State = ReductionRecipe::State;

class ReductionKernel {
public:
  explicit ReductionKernel(KernelSite &site) : site(site), epilogue(site) {}
  LogicalResult emit();

private:
  bool findGroups();
  LogicalResult emitRows(PrologueLoader &prologue);
  LogicalResult emitColumns(PrologueLoader &prologue);
  LogicalResult emitBlock(PrologueLoader &prologue, Value outer, Value column,
                          int64_t vectors, Value lastMask);
  /// The same for as many columns, with accumulators in `scratch`.
  LogicalResult emitPieces(PrologueLoader &prologue, Value outer, Value column,
                           Value columns, ArrayRef<Array> scratch);

  KernelSite &site;
  EpilogueStorer epilogue;
  ReductionOpInterface reduction;
  ReductionRecipe recipe;
  Value input;
  SmallVector<int64_t> inputEnds; // of outer, reduced, inner
  Value outerSize, reducedSize, innerSize;
  bool hasInner = false;
  SmallVector<bool> isReduced; // of the input's dimensions
  int64_t lanes = 0;
};

} // namespace

/// Splits the input's dimensions; those of size 1 fit into any group.
bool ReductionKernel::findGroups() {
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  isReduced.assign(rank, false);
  for (int64_t dim : reduction.getReducedDims())
    isReduced[dim] = true;
  int64_t first = rank, last = -1;
  for (int64_t dim = 0; dim < rank; ++dim) {
    if (!isReduced[dim] || site.view.isOne(input, dim))
      continue;
    first = std::min(first, dim);
    last = dim;
  }
  if (last < 0)
    return false;
  for (int64_t dim = first; dim <= last; ++dim)
    if (!isReduced[dim] && !site.view.isOne(input, dim))
      return false;
  for (int64_t dim = last + 1; dim < rank; ++dim)
    hasInner |= !site.view.isOne(input, dim);
  inputEnds = {first, hasInner ? last + 1 : rank};
  if (hasInner)
    inputEnds.push_back(rank);
  // The same split in the dimensions of the result.
  auto inResult = [&](int64_t dim) {
    if (reduction.getKeepdims())
      return dim;
    return int64_t(llvm::count(ArrayRef<bool>(isReduced).take_front(dim), false));
  };
  SmallVector<int64_t> resultEnds = {hasInner ? inResult(first) : inResult(rank)};
  if (hasInner)
    resultEnds.push_back(inResult(rank));
  return succeeded(epilogue.add(resultEnds));
}

LogicalResult ReductionKernel::emit() {
  reduction = dyn_cast_or_null<ReductionOpInterface>(site.view.anchor);
  if (!reduction)
    return failure();
  input = reduction.getInput();
  if (!findGroups())
    return failure();
  std::optional<ReductionRecipe> found = ReductionRecipe::get(reduction);
  if (!found)
    return failure();
  recipe = *found;
  PrologueLoader prologue(site, input);
  if (failed(prologue.add(inputEnds)))
    return failure();
  // The input's sizes must be readable from an input of the kernel.
  FailureOr<llvm::SetVector<Value>> leaves = site.view.getLeaves(input);
  Value shapeLeaf;
  for (Value leaf : *leaves)
    if (site.view.haveSameShape(leaf, input))
      shapeLeaf = leaf;
  if (!shapeLeaf)
    return failure();
  if (failed(site.begin("reduction")))
    return failure();
  KernelEmitter &e = site.getEmitter();
  lanes = e.getLanes();
  Value memref = site.getInputMemref(shapeLeaf);
  auto product = [&](int64_t from, int64_t to) {
    Value product = e.index(1);
    for (int64_t dim = from; dim < to; ++dim)
      product = e.mul(product, e.size(memref, dim));
    return product;
  };
  outerSize = product(0, inputEnds[0]);
  reducedSize = product(inputEnds[0], inputEnds[1]);
  if (!hasInner) {
    prologue.setSizes({outerSize, reducedSize});
    epilogue.setSizes({outerSize});
    return emitRows(prologue);
  }
  innerSize = product(inputEnds[1], inputEnds[2]);
  prologue.setSizes({outerSize, reducedSize, innerSize});
  epilogue.setSizes({outerSize, innerSize});
  return emitColumns(prologue);
}

LogicalResult ReductionKernel::emitRows(PrologueLoader &prologue) {
  KernelEmitter &e = site.getEmitter();
  LogicalResult status = success();
  auto join = [&](ValueRange lhs, ValueRange rhs) { return recipe.join(e, lhs, rhs); };
  e.loop(site.getBegin(), site.getEnd(), 1, [&](Value row) {
    State state = e.wideLoop(
        reducedSize, lanes, /*factor=*/4,
        [&](int64_t width) { return recipe.getInitial(e, width); },
        [&](Value position, int64_t width, Value mask, ValueRange carried) -> State {
          FailureOr<Value> loaded = prologue.load({row, position}, width, mask);
          if (failed(loaded)) {
            status = failure();
            return carried;
          }
          return recipe.accumulate(e, carried, *loaded, position, /*areInRow=*/true, mask);
        },
        join);
    Value reduced = recipe.finalize(e, e.joinLanes(state, join), reducedSize);
    if (failed(epilogue.store(reduced, {row}, 1, Value())))
      status = failure();
  });
  int64_t rank = cast<RankedTensorType>(
                     site.view.results.front().getType()).getRank();
  std::optional<int64_t> length = getConstantIntValue(reducedSize);
  site.finish(site.hostResultProduct(0, 0, rank),
              site.chooseGrain(length.value_or(256)));
  return status;
}

LogicalResult ReductionKernel::emitBlock(PrologueLoader &prologue, Value outer,
                                         Value column, int64_t vectors,
                                         Value lastMask) {
  KernelEmitter &e = site.getEmitter();
  LogicalResult status = success();
  auto maskOf = [&](int64_t v) { return v + 1 == vectors ? lastMask : Value(); };
  // The states of all vectors, one after the other.
  size_t width = recipe.getTypes().size();
  SmallVector<Value> initial;
  for (int64_t v = 0; v < vectors; ++v)
    llvm::append_range(initial, recipe.getInitial(e, lanes));
  int64_t unroll = std::max<int64_t>(1, kMinIndependentAccumulators / vectors);
  SmallVector<Value> states = e.vectorLoop(
      reducedSize, /*lanes=*/1, unroll, initial,
      [&](Value position, Value, ValueRange carried) {
        SmallVector<Value> next;
        for (int64_t v = 0; v < vectors; ++v) {
          ValueRange state = carried.slice(v * width, width);
          FailureOr<Value> loaded = prologue.load(
              {outer, position, e.add(column, v * lanes)}, lanes, maskOf(v));
          if (failed(loaded)) {
            status = failure();
            llvm::append_range(next, state);
            continue;
          }
          llvm::append_range(
              next, recipe.accumulate(e, state, *loaded, position, /*areInRow=*/false, Value()));
        }
        return next;
      },
      [&](ValueRange lhs, ValueRange rhs) {
        SmallVector<Value> joined;
        for (int64_t v = 0; v < vectors; ++v)
          llvm::append_range(joined, recipe.join(e, lhs.slice(v * width, width),
                                                 rhs.slice(v * width, width)));
        return joined;
      });
  for (int64_t v = 0; v < vectors; ++v) {
    ValueRange state = ValueRange(states).slice(v * width, width);
    if (failed(epilogue.store(recipe.finalize(e, state, reducedSize),
                              {outer, e.add(column, v * lanes)}, lanes, maskOf(v))))
      status = failure();
  }
  return status;
}

LogicalResult ReductionKernel::emitPieces(PrologueLoader &prologue, Value outer,
                                          Value column, Value columns,
                                          ArrayRef<Array> scratch) {
  KernelEmitter &e = site.getEmitter();
  LogicalResult status = success();
  auto eachVector = [&](auto body) {
    e.loop(e.index(0), columns, lanes, [&](Value position) { body(position); });
  };
  auto load = [&](Value position) {
    State state;
    for (const Array &array : scratch)
      state.push_back(e.load(array, position, lanes));
    return state;
  };
  auto store = [&](ValueRange state, Value position) {
    for (auto [value, array] : llvm::zip(state, scratch))
      e.store(value, array, position);
  };
  eachVector([&](Value position) { store(recipe.getInitial(e, lanes), position); });
  // So many that an accumulator's load and store cost little, and that prefetchers follow.
  constexpr int64_t rows = 8;
  auto addRows = [&](Value from, Value to, int64_t count) {
    e.loop(from, to, count, [&](Value row) {
      eachVector([&](Value position) {
        State state = load(position);
        for (int64_t r = 0; r < count; ++r) {
          FailureOr<Value> loaded = prologue.load(
              {outer, e.add(row, r), e.add(column, position)}, lanes, Value());
          if (failed(loaded))
            status = failure();
          else
            state = recipe.accumulate(e, state, *loaded, e.add(row, r), /*areInRow=*/false,
                                      Value());
        }
        store(state, position);
      });
    });
  };
  Value whole = e.sub(reducedSize, e.rem(reducedSize, e.index(rows)));
  addRows(e.index(0), whole, rows);
  addRows(whole, reducedSize, 1);
  eachVector([&](Value position) {
    Value result = recipe.finalize(e, load(position), reducedSize);
    if (failed(epilogue.store(result, {outer, e.add(column, position)}, lanes, Value())))
      status = failure();
  });
  return status;
}

LogicalResult ReductionKernel::emitColumns(PrologueLoader &prologue) {
  KernelEmitter &e = site.getEmitter();
  std::optional<int64_t> known = getConstantIntValue(innerSize);
  // Whether rows are read in pieces shows at run time, unless all sizes are known.
  Value total = e.mul(reducedSize, innerSize);
  int64_t bits = getElementTypeOrSelf(input.getType()).getIntOrFloatBitWidth();
  int64_t largeTotal = site.getThresholds().reductionBytes * 8 / bits;
  int64_t pieceWidth = kPieceVectors * lanes;
  std::optional<int64_t> knownTotal = getConstantIntValue(total);
  bool mayBeLarge = (!knownTotal || *knownTotal > largeTotal) &&
                    (!known || *known >= pieceWidth);
  // Blocks of up to 8 vectors; the largest size without a remainder, unless that is
  // small.
  int64_t vectors = 4;
  if (known) {
    int64_t all = llvm::divideCeil(*known, lanes);
    vectors = std::clamp<int64_t>(all, 1, 8); // One where there is nothing.
    for (int64_t v = vectors; all > 8 && v >= 4; --v)
      if (*known % (v * lanes) == 0) {
        vectors = v;
        break;
      }
  }
  int64_t width = mayBeLarge ? pieceWidth : vectors * lanes;
  SmallVector<Array> scratch;
  if (mayBeLarge)
    for (Type type : recipe.getTypes())
      scratch.push_back(e.array(e.scratch(pieceWidth, type)));
  Value blocks = e.ceilDiv(innerSize, e.index(width));
  LogicalResult status = success();
  e.loop(site.getBegin(), site.getEnd(), 1, [&](Value iteration) {
    Value safe = e.max(blocks, e.index(1));
    Value outer = e.div(iteration, safe);
    Value column = e.mul(e.rem(iteration, safe), width);
    auto block = [&](Value at, int64_t count, Value mask) {
      if (failed(emitBlock(prologue, outer, at, count, mask)))
        status = failure();
    };
    if (!mayBeLarge && known && *known <= width) {
      int64_t rest = *known % lanes;
      block(column, vectors, rest ? e.mask(e.index(rest), lanes) : Value());
      return;
    }
    Value remaining = known && *known % width == 0
                          ? e.index(width)
                          : e.min(e.sub(innerSize, column), e.index(width));
    // Single vectors from `from` on.
    auto rest = [&](Value from) {
      e.vectorLoop(e.sub(remaining, from), lanes, 1, [&](Value position, Value mask) {
        block(e.add(column, e.add(from, position)), 1, mask);
      });
    };
    auto multipleOf = [&](int64_t step) {
      return e.sub(remaining, e.rem(remaining, e.index(step)));
    };
    auto inRegisters = [&] {
      Value whole = multipleOf(vectors * lanes);
      e.loop(e.index(0), whole, vectors * lanes, [&](Value position) {
        block(e.add(column, position), vectors, Value());
      });
      rest(whole);
    };
    auto inPieces = [&] {
      Value whole = multipleOf(lanes);
      if (failed(emitPieces(prologue, outer, column, whole, scratch)))
        status = failure();
      rest(whole);
    };
    if (!mayBeLarge)
      inRegisters();
    else if (knownTotal)
      inPieces();
    else
      e.ifTrue(e.less(total, e.index(largeTotal)), inRegisters, inPieces);
  });
  // outer x blocks of inner; the result has no other dimensions.
  int64_t rank = cast<RankedTensorType>(
                     site.view.results.front().getType()).getRank();
  int64_t innerDims = llvm::count_if(
      llvm::seq(inputEnds[1], inputEnds[2]),
      [&](int64_t dim) { return reduction.getKeepdims() || !isReduced[dim]; });
  Value hostOuter = site.hostResultProduct(0, 0, rank - innerDims);
  Value hostInner = site.hostResultProduct(0, rank - innerDims, rank);
  std::optional<int64_t> length = getConstantIntValue(reducedSize);
  site.finish(site.hostMul(hostOuter, site.hostCeilDiv(hostInner, width)),
              site.chooseGrain(length.value_or(64) * width));
  return status;
}

LogicalResult nn::emitReductionKernel(KernelSite &site) {
  return ReductionKernel(site).emit();
}
