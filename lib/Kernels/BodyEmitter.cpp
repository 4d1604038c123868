//===- BodyEmitter.cpp - elementwise operators as code --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Kernels/BodyEmitter.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "nn/Conversion/ElementwiseToArith.h"

using namespace mlir;
using namespace mlir::nn;

/// A splat as an immediate of `lanes` signless elements.
static Value emitSplat(KernelEmitter &emitter, DenseElementsAttr splat,
                       int64_t lanes) {
  Type elementType = getSignlessType(splat.getElementType());
  TypedAttr element;
  if (auto type = dyn_cast<FloatType>(elementType))
    element = FloatAttr::get(type, splat.getSplatValue<APFloat>());
  else
    element = IntegerAttr::get(elementType, splat.getSplatValue<APInt>());
  if (lanes != 1) {
    auto type = VectorType::get({lanes}, elementType);
    element = DenseElementsAttr::get(type, Attribute(element));
  }
  return arith::ConstantOp::create(emitter.b, emitter.loc, element);
}

std::optional<BodyEmitter::Rounding> BodyEmitter::findRounding(Value result) const {
  auto cast = result.getDefiningOp<CastOp>();
  if (!cast || !getElementTypeOrSelf(result.getType()).isInteger(8))
    return std::nullopt;
  auto getWhole = [&](Value number) -> std::optional<int64_t> {
    std::optional<float> splat = number ? view.getSplatF32(number) : std::nullopt;
    if (!splat || *splat != std::nearbyint(*splat) || std::abs(*splat) > 255)
      return std::nullopt;
    return int64_t(*splat);
  };
  Rounding rounding = {cast.getInput(), 0, 0, 0};
  if (auto add = rounding.value.getDefiningOp<AddOp>()) {
    std::optional<int64_t> shift = getWhole(add.getRhs());
    if (!shift)
      return std::nullopt;
    rounding.shift = *shift;
    rounding.value = add.getLhs();
  }
  auto clip = rounding.value.getDefiningOp<ClipOp>();
  auto round = clip ? clip.getInput().getDefiningOp<RoundOp>() : RoundOp();
  if (!round || !getElementTypeOrSelf(round.getType()).isF32())
    return std::nullopt;
  std::optional<int64_t> least = getWhole(clip.getMin()), most = getWhole(clip.getMax());
  if (!least || !most || *least > *most)
    return std::nullopt;
  rounding.least = *least;
  rounding.most = *most;
  rounding.value = round.getInput();
  return rounding;
}

/// A conversion of floats rounds to the nearest integer, too. What is too large is limited
/// before; what is too small becomes the least integer, which the packing of integers into
/// fewer bits limits by itself.
Value BodyEmitter::emitRounding(const Rounding &rounding, Value value) {
  OpBuilder &b = emitter.b;
  Location loc = emitter.loc;
  value = emitMin(b, loc, value,
                  emitter.constant(value.getType(), double(rounding.most)), false);
  Type type = emitter.vector(b.getI32Type(), lanes);
  Value integer = LLVM::CallIntrinsicOp::create(b, loc, type,
                                                b.getStringAttr("llvm.lrint"), value)
                      .getResult(0);
  auto number = [&](int64_t number) { return emitter.constant(type, double(number)); };
  integer = arith::MaxSIOp::create(b, loc, integer, number(rounding.least));
  integer = arith::MinSIOp::create(b, loc, integer, number(rounding.most));
  if (rounding.shift)
    integer = arith::AddIOp::create(b, loc, integer, number(rounding.shift));
  return arith::TruncIOp::create(b, loc, emitter.vector(b.getI8Type(), lanes), integer);
}

FailureOr<Value> BodyEmitter::emit(Value value, Leaf leaf) {
  // Operands before users, without recursion: chains may be long.
  SmallVector<Value> pending = {value};
  while (!pending.empty()) {
    Value current = pending.back();
    if (emitted.contains(current)) {
      pending.pop_back();
      continue;
    }
    if (view.isAnchorResult(current)) {
      emitted[current] = leaf(current);
    } else if (DenseElementsAttr splat = view.getSplat(current)) {
      emitted[current] = emitSplat(emitter, splat, lanes);
    } else if (view.getOuter(current) || view.getConstant(current)) {
      emitted[current] = leaf(current);
    } else if (std::optional<Rounding> rounding = findRounding(current)) {
      if (!emitted.contains(rounding->value)) {
        pending.push_back(rounding->value);
        continue;
      }
      emitted[current] = emitRounding(*rounding, emitted.lookup(rounding->value));
    } else {
      Operation *op = current.getDefiningOp();
      SmallVector<Value> operands;
      for (Value operand : llvm::reverse(op->getOperands()))
        if (!emitted.contains(operand))
          pending.push_back(operand);
      if (pending.back() != current)
        continue;
      for (Value operand : op->getOperands())
        operands.push_back(emitted.lookup(operand));
      FailureOr<Value> computed = emitElementwise(emitter.b, op, operands);
      if (failed(computed))
        return failure();
      emitted[current] = *computed;
    }
    pending.pop_back();
  }
  return emitted.lookup(value);
}
