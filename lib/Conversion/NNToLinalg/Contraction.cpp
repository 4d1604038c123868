//===- Contraction.cpp - matrix products to linalg ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorEmitter.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
struct Product {
  Value lhs, rhs;
  bool transposeLhs, transposeRhs;
  /// That of the result; 8-bit integers are multiplied in a wider type.
  Type elementType;
};
} // namespace

/// The product, with sums in the compute type. `sizes` and `like` are those of
/// the result, in which dimensions of rank-1 operands are absent.
static Value emitProduct(TensorEmitter &e, Product product, ArrayRef<Dim> like,
                         ArrayRef<Size> sizes) {
  auto [lhs, rhs, transposeLhs, transposeRhs, elementType] = product;
  bool lhsUnsigned = TensorEmitter::isUnsigned(lhs);
  bool rhsUnsigned = TensorEmitter::isUnsigned(rhs);
  int64_t lhsRank = TensorEmitter::getRank(lhs);
  int64_t rhsRank = TensorEmitter::getRank(rhs);
  e.checkSameDim(lhs, lhsRank == 1 || transposeLhs ? std::max<int64_t>(lhsRank - 2, 0)
                                                   : lhsRank - 1,
                 rhs, rhsRank == 1 || !transposeRhs ? std::max<int64_t>(rhsRank - 2, 0)
                                                    : rhsRank - 1,
                 "the contracted dimensions of a matrix product differ");

  // Loop order: batch, rows, then columns innermost, unless rows of rhs are contracted,
  // where the reduction is the contiguous dimension.
  bool hasRows = lhsRank > 1, hasColumns = rhsRank > 1;
  int64_t batch = like.size() - hasRows - hasColumns;
  int64_t total = batch + hasRows + hasColumns + 1;
  int64_t next = batch;
  int64_t m = hasRows ? next++ : -1;
  bool sumInnermost = transposeRhs || !hasColumns;
  int64_t k = sumInnermost ? total - 1 : next++;
  int64_t n = hasColumns ? next++ : -1;

  // Batch dimensions of an operand that may be 1 are broadcast first.
  auto mapOf = [&](Value &operand, SmallVector<int64_t> matrixDims) {
    int64_t operandBatch = TensorEmitter::getRank(operand) - matrixDims.size();
    Dims target(like.begin(), like.begin() + batch);
    Sizes targetSizes(sizes.begin(), sizes.begin() + batch);
    Dims own = e.symbols.getDims(operand);
    Sizes ownSizes = e.getDims(operand);
    for (size_t i = operandBatch; i < own.size(); ++i) {
      target.push_back(own[i]);
      targetSizes.push_back(ownSizes[i]);
    }
    AffineMap broadcast = e.broadcastMap(operand, target, targetSizes);
    SmallVector<int64_t> dims;
    for (AffineExpr expr : broadcast.getResults().take_front(operandBatch)) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      dims.push_back(dim ? int64_t(dim.getPosition()) : -1);
    }
    dims.append(matrixDims);
    return e.select(total, dims);
  };
  SmallVector<int64_t> lhsDims = {k}, rhsDims = {k};
  if (hasRows)
    lhsDims = transposeLhs ? SmallVector<int64_t>{k, m}
                           : SmallVector<int64_t>{m, k};
  if (hasColumns)
    rhsDims = transposeRhs ? SmallVector<int64_t>{n, k}
                           : SmallVector<int64_t>{k, n};
  AffineMap lhsMap = mapOf(lhs, lhsDims), rhsMap = mapOf(rhs, rhsDims);
  lhs = e.signless(lhs);
  rhs = e.signless(rhs);
  SmallVector<int64_t> resultDims = llvm::to_vector(llvm::seq<int64_t>(0, batch));
  if (hasRows)
    resultDims.push_back(m);
  if (hasColumns)
    resultDims.push_back(n);

  Type sumType = getComputeType(getSignlessType(elementType));
  SmallVector<utils::IteratorType> iterators(total,
                                             utils::IteratorType::parallel);
  iterators[k] = utils::IteratorType::reduction;
  return e.reduce(
      e.filled(sizes, sumType, 0), {lhs, rhs},
      {lhsMap, rhsMap, e.select(total, resultDims)}, iterators,
      [&](OpBuilder &b, Location l, ValueRange args) -> Value {
        Value x = emitCast(b, l, args[0], sumType, lhsUnsigned, false);
        Value y = emitCast(b, l, args[1], sumType, rhsUnsigned, false);
        if (isa<FloatType>(sumType)) {
          auto fast = arith::FastMathFlags::contract;
          Value xy = arith::MulFOp::create(b, l, x, y, fast);
          return arith::AddFOp::create(b, l, args[2], xy, fast);
        }
        Value xy = arith::MulIOp::create(b, l, x, y);
        return arith::AddIOp::create(b, l, args[2], xy);
      });
}

namespace {
struct LowerMatMul : LinalgPattern<MatMulOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(MatMulOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Value product = emitProduct(
        e,
        {op.getLhs(), op.getRhs(), op.getTransposeLhs(), op.getTransposeRhs(),
         TensorEmitter::getElement(op.getResult())},
        symbols.getDims(op.getResult()), *sizes);
    return e.replace(
        {e.convert(product, TensorEmitter::getElement(op.getResult()))});
  }
};

/// alpha * product + beta * bias; for integers, the factors are applied in f64.
struct LowerGemm : LinalgPattern<GemmOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(GemmOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Dims like = symbols.getDims(op.getResult());
    Value product = emitProduct(
        e,
        {op.getLhs(), op.getRhs(), op.getTransLhs(), op.getTransRhs(),
         TensorEmitter::getElement(op.getResult())},
        like, *sizes);
    Type elementType = TensorEmitter::getElement(op.getResult());
    bool unsignedElements = TensorEmitter::isUnsigned(op.getResult());
    SmallVector<Value> inputs = {product};
    SmallVector<AffineMap> maps = {e.identity(2)};
    if (Value bias = op.getBias()) {
      maps.push_back(e.broadcastMap(bias, like, *sizes));
      inputs.push_back(bias);
    }
    double alpha = op.getAlpha().convertToDouble();
    double beta = op.getBeta().convertToDouble();
    if (inputs.size() == 1 && alpha == 1)
      return e.replace({e.convert(product, elementType)});
    Type computeType = getComputeType(elementType);
    if (!isa<FloatType>(computeType) && (alpha != 1 || beta != 1))
      computeType = e.rewriter.getF64Type();
    Value result = e.map(
        *sizes, elementType, inputs, maps,
        [&](OpBuilder &b, Location l, ValueRange args) -> Value {
          auto scaled = [&](Value x, double factor) -> Value {
            x = emitCast(b, l, x, computeType, unsignedElements, false);
            if (factor == 1)
              return x;
            return arith::MulFOp::create(
                b, l, x, emitConstant(b, l, computeType, factor));
          };
          Value sum = scaled(args[0], alpha);
          if (op.getBias()) {
            Value bias = scaled(args[1], beta);
            if (isa<FloatType>(computeType))
              sum = arith::AddFOp::create(b, l, sum, bias);
            else
              sum = arith::AddIOp::create(b, l, sum, bias);
          }
          return emitCast(b, l, sum, elementType, false, unsignedElements);
        });
    return e.replace({result});
  }
};
} // namespace

void nn::populateContractionToLinalg(RewritePatternSet &patterns,
                                     SymbolicDims &symbols) {
  patterns.add<LowerMatMul, LowerGemm>(patterns.getContext(), symbols);
}
