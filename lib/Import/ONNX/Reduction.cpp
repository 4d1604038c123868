//===- Reduction.cpp - import of reductions -------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// What remains of a reduction over no dimensions: the part of its formula that
/// applies to each element.
template <typename OpT> static LogicalResult applyToElements(NodeBinder &node, Value x) {
  if constexpr (std::is_same_v<OpT, ReduceL1Op> || std::is_same_v<OpT, ReduceL2Op>)
    return node.replaceWith<AbsOp>(x);
  else if constexpr (std::is_same_v<OpT, ReduceSumSquareOp>)
    return node.replaceWith<MulOp>(x, x);
  else if constexpr (std::is_same_v<OpT, ReduceLogSumOp>)
    return node.replaceWith<LogOp>(x);
  else
    return node.setOutput(x);
}

template <typename OpT> static LogicalResult importReduce(NodeBinder &node) {
  Value data;
  std::optional<SmallVector<int64_t>> axes;
  bool keepdims, noop;
  if (node.operand("data", data).constantInts("axes", axes)
          .attr("keepdims", keepdims, true)
          .attr("noop_with_empty_axes", noop, false).failed())
    return failure();
  bool isEmpty = !axes || axes->empty();
  if ((isEmpty && noop) || cast<RankedTensorType>(data.getType()).getRank() == 0)
    return applyToElements<OpT>(node, data);
  return node.replaceWith<OpT>(data, isEmpty ? SmallVector<int64_t>() : *axes,
                               keepdims);
}

template <typename OpT> static LogicalResult importArg(NodeBinder &node) {
  Value data;
  int64_t axis;
  bool keepdims, selectLast;
  if (node.operand("data", data).attr("axis", axis, 0)
          .attr("keepdims", keepdims, true)
          .attr("select_last_index", selectLast, false).failed())
    return failure();
  return node.replaceWith<OpT>(data, axis, keepdims, selectLast);
}

void importer::registerReduction(Registry &r) {
  r.onOp("ReduceL1", 1, importReduce<ReduceL1Op>);
  r.onOp("ReduceL2", 1, importReduce<ReduceL2Op>);
  r.onOp("ReduceLogSum", 1, importReduce<ReduceLogSumOp>);
  r.onOp("ReduceLogSumExp", 1, importReduce<ReduceLogSumExpOp>);
  r.onOp("ReduceMax", 1, importReduce<ReduceMaxOp>);
  r.onOp("ReduceMean", 1, importReduce<ReduceMeanOp>);
  r.onOp("ReduceMin", 1, importReduce<ReduceMinOp>);
  r.onOp("ReduceProd", 1, importReduce<ReduceProdOp>);
  r.onOp("ReduceSum", 1, importReduce<ReduceSumOp>);
  r.onOp("ReduceSumSquare", 1, importReduce<ReduceSumSquareOp>);
  r.onOp("ArgMax", 1, importArg<ArgMaxOp>);
  r.onOp("ArgMin", 1, importArg<ArgMinOp>);
}
