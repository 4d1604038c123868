//===- Selection.cpp - operators that the runtime's kernels compute -------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Results whose size is known only once they are computed are written to buffers of the
// maximum size, of which a part is extracted.
//
//===----------------------------------------------------------------------===//

#include "TensorEmitter.h"
#include "mlir/IR/Matchers.h"
#include "nn/Support/DataType.h"

using namespace mlir;
using namespace mlir::nn;

namespace {

/// The number of the ABI for the element type of a tensor, unsigned ones included.
int64_t getTypeNumber(Value tensor) {
  return int64_t(*getDataType(getElementTypeOrSelf(tensor.getType())));
}

/// The first entries of dimension `dim`; the tensor `count` says how many.
Value takeFront(TensorEmitter &e, Value tensor, int64_t dim, Value count) {
  Value number = tensor::ExtractOp::create(e.rewriter, e.location, count, ValueRange());
  Sizes sizes = e.getDims(tensor);
  sizes[dim] = arith::IndexCastOp::create(e.rewriter, e.location,
                                          e.rewriter.getIndexType(), number)
                   .getResult();
  Sizes offsets(sizes.size(), e.size(0)), strides(sizes.size(), e.size(1));
  return e.extractSlice(tensor, offsets, sizes, strides);
}

struct LowerTopK : LinalgPattern<TopKOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(TopKOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Value input = e.signless(op.getInput());
    int64_t axis = normalizeAxis(op.getAxis(), sizes->size());
    Size size = e.getDim(input, axis);
    if (!TensorEmitter::getConstant((*sizes)[axis]) || !TensorEmitter::getConstant(size)) {
      Value fits = arith::CmpIOp::create(e.rewriter, e.location,
                                         arith::CmpIPredicate::ule,
                                         e.asValue((*sizes)[axis]), e.asValue(size));
      e.check(fits, "k is not a number of elements of the dimension");
    }
    Type i64 = e.rewriter.getI64Type();
    SmallVector<Value> results = e.callRuntime(
        rt::RuntimeKernel::TopK, {input},
        {e.empty(*sizes, TensorEmitter::getElement(input)), e.empty(*sizes, i64),
         e.empty({size}, i64)},
        {getTypeNumber(op.getInput()), axis, op.getLargest()});
    return e.replace({results[0], results[1]});
  }
};

struct LowerNonZero : LinalgPattern<NonZeroOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(NonZeroOp op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
    Sizes dims = e.getDims(input);
    Type i64 = e.rewriter.getI64Type();
    SmallVector<Value> results = e.callRuntime(
        rt::RuntimeKernel::NonZero, {input},
        {e.empty({e.size(dims.size()), e.product(dims)}, i64), e.empty({}, i64)},
        {getTypeNumber(op.getInput())});
    return e.replace({takeFront(e, results[0], 1, results[1])});
  }
};

struct LowerUnique : LinalgPattern<UniqueOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(UniqueOp op, TensorEmitter &e) const override {
    Value input = e.signless(op.getInput());
    Sizes dims = e.getDims(input);
    int64_t axis =
        op.getAxis() ? normalizeAxis(*op.getAxis(), dims.size()) : int64_t(-1);
    Size size = axis < 0 ? e.product(dims) : dims[axis];
    Sizes values = axis < 0 ? Sizes{size} : dims;
    Type i64 = e.rewriter.getI64Type();
    auto list = [&] { return e.empty({size}, i64); };
    SmallVector<Value> results = e.callRuntime(
        rt::RuntimeKernel::Unique, {input},
        {e.empty(values, TensorEmitter::getElement(input)), list(), list(), list(),
         e.empty({}, i64), e.empty({e.mul(size, e.size(2))}, i64)},
        {getTypeNumber(op.getInput()), axis, op.getSorted()});
    Value count = results[4];
    return e.replace({takeFront(e, results[0], std::max<int64_t>(axis, 0), count),
                      takeFront(e, results[1], 0, count), results[2],
                      takeFront(e, results[3], 0, count)});
  }
};

struct LowerNonMaxSuppression : LinalgPattern<NonMaxSuppressionOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(NonMaxSuppressionOp op, TensorEmitter &e) const override {
    Sizes scores = e.getDims(op.getScores());
    Type i64 = e.rewriter.getI64Type();
    // Not more than max_boxes for each batch entry and class, where that is known.
    Size most = scores[2];
    DenseIntElementsAttr maxBoxes;
    if (op.getMaxBoxes() && matchPattern(op.getMaxBoxes(), m_Constant(&maxBoxes)))
      most = e.min(most, e.size(std::max<int64_t>(
                             (*maxBoxes.value_begin<APInt>()).getSExtValue(), 0)));
    Size room = e.mul(e.mul(scores[0], scores[1]), most);
    // Absent operands are never read.
    auto orAny = [&](Value operand, Type type) {
      return operand ? operand : e.filled({}, type, 0);
    };
    Type f32 = e.rewriter.getF32Type();
    SmallVector<Value> results = e.callRuntime(
        rt::RuntimeKernel::NonMaxSuppression,
        {op.getBoxes(), op.getScores(), orAny(op.getMaxBoxes(), i64),
         orAny(op.getIouThreshold(), f32), orAny(op.getScoreThreshold(), f32)},
        {e.empty({room, e.size(3)}, i64), e.empty({}, i64), e.empty({scores[2]}, i64)},
        {op.getCenterPointBox(), op.getScoreThreshold() != nullptr,
         op.getIouThreshold() != nullptr, op.getMaxBoxes() != nullptr});
    return e.replace({takeFront(e, results[0], 0, results[1])});
  }
};

struct LowerRoiAlign : LinalgPattern<RoiAlignOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(RoiAlignOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    double scale = op.getSpatialScale().convertToDouble();
    SmallVector<Value> results = e.callRuntime(
        rt::RuntimeKernel::RoiAlign,
        {op.getInput(), op.getRois(), op.getBatchIndices()},
        {e.empty(*sizes, e.rewriter.getF32Type())},
        {op.getHalfPixel(), op.getMode() == "max", int64_t(op.getSamplingRatio()),
         llvm::bit_cast<int64_t>(scale)});
    return e.replace(results);
  }
};
} // namespace

void nn::populateSelectionToLinalg(RewritePatternSet &patterns,
                                   SymbolicDims &symbols) {
  patterns.add<LowerTopK, LowerNonZero, LowerUnique, LowerNonMaxSuppression,
               LowerRoiAlign>(patterns.getContext(), symbols);
}
