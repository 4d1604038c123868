//===- ResolveDims.cpp - sizes of views by those of their sources ---------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "nn/Target/Passes.h"

namespace mlir::nn {
#define GEN_PASS_DEF_RESOLVEDIMS
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {

/// The size of dimension `index` of a view, computed from its source; null if that is
/// not possible.
OpFoldResult getSize(OpBuilder &builder, Location loc, Operation *view, int64_t index) {
  if (auto cast = dyn_cast<memref::CastOp>(view))
    return memref::getMixedSize(builder, loc, cast.getSource(), index);
  if (auto expand = dyn_cast<memref::ExpandShapeOp>(view))
    return expand.getMixedOutputShape()[index];
  if (auto collapse = dyn_cast<memref::CollapseShapeOp>(view)) {
    Value product;
    ReassociationIndices group = collapse.getReassociationIndices()[index];
    for (int64_t dim : group) {
      Value size = getValueOrCreateConstantIndexOp(
          builder, loc, memref::getMixedSize(builder, loc, collapse.getSrc(), dim));
      product = product ? arith::MulIOp::create(builder, loc, product, size) : size;
    }
    return product;
  }
  if (auto subview = dyn_cast<memref::SubViewOp>(view)) {
    SmallVector<OpFoldResult> kept;
    llvm::SmallBitVector dropped = subview.getDroppedDims();
    for (auto [dim, size] : llvm::enumerate(subview.getMixedSizes()))
      if (!dropped.test(dim))
        kept.push_back(size);
    return kept[index];
  }
  return {};
}

struct ResolveDim : OpRewritePattern<memref::DimOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(memref::DimOp op,
                                PatternRewriter &rewriter) const override {
    Operation *view = op.getSource().getDefiningOp();
    std::optional<int64_t> index = op.getConstantIndex();
    if (!view || !index || *index < 0 ||
        *index >= cast<MemRefType>(op.getSource().getType()).getRank())
      return failure();
    OpFoldResult size = getSize(rewriter, op.getLoc(), view, *index);
    if (!size)
      return failure();
    rewriter.replaceOp(op, getValueOrCreateConstantIndexOp(rewriter, op.getLoc(), size));
    return success();
  }
};

struct ResolveDimsPass : nn::impl::ResolveDimsBase<ResolveDimsPass> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main)
      return;
    RewritePatternSet patterns(&getContext());
    patterns.add<ResolveDim>(&getContext());
    memref::DimOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(main, std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
