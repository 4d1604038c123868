//===- PrepareRecurrent.cpp - recurrent layers' input products ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NNRecurrent.h"
#include "dialects/NN/Transforms/Passes.h"
#include "nn/Analysis/Provenance.h"

namespace mlir::nn {
#define GEN_PASS_DEF_PREPARERECURRENT
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
struct PrepareRecurrent : nn::impl::PrepareRecurrentBase<PrepareRecurrent> {
  void runOnOperation() override {
    SmallVector<Operation *> layers;
    getOperation().walk([&](Operation *op) {
      if (isa<LSTMOp, GRUOp, RNNOp>(op))
        layers.push_back(op);
    });
    for (Operation *op : layers)
      if (auto lstm = dyn_cast<LSTMOp>(op))
        prepare(lstm);
      else if (auto gru = dyn_cast<GRUOp>(op))
        prepare(gru);
      else
        prepare(cast<RNNOp>(op));
  }

  template <typename OpT> void prepare(OpT op) {
    if (op.getPrepared())
      return;
    OpBuilder builder(op);
    Location loc = op.getLoc();
    // One product for all steps and rows: T*B x I times I x G*H, of rank 2, which
    // libraries and kernels handle best.
    auto type = cast<RankedTensorType>(op.getInput().getType());
    Value input = op.getInput();
    bool isFlat = type.getDimSize(0) == 1 || type.getDimSize(1) == 1;
    // Squeezing dimension 0 leaves B x I, dimension 1 T x I.
    int64_t dropped = type.getDimSize(0) == 1 ? 0 : 1;
    if (isFlat)
      input = SqueezeOp::create(builder, loc, input, ArrayRef<int64_t>{dropped});
    auto matmul = MatMulOp::create(builder, loc, input, op.getWeight(),
                                   /*transpose_lhs=*/false, /*transpose_rhs=*/true);
    Value projected = matmul;
    if (op.getBias())
      projected = AddOp::create(builder, loc, projected, op.getBias());
    if (isFlat)
      projected =
          UnsqueezeOp::create(builder, loc, projected, ArrayRef<int64_t>{dropped});
    Value recurrence = TransposeOp::create(builder, loc, op.getRecurrence(),
                                           ArrayRef<int64_t>{1, 0});
    op.getInputMutable().assign(projected);
    op.getWeightMutable().clear();
    op.getBiasMutable().clear();
    op.getRecurrenceMutable().assign(recurrence);
    op.setPrepared(true);
    ++numPrepared;
  }
};
} // namespace
