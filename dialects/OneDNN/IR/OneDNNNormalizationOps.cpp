//===- OneDNNNormalizationOps.cpp - LRN and softmax -----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/OneDNN/IR/Verification.h"

using namespace mlir;
using namespace mlir::nn::onednn;

static bool haveOneShape(Value src, Value dst) {
  return succeeded(verifyCompatibleShape(getShaped(src), getShaped(dst)));
}

LogicalResult LRNOp::verify() {
  // lrn_c1
  if (getShaped(getSrc()).getRank() < 3 || !haveOneShape(getSrc(), getDst()))
    return emitOpError("src and dst must have one shape of rank 3 or more");
  // lrn_c2
  if (getLocalSize() < 1 || getLocalSize() % 2 == 0)
    return emitOpError("local_size must be positive and odd");
  return success();
}

LogicalResult SoftmaxOp::verify() {
  // softmax_c1
  if (!haveOneShape(getSrc(), getDst()))
    return emitOpError("src and dst must have one shape");
  // softmax_c2
  int64_t rank = getShaped(getSrc()).getRank();
  if (getAxis() < 0 || getAxis() >= rank)
    return emitOpError("axis ") << getAxis() << " does not lie in [0, " << rank << ")";
  return success();
}
