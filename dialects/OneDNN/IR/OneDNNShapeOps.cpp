//===- OneDNNShapeOps.cpp - moving data -----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/OneDNN/IR/Verification.h"

using namespace mlir;
using namespace mlir::nn::onednn;

LogicalResult ReorderOp::verify() {
  ShapedType src = getShaped(getSrc()), dst = getShaped(getDst());
  // reorder_c1
  if (!isPermutationOrEmpty(getPermutation(), src.getRank()))
    return emitOpError("the permutation must name each dimension once");
  // reorder_c2
  if (failed(verifyCompatibleShape(
          permuteShape(src.getShape(), getPermutation()), dst.getShape())))
    return emitOpError("dst does not have src's permuted shape");
  return success();
}
