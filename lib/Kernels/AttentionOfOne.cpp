//===- AttentionOfOne.cpp - attention with a single query -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Attention.h"

using namespace mlir;
using namespace mlir::nn;

void AttentionKernel::emitDotProducts(Value firstKey, Value numKeys) {
  Value start = e().add(queryStart, e().mul(firstQuery, queryAddress->getRowStride()));
  auto addAll = [&](ValueRange a, ValueRange b) {
    return llvm::map_to_vector(llvm::zip_equal(a, b), [&](auto pair) {
      return e().sum(std::get<0>(pair), std::get<1>(pair));
    });
  };
  inParts(numKeys, 4, [&](Value key, int64_t rows) {
    SmallVector<Value> products = e().vectorLoop(
        depth, lanes, /*unroll=*/1, SmallVector<Value>(rows, splat(0)),
        [&](Value k, Value mask, ValueRange carried) {
          Value a = e().load(site.getInput(query), e().add(start, k), lanes, mask);
          SmallVector<Value> next;
          for (int64_t r = 0; r < rows; ++r) {
            Value place = e().add(startOf(e().add(e().add(firstKey, key), r)), k);
            Value b = e().load(site.getInput(this->key), place, lanes, mask);
            next.push_back(e().fma(a, b, carried[r]));
          }
          return next;
        },
        addAll);
    for (auto [r, product] : llvm::enumerate(products)) {
      Value sum = e().joinLanes(product, [&](Value a, Value b) { return e().sum(a, b); });
      e().store(sum, scores, e().add(key, r));
    }
  });
}

void AttentionKernel::emitKeysOfOne(Value firstKey, Value numKeys) {
  emitDotProducts(firstKey, numKeys);
  auto join = [&](Value vector, function_ref<Value(Value, Value)> combine) {
    return e().joinLanes(vector, combine);
  };
  auto larger = [&](Value a, Value b) { return max(a, b); };
  auto add = [&](Value a, Value b) { return e().sum(a, b); };
  Value most = e().vectorLoop(
      numKeys, lanes, /*unroll=*/1, {splat(-INFINITY)},
      [&](Value key, Value mask, ValueRange carried) {
        Value score = emitScore([&](Value leaf) {
          if (site.view.isAnchorResult(leaf))
            return e().load(scores, key, lanes, mask);
          return loadLeafOfOne(leaf, e().add(firstKey, key), firstQuery, mask);
        });
        e().store(score, scores, key, mask);
        return SmallVector<Value>{
            max(e().selectMasked(mask, score, -INFINITY), carried[0])};
      },
      [&](ValueRange a, ValueRange b) { return SmallVector<Value>{max(a[0], b[0])}; })[0];
  Value shift;
  Value sum = startSum(join(most, larger), e().index(0), 1, shift);
  Value shifts = e().broadcast(shift, lanes);
  Value added = e().vectorLoop(
      numKeys, lanes, /*unroll=*/2, {splat(0)},
      [&](Value key, Value mask, ValueRange carried) {
        Value power = exp(sub(e().load(scores, key, lanes, mask), shifts));
        e().store(power, scores, key, mask);
        return SmallVector<Value>{
            e().sum(e().selectMasked(mask, power, 0), carried[0])};
      },
      [&](ValueRange a, ValueRange b) { return SmallVector<Value>{add(a[0], b[0])}; })[0];
  e().store(add(sum, join(added, add)), sums, e().index(0));
  emitProducts(firstKey, numKeys, e().index(1), /*rowWidth=*/1);
}

//===----------------------------------------------------------------------===//
// What is read before the softmax
//===----------------------------------------------------------------------===//

AttentionKernel::LeafPlace AttentionKernel::getLeafPlace(Value leaf, Value key) {
  const SmallVector<DimUse> &uses = attention.leaves.find(leaf)->second;
  Value memref = site.getInputMemref(leaf);
  int64_t missing = attention.rank - cast<MemRefType>(memref.getType()).getRank();
  LeafPlace place;
  place.offset = e().index(0);
  Value stride = e().index(1);
  for (int64_t dim = attention.rank; dim-- > missing;) {
    if (uses[dim] == DimUse::Full) {
      Value index = dim < attention.rank - 2 ? batchIndices[dim] : e().index(0);
      if (dim == attention.rank - 2)
        place.queryStride = stride;
      else if (dim == attention.rank - 1) {
        place.keyStride = stride;
        index = key;
      }
      place.offset = e().add(place.offset, e().mul(index, stride));
    }
    stride = e().mul(stride, e().size(memref, dim - missing));
  }
  return place;
}

Value AttentionKernel::loadLeaf(Value leaf, Value key, Value first) {
  LeafPlace place = getLeafPlace(leaf, key);
  const Array &array = site.getInput(leaf);
  if (!place.queryStride)
    return e().loadSplat(array, place.offset, lanes);
  // Queries beyond the last are not stored; they repeat it.
  Value last = e().sub(queries, e().index(1));
  Value gathered = e().constant(VectorType::get({lanes}, array.elementType), 0);
  for (int64_t lane = 0; lane < lanes; ++lane) {
    Value query = e().min(e().add(first, lane), last);
    Value from = e().add(place.offset, e().mul(query, place.queryStride));
    gathered = vector::InsertOp::create(e().b, e().loc, e().load(array, from, 1), gathered,
                                        ArrayRef<int64_t>{lane});
  }
  return gathered;
}

Value AttentionKernel::loadLeafOfOne(Value leaf, Value firstKey, Value query, Value mask) {
  LeafPlace place = getLeafPlace(leaf, firstKey);
  Value offset = place.offset;
  if (place.queryStride)
    offset = e().add(offset, e().mul(query, place.queryStride));
  return place.keyStride ? e().load(site.getInput(leaf), offset, lanes, mask)
                         : e().loadSplat(site.getInput(leaf), offset, lanes);
}
