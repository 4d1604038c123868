//===- OneDNNPoolOps.cpp - pooling ----------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/SpatialShapes.h"
#include "dialects/OneDNN/IR/Verification.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::onednn;

LogicalResult PoolingOp::verify() {
  ShapedType src = getShaped(getSrc()), dst = getShaped(getDst());
  int64_t rank = src.getRank();
  // pool_c1
  if (rank < 3 || dst.getRank() != rank)
    return emitOpError("src and dst must have one rank of at least 3");
  SpatialDims dims(getLayout(), rank);
  if (!maybeEqual(src.getDimSize(0), dst.getDimSize(0)) ||
      !maybeEqual(src.getDimSize(dims.channel), dst.getDimSize(dims.channel)))
    return emitOpError("src and dst differ in batch or channels");
  // pool_c2
  if (static_cast<int64_t>(getKernel().size()) != dims.count ||
      llvm::any_of(getKernel(), [](int64_t size) { return size < 1; }))
    return emitOpError("'kernel' must have ")
           << dims.count << " positive entries";
  if (failed(verifyWindowLists(*this, dims.count, getStrides(), getDilations(),
                               getPadsBegin(), getPadsEnd())))
    return failure();
  // pool_c3
  bool isExplicit = getAutoPad() == AutoPad::NotSet;
  for (int64_t i = 0; isExplicit && i < dims.count; ++i) {
    int64_t in = src.getDimSize(dims.firstSpatial + i);
    int64_t out = dst.getDimSize(dims.firstSpatial + i);
    if (ShapedType::isDynamic(in) || ShapedType::isDynamic(out))
      continue;
    int64_t extent = getEntry(getDilations(), i, 1) * (getKernel()[i] - 1) + 1;
    int64_t expected = (in + getEntry(getPadsBegin(), i, 0) +
                        getEntry(getPadsEnd(), i, 0) - extent) /
                           getEntry(getStrides(), i, 1) +
                       1;
    if (out != expected)
      return emitOpError("dst has size ") << out << " in spatial dimension " << i
                                          << ", expected " << expected;
  }
  return verifyPostOps(cast<PrimitiveOpInterface>(getOperation()), dst);
}
