//===- ReductionRecipe.cpp - what a reduction does to elements ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ReductionRecipe.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "nn/Conversion/ElementwiseToArith.h"
#include "nn/Kernels/LeafLoader.h"

using namespace mlir;
using namespace mlir::nn;

std::optional<ReductionRecipe> ReductionRecipe::get(ReductionOpInterface reduction) {
  Operation *op = reduction;
  if (!isa<ReduceSumOp, ReduceMeanOp, ReduceMaxOp, ReduceMinOp, ReduceProdOp, ReduceL1Op,
           ReduceL2Op, ReduceSumSquareOp, ReduceLogSumOp, ArgMaxOp, ArgMinOp>(op))
    return std::nullopt;
  ReductionRecipe recipe;
  auto input = cast<RankedTensorType>(reduction.getInput().getType());
  Type element = input.getElementType();
  recipe.isUnsigned = element.isUnsignedInteger();
  recipe.type = getKernelComputeType(element);
  recipe.kind = isa<ReduceMaxOp, ArgMaxOp>(op)   ? Combine::Max
                : isa<ReduceMinOp, ArgMinOp>(op) ? Combine::Min
                : isa<ReduceProdOp>(op)          ? Combine::Mul
                                                 : Combine::Add;
  recipe.square = isa<ReduceL2Op, ReduceSumSquareOp>(op);
  recipe.abs = isa<ReduceL1Op>(op);
  recipe.mean = isa<ReduceMeanOp>(op);
  recipe.sqrt = isa<ReduceL2Op>(op);
  recipe.log = isa<ReduceLogSumOp>(op);
  if (auto arg = dyn_cast<ArgMaxOp>(op))
    recipe.last = arg.getSelectLastIndex();
  if (auto arg = dyn_cast<ArgMinOp>(op))
    recipe.last = arg.getSelectLastIndex();
  if (isa<ArgMaxOp, ArgMinOp>(op)) {
    // Vectors of indices are best as wide as those of elements.
    int64_t size = input.getDimSize(reduction.getReducedDims().front());
    bool isShort = !ShapedType::isDynamic(size) && size <= INT32_MAX &&
                   recipe.type.getIntOrFloatBitWidth() <= 32;
    recipe.indexType = IntegerType::get(op->getContext(), isShort ? 32 : 64);
  }
  bool isFloat = isa<FloatType>(recipe.type);
  if (element.isInteger(1) || ((recipe.sqrt || recipe.log) && !isFloat))
    return std::nullopt;
  if (recipe.mean && !isFloat) // Sums of integers are exact.
    recipe.type = IntegerType::get(op->getContext(), 64);
  return recipe;
}

SmallVector<Type> ReductionRecipe::getTypes() const {
  if (indexType)
    return {type, indexType};
  return {type};
}

ReductionRecipe::State ReductionRecipe::getInitial(KernelEmitter &e, int64_t lanes) const {
  State state = {getNeutral(e, lanes)};
  if (indexType)
    state.push_back(e.constant(e.vector(indexType, lanes), 0));
  return state;
}

Value ReductionRecipe::getNeutral(KernelEmitter &e, int64_t lanes) const {
  Type result = e.vector(type, lanes);
  bool isMax = kind == Combine::Max;
  if (kind == Combine::Add || kind == Combine::Mul)
    return e.constant(result, kind == Combine::Mul);
  if (isa<FloatType>(type))
    return e.constant(result, isMax ? -INFINITY : INFINITY);
  unsigned bits = type.getIntOrFloatBitWidth();
  APInt extreme = isUnsigned ? (isMax ? APInt::getMinValue(bits) : APInt::getMaxValue(bits))
                             : (isMax ? APInt::getSignedMinValue(bits)
                                      : APInt::getSignedMaxValue(bits));
  TypedAttr attribute = e.b.getIntegerAttr(type, extreme);
  if (auto vector = dyn_cast<VectorType>(result))
    attribute = DenseElementsAttr::get(vector, attribute);
  return arith::ConstantOp::create(e.b, e.loc, attribute);
}

Value ReductionRecipe::combine(KernelEmitter &e, Value lhs, Value rhs) const {
  bool isFloat = isa<FloatType>(type);
  switch (kind) {
  case Combine::Add:
    return isFloat ? arith::AddFOp::create(e.b, e.loc, lhs, rhs).getResult()
                   : arith::AddIOp::create(e.b, e.loc, lhs, rhs).getResult();
  case Combine::Mul:
    return isFloat ? arith::MulFOp::create(e.b, e.loc, lhs, rhs).getResult()
                   : arith::MulIOp::create(e.b, e.loc, lhs, rhs).getResult();
  case Combine::Max:
    return emitMax(e.b, e.loc, lhs, rhs, isUnsigned);
  case Combine::Min:
    return emitMin(e.b, e.loc, lhs, rhs, isUnsigned);
  }
  llvm_unreachable("unknown combination");
}

Value ReductionRecipe::isBetter(KernelEmitter &e, Value lhs, Value rhs,
                                bool orEqual) const {
  if (kind == Combine::Min)
    std::swap(lhs, rhs);
  if (isa<FloatType>(type)) // False for NaN.
    return arith::CmpFOp::create(
        e.b, e.loc, orEqual ? arith::CmpFPredicate::OGE : arith::CmpFPredicate::OGT, lhs,
        rhs);
  using P = arith::CmpIPredicate;
  return arith::CmpIOp::create(e.b, e.loc,
                               orEqual ? (isUnsigned ? P::uge : P::sge)
                                       : (isUnsigned ? P::ugt : P::sgt),
                               lhs, rhs);
}

ReductionRecipe::State ReductionRecipe::accumulate(KernelEmitter &e, ValueRange state,
                                                   Value element, Value index,
                                                   bool areInRow, Value mask) const {
  auto vector = dyn_cast<VectorType>(element.getType());
  int64_t lanes = vector ? vector.getNumElements() : 1;
  if (indexType) {
    Value place = arith::IndexCastOp::create(e.b, e.loc, indexType, index);
    place = e.broadcast(place, lanes);
    if (areInRow && vector) {
      SmallVector<Attribute> steps;
      for (int64_t lane = 0; lane < lanes; ++lane)
        steps.push_back(e.b.getIntegerAttr(indexType, lane));
      Value offsets = arith::ConstantOp::create(
          e.b, e.loc, DenseElementsAttr::get(vector.clone(indexType), steps));
      place = arith::AddIOp::create(e.b, e.loc, place, offsets);
    }
    Value better = isBetter(e, element, state[0], /*orEqual=*/last);
    if (mask)
      better = arith::AndIOp::create(e.b, e.loc, better, mask);
    return {e.select(better, element, state[0]), e.select(better, place, state[1])};
  }
  if (getElementTypeOrSelf(element) != type)
    element = emitCast(e.b, e.loc, element, type, isUnsigned, isUnsigned);
  if (abs && isa<FloatType>(type))
    element = math::AbsFOp::create(e.b, e.loc, element);
  else if (abs && !isUnsigned)
    element = math::AbsIOp::create(e.b, e.loc, element);
  // Masked lanes are loaded as zero, but a prologue may change that.
  if (mask)
    element = e.select(mask, element, getNeutral(e, lanes));
  if (square)
    return {e.fma(element, element, state[0])};
  return {combine(e, state[0], element)};
}

ReductionRecipe::State ReductionRecipe::join(KernelEmitter &e, ValueRange lhs,
                                             ValueRange rhs) const {
  if (!indexType)
    return {combine(e, lhs[0], rhs[0])};
  using P = arith::CmpIPredicate;
  Value better = isBetter(e, lhs[0], rhs[0], /*orEqual=*/false);
  Value atLeast = isBetter(e, lhs[0], rhs[0], /*orEqual=*/true);
  Value comesFirst = arith::CmpIOp::create(e.b, e.loc, last ? P::sgt : P::slt, lhs[1], rhs[1]);
  comesFirst = arith::AndIOp::create(e.b, e.loc, atLeast, comesFirst);
  better = arith::OrIOp::create(e.b, e.loc, better, comesFirst);
  return {e.select(better, lhs[0], rhs[0]), e.select(better, lhs[1], rhs[1])};
}

Value ReductionRecipe::finalize(KernelEmitter &e, ValueRange state, Value size) const {
  Value value = state.back();
  auto vector = dyn_cast<VectorType>(value.getType());
  int64_t lanes = vector ? vector.getNumElements() : 1;
  if (mean && !isa<FloatType>(type)) {
    // No elements must not divide by zero.
    Value count = e.max(size, e.index(1));
    count = arith::IndexCastOp::create(e.b, e.loc, type, count);
    value = arith::DivSIOp::create(e.b, e.loc, value, e.broadcast(count, lanes));
  } else if (mean) {
    Value factor;
    if (std::optional<int64_t> known = getConstantIntValue(size)) {
      factor = e.constant(type, 1.0 / double(*known));
    } else {
      Value count = arith::IndexCastOp::create(e.b, e.loc, e.b.getI64Type(), size);
      count = arith::SIToFPOp::create(e.b, e.loc, type, count);
      factor = arith::DivFOp::create(e.b, e.loc, e.constant(type, 1), count);
    }
    value = arith::MulFOp::create(e.b, e.loc, value, e.broadcast(factor, lanes));
  }
  if (sqrt)
    value = math::SqrtOp::create(e.b, e.loc, value);
  if (log)
    value = math::LogOp::create(e.b, e.loc, value);
  return value;
}
