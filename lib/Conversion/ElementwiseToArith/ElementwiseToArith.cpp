//===- ElementwiseToArith.cpp - code of elementwise operators -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Emitter.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::nn;

/// The nearest integer if a power differs from it only by its rounding error, so that
/// truncation afterwards does not give one less.
static Value snapToInteger(Emitter &e, Value x) {
  Value rounded = e.make<math::RoundEvenOp>(x);
  Value distance = e.make<math::AbsFOp>(e.sub(x, rounded));
  Value size = e.max(e.make<math::AbsFOp>(x), e.constant(x, 1));
  Value isNear = e.less(distance, e.mul(size, e.constant(x, 1e-12)));
  return e.select(isNear, rounded, x);
}

/// A bool is a byte with the value 0 or 1.
static Value emitBitcast(Emitter &e, Value x, Type to) {
  Type from = getElementTypeOrSelf(x);
  if (from == to)
    return x;
  if (from.isInteger(1))
    return e.make<arith::ExtUIOp>(withElementType(x.getType(), to), x);
  if (to.isInteger(1))
    return e.compare(arith::CmpIPredicate::ne, x, e.constant(x, 0));
  return e.make<arith::BitcastOp>(withElementType(x.getType(), to), x);
}

static bool isUnsignedElement(Type type) {
  return getElementTypeOrSelf(type).isUnsignedInteger();
}

FailureOr<Value> nn::emitElementwise(OpBuilder &builder, Operation *op,
                                     ArrayRef<Value> operands) {
  assert(operands.size() == op->getNumOperands() && "one value an operand");
  Emitter e{builder, op->getLoc()};
  SmallVector<Value> values(operands);
  VectorType vector;
  for (Value value : values)
    if (auto type = dyn_cast<VectorType>(value.getType()))
      vector = type;
  if (vector)
    for (Value &value : values)
      if (!isa<VectorType>(value.getType()))
        value = e.make<vector::BroadcastOp>(vector.clone(value.getType()), value);

  Type from = getElementTypeOrSelf(op->getOperand(0).getType());
  Type to = getElementTypeOrSelf(op->getResult(0).getType());
  if (isa<CastOp>(op))
    return emitCast(builder, op->getLoc(), values[0], getSignlessType(to),
                    from.isUnsignedInteger(), to.isUnsignedInteger());
  if (auto decode = dyn_cast<DecodeFloatOp>(op))
    return e.decodeFloat(values[0], cast<FloatType>(decode.getFormat()));
  if (auto encode = dyn_cast<EncodeFloatOp>(op))
    return e.encodeFloat(values[0], cast<FloatType>(encode.getFormat()),
                         encode.getSaturate(), encode.getRoundMode());
  if (isa<BitcastOp>(op))
    return emitBitcast(e, values[0], getSignlessType(to));
  if (isa<WhereOp>(op))
    return e.select(values[0], values[1], values[2]);

  // The exponent of a power may have another type.
  bool integerPow = isa<PowOp>(op) && !isa<FloatType>(from);
  if (integerPow) {
    Type exponent = getElementTypeOrSelf(op->getOperand(1).getType());
    if (!isa<FloatType>(exponent)) {
      Value power = emitIntegerPow(e, values[0], values[1],
                                   exponent.isUnsignedInteger());
      return power;
    }
  }
  if (!isa<FloatType>(from) && !integerPow)
    return emitInteger(e, op, values, from.isUnsignedInteger());
  Type computeType = integerPow ? builder.getF64Type() : getComputeType(from);
  for (auto [value, operand] : llvm::zip(values, op->getOperands()))
    value = emitCast(builder, op->getLoc(), value, computeType,
                     isUnsignedElement(operand.getType()), false);
  FailureOr<Value> result = emitFloat(e, op, values);
  if (failed(result) || to.isInteger(1))
    return result;
  if (integerPow)
    result = snapToInteger(e, *result);
  return emitCast(builder, op->getLoc(), *result, getSignlessType(to), false,
                  to.isUnsignedInteger());
}
