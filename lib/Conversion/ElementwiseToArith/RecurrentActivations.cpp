//===- RecurrentActivations.cpp - activations of recurrent layers ---------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "nn/Conversion/ElementwiseToArith.h"

using namespace mlir;
using namespace mlir::nn;

Value nn::emitRecurrentActivation(OpBuilder &b, Location loc, Value x, StringRef name,
                                  double alpha, double beta, double clip) {
  using Predicate = arith::CmpFPredicate;
  auto number = [&](double value) { return emitConstant(b, loc, x.getType(), value); };
  auto add = [&](Value x, Value y) -> Value { return arith::AddFOp::create(b, loc, x, y); };
  auto sub = [&](Value x, Value y) -> Value { return arith::SubFOp::create(b, loc, x, y); };
  auto mul = [&](Value x, Value y) -> Value { return arith::MulFOp::create(b, loc, x, y); };
  auto div = [&](Value x, Value y) -> Value { return arith::DivFOp::create(b, loc, x, y); };
  auto min = [&](Value x, Value y) { return emitMin(b, loc, x, y, false); };
  auto max = [&](Value x, Value y) { return emitMax(b, loc, x, y, false); };
  auto select = [&](Predicate predicate, Value x, Value y, Value yes, Value no) -> Value {
    return arith::SelectOp::create(b, loc, arith::CmpFOp::create(b, loc, predicate, x, y), yes,
                                   no);
  };
  auto absolute = [&]() -> Value { return math::AbsFOp::create(b, loc, x); };
  auto tanh = [&](Value y) -> Value { return math::TanhOp::create(b, loc, y); };
  Value zero = number(0), one = number(1);
  if (clip > 0)
    x = max(number(-clip), min(number(clip), x));
  if (name == "Affine")
    return add(mul(number(alpha), x), number(beta));
  if (name == "Elu") {
    Value below = math::ExpM1Op::create(b, loc, x);
    return select(Predicate::OLT, x, zero, mul(number(alpha), below), x);
  }
  if (name == "HardSigmoid")
    return max(zero, min(one, add(mul(number(alpha), x), number(beta))));
  if (name == "LeakyRelu")
    return select(Predicate::OLT, x, zero, mul(number(alpha), x), x);
  if (name == "Relu")
    return max(x, zero);
  if (name == "ScaledTanh")
    return mul(number(alpha), tanh(mul(number(beta), x)));
  if (name == "Sigmoid")
    return div(one, add(one, math::ExpOp::create(b, loc, sub(zero, x))));
  if (name == "Softplus") {
    Value small = emitExpOfNotPositive(b, loc, sub(zero, absolute()));
    return add(max(x, zero), math::Log1pOp::create(b, loc, small));
  }
  if (name == "Softsign")
    return div(x, add(one, absolute()));
  if (name == "Tanh")
    return tanh(x);
  assert(name == "ThresholdedRelu" && "verified");
  return select(Predicate::OGE, x, number(alpha), x, zero);
}
