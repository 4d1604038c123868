//===- EliminateEmptyTensors.cpp - write where a value will lie ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "nn/Target/Passes.h"

namespace mlir::nn {
#define GEN_PASS_DEF_ELIMINATEEMPTYTENSORS
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::bufferization;

/// True if nothing but `copy` uses `value` or a view of it from `writer` on. Loops
/// write what they read.
static bool isReadBefore(Value value, Operation *writer, Operation *copy,
                         const AnalysisState &state) {
  if (isa<LoopLikeOpInterface>(writer))
    return false;
  SmallVector<Value> pending = {value};
  DenseSet<Value> seen;
  while (!pending.empty()) {
    Value next = pending.pop_back_val();
    if (!seen.insert(next).second)
      continue;
    for (OpOperand &use : next.getUses()) {
      if (use.getOwner() == copy)
        continue;
      Operation *reader = writer->getBlock()->findAncestorOpInBlock(*use.getOwner());
      if (!reader || reader == writer || !reader->isBeforeInBlock(writer))
        return false;
      for (AliasingValue alias : state.getAliasingValues(use))
        pending.push_back(alias.value);
    }
  }
  return true;
}

namespace {
struct EliminateEmptyTensorsPass
    : nn::impl::EliminateEmptyTensorsBase<EliminateEmptyTensorsPass> {
  void runOnOperation() override {
    OneShotBufferizationOptions options;
    options.allowReturnAllocsFromLoops = true;
    options.bufferizeFunctionBoundaries = true;
    OneShotAnalysisState state(getOperation(), options);
    if (failed(analyzeModuleOp(getOperation(), state)))
      return signalPassFailure();
    auto getPlace = [&](RewriterBase &rewriter, SubsetInsertionOpInterface insertion,
                        tensor::EmptyOp empty, Operation *writer) -> Value {
      // Other insertions may get a copy of their destination, these may not.
      auto copy = dyn_cast<MaterializeInDestinationOp>(insertion.getOperation());
      if (copy && !isReadBefore(copy.getDest(), writer, copy, state))
        return nullptr;
      return buildSubsetExtraction(rewriter, insertion, empty, writer);
    };
    IRRewriter rewriter(&getContext());
    if (failed(eliminateEmptyTensors(rewriter, getOperation(), state, getPlace)))
      signalPassFailure();
  }
};
} // namespace
