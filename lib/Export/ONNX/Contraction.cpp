//===- Contraction.cpp - matrix products in ONNX --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

/// An operand with its last two dimensions swapped, if they are to be.
static Name getMatrix(NodeWriter &w, Value value, bool isTransposed) {
  if (!isTransposed)
    return w.get(value);
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  auto permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(permutation[rank - 1], permutation[rank - 2]);
  return w.transpose(w.get(value), permutation);
}

static LogicalResult writeMatMul(MatMulOp op, NodeWriter &w) {
  Name lhs = getMatrix(w, op.getLhs(), op.getTransposeLhs());
  Name rhs = getMatrix(w, op.getRhs(), op.getTransposeRhs());
  bool areBytes =
      cast<RankedTensorType>(op.getLhs().getType()).getElementTypeBitWidth() == 8;
  return w.replaceWith(areBytes ? "MatMulInteger" : "MatMul", {lhs, rhs});
}

void exporter::registerContraction(Registry &r) {
  r.onOp<GemmOp>("Gemm", {rename("trans_lhs", "transA"), rename("trans_rhs", "transB")});
  r.onOp<MatMulOp>("MatMul, MatMulInteger", writeMatMul);
}
