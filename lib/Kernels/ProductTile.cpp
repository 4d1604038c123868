//===- ProductTile.cpp - what kernels of products share -------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ProductTile.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::nn;

SmallVector<Value>
ProductTile::multiply(KernelEmitter &e, Value depth,
                      function_ref<Value(int64_t row, Value k)> loadLhs,
                      function_ref<Value(Value k, int64_t vector)> loadRhs,
                      ArrayRef<Value> initial) const {
  std::optional<int64_t> knownDepth = getConstantIntValue(depth);
  int64_t accumulators = rows * vectors, sets = 1;
  while (sets * accumulators < kMinIndependentAccumulators &&
         (!knownDepth || sets * 2 <= *knownDepth))
    sets *= 2;
  auto step = [&](Value k, MutableArrayRef<Value> sums) {
    SmallVector<Value> b;
    for (int64_t n = 0; n < vectors; ++n)
      b.push_back(loadRhs(k, n));
    for (int64_t r = 0; r < rows; ++r) {
      Value a = loadLhs(r, k);
      for (int64_t n = 0; n < vectors; ++n)
        sums[r * vectors + n] = e.fma(a, b[n], sums[r * vectors + n]);
    }
  };
  SmallVector<Value> sums(sets * accumulators, e.constant(type, 0));
  llvm::copy(initial, sums.begin());
  Value rest = e.rem(depth, e.index(sets)), whole = e.sub(depth, rest);
  sums = e.loopInSets(e.index(0), whole, sets, sums, step);
  if (std::optional<int64_t> known = getConstantIntValue(rest)) {
    for (int64_t set = 0; set < *known; ++set)
      step(e.add(whole, set),
           MutableArrayRef(sums).slice(set * accumulators, accumulators));
  } else {
    llvm::copy(
        e.loopInSets(whole, depth, 1, ArrayRef(sums).take_front(accumulators), step),
        sums.begin());
  }
  return e.addSets(sums, sets);
}

void nn::copyColumns(KernelEmitter &e, const Array &source,
                     function_ref<Value(Value column)> getStart, Value depth, Value first,
                     Value end, Value count, const Array &copy, int64_t width) {
  int64_t part = 128 / source.elementType.getIntOrFloatBitWidth(), height = 2 * part;
  Value rowWidth = e.index(width), last = e.sub(end, e.index(1));
  auto copyElements = [&](Value place) {
    e.loop(place, e.add(place, height), 1, [&](Value i) {
      // Columns beyond the last are not stored; they repeat it.
      Value from = getStart(e.min(e.add(first, i), last));
      e.loop(e.index(0), depth, 1, [&](Value k) {
        e.store(e.load(source, e.add(from, k), 1), copy, e.add(e.mul(k, rowWidth), i));
      });
    });
  };
  auto copyTiles = [&](Value place) {
    SmallVector<Value> starts;
    for (int64_t i = 0; i < height; ++i)
      starts.push_back(getStart(e.add(e.add(first, place), i)));
    e.loop(e.index(0), depth, part, [&](Value k) {
      k = e.min(k, e.sub(depth, e.index(part)));
      SmallVector<Value> rows;
      for (Value from : starts)
        rows.push_back(e.load(source, e.add(from, k), part));
      for (auto [i, row] : llvm::enumerate(e.transposeParts(rows)))
        e.store(row, copy, e.add(e.mul(e.add(k, i), rowWidth), place));
    });
  };
  std::optional<int64_t> knownDepth = getConstantIntValue(depth);
  e.loop(e.index(0), count, height, [&](Value place) {
    if (!knownDepth || *knownDepth < part)
      return copyElements(place);
    Value isPartial = e.less(end, e.add(e.add(first, place), height));
    std::optional<int64_t> known = getConstantIntValue(isPartial);
    if (known && !*known)
      return copyTiles(place);
    e.ifTrue(isPartial, [&] { copyElements(place); }, [&] { copyTiles(place); });
  });
}

void nn::forParts(KernelEmitter &e, Value first, Value end, ArrayRef<int64_t> sizes,
                  function_ref<void(Value first, int64_t size)> emit) {
  for (int64_t size : sizes) {
    Value left = e.sub(end, first);
    Value next = e.add(first, e.sub(left, e.rem(left, e.index(size))));
    e.loop(first, next, size, [&](Value part) { emit(part, size); });
    first = next;
  }
}
