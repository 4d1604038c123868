//===- NNContractionOps.cpp - matrix products -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::nn;

/// True if both sizes are known and differ.
static bool differ(Dim lhs, Dim rhs) {
  return isa<AffineConstantExpr>(lhs) && isa<AffineConstantExpr>(rhs) &&
         lhs != rhs;
}

static std::string show(Dim dim) {
  return std::to_string(cast<AffineConstantExpr>(dim).getValue());
}

Dim MatMulOp::getWorkPerElement(ShapeEnv &env) {
  Dims lhs = env.getDims(getLhs());
  return getTransposeLhs() ? lhs[lhs.size() - 2] : lhs.back();
}

LogicalResult MatMulOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                    SmallVectorImpl<InferredTensor> &results) {
  Dims lhs = env.getDims(adaptor.getLhs()), rhs = env.getDims(adaptor.getRhs());
  Type type = cast<ShapedType>(adaptor.getLhs().getType()).getElementType();
  // matmul_c1
  Type rhsType = cast<ShapedType>(adaptor.getRhs().getType()).getElementType();
  if (type.isInteger(8) && rhsType.isInteger(8))
    type = IntegerType::get(type.getContext(), 32);
  else if (type != rhsType)
    return env.fail("operands have different element types");
  if (lhs.empty() || rhs.empty())
    return env.fail("operands must have rank 1 or more");
  // matmul_c2
  if ((adaptor.getTransposeLhs() && lhs.size() < 2) ||
      (adaptor.getTransposeRhs() && rhs.size() < 2))
    return env.fail("a transposed operand must have rank 2 or more");
  bool dropRow = lhs.size() == 1, dropColumn = rhs.size() == 1;
  if (dropRow)
    lhs.insert(lhs.begin(), env.constant(1));
  if (dropColumn)
    rhs.push_back(env.constant(1));
  if (adaptor.getTransposeLhs())
    std::swap(lhs[lhs.size() - 1], lhs[lhs.size() - 2]);
  if (adaptor.getTransposeRhs())
    std::swap(rhs[rhs.size() - 1], rhs[rhs.size() - 2]);
  // matmul_c3
  Dim k = lhs.pop_back_val(), kRhs = rhs[rhs.size() - 2];
  if (differ(k, kRhs))
    return env.fail("contracted dimensions differ: " + show(k) + " and " +
                    show(kRhs));
  Dim rows = lhs.pop_back_val(), columns = rhs.pop_back_val();
  rhs.pop_back();
  Dims dims;
  size_t batch = std::max(lhs.size(), rhs.size());
  lhs.insert(lhs.begin(), batch - lhs.size(), env.constant(1));
  rhs.insert(rhs.begin(), batch - rhs.size(), env.constant(1));
  for (auto [l, r] : llvm::zip(lhs, rhs)) {
    Dim dim = env.broadcast(l, r);
    if (!dim)
      return env.fail("batch dimensions do not broadcast: " + show(l) +
                      " and " + show(r));
    dims.push_back(dim);
  }
  if (!dropRow)
    dims.push_back(rows);
  if (!dropColumn)
    dims.push_back(columns);
  results.push_back({dims, type});
  return success();
}

LogicalResult GemmOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                  SmallVectorImpl<InferredTensor> &results) {
  Dims lhs = env.getDims(adaptor.getLhs()), rhs = env.getDims(adaptor.getRhs());
  Type type = cast<ShapedType>(adaptor.getLhs().getType()).getElementType();
  // gemm_c1
  if (lhs.size() != 2 || rhs.size() != 2)
    return env.fail("lhs and rhs must have rank 2, not " + Twine(lhs.size()) +
                    " and " + Twine(rhs.size()));
  for (Value operand : adaptor.getOperands())
    if (cast<ShapedType>(operand.getType()).getElementType() != type)
      return env.fail("operands have different element types");
  if (adaptor.getTransLhs())
    std::swap(lhs[0], lhs[1]);
  if (adaptor.getTransRhs())
    std::swap(rhs[0], rhs[1]);
  // gemm_c2
  if (differ(lhs[1], rhs[0]))
    return env.fail("contracted dimensions differ: " + show(lhs[1]) + " and " +
                    show(rhs[0]));
  Dims dims = {lhs[0], rhs[1]};
  // gemm_c3
  if (Value bias = adaptor.getBias()) {
    Dims biasDims = env.getDims(bias);
    if (biasDims.size() > 2)
      return env.fail("the bias must have rank 2 or less");
    for (auto [have, want] :
         llvm::zip(llvm::reverse(biasDims), llvm::reverse(dims)))
      if (have != env.constant(1) && differ(have, want))
        return env.fail("the bias does not broadcast to the product: " +
                        show(have) + " and " + show(want));
  }
  results.push_back({dims, type});
  return success();
}

namespace {
/// gemm(a, b, c) = alpha * matmul(a, b) + beta * c
struct ExpandGemm : OpRewritePattern<GemmOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GemmOp op,
                                PatternRewriter &rewriter) const override {
    Type elementType = op.getType().getElementType();
    if (!isa<FloatType>(elementType) &&
        (!op.getAlpha().isExactlyValue(1) || !op.getBeta().isExactlyValue(1)))
      return rewriter.notifyMatchFailure(op, "integer with scale");
    auto scale = [&](Value value, const APFloat &factor) -> Value {
      if (factor.isExactlyValue(1))
        return value;
      APFloat converted = factor;
      bool losesInfo;
      converted.convert(cast<FloatType>(elementType).getFloatSemantics(),
                        APFloat::rmNearestTiesToEven, &losesInfo);
      auto constant = ConstantOp::create(
          rewriter, op.getLoc(),
          DenseElementsAttr::get(RankedTensorType::get({}, elementType),
                                 converted));
      return MulOp::create(rewriter, op.getLoc(), value, constant);
    };
    auto product = MatMulOp::create(rewriter, op.getLoc(), op.getLhs(), op.getRhs(),
                                    op.getTransLhs(), op.getTransRhs());
    Value result = scale(product, op.getAlpha());
    if (op.getBias())
      result = AddOp::create(rewriter, op.getLoc(), result,
                             scale(op.getBias(), op.getBeta()));
    if (result.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "result type was refined");
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

void GemmOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<ExpandGemm>(context);
}
