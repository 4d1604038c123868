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

/// The determinant of the rows `rows` ... n-1 and the columns `columns` of matrices,
/// expanded along its first row.
static Value expandDeterminant(NodeBinder &node, Value matrices, int64_t row,
                               ArrayRef<int64_t> columns) {
  Type i64 = IntegerType::get(node.getContext(), 64);
  Value sum;
  for (auto [i, column] : llvm::enumerate(columns)) {
    Value line = node.create<GatherOp>(matrices, node.constantScalar(double(row), i64), -2);
    Value term = node.create<GatherOp>(line, node.constantScalar(double(column), i64), -1);
    if (columns.size() > 1) {
      SmallVector<int64_t> others(columns);
      others.erase(others.begin() + i);
      Value minor = expandDeterminant(node, matrices, row + 1, others);
      term = node.create<MulOp>(term, minor);
    }
    if (!sum)
      sum = term;
    else
      sum = i % 2 ? node.create<SubOp>(sum, term) : node.create<AddOp>(sum, term);
  }
  return sum;
}

static LogicalResult importDet(NodeBinder &node) {
  Value input;
  if (node.onlyOperand(input).failed())
    return failure();
  auto type = cast<RankedTensorType>(input.getType());
  int64_t size = type.getRank() < 2 ? 0 : type.getShape().back();
  // The number of terms is the factorial.
  if (node.require(size >= 1 && size <= 4 && type.getDimSize(type.getRank() - 2) == size,
                   "the input holds square matrices of a small, known size",
                   "another shape", "1x1 to 4x4", Remedy::ChangeForm).failed())
    return failure();
  return node.setOutput(expandDeterminant(
      node, input, 0, llvm::to_vector(llvm::seq<int64_t>(0, size))));
}

void importer::registerContraction(Registry &r) {
  r.onOp("MatMul", 1, importMatMul);
  r.onOp("Gemm", 1, importGemm);
  r.onOp("Det", 11, importDet);
}
