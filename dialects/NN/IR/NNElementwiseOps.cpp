//===- NNElementwiseOps.cpp - elementwise operators -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/IR/ShapeRanges.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

LogicalResult CastOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                  SmallVectorImpl<InferredTensor> &results) {
  results.push_back({env.getDims(adaptor.getInput()), adaptor.getTo()});
  return success();
}

LogicalResult CastOp::verify() {
  // cast_c1
  if (getRoundMode() != "up" && getRoundMode() != "down" && getRoundMode() != "nearest")
    return emitOpError("round_mode is '")
           << getRoundMode() << "', not 'up', 'down' or 'nearest'";
  // cast_c2
  if (isa<StringType>(getElementTypeOrSelf(getInput().getType())) || isa<StringType>(getTo()))
    return emitOpError("converts numbers, but got strings");
  return success();
}

LogicalResult WhereOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                   SmallVectorImpl<InferredTensor> &results) {
  Type type = cast<ShapedType>(adaptor.getX().getType()).getElementType();
  if (type != cast<ShapedType>(adaptor.getY().getType()).getElementType())
    return env.fail("x and y have different element types");
  FailureOr<Dims> dims = shapes::broadcastDims(env, adaptor.getOperands());
  if (failed(dims))
    return failure();
  results.push_back({*dims, type});
  return success();
}

LogicalResult GeluOp::verify() {
  if (getApproximate() != "none" && getApproximate() != "tanh")
    return emitOpError("approximate is '")
           << getApproximate() << "', not 'none' or 'tanh'";
  return success();
}

LogicalResult ClipOp::verify() {
  // clip_c1
  for (Value bound : {getMin(), getMax()}) {
    if (!bound)
      continue;
    auto type = cast<RankedTensorType>(bound.getType());
    if (type.getRank() != 0 ||
        type.getElementType() != getInput().getType().getElementType())
      return emitOpError("bounds must have rank 0 and the input's type, not ")
             << type;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Shape arithmetic
//===----------------------------------------------------------------------===//

void CastOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                           SmallVectorImpl<Contents> &results) {
  Contents input = env.getContents(adaptor.getInput());
  if (!input || !isa<IntegerType>(adaptor.getTo()))
    return;
  // The same numbers, wrapped; or whether they are 0.
  if (adaptor.getTo().isInteger(1)) {
    for (Dim &element : *input) {
      if (env.isKnownNotEqual(element, 0))
        element = env.constant(1);
      else if (!fits(env, element, adaptor.getTo()))
        element = {};
    }
  }
  results.push_back(std::move(input));
}

/// Whether elements with the same number belong together, or one operand has only one.
static bool areElementsInStep(ValueRange operands) {
  ArrayRef<int64_t> common;
  for (Value operand : operands) {
    auto type = cast<RankedTensorType>(operand.getType());
    if (!type.hasStaticShape())
      return false;
    if (type.getNumElements() == 1)
      continue;
    ArrayRef<int64_t> shape =
        type.getShape().drop_while([](int64_t size) { return size == 1; });
    if (!common.empty() && shape != common)
      return false;
    common = shape;
  }
  return true;
}

/// Elementwise arithmetic on the contents of two operands, broadcast; the caller that
/// records the results wraps them to the type.
static void
inferArithmetic(ShapeEnv &env, Value lhs, Value rhs,
                SmallVectorImpl<Contents> &results,
                function_ref<Dim(Dim, Dim)> compute) {
  Contents l = env.getContents(lhs), r = env.getContents(rhs);
  if (!l || !r || !areElementsInStep({lhs, rhs}))
    return;
  Dims contents;
  for (size_t i = 0, e = l->size() == 1 ? r->size() : l->size(); i < e; ++i) {
    contents.push_back(compute((*l)[l->size() == 1 ? 0 : i],
                               (*r)[r->size() == 1 ? 0 : i]));
  }
  results.push_back(std::move(contents));
}

void AddOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                          SmallVectorImpl<Contents> &results) {
  inferArithmetic(env, adaptor.getLhs(), adaptor.getRhs(), results,
                  [](Dim l, Dim r) { return l + r; });
}

void SubOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                          SmallVectorImpl<Contents> &results) {
  inferArithmetic(env, adaptor.getLhs(), adaptor.getRhs(), results,
                  [](Dim l, Dim r) { return l - r; });
}

void MulOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                          SmallVectorImpl<Contents> &results) {
  inferArithmetic(env, adaptor.getLhs(), adaptor.getRhs(), results,
                  [](Dim l, Dim r) { return l * r; });
}

void DivOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                          SmallVectorImpl<Contents> &results) {
  // Division truncates; for sizes and positive divisors this is floor division.
  inferArithmetic(env, adaptor.getLhs(), adaptor.getRhs(), results,
                  [&](Dim l, Dim r) -> Dim {
                    auto divisor = dyn_cast<AffineConstantExpr>(r);
                    if (!divisor || divisor.getValue() <= 0 ||
                        !env.isNonNegative(l))
                      return {};
                    return l.floorDiv(r);
                  });
}

void ModOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                          SmallVectorImpl<Contents> &results) {
  inferArithmetic(env, adaptor.getLhs(), adaptor.getRhs(), results,
                  [&](Dim l, Dim r) -> Dim {
                    if (getConstant(r).value_or(0) <= 0 ||
                        (adaptor.getFmod() && !env.isNonNegative(l)))
                      return {};
                    return l % r;
                  });
}

void NegOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                          SmallVectorImpl<Contents> &results) {
  Contents input = env.getContents(adaptor.getInput());
  if (!input)
    return;
  for (Dim &element : *input)
    element = -element;
  results.push_back(std::move(input));
}

void MaxOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                          SmallVectorImpl<Contents> &results) {
  inferArithmetic(env, adaptor.getLhs(), adaptor.getRhs(), results,
                  [&](Dim l, Dim r) { return env.max(l, r); });
}

void MinOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                          SmallVectorImpl<Contents> &results) {
  inferArithmetic(env, adaptor.getLhs(), adaptor.getRhs(), results,
                  [&](Dim l, Dim r) { return env.min(l, r); });
}

/// Exporters compare sizes with -1.
void EqualOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                            SmallVectorImpl<Contents> &results) {
  inferArithmetic(env, adaptor.getLhs(), adaptor.getRhs(), results,
                  [&](Dim l, Dim r) -> Dim {
                    if (l == r)
                      return env.constant(1);
                    auto number = dyn_cast<AffineConstantExpr>(r);
                    if (!number) {
                      std::swap(l, r);
                      number = dyn_cast<AffineConstantExpr>(r);
                    }
                    if (number && env.isKnownNotEqual(l, number.getValue()))
                      return env.constant(0);
                    return {};
                  });
}

void WhereOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                            SmallVectorImpl<Contents> &results) {
  auto condition = env.getConstantContents(adaptor.getCondition());
  Contents x = env.getContents(adaptor.getX()),
           y = env.getContents(adaptor.getY());
  if (!condition || !x || !y ||
      !areElementsInStep({adaptor.getCondition(), adaptor.getX(), adaptor.getY()}))
    return;
  size_t size = 1; // None, if one operand has none.
  for (size_t of : {condition->size(), x->size(), y->size()})
    size = of == 1 ? size : of;
  Dims contents;
  for (size_t i = 0; i < size; ++i) {
    Dims &from = (*condition)[condition->size() == 1 ? 0 : i] ? *x : *y;
    contents.push_back(from[from.size() == 1 ? 0 : i]);
  }
  results.push_back(std::move(contents));
}

//===----------------------------------------------------------------------===//
// Folders
//===----------------------------------------------------------------------===//

/// True if the value is a constant whose elements all equal `number`, including the
/// sign of a float zero.
static bool isSplat(Value value, double number) {
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return false;
  auto elements = dyn_cast<DenseElementsAttr>(attribute);
  if (!elements || !elements.isSplat())
    return false;
  Type type = elements.getElementType();
  if (isa<FloatType>(type)) {
    return elements.getSplatValue<APFloat>().isExactlyValue(number);
  }
  if (auto integer = dyn_cast<IntegerType>(type)) {
    APInt splat = elements.getSplatValue<APInt>();
    return splat == APInt(integer.getWidth(), int64_t(number),
                          /*isSigned=*/true, /*implicitTrunc=*/true);
  }
  return false;
}

/// `kept` if all elements of `neutral` are `number` and `kept` has the result's type.
template <typename OpTy>
static OpFoldResult foldNeutral(OpTy op, Value kept, Value neutral,
                                double number) {
  if (kept.getType() == op.getType() && isSplat(neutral, number))
    return kept;
  return {};
}

OpFoldResult CastOp::fold(FoldAdaptor) {
  return getInput().getType() == getType() ? OpFoldResult(getInput())
                                           : OpFoldResult();
}

OpFoldResult ClipOp::fold(FoldAdaptor) {
  return getMin() || getMax() ? OpFoldResult() : OpFoldResult(getInput());
}

// The neutral element of sums is -0: -0 + 0 is 0, which 1 / x tells apart.
OpFoldResult AddOp::fold(FoldAdaptor) {
  if (OpFoldResult result = foldNeutral(*this, getLhs(), getRhs(), -0.0))
    return result;
  return foldNeutral(*this, getRhs(), getLhs(), -0.0);
}

OpFoldResult SubOp::fold(FoldAdaptor) {
  return foldNeutral(*this, getLhs(), getRhs(), 0);
}

OpFoldResult MulOp::fold(FoldAdaptor) {
  if (OpFoldResult result = foldNeutral(*this, getLhs(), getRhs(), 1))
    return result;
  return foldNeutral(*this, getRhs(), getLhs(), 1);
}

OpFoldResult DivOp::fold(FoldAdaptor) {
  return foldNeutral(*this, getLhs(), getRhs(), 1);
}

//===----------------------------------------------------------------------===//
// Bitcast
//===----------------------------------------------------------------------===//

/// ONNX's bool has 8 bits.
static unsigned getStoredBits(Type type) {
  return type.isInteger(1) ? 8 : type.getIntOrFloatBitWidth();
}

LogicalResult BitcastOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                     SmallVectorImpl<InferredTensor> &results) {
  Type from = cast<RankedTensorType>(adaptor.getInput().getType()).getElementType();
  Type to = adaptor.getTo();
  // bitcast_c1
  if (!to.isIntOrFloat() || getStoredBits(from) != getStoredBits(to))
    return env.fail("cannot read the bits of another size of element");
  results.push_back({env.getDims(adaptor.getInput()), to});
  return success();
}

//===----------------------------------------------------------------------===//
// Small floats
//===----------------------------------------------------------------------===//

static LogicalResult inferWithFormat(ShapeEnv &env, Value input, Type format, Type result,
                                     SmallVectorImpl<InferredTensor> &results) {
  // decode_float_c1, encode_float_c1
  if (!isa<Float8E4M3FNType, Float8E4M3FNUZType, Float8E5M2Type, Float8E5M2FNUZType,
           Float8E8M0FNUType, Float4E2M1FNType>(format))
    return env.fail("format is no float of 8 bits or less that ONNX has");
  results.push_back({env.getDims(input), result});
  return success();
}

LogicalResult DecodeFloatOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                         SmallVectorImpl<InferredTensor> &results) {
  Type f32 = Float32Type::get(adaptor.getFormat().getContext());
  return inferWithFormat(env, adaptor.getInput(), adaptor.getFormat(), f32, results);
}

LogicalResult EncodeFloatOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                         SmallVectorImpl<InferredTensor> &results) {
  Type byte = IntegerType::get(adaptor.getFormat().getContext(), 8, IntegerType::Unsigned);
  return inferWithFormat(env, adaptor.getInput(), adaptor.getFormat(), byte, results);
}
