//===- NNReshapeOps.cpp - operators that keep the elements and their number -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// Reshape, Flatten, Squeeze, Unsqueeze, Transpose
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                     SmallVectorImpl<InferredTensor> &results) {
  Dims input = env.getDims(adaptor.getInput());
  // reshape_c2
  Contents shape = env.getContents(adaptor.getShape());
  if (!shape)
    return env.fail("the length of shape must be known at compile time");
  Dims dims;
  SmallVector<size_t> maybeInferred;
  for (auto [i, entry] : llvm::enumerate(*shape)) {
    Dim dim = entry;
    if (!adaptor.getAllowZero()) {
      if (getConstant(entry) == 0 && i >= input.size())
        return env.fail("entry " + Twine(i) + " of shape is 0, but the input "
                        "has rank " + Twine(input.size()));
      // A size that is an expression of dimensions is assumed to be positive.
      if (getConstant(entry) == 0 ||
          (i < input.size() && !env.isNonNegative(entry)))
        dim = env.select(entry, 0, input[i], entry);
    }
    if (!env.isKnownNotEqual(dim, -1))
      maybeInferred.push_back(i);
    if (getConstant(dim).value_or(0) < -1)
      return env.fail("entry " + Twine(i) + " of shape is " +
                      Twine(*getConstant(dim)));
    dims.push_back(dim);
  }
  // reshape_c1
  size_t certain = llvm::count_if(
      dims, [&](Dim dim) { return getConstant(dim) == -1; });
  if (certain > 1)
    return env.fail("more than one entry of shape is -1");
  if (certain == 1 || !maybeInferred.empty()) {
    // The size for an entry of -1. Entries that may be -1, which is known only at run
    // time, count as 1 in the product of the others if they are.
    Dims resolved = dims;
    for (size_t i : maybeInferred) {
      if (certain == 1 && getConstant(dims[i]) != -1)
        continue;
      Dims others;
      for (auto [j, dim] : llvm::enumerate(dims))
        if (j != i)
          others.push_back(certain == 1 ? dim
                                        : env.select(dim, -1, env.constant(1), dim));
      Dim rest = env.exactQuotient(input, others);
      std::optional<int64_t> knownRest = getConstant(rest),
                             all = getConstant(env.product(input)),
                             part = getConstant(env.product(others));
      if (knownRest && all && part && *part * *knownRest != *all)
        return env.fail(Twine(*all) + " elements do not fit the shape");
      resolved[i] = env.select(dims[i], -1, rest, dims[i]);
    }
    dims = resolved;
  }
  std::optional<int64_t> before = getConstant(env.product(input)),
                         after = getConstant(env.product(dims));
  if (before && after && *before != *after)
    return env.fail("the input has " + Twine(*before) +
                    " elements, the result would have " + Twine(*after));
  results.push_back({dims, getElementTypeOrSelf(adaptor.getInput())});
  return success();
}

void ReshapeOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                              SmallVectorImpl<Contents> &results) {
  results.push_back(env.getContents(adaptor.getInput()));
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType() && getType().hasStaticShape())
    return getInput();
  return {};
}

namespace {
/// reshape(reshape(x)) = reshape(x), where the second shape does not refer to
/// the first result by 0.
struct MergeReshapes : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    auto producer = op.getInput().getDefiningOp<ReshapeOp>();
    if (!producer)
      return failure();
    if (!op.getAllowZero()) {
      ShapeEnv env(op.getContext());
      auto shape = env.getConstantContents(op.getShape());
      if (!shape || llvm::is_contained(*shape, 0))
        return rewriter.notifyMatchFailure(op, "shape may copy dimensions");
    }
    rewriter.modifyOpInPlace(
        op, [&] { op.getInputMutable().assign(producer.getInput()); });
    return success();
  }
};

/// transpose(transpose(x, p), q) = transpose(x, p o q)
struct MergeTransposes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto producer = op.getInput().getDefiningOp<TransposeOp>();
    if (!producer)
      return failure();
    SmallVector<int64_t> perm;
    for (int64_t dim : op.getPerm())
      perm.push_back(producer.getPerm()[dim]);
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(producer.getInput());
      op.setPerm(perm);
    });
    return success();
  }
};
} // namespace

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<MergeReshapes>(context);
}

LogicalResult FlattenOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                     SmallVectorImpl<InferredTensor> &results) {
  Dims dims = env.getDims(adaptor.getInput());
  int64_t axis = adaptor.getAxis(), rank = dims.size();
  // flatten_c1
  if (axis < -rank || axis > rank)
    return env.fail("axis " + Twine(axis) + " is not in [" + Twine(-rank) +
                    ", " + Twine(rank) + "]");
  if (axis < 0)
    axis += rank;
  ArrayRef<Dim> all(dims);
  results.push_back({{env.product(all.take_front(axis)),
                      env.product(all.drop_front(axis))},
                     getElementTypeOrSelf(adaptor.getInput())});
  return success();
}

LogicalResult SqueezeOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                     SmallVectorImpl<InferredTensor> &results) {
  // squeeze_c1
  Dims dims = env.getDims(adaptor.getInput());
  FailureOr<SmallVector<int64_t>> axes =
      shapes::normalizeAxes(env, adaptor.getAxes(), dims.size());
  if (failed(axes))
    return failure();
  Dims rest;
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (!llvm::is_contained(*axes, int64_t(i)))
      rest.push_back(dim);
    else if (getConstant(dim).value_or(1) != 1)
      return env.fail("dimension " + Twine(i) + " is " +
                      Twine(*getConstant(dim)) + ", not 1");
  }
  results.push_back({rest, getElementTypeOrSelf(adaptor.getInput())});
  return success();
}

void SqueezeOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                              SmallVectorImpl<Contents> &results) {
  results.push_back(env.getContents(adaptor.getInput()));
}

OpFoldResult SqueezeOp::fold(FoldAdaptor) {
  return getAxes().empty() ? OpFoldResult(getInput()) : OpFoldResult();
}

LogicalResult
UnsqueezeOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                         SmallVectorImpl<InferredTensor> &results) {
  // unsqueeze_c1
  Dims dims = env.getDims(adaptor.getInput());
  int64_t rank = dims.size() + adaptor.getAxes().size();
  FailureOr<SmallVector<int64_t>> axes =
      shapes::normalizeAxes(env, adaptor.getAxes(), rank);
  if (failed(axes))
    return failure();
  Dims expanded;
  for (int64_t i = 0, next = 0; i < rank; ++i)
    expanded.push_back(llvm::is_contained(*axes, i) ? env.constant(1)
                                                    : dims[next++]);
  results.push_back({expanded, getElementTypeOrSelf(adaptor.getInput())});
  return success();
}

void UnsqueezeOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                                SmallVectorImpl<Contents> &results) {
  results.push_back(env.getContents(adaptor.getInput()));
}

OpFoldResult UnsqueezeOp::fold(FoldAdaptor) {
  return getAxes().empty() ? OpFoldResult(getInput()) : OpFoldResult();
}

LogicalResult
TransposeOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                         SmallVectorImpl<InferredTensor> &results) {
  // transpose_c1
  Dims dims = env.getDims(adaptor.getInput());
  ArrayRef<int64_t> perm = adaptor.getPerm();
  if (perm.size() != dims.size() || !isPermutationVector(perm))
    return env.fail("perm is not a permutation of " + Twine(dims.size()) +
                    " dimensions");
  Dims permuted;
  for (int64_t dim : perm)
    permuted.push_back(dims[dim]);
  results.push_back({permuted, getElementTypeOrSelf(adaptor.getInput())});
  return success();
}

void TransposeOp::inferContents(ShapeEnv &env, Adaptor adaptor,
                                SmallVectorImpl<Contents> &results) {
  Contents input = env.getContents(adaptor.getInput());
  auto type = cast<RankedTensorType>(adaptor.getInput().getType());
  if (!input || !type.hasStaticShape() || input->empty())
    return;
  SmallVector<int64_t> strides = computeStrides(type.getShape());
  SmallVector<int64_t> sizes = applyPermutation(type.getShape(), adaptor.getPerm());
  SmallVector<int64_t> order = computeStrides(sizes);
  applyPermutationToVector(strides, adaptor.getPerm());
  Dims contents;
  for (size_t i = 0; i < input->size(); ++i)
    contents.push_back((*input)[linearize(delinearize(i, order), strides)]);
  results.push_back(std::move(contents));
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  return isIdentityPermutation(getPerm()) && getInput().getType() == getType()
             ? OpFoldResult(getInput())
             : OpFoldResult();
}

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<MergeTransposes>(context);
}
