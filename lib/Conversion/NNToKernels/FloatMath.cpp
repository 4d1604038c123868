//===- FloatMath.cpp - emitting the code of elementary functions ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "FloatMath.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::nn;

Value FloatMath::integer(int64_t value) {
  // Words of 32 bits are written as such with and without their sign.
  unsigned width = getElementTypeOrSelf(integers).getIntOrFloatBitWidth();
  TypedAttr attr = IntegerAttr::get(getElementTypeOrSelf(integers),
                                    APInt(64, value).trunc(width));
  if (auto vector = dyn_cast<VectorType>(integers))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(b, l, attr);
}

Value FloatMath::polynomial(Value x, ArrayRef<double> coefficients) {
  Value sum = number(coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = fma(sum, x, number(coefficient));
  return sum;
}

Value FloatMath::isSet(Value x, int64_t mask) {
  return arith::CmpIOp::create(b, l, arith::CmpIPredicate::ne,
                               andInt(x, integer(mask)), integer(0));
}

Value FloatMath::flipSign(Value x, Value word) {
  int64_t width = getElementTypeOrSelf(integers).getIntOrFloatBitWidth();
  Value sign = andInt(word, integer(int64_t(1) << (width - 1)));
  return fromBits(xorInt(bits(x), sign));
}

Value FloatMath::powerOfSigned(Value power, Value x, Value y) {
  // Of negative numbers, only integers have powers; their odd powers are negative.
  Value half = mul(y, number(0.5));
  Value isInteger = compare(Predicate::OEQ, floor(y), y);
  Value isEven = compare(Predicate::OEQ, floor(half), half);
  Value ofInteger = select(isEven, power, flipSign(power, bits(x)));
  Value isNegative = both(compare(Predicate::OLT, x, 0), compare(Predicate::OGT, x, -infinity));
  return select(isInteger, ofInteger, select(isNegative, number(notANumber), power));
}

SmallVector<Value> FloatMath::unlessRare(Value isRare, ArrayRef<Value> common,
                                         llvm::function_ref<SmallVector<Value>()> emit) {
  Value any = isRare;
  if (auto vector = dyn_cast<VectorType>(isRare.getType())) {
    if (vector.getRank() != 1)
      any = vector::ShapeCastOp::create(
          b, l, VectorType::get(vector.getNumElements(), vector.getElementType()), any);
    any = vector::ReductionOp::create(b, l, vector::CombiningKind::OR, any);
  }
  auto branch = scf::IfOp::create(b, l, TypeRange(ValueRange(common)), any,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  SmallVector<Value> chosen;
  for (auto [rare, usual] : llvm::zip(emit(), common))
    chosen.push_back(select(isRare, rare, usual));
  scf::YieldOp::create(b, l, chosen);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, l, common);
  return branch.getResults();
}
