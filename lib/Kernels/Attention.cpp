//===- Attention.cpp - kernels of attention -------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Attention.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::nn;

void AttentionKernel::addInputs() {
  query = site.addInput(attention.query.tensor);
  key = site.addInput(attention.key.tensor);
  value = site.addInput(attention.value.tensor);
  for (auto &leaf : attention.leaves)
    site.addInput(leaf.first);
}

/// Has the run end where sizes differ that only the run knows.
void AttentionKernel::checkSizes() {
  int64_t rank = attention.rank;
  Value keyTensor = site.view.getOuter(attention.key.tensor),
        valueTensor = site.view.getOuter(attention.value.tensor);
  if (keyTensor)
    site.checkSize(keyTensor, attention.key.order[rank - 2], site.hostIndex(attention.depth),
                   kDepthsDiffer);
  int64_t keyDim = attention.key.order[rank - 1], valueDim = attention.value.order[rank - 2];
  if (keyTensor && valueTensor)
    site.checkSize(valueTensor, valueDim, site.hostSize(keyTensor, keyDim), kDepthsDiffer);
  else if (keyTensor)
    site.checkSize(keyTensor, keyDim, site.hostIndex(attention.keys), kDepthsDiffer);
  else if (valueTensor)
    site.checkSize(valueTensor, valueDim, site.hostIndex(attention.keys), kDepthsDiffer);
}

/// Accumulators fill the registers, except for those of a row of the rhs and an element of
/// the lhs. Blocks are of about the same size, and fit the caches with what they read.
void AttentionKernel::chooseBlocks() {
  bool isWide = e().vectorBits == 512;
  accumulators = isWide ? 24 : 12;
  scoreVectors = 3;
  productVectors = isWide ? 4 : 2;
  auto choose = [](int64_t size, int64_t most, int64_t unit) {
    most = std::max(most / unit, int64_t(1)) * unit;
    if (ShapedType::isDynamic(size) || size == 0)
      return most;
    int64_t part = llvm::divideCeil(size, llvm::divideCeil(size, most));
    return int64_t(llvm::divideCeil(part, unit)) * unit;
  };
  const Thresholds &thresholds = site.getThresholds();
  int64_t widest = std::max(attention.depth, attention.columns) * int64_t(sizeof(float));
  blockQueries = choose(attention.queries,
                        std::min(thresholds.attentionQueries, thresholds.panelBytes / widest),
                        lanes);
  blockKeys = choose(attention.keys, thresholds.attentionKeys, accumulators / scoreVectors);
}

void AttentionKernel::makeScratch() {
  Type type = e().b.getF32Type();
  auto make = [&](int64_t size) { return e().array(e().scratch(size, type)); };
  copy = make(attention.depth * blockQueries);
  scores = make(blockKeys * blockQueries);
  newLargest = make(blockQueries);
  sums = make(blockQueries);
  if (isSingleBlock())
    return;
  largest = make(blockQueries);
  correction = make(blockQueries);
  out = make(blockQueries * llvm::alignTo(attention.columns, lanes));
}

LogicalResult AttentionKernel::emit() {
  int64_t rank = attention.rank;
  if (failed(epilogue.add({rank - 1, rank})))
    return failure();
  addInputs();
  checkSizes();
  if (failed(site.begin("attention")))
    return failure();
  lanes = e().getLanes();
  vectorType = VectorType::get({lanes}, e().b.getF32Type());
  chooseBlocks();

  auto addressOf = [&](unsigned number, const MatMulOperand &operand) {
    return MatrixAddress(e(), site.getInputMemref(number), operand.order);
  };
  queryAddress.emplace(addressOf(query, attention.query));
  keyAddress.emplace(addressOf(key, attention.key));
  valueAddress.emplace(addressOf(value, attention.value));
  auto order = llvm::map_to_vector(llvm::seq<int64_t>(0, rank), [&](int64_t dim) {
    return getStoredDim(attention.stored, dim);
  });
  Value output = site.getOutputMemref(0);
  resultAddress.emplace(e(), output, order);
  Value allRows = e().index(1);
  for (int64_t dim = 0; dim < rank - 1; ++dim) {
    Value size = e().size(output, order[dim]);
    allRows = e().mul(allRows, size);
    if (dim < rank - 2)
      batchSizes.push_back(size);
  }
  queries = e().size(output, order[rank - 2]);
  keys = ShapedType::isDynamic(attention.keys)
             ? e().size(site.getInputMemref(key), attention.key.order[rank - 1])
             : e().index(attention.keys);
  depth = e().index(attention.depth);
  blocks = e().ceilDiv(queries, e().index(blockQueries));
  epilogue.setSizes({allRows, e().index(attention.columns)});
  makeScratch();
  e().loop(site.getBegin(), site.getEnd(), 1,
           [&](Value iteration) { emitBlock(iteration); });
  if (failed(status))
    return failure();
  finish();
  return success();
}

void AttentionKernel::finish() {
  int64_t rank = attention.rank;
  auto getSize = [&](int64_t dim) {
    return site.getResultSize(0, getStoredDim(attention.stored, dim));
  };
  Value count = site.hostCeilDiv(getSize(rank - 2), blockQueries);
  for (int64_t dim = 0; dim < rank - 2; ++dim)
    count = site.hostMul(count, getSize(dim));
  int64_t likelyKeys = ShapedType::isDynamic(attention.keys) ? 64 : attention.keys;
  site.finish(count, site.chooseGrain(likelyKeys * blockQueries / lanes *
                                      (attention.depth + attention.columns)));
}

void AttentionKernel::emitBlock(Value iteration) {
  batch = e().div(iteration, blocks);
  batchIndices = e().delinearize(batch, batchSizes);
  firstQuery = e().mul(e().rem(iteration, blocks), blockQueries);
  numQueries = e().min(e().index(blockQueries), e().sub(queries, firstQuery));
  if (!ShapedType::isDynamic(attention.queries) && attention.queries % blockQueries == 0)
    numQueries = e().index(blockQueries);
  queryStart = queryAddress->getStart(batch);
  keyStart = keyAddress->getStart(batch);
  valueStart = valueAddress->getStart(batch);
  resultStart = resultAddress->getStart(batch);
  auto getQuery = [&](Value index) {
    return e().add(queryStart, e().mul(index, queryAddress->getRowStride()));
  };
  Value vectors = e().ceilDiv(numQueries, e().index(lanes));
  auto copyQueries = [&] {
    copyColumns(e(), site.getInput(query), getQuery, depth, firstQuery, queries,
                e().mul(vectors, lanes), copy, blockQueries);
  };
  isSingle = {};
  if (ShapedType::isDynamic(attention.queries) && attention.key.isContiguous(2))
    isSingle = e().equal(numQueries, 1);
  if (isSingle)
    e().ifTrue(isSingle, [] {}, copyQueries);
  else
    copyQueries();
  if (isSingleBlock())
    return emitKeys(e().index(0));

  Value end = e().mul(vectors, lanes);
  int64_t width = llvm::alignTo(attention.columns, lanes);
  e().loop(e().index(0), end, lanes, [&](Value column) {
    e().store(splat(-INFINITY), largest, column);
    e().store(splat(0), sums, column);
  });
  e().loop(e().index(0), e().mul(numQueries, width), lanes,
           [&](Value place) { e().store(splat(0), out, place); });
  e().loop(e().index(0), keys, blockKeys, [&](Value firstKey) { emitKeys(firstKey); });
  e().loop(e().index(0), numQueries, 1, [&](Value row) {
    forColumns([&](Value column, int64_t vectors, Value mask) {
      for (int64_t n = 0; n < vectors; ++n) {
        Value place = e().add(column, n * lanes);
        Value sum = e().load(out, e().add(e().mul(row, width), place), lanes);
        storeResult(sum, row, place, mask);
      }
    });
  });
}

void AttentionKernel::emitKeys(Value firstKey) {
  Value numKeys = isSingleBlock()
                      ? keys
                      : e().min(e().index(blockKeys), e().sub(keys, firstKey));
  if (!ShapedType::isDynamic(attention.keys) && attention.keys % blockKeys == 0)
    numKeys = e().index(blockKeys);
  auto emitAll = [&] {
    Value vectors = e().ceilDiv(numQueries, e().index(lanes));
    inParts(vectors, scoreVectors, [&](Value first, int64_t size) {
      Value column = e().mul(first, lanes);
      emitScores(firstKey, numKeys, column, size);
      emitSoftmax(numKeys, column, size);
    });
    emitProducts(firstKey, numKeys, numQueries, blockQueries);
  };
  if (isSingle)
    e().ifTrue(isSingle, [&] { emitKeysOfOne(firstKey, numKeys); }, emitAll);
  else
    emitAll();
}

void AttentionKernel::emitScores(Value firstKey, Value numKeys, Value column,
                                 int64_t vectors) {
  for (int64_t n = 0; n < vectors; ++n)
    e().store(splat(-INFINITY), newLargest, e().add(column, n * lanes));
  int64_t most = std::min<int64_t>(accumulators / vectors, 12);
  inParts(numKeys, most, [&](Value key, int64_t rows) {
    emitScoreTile(firstKey, key, rows, column, vectors);
  });
}

void AttentionKernel::emitScoreTile(Value firstKey, Value key, int64_t rows, Value column,
                                    int64_t vectors) {
  Value first = e().add(firstKey, key);
  SmallVector<Value> products = ProductTile{rows, vectors, vectorType}.multiply(
      e(), depth,
      [&](int64_t r, Value k) {
        Value place =
            e().add(startOf(e().add(first, r)), e().mul(k, keyAddress->getRowStride()));
        return e().loadSplat(site.getInput(this->key), place, lanes);
      },
      [&](Value k, int64_t n) {
        return e().load(copy, placeOf(k, e().add(column, n * lanes)), lanes);
      });
  for (int64_t n = 0; n < vectors; ++n) {
    Value queries = e().add(column, n * lanes);
    Value most = e().load(newLargest, queries, lanes);
    for (int64_t r = 0; r < rows; ++r) {
      Value score = emitScore([&](Value leaf) -> Value {
        if (site.view.isAnchorResult(leaf))
          return products[r * vectors + n];
        return loadLeaf(leaf, e().add(first, r), e().add(firstQuery, queries));
      });
      e().store(score, scores, placeOf(e().add(key, r), queries));
      most = max(score, most);
    }
    e().store(most, newLargest, queries);
  }
}

Value AttentionKernel::emitScore(BodyEmitter::Leaf leaf) {
  BodyEmitter body(site.view, e(), lanes);
  FailureOr<Value> score = body.emit(attention.softmax.getInput(), leaf);
  if (succeeded(score))
    return *score;
  status = failure();
  return splat(0);
}

/// All may be masked: so many of one block are no reason for a NaN.
Value AttentionKernel::getShift(Value largest) {
  Value none = e().constant(largest.getType(), -INFINITY);
  Value isNone = arith::CmpFOp::create(e().b, e().loc, arith::CmpFPredicate::OEQ, largest, none);
  return e().select(isNone, e().constant(largest.getType(), 0), largest);
}

Value AttentionKernel::startSum(Value largest, Value place, int64_t lanes, Value &shift) {
  if (isSingleBlock()) {
    shift = getShift(largest);
    return e().constant(largest.getType(), 0);
  }
  Value old = e().load(this->largest, place, lanes);
  largest = max(largest, old);
  e().store(largest, this->largest, place);
  shift = getShift(largest);
  Value factor = exp(sub(old, shift));
  e().store(factor, correction, place);
  return mul(e().load(sums, place, lanes), factor);
}

void AttentionKernel::emitSoftmax(Value numKeys, Value column, int64_t vectors) {
  SmallVector<Value> columns, shifts(vectors), initial;
  for (int64_t n = 0; n < vectors; ++n) {
    columns.push_back(e().add(column, n * lanes));
    Value most = e().load(newLargest, columns[n], lanes);
    initial.push_back(startSum(most, columns[n], lanes, shifts[n]));
  }
  SmallVector<Value> added =
      e().loop(e().index(0), numKeys, 1, initial, [&](Value key, ValueRange carried) {
        SmallVector<Value> next;
        for (int64_t n = 0; n < vectors; ++n) {
          Value place = placeOf(key, columns[n]);
          Value power = exp(sub(e().load(scores, place, lanes), shifts[n]));
          e().store(power, scores, place);
          next.push_back(e().sum(carried[n], power));
        }
        return next;
      });
  for (int64_t n = 0; n < vectors; ++n)
    e().store(added[n], sums, columns[n]);
}

void AttentionKernel::inParts(Value count, int64_t most,
                              function_ref<void(Value first, int64_t size)> emit) {
  std::optional<int64_t> known = getConstantIntValue(count);
  SmallVector<int64_t> sizes = {most};
  if (int64_t rest = known ? *known % most : 1)
    sizes.push_back(rest);
  forParts(e(), e().index(0), count, sizes, emit);
}

void AttentionKernel::forColumns(
    function_ref<void(Value column, int64_t vectors, Value mask)> emit) {
  int64_t whole = attention.columns / lanes, rest = attention.columns % lanes;
  inParts(e().index(whole), productVectors,
          [&](Value first, int64_t size) { emit(e().mul(first, lanes), size, Value()); });
  if (rest)
    emit(e().index(whole * lanes), 1, e().mask(e().index(rest), lanes));
}

void AttentionKernel::emitProducts(Value firstKey, Value numKeys, Value rows,
                                   int64_t rowWidth) {
  forColumns([&](Value column, int64_t vectors, Value mask) {
    int64_t most = std::min<int64_t>(accumulators / vectors, 12);
    inParts(rows, most, [&](Value row, int64_t some) {
      emitProductTile(firstKey, numKeys, row, some, column, vectors, mask, rowWidth);
    });
  });
}

void AttentionKernel::emitProductTile(Value firstKey, Value numKeys, Value row, int64_t rows,
                                      Value column, int64_t vectors, Value mask,
                                      int64_t rowWidth) {
  int64_t width = llvm::alignTo(attention.columns, lanes);
  auto getOutPlace = [&](int64_t r, int64_t n) {
    return e().add(e().mul(e().add(row, r), width), e().add(column, n * lanes));
  };
  SmallVector<Value> initial;
  if (!isSingleBlock())
    for (int64_t r = 0; r < rows; ++r) {
      Value factor = e().loadSplat(correction, e().add(row, r), lanes);
      for (int64_t n = 0; n < vectors; ++n)
        initial.push_back(mul(e().load(out, getOutPlace(r, n), lanes), factor));
    }
  SmallVector<Value> products = ProductTile{rows, vectors, vectorType}.multiply(
      e(), numKeys,
      [&](int64_t r, Value k) {
        return e().loadSplat(scores, e().add(e().mul(k, rowWidth), e().add(row, r)),
                             lanes);
      },
      [&](Value k, int64_t n) {
        Value place = e().add(
            valueStart, e().mul(e().add(firstKey, k), valueAddress->getRowStride()));
        return e().load(site.getInput(value), e().add(place, e().add(column, n * lanes)),
                        lanes, mask);
      },
      initial);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t n = 0; n < vectors; ++n) {
      Value product = products[r * vectors + n];
      if (isSingleBlock())
        storeResult(product, e().add(row, r), e().add(column, n * lanes), mask);
      else
        e().store(product, out, getOutPlace(r, n));
    }
}

void AttentionKernel::storeResult(Value sum, Value row, Value column, Value mask) {
  Value weight = e().loadSplat(sums, row, lanes);
  Value result = arith::DivFOp::create(e().b, e().loc, sum, weight);
  Value number = e().add(firstQuery, row);
  Value place = e().add(resultStart, e().mul(number, resultAddress->getRowStride()));
  if (failed(epilogue.store(result, {e().add(e().mul(batch, queries), number), column}, lanes,
                            mask, e().add(place, column))))
    status = failure();
}
