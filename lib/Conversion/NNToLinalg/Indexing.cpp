//===- Indexing.cpp - operators that pick elements by index to linalg -----===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorEmitter.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
/// Indices outside of the dimension, which ONNX calls an error, are clamped to
/// it: kernels cannot fail, and nothing outside of the tensor is ever read.
struct LowerGather : LinalgPattern<GatherOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(GatherOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Value input = e.signless(op.getInput());
    int64_t rank = sizes->size();
    int64_t axis = normalizeAxis(op.getAxis(), TensorEmitter::getRank(input));
    int64_t indexRank = TensorEmitter::getRank(op.getIndices());
    auto indexDims = llvm::to_vector(llvm::seq<int64_t>(axis, axis + indexRank));
    Value dim = e.asValue(e.getDim(input, axis));
    Value result = e.map(
        *sizes, TensorEmitter::getElement(input), {op.getIndices()},
        {e.select(rank, indexDims)},
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value zero = arith::ConstantIndexOp::create(b, l, 0);
          Value one = arith::ConstantIndexOp::create(b, l, 1);
          Value index =
              arith::IndexCastOp::create(b, l, b.getIndexType(), args[0]);
          Value negative = arith::CmpIOp::create(
              b, l, arith::CmpIPredicate::slt, index, zero);
          index = arith::SelectOp::create(
              b, l, negative, arith::AddIOp::create(b, l, index, dim), index);
          Value last = arith::SubIOp::create(b, l, dim, one);
          index = arith::MinSIOp::create(b, l, index, last);
          index = arith::MaxSIOp::create(b, l, index, zero);
          SmallVector<Value> from;
          for (int64_t i = 0; i < axis; ++i)
            from.push_back(linalg::IndexOp::create(b, l, i));
          from.push_back(index);
          for (int64_t i = axis + indexRank; i < rank; ++i)
            from.push_back(linalg::IndexOp::create(b, l, i));
          return tensor::ExtractOp::create(b, l, input, from).getResult();
        });
    return e.replace({result});
  }
};
} // namespace

void nn::populateIndexingToLinalg(RewritePatternSet &patterns,
                                  SymbolicDims &symbols) {
  patterns.add<LowerGather>(patterns.getContext(), symbols);
}
