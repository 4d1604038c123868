//===- Attention.cpp - kernels of attention -------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// softmax(scores of queries x keys) x values, of batches (of heads), for a block of queries
// at a time, so that scores stay in a cache and are never stored as a tensor:
//
//   for iteration in [begin, end)              of batches x blocks of queries
//     q = queries of the block                 depth x queries, copied
//     for block of keys                        that of FlashAttention, with several
//       for tile of keys x vectors of queries
//         s = elementwise(keys x q)            e.g. scaled and masked
//         new[query] = max(s)
//       correction[query] = exp(largest[query] - max(largest[query], new[query]))
//       p = exp(s - largest[query])
//       sum[query] = sum[query] * correction[query] + p
//       for tile of queries x vectors of columns
//         out = out * correction[query] + p x values
//     result = epilogue(out / sum[query])
//
// Scores lie along queries, not along keys as in the tensor that they would be: neither
// are keys transposed then, nor have maxima and sums to be joined across lanes. Where the
// number of queries is known only at run time, a single one has dot products with the keys.
//
//===----------------------------------------------------------------------===//

#include "MatMulView.h"
#include "ProductTile.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Conversion/ElementwiseToArith.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"

using namespace mlir;
using namespace mlir::nn;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {

//===----------------------------------------------------------------------===//
// What attention is
//===----------------------------------------------------------------------===//

/// Attention of floats. Sizes may be kDynamic, but for the depth and the columns.
struct AttentionView {
  /// Nothing for other groups.
  static std::optional<AttentionView> get(const FusionView &view);
  bool readsAll(const FusionView &view);

  MatMulOp scores, product;
  SoftmaxOp softmax;
  /// batches x queries x depth, batches x depth x keys, batches x keys x columns
  MatMulOperand query, key, value;
  /// What stores the result permuted; else null.
  TransposeOp stored;
  int64_t rank = 0, queries = 0, depth = 0, keys = 0, columns = 0;
  /// What elementwise operators between scores and softmax read, and the use of each
  /// dimension of the scores.
  llvm::MapVector<Value, SmallVector<DimUse>> leaves;
};

} // namespace

std::optional<AttentionView> AttentionView::get(const FusionView &view) {
  AttentionView self;
  if (view.anchors.size() != 3 || view.results.size() != 1)
    return std::nullopt;
  self.scores = dyn_cast<MatMulOp>(view.anchors[0]);
  self.softmax = dyn_cast<SoftmaxOp>(view.anchors[1]);
  self.product = dyn_cast<MatMulOp>(view.anchors[2]);
  if (!self.scores || !self.softmax || !self.product || self.scores.getTransposeLhs() ||
      self.product.getTransposeLhs() || self.product.getLhs() != self.softmax.getResult() ||
      !self.softmax->hasOneUse())
    return std::nullopt;
  self.query = MatMulOperand::get(view, self.scores.getLhs(), /*swapsLast=*/false);
  self.key =
      MatMulOperand::get(view, self.scores.getRhs(), self.scores.getTransposeRhs());
  self.value =
      MatMulOperand::get(view, self.product.getRhs(), self.product.getTransposeRhs());
  self.stored = view.getTranspose(view.results.front());
  return self.readsAll(view) ? std::optional(self) : std::nullopt;
}

bool AttentionView::readsAll(const FusionView &view) {
  RankedTensorType type = typeOf(scores.getResult());
  rank = type.getRank();
  auto isReadable = [&](const MatMulOperand &operand) {
    return int64_t(operand.order.size()) == rank &&
           typeOf(operand.tensor).getElementType().isF32() &&
           (view.getOuter(operand.tensor) || view.getConstant(operand.tensor));
  };
  if (rank < 3 || !type.getElementType().isF32() || !isReadable(query) ||
      !isReadable(key) || !isReadable(value) ||
      (softmax.getAxis() != -1 && softmax.getAxis() != rank - 1))
    return false;
  // All batches have operands of their own.
  for (auto [operand, result] : {std::pair{scores.getLhs(), scores.getResult()},
                                 {scores.getRhs(), scores.getResult()},
                                 {product.getRhs(), product.getResult()}}) {
    SmallVector<DimUse> uses = view.getUses(operand, result);
    if (llvm::any_of(ArrayRef(uses).drop_back(2),
                     [](DimUse use) { return use != DimUse::Full; }))
      return false;
  }
  auto getSize = [&](const MatMulOperand &operand, int64_t fromEnd) {
    return typeOf(operand.tensor).getDimSize(operand.order[rank - fromEnd]);
  };
  queries = getSize(query, 2);
  depth = getSize(query, 1);
  keys = ShapedType::isDynamic(getSize(key, 1)) ? getSize(value, 2) : getSize(key, 1);
  columns = getSize(value, 1);
  if (ShapedType::isDynamic(depth) || ShapedType::isDynamic(columns) || depth == 0 ||
      columns == 0 || keys == 0)
    return false;

  FailureOr<llvm::SetVector<Value>> read = view.getLeaves({softmax.getInput()});
  if (failed(read))
    return false;
  for (Value leaf : *read) {
    if (typeOf(leaf).getRank() > rank)
      return false;
    SmallVector<DimUse> uses = view.getUses(leaf, scores.getResult());
    if (llvm::is_contained(uses, DimUse::Unknown))
      return false;
    leaves[leaf] = uses;
  }
  return view.haveSameShape(softmax.getInput(), scores.getResult());
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

namespace {

class AttentionKernel {
public:
  AttentionKernel(KernelSite &site, AttentionView attention)
      : site(site), epilogue(site), attention(std::move(attention)) {}
  LogicalResult emit();

private:
  void addInputs();
  void checkSizes();
  void chooseBlocks();
  void makeScratch();
  void finish();

  void emitBlock(Value iteration);
  void emitKeys(Value firstKey);
  /// Scores of the keys of the block and `vectors` vectors of queries from `column` on.
  void emitScores(Value firstKey, Value numKeys, Value column, int64_t vectors);
  void emitScoreTile(Value firstKey, Value key, int64_t rows, Value column, int64_t vectors);
  /// What elementwise operators make of products; `leaf` returns those, and what else is read.
  Value emitScore(BodyEmitter::Leaf leaf);
  /// What is subtracted of scores.
  Value getShift(Value largest);
  /// The sum so far of exponentials, corrected for a new block, of the queries at `place`.
  /// `largest`: the scores of the block.
  Value startSum(Value largest, Value place, int64_t lanes, Value &shift);
  /// Exponentials of the scores, and their sums.
  void emitSoftmax(Value numKeys, Value column, int64_t vectors);
  void emitProducts(Value firstKey, Value numKeys, Value rows, int64_t rowWidth);
  /// `rowWidth`: of the scores of a key.
  void emitProductTile(Value firstKey, Value numKeys, Value row, int64_t rows, Value column,
                       int64_t vectors, Value mask, int64_t rowWidth);
  /// A single query, whose scores lie along keys.
  void emitKeysOfOne(Value firstKey, Value numKeys);
  void emitDotProducts(Value firstKey, Value numKeys);
  /// Calls `emit` for parts of `count` of the size `most`, and for the rest: at once if its
  /// size is known, else one by one. Each size has code of its own.
  void inParts(Value count, int64_t most, function_ref<void(Value first, int64_t size)> emit);
  /// Calls `emit` for vectors of columns; the last one may have a mask.
  void forColumns(function_ref<void(Value column, int64_t vectors, Value mask)> emit);
  void storeResult(Value sum, Value row, Value column, Value mask);
  /// The elements of a leaf at a key, for the vector of queries from number `first` on.
  Value loadLeaf(Value leaf, Value key, Value first);
  /// The same at a query, for a vector of keys.
  Value loadLeafOfOne(Value leaf, Value firstKey, Value query, Value mask);
  struct LeafPlace {
    /// Of the leaf's element at the query 0.
    Value offset;
    /// Of queries and of keys; null for what has only one.
    Value queryStride, keyStride;
  };
  LeafPlace getLeafPlace(Value leaf, Value key);

  KernelEmitter &e() { return site.getEmitter(); }
  Value max(Value x, Value y) {
    Value greater = arith::CmpFOp::create(e().b, e().loc, arith::CmpFPredicate::OGT, x, y);
    return e().select(greater, x, y);
  }
  Value mul(Value x, Value y) { return arith::MulFOp::create(e().b, e().loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(e().b, e().loc, x, y); }
  Value exp(Value x) { return emitExpOfNotPositive(e().b, e().loc, x); }
  Value splat(double value) { return e().constant(vectorType, value); }
  /// Where the elements of a key begin.
  Value startOf(Value key) {
    return e().add(keyStart, e().mul(key, keyAddress->getColumnStride()));
  }
  /// Of the scratch memory with a row of queries for each key or step of depth.
  Value placeOf(Value row, Value query) {
    return e().add(e().mul(row, blockQueries), query);
  }
  /// All keys are one block: nothing is to be corrected.
  bool isSingleBlock() const {
    return !ShapedType::isDynamic(attention.keys) && attention.keys <= blockKeys;
  }

  KernelSite &site;
  EpilogueStorer epilogue;
  AttentionView attention;
  unsigned query = 0, key = 0, value = 0; // inputs
  int64_t lanes = 1, accumulators = 1;
  int64_t blockQueries = 1, blockKeys = 1;
  /// Vectors of queries of a tile of scores, and of columns of a tile of products.
  int64_t scoreVectors = 1, productVectors = 1;
  VectorType vectorType;
  Value queries, keys, depth, blocks;
  SmallVector<Value> batchSizes;
  std::optional<MatrixAddress> queryAddress, keyAddress, valueAddress, resultAddress;
  Array copy, scores, newLargest, largest, correction, sums, out;
  // The state of the emission.
  Value batch, firstQuery, numQueries;
  /// Whether there is a single query; null if it is known that there are more, or if elements
  /// of keys are no neighbours.
  Value isSingle;
  SmallVector<Value> batchIndices;
  Value queryStart, keyStart, valueStart, resultStart;
  LogicalResult status = success();
};

} // namespace

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
  constexpr StringLiteral message = "the contracted dimensions of a matrix product differ";
  Value keyTensor = site.view.getOuter(attention.key.tensor),
        valueTensor = site.view.getOuter(attention.value.tensor);
  if (keyTensor)
    site.checkSize(keyTensor, attention.key.order[rank - 2], site.hostIndex(attention.depth),
                   message);
  int64_t keyDim = attention.key.order[rank - 1], valueDim = attention.value.order[rank - 2];
  if (keyTensor && valueTensor)
    site.checkSize(valueTensor, valueDim, site.hostSize(keyTensor, keyDim), message);
  else if (keyTensor)
    site.checkSize(keyTensor, keyDim, site.hostIndex(attention.keys), message);
  else if (valueTensor)
    site.checkSize(valueTensor, valueDim, site.hostIndex(attention.keys), message);
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
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (attention.stored)
    for (auto [place, dim] : llvm::enumerate(attention.stored.getPerm()))
      order[dim] = place;
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
    if (attention.stored)
      dim = llvm::find(attention.stored.getPerm(), dim) - attention.stored.getPerm().begin();
    return site.getResultSize(0, dim);
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

//===----------------------------------------------------------------------===//
// The template
//===----------------------------------------------------------------------===//

LogicalResult nn::emitAttentionKernel(KernelSite &site) {
  std::optional<AttentionView> attention = AttentionView::get(site.view);
  if (!attention || !attention->query.isContiguous(1) || !attention->value.isContiguous(1))
    return failure();
  return AttentionKernel(site, *attention).emit();
}

std::optional<double> nn::getAttentionShare(const FusionView &view, const CostModel &costs) {
  std::optional<AttentionView> attention = AttentionView::get(view);
  if (!attention)
    return std::nullopt;
  // Vectors along queries would be mostly empty.
  if (!ShapedType::isDynamic(attention->queries) &&
      attention->queries < costs.getThresholds().attentionFewestQueries)
    return std::nullopt;
  return 1;
}

void nn::refuseTransposesOfAttention(const FusionView &view, const CostModel &costs,
                                     SmallVectorImpl<RefusedTranspose> &refused) {
  std::optional<AttentionView> attention = AttentionView::get(view);
  if (!attention)
    return nn::refuseTransposes(view, costs, refused);
  for (TransposeOp transpose : view.transposes) {
    auto refuse = [&](StringRef why) { refused.push_back({transpose, why.str()}); };
    if (transpose == attention->stored &&
        transpose.getPerm().back() != attention->rank - 1)
      refuse("columns of the stored result would not be neighbours");
    else if (transpose == view.getTranspose(attention->scores.getLhs()) &&
             !attention->query.isContiguous(1))
      refuse("elements of a query would not be neighbours");
    else if (transpose == view.getTranspose(attention->product.getRhs()) &&
             !attention->value.isContiguous(1))
      refuse("columns of the values would not be neighbours");
  }
}
