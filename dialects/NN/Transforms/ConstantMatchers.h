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

/// The number that a float constant holds everywhere.
std::optional<double> getSplat(Value value);

/// True if the value is a constant that holds `number` everywhere, up to the
/// rounding of a constant that was written with six digits.
bool isSplatNear(Value value, double number);

/// Constants and nn operators on them: what constant folding evaluates.
bool isConstantExpression(Value value);

/// Splits a product (sum) of `x` and a splat constant, in either order, where
/// the constant does not change x's shape.
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

/// A rank-0 or other tensor that holds `number` everywhere.
Value makeSplat(OpBuilder &builder, Location location, RankedTensorType type,
                double number);
/// A list of i64.
Value makeIndexList(OpBuilder &builder, Location location,
                    ArrayRef<int64_t> values);
/// The tensor, of static shape, under another one of as many elements.
Value makeReshape(OpBuilder &builder, Location location, Value value,
                  ArrayRef<int64_t> shape);

} // namespace mlir::nn

#endif // NN_DIALECTS_NN_TRANSFORMS_CONSTANTMATCHERS_H
