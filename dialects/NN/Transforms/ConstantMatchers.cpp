//===- ConstantMatchers.cpp - constants that patterns look for ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/Transforms/ConstantMatchers.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::nn;

std::optional<double> nn::getSplat(Value value) {
  DenseFPElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
    return std::nullopt;
  APFloat number = elements.getSplatValue<APFloat>();
  bool losesInfo;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return number.convertToDouble();
}

static bool isConstantExpression(Value value, unsigned depth) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (isa<ConstantOp>(op))
    return true;
  return depth > 0 && isa<NNDialect>(op->getDialect()) && isPure(op) &&
         op->getNumRegions() == 0 && op->getNumOperands() > 0 &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return ::isConstantExpression(operand, depth - 1);
         });
}

bool nn::isConstantExpression(Value value) {
  return ::isConstantExpression(value, /*depth=*/16);
}

Value nn::makeSplat(OpBuilder &builder, Location location, RankedTensorType type,
                    double number) {
  return ConstantOp::create(
      builder, location,
      DenseElementsAttr::get(type, builder.getFloatAttr(type.getElementType(),
                                                        number)));
}

Value nn::makeIndexList(OpBuilder &builder, Location location,
                        ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({int64_t(values.size())},
                                    builder.getI64Type());
  return ConstantOp::create(builder, location,
                            DenseElementsAttr::get(type, values));
}

Value nn::makeReshape(OpBuilder &builder, Location location, Value value,
                      ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return ReshapeOp::create(builder, location, type.clone(shape), value,
                           makeIndexList(builder, location, shape),
                           builder.getBoolAttr(true));
}
