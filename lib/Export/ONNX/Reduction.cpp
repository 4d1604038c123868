//===- Reduction.cpp - reductions in ONNX ---------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

template <typename OpT> static void addReduction(Registry &r, StringRef onnx) {
  r.onOp<OpT>(onnx, {asList("axes", 1)});
}

/// Over all dimensions behind the channels: pooling, in which form nn got it as well, and
/// which other tools know better.
template <typename OpT> static LogicalResult writePoolOrReduction(OpT op, NodeWriter &w) {
  constexpr bool isMean = std::is_same_v<OpT, ReduceMeanOp>;
  auto type = cast<RankedTensorType>(op.getInput().getType());
  bool isPool = op.getKeepdims() && type.getRank() >= 3 &&
                isa<FloatType>(type.getElementType()) &&
                op.getReducedDims() ==
                    llvm::to_vector(llvm::seq<int64_t>(2, type.getRank()));
  if (isPool)
    return w.replaceWith(isMean ? "GlobalAveragePool" : "GlobalMaxPool",
                         {w.get(op.getInput())});
  return Registry::writeByName(op, w, isMean ? "ReduceMean" : "ReduceMax",
                               {asList("axes", 1)});
}

void exporter::registerReduction(Registry &r) {
  r.onOp<ArgMaxOp>("ArgMax");
  r.onOp<ArgMinOp>("ArgMin");
  r.onOp<CumProdOp>("CumProd", {asScalar("axis", 1)});
  r.onOp<CumSumOp>("CumSum", {asScalar("axis", 1)});
  addReduction<ReduceL1Op>(r, "ReduceL1");
  addReduction<ReduceL2Op>(r, "ReduceL2");
  addReduction<ReduceLogSumExpOp>(r, "ReduceLogSumExp");
  addReduction<ReduceLogSumOp>(r, "ReduceLogSum");
  r.onOp<ReduceMaxOp>("ReduceMax, GlobalMaxPool", writePoolOrReduction<ReduceMaxOp>);
  r.onOp<ReduceMeanOp>("ReduceMean, GlobalAveragePool", writePoolOrReduction<ReduceMeanOp>);
  addReduction<ReduceMinOp>(r, "ReduceMin");
  addReduction<ReduceProdOp>(r, "ReduceProd");
  addReduction<ReduceSumOp>(r, "ReduceSum");
  addReduction<ReduceSumSquareOp>(r, "ReduceSumSquare");
}
