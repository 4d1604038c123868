//===- ElementwiseToArith.h - code of elementwise operators -----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_CONVERSION_ELEMENTWISETOARITH_H
#define NN_CONVERSION_ELEMENTWISETOARITH_H

#include "mlir/IR/Builders.h"

namespace mlir::nn {

/// Emits arith and math operations, at the builder's insertion point and with `op`'s
/// location, that compute one element (or one vector of elements) of the result
/// of `op`, which implements ElementwiseOpInterface.
///
/// `operands` has an entry for each operand of `op`: scalars, or vectors of one shape;
/// scalars among vectors are broadcast. Their element types are those of op's operands
/// with unsigned integers made signless; the types of `op` say which integers are
/// unsigned. The type of the result is converted in the same way.
///
/// The semantics are ONNX's. What ONNX leaves open is defined so that no input traps:
///  - f16 and bf16 are computed in f32;
///  - max, min, relu and clip give NaN for NaN;
///  - integer division truncates, gives 0 for a zero divisor, and wraps for the
///    smallest integer divided by -1;
///  - float to integer truncates; what does not fit wraps or is any value.
///
/// Failure, after an error at op, for an operator that is not elementwise.
FailureOr<Value> emitElementwise(OpBuilder &builder, Operation *op,
                                 ArrayRef<Value> operands);

/// Conversion of a scalar or vector as nn.cast does it. Element types are
/// signless; the flags say how the integers are meant.
Value emitCast(OpBuilder &builder, Location location, Value value,
               Type toElementType, bool fromUnsigned, bool toUnsigned);

/// `type` with unsigned integers made signless (of tensors: the elements).
Type getSignlessType(Type type);

/// The type in which an element type is computed: f32 for f16 and bf16, else
/// the type itself.
Type getComputeType(Type elementType);

/// A constant of a scalar or vector type; `value` is rounded to it.
Value emitConstant(OpBuilder &builder, Location location, Type type,
                   double value);

/// math.exp whose operand is never positive (or is NaN), which takes less code, and the
/// attribute that says so. Without it, the operation means the same.
Value emitExpOfNotPositive(OpBuilder &builder, Location location, Value x);
constexpr StringLiteral notPositiveAttrName = "nn.not_positive";

/// An activation of a recurrent layer, by ONNX's name, of a scalar or vector. If `clip` > 0,
/// x is clamped to +-clip first.
Value emitRecurrentActivation(OpBuilder &builder, Location location, Value x, StringRef name,
                              double alpha, double beta, double clip);

/// max (min) of floats or integers, for reductions: NaN if either is; of 0 and -0 any of them.
Value emitMax(OpBuilder &builder, Location location, Value lhs, Value rhs,
              bool isUnsigned);
Value emitMin(OpBuilder &builder, Location location, Value lhs, Value rhs,
              bool isUnsigned);

} // namespace mlir::nn

#endif // NN_CONVERSION_ELEMENTWISETOARITH_H
