//===- String.cpp - functions of strings ----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorEmitter.h"
#include "nn/Support/DataType.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
struct LowerMapStrings : LinalgPattern<MapStringsOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(MapStringsOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    SmallVector<Value> inputs;
    for (Value input : op.getInputs())
      inputs.push_back(e.signless(input));
    bool formats = op.getFunction() == StringFunction::Format;
    Value number = formats ? op.getInputs()[0] : op.getResult();
    DataType type = *getDataType(getElementTypeOrSelf(number.getType()));
    Type element = getElementTypeOrSelf(op.getType());
    if (element.isUnsignedInteger())
      element = IntegerType::get(op.getContext(), element.getIntOrFloatBitWidth());
    return e.replace(e.callRuntime(
        rt::RuntimeKernel::MapStrings, inputs, {e.empty(*sizes, element)},
        {int64_t(op.getFunction()), int64_t(inputs.size()), int64_t(type)}));
  }
};
} // namespace

void nn::populateStringToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols) {
  patterns.add<LowerMapStrings>(patterns.getContext(), symbols);
}
