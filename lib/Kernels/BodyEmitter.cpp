//===- BodyEmitter.cpp - elementwise operators as code --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Kernels/BodyEmitter.h"
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
