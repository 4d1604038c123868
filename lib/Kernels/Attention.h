//===- Attention.h - kernels of attention -----------------------*- C++ -*-===//
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
// AttentionView.cpp decides what is attention, Attention.cpp has blocks of queries,
// AttentionOfOne.cpp a single one, and what both read before the softmax.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_KERNELS_ATTENTION_H
#define NN_LIB_KERNELS_ATTENTION_H

#include "MatMulView.h"
#include "ProductTile.h"
#include "nn/Conversion/ElementwiseToArith.h"
#include "nn/Kernels/LeafLoader.h"

namespace mlir::nn {

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

} // namespace mlir::nn

#endif // NN_LIB_KERNELS_ATTENTION_H
