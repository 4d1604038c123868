//===- ConvertCopies.cpp - strided copies of buffers to linalg ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "nn/Conversion/Passes.h"

namespace mlir::nn {
#define GEN_PASS_DEF_CONVERTCOPIES
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;

/// True if the elements follow each other in memory, so that one memcpy does.
static bool isContiguous(Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  return type && memref::isStaticShapeAndContiguousRowMajor(type);
}

static bool isIdentity(Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  return type && type.getLayout().isIdentity();
}

namespace {
struct ConvertCopies : nn::impl::ConvertCopiesBase<ConvertCopies> {
  void runOnOperation() override {
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp op) { copies.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (memref::CopyOp op : copies) {
      auto plain = [](Value buffer) {
        return isIdentity(buffer) || isContiguous(buffer);
      };
      auto type = dyn_cast<MemRefType>(op.getTarget().getType());
      if (!type || (plain(op.getSource()) && plain(op.getTarget())))
        continue;
      rewriter.setInsertionPoint(op);
      AffineMap map = rewriter.getMultiDimIdentityMap(type.getRank());
      SmallVector<utils::IteratorType> iterators(
          type.getRank(), utils::IteratorType::parallel);
      linalg::GenericOp::create(
          rewriter, op.getLoc(), ValueRange{op.getSource()},
          ValueRange{op.getTarget()}, ArrayRef<AffineMap>{map, map}, iterators,
          [](OpBuilder &builder, Location location, ValueRange arguments) {
            linalg::YieldOp::create(builder, location, arguments[0]);
          });
      rewriter.eraseOp(op);
    }
  }
};
} // namespace
