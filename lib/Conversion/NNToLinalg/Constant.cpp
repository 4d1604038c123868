//===- Constant.cpp - constants to linalg ---------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorEmitter.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
struct LowerConstantOfShape : LinalgPattern<ConstantOfShapeOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(ConstantOfShapeOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    auto value = dyn_cast<DenseElementsAttr>(op.getValue());
    if (!value || value.getNumElements() != 1)
      return op.emitOpError("needs a value of one element");
    Size smallest = e.size(0);
    for (Size size : *sizes)
      smallest = e.min(smallest, size);
    e.checkEqual(smallest, e.size(0), "a size of the shape is negative");
    TypedAttr element;
    if (isa<FloatType>(value.getElementType()))
      element = cast<TypedAttr>(value.getSplatValue<Attribute>());
    else
      element = IntegerAttr::get(getSignlessType(value.getElementType()),
                                 value.getSplatValue<APInt>());
    Value scalar =
        arith::ConstantOp::create(e.rewriter, e.location, element);
    return e.replace({e.filled(*sizes, scalar)});
  }
};
} // namespace

void nn::populateConstantToLinalg(RewritePatternSet &patterns,
                                  SymbolicDims &symbols) {
  patterns.add<LowerConstantOfShape>(patterns.getContext(), symbols);
}
