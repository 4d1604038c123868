//===- ConstantMatchers.h - constants that patterns look for ----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Private to the passes of this folder.
//
//===----------------------------------------------------------------------===//

#ifndef NN_DIALECTS_NN_TRANSFORMS_CONSTANTMATCHERS_H
#define NN_DIALECTS_NN_TRANSFORMS_CONSTANTMATCHERS_H

#include "dialects/NN/IR/NN.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::nn {

/// The value of a splat float constant.
std::optional<double> getSplat(Value value);

/// Constants and nn operators on them, which constant folding evaluates.
bool isConstantExpression(Value value);

/// Matches a product (sum) of `x` and a splat constant, in either order, if the
/// constant does not change x's shape.
template <typename OpTy>
bool matchWithSplat(Value value, Value &x, double &number) {
  auto op = value.getDefiningOp<OpTy>();
  if (!op)
    return false;
  for (bool swapped : {false, true}) {
    x = swapped ? op.getRhs() : op.getLhs();
    std::optional<double> splat = getSplat(swapped ? op.getLhs() : op.getRhs());
    if (splat && x.getType() == op.getType()) {
      number = *splat;
      return true;
    }
    if (!op->template hasTrait<OpTrait::IsCommutative>())
      break;
  }
  return false;
}

/// On products whose operands are integers held as f32: the results are exact as long
/// as nothing is folded into the operands.
constexpr StringLiteral integersAttrName = "nn.exact_integers";

/// A tensor of any rank whose elements all equal `number`.
Value makeSplat(OpBuilder &builder, Location location, RankedTensorType type,
                double number);
/// A list of i64.
Value makeIndexList(OpBuilder &builder, Location location,
                    ArrayRef<int64_t> values);
/// Reshapes a tensor of static shape.
Value makeReshape(OpBuilder &builder, Location location, Value value,
                  ArrayRef<int64_t> shape);

} // namespace mlir::nn

#endif // NN_DIALECTS_NN_TRANSFORMS_CONSTANTMATCHERS_H
