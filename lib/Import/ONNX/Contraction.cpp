//===- Contraction.cpp - import of matrix products ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static LogicalResult importMatMul(NodeBinder &node) {
  Value lhs, rhs;
  if (node.operand("A", lhs).operand("B", rhs).failed())
    return failure();
  return node.replaceWith<MatMulOp>(lhs, rhs, /*transpose_lhs=*/false,
                                    /*transpose_rhs=*/false);
}

/// `broadcast` (before opset 7) only forbids what broadcasting now allows.
static LogicalResult importGemm(NodeBinder &node) {
  Value lhs, rhs, bias;
  float alpha, beta;
  bool transA, transB;
  if (node.operand("A", lhs).operand("B", rhs).optionalOperand("C", bias)
          .attr("alpha", alpha, 1.0f).attr("beta", beta, 1.0f)
          .attr("transA", transA, false).attr("transB", transB, false)
          .ignoreAttrs({"broadcast"}).failed())
    return failure();
  return node.replaceWith<GemmOp>(lhs, rhs, bias, alpha, beta, transA, transB);
}

void importer::registerContraction(Registry &r) {
  r.onOp("MatMul", 1, importMatMul);
  r.onOp("Gemm", 1, importGemm);
}
