//===- Reshape.cpp - changes and questions of shape to tensor -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorEmitter.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
struct LowerReshape : LinalgPattern<ReshapeOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(ReshapeOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Value input = e.signless(op.getInput());
    Dim before = symbols.product(symbols.getDims(op.getInput()));
    Dim after = symbols.product(symbols.getDims(op.getResult()));
    if (!symbols.proveEqual(before, after)) {
      // Sizes read at run time may be negative, two of them with a product that
      // is right.
      Size smallest = e.size(0);
      for (Size size : *sizes)
        smallest = e.min(smallest, size);
      e.checkEqual(smallest, e.size(0), "a size of the shape is negative");
      e.checkEqual(e.product(e.getDims(input)), e.product(*sizes),
                   "the elements do not fit the shape");
    }
    return e.replace({e.reshape(input, *sizes, symbols.getDims(op.getInput()),
                                symbols.getDims(op.getResult()))});
  }
};

struct LowerFlatten : LinalgPattern<FlattenOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(FlattenOp op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
    Sizes sizes = e.getDims(input);
    int64_t axis = op.getAxis() < 0 ? op.getAxis() + int64_t(sizes.size())
                                    : int64_t(op.getAxis());
    ArrayRef<Size> all(sizes);
    Sizes matrix = {e.product(all.take_front(axis)),
                    e.product(all.drop_front(axis))};
    return e.replace({e.reshape(input, matrix, symbols.getDims(op.getInput()),
                                symbols.getDims(op.getResult()))});
  }
};

struct LowerSqueeze : LinalgPattern<SqueezeOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(SqueezeOp op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
    SmallVector<int64_t> axes =
        normalizeAxes(op.getAxes(), TensorEmitter::getRank(input));
    for (int64_t axis : axes)
      e.checkEqual(e.getDim(input, axis), e.size(1),
                   "squeezed dimension " + Twine(axis) + " is not 1");
    return e.replace({e.dropUnitDims(input, axes)});
  }
};

struct LowerUnsqueeze : LinalgPattern<UnsqueezeOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(UnsqueezeOp op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
    int64_t rank = TensorEmitter::getRank(op.getResult());
    return e.replace(
        {e.insertUnitDims(input, normalizeAxes(op.getAxes(), rank))});
  }
};

Value asInt64(TensorEmitter &e, Size size) {
  if (auto known = TensorEmitter::getConstant(size))
    return arith::ConstantIntOp::create(e.rewriter, e.location, *known, 64);
  return e.rewriter.createOrFold<arith::IndexCastOp>(
      e.location, e.rewriter.getI64Type(), cast<Value>(size));
}

struct LowerShape : LinalgPattern<ShapeOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(ShapeOp op, TensorEmitter &e) const override {
    int64_t rank = TensorEmitter::getRank(op.getInput());
    auto clamp = [&](int64_t index) {
      return std::clamp<int64_t>(index < 0 ? index + rank : index, 0, rank);
    };
    int64_t start = clamp(op.getStart());
    int64_t end = clamp(op.getEnd() ? int64_t(*op.getEnd()) : rank);
    SmallVector<Value> entries;
    for (int64_t i = start; i < end; ++i)
      entries.push_back(asInt64(e, e.getDim(op.getInput(), i)));
    auto type = RankedTensorType::get({int64_t(entries.size())},
                                      e.rewriter.getI64Type());
    if (entries.empty())
      return e.replace({e.empty({e.size(0)}, type.getElementType())});
    return e.replace({tensor::FromElementsOp::create(e.rewriter, e.location,
                                                     type, entries)
                          .getResult()});
  }
};

struct LowerSize : LinalgPattern<SizeOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(SizeOp op, TensorEmitter &e) const override {
    Value count = asInt64(e, e.product(e.getDims(op.getInput())));
    auto type = RankedTensorType::get({}, e.rewriter.getI64Type());
    return e.replace({tensor::FromElementsOp::create(e.rewriter, e.location,
                                                     type, count)
                          .getResult()});
  }
};
} // namespace

void nn::populateReshapeToLinalg(RewritePatternSet &patterns,
                                 SymbolicDims &symbols) {
  patterns.add<LowerReshape, LowerFlatten, LowerSqueeze, LowerUnsqueeze,
               LowerShape, LowerSize>(patterns.getContext(), symbols);
}
