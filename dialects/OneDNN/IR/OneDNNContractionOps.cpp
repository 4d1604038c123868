//===- OneDNNContractionOps.cpp - matrix products -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/OneDNN/IR/Verification.h"

using namespace mlir;
using namespace mlir::nn::onednn;

bool mlir::nn::onednn::isPermutationOrEmpty(ArrayRef<int64_t> permutation,
                                            int64_t rank) {
  if (permutation.empty())
    return true;
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  return llvm::equal(sorted, llvm::seq<int64_t>(0, rank));
}

SmallVector<int64_t>
mlir::nn::onednn::permuteShape(ArrayRef<int64_t> shape,
                               ArrayRef<int64_t> permutation) {
  if (permutation.empty())
    return SmallVector<int64_t>(shape);
  return llvm::map_to_vector(permutation,
                             [&](int64_t dim) { return shape[dim]; });
}

LogicalResult MatMulOp::verify() {
  int64_t rank = getShaped(getDst()).getRank();
  // matmul_c1
  if (rank < 2 || getShaped(getSrc()).getRank() != rank ||
      getShaped(getWeights()).getRank() != rank)
    return emitOpError("src, weights and dst must have one rank of at least 2");
  // matmul_c2
  if (!isPermutationOrEmpty(getSrcPermutation(), rank) ||
      !isPermutationOrEmpty(getWeightsPermutation(), rank) ||
      !isPermutationOrEmpty(getDstPermutation(), rank))
    return emitOpError("a permutation must name each dimension once");
  // matmul_c3
  ShapedType dst = getShaped(getDst()).clone(
      permuteShape(getShaped(getDst()).getShape(), getDstPermutation()));
  SmallVector<int64_t> src =
      permuteShape(getShaped(getSrc()).getShape(), getSrcPermutation());
  SmallVector<int64_t> weights =
      permuteShape(getShaped(getWeights()).getShape(), getWeightsPermutation());
  if (!maybeEqual(src[rank - 1], weights[rank - 2]))
    return emitOpError("src has ") << src[rank - 1] << " columns, weights "
                                   << weights[rank - 2] << " rows";
  if (!maybeEqual(src[rank - 2], dst.getDimSize(rank - 2)) ||
      !maybeEqual(weights[rank - 1], dst.getDimSize(rank - 1)))
    return emitOpError("dst is not as src has rows and weights columns");
  // matmul_c4
  for (int64_t i = 0; i < rank - 2; ++i)
    if ((src[i] != 1 && !maybeEqual(src[i], dst.getDimSize(i))) ||
        (weights[i] != 1 && !maybeEqual(weights[i], dst.getDimSize(i))))
      return emitOpError("batch dimension ") << i << " does not broadcast to dst";
  // matmul_c5
  if (getBias()) {
    ShapedType bias = getShaped(getBias());
    if (bias.getRank() < 1 || bias.getRank() > rank ||
        !maybeEqual(bias.getShape().back(), dst.getDimSize(rank - 1)) ||
        !llvm::all_equal(bias.getShape().drop_back()) ||
        (bias.getRank() > 1 && bias.getDimSize(0) != 1))
      return emitOpError("bias must be 1 x ... x N");
  }
  if (failed(verifyTypes(*this, getShaped(getSrc()), getShaped(getWeights()), getBias(),
                         dst)))
    return failure();
  return verifyPostOps(cast<PrimitiveOpInterface>(getOperation()), dst);
}
