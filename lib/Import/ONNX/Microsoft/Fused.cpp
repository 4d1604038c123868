//===- Fused.cpp - import of products and activations fused by ONNX Runtime ==//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Microsoft.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static LogicalResult importFusedConv(NodeBinder &node) {
  FusedConv conv;
  if (failed(conv.bind(node, "Z")))
    return failure();
  return conv.finish(node, conv.call(node));
}

namespace {
/// What a product ends with, whose parameters are attributes.
struct Activation {
  std::string name;
  SmallVector<float> parameters;

  LogicalResult bind(NodeBinder &node) {
    std::optional<float> alpha, beta, gamma;
    node.attr("activation", name, "").optionalAttr("activation_alpha", alpha)
        .optionalAttr("activation_beta", beta).optionalAttr("activation_gamma", gamma);
    for (std::optional<float> parameter : {alpha, beta, gamma})
      if (parameter)
        parameters.push_back(*parameter);
    return success(!node.failed());
  }
};
} // namespace

static LogicalResult importFusedGemm(NodeBinder &node) {
  Value lhs, rhs, bias;
  Activation activation;
  if (node.operand("A", lhs).operand("B", rhs).optionalOperand("C", bias).failed() ||
      failed(activation.bind(node)))
    return failure();
  Value result =
      node.call("Gemm", {lhs, rhs, bias}).pass({"alpha", "beta", "transA", "transB"}).get();
  return node.setOutput(activate(node, result, activation.name, activation.parameters));
}

/// Moves the first dimension before the last one.
static Value transposeBatch(NodeBinder &node, Value value) {
  int64_t rank = getType(value).getRank();
  if (rank < 3)
    return value;
  auto perm = llvm::to_vector(llvm::seq<int64_t>(1, rank - 1));
  perm.append({0, rank - 1});
  return node.create<TransposeOp>(value, perm);
}

/// `transBatchA` moves the first dimension before the last one, and `transA` swaps the
/// last two then. Vectors are never transposed.
static Value multiply(NodeBinder &node) {
  Value lhs, rhs;
  float alpha;
  bool transA, transB, transBatchA, transBatchB;
  if (node.operand("A", lhs).operand("B", rhs).attr("alpha", alpha, 1.0f)
          .attr("transA", transA, false).attr("transB", transB, false)
          .attr("transBatchA", transBatchA, false).attr("transBatchB", transBatchB, false)
          .failed())
    return {};
  if (transBatchA)
    lhs = transposeBatch(node, lhs);
  if (transBatchB)
    rhs = transposeBatch(node, rhs);
  Value result =
      node.create<MatMulOp>(lhs, rhs, transA && getType(lhs).getRank() > 1,
                            transB && getType(rhs).getRank() > 1);
  if (alpha != 1.0f)
    result = node.create<MulOp>(result, node.constantScalar(alpha, getElementType(lhs)));
  return result;
}

static LogicalResult importFusedMatMul(NodeBinder &node) {
  return node.setOutput(multiply(node));
}

static LogicalResult importFusedMatMulActivation(NodeBinder &node) {
  Activation activation;
  int64_t axis; // of a softmax
  if (failed(activation.bind(node)) || node.attr("activation_axis", axis, -1).failed())
    return failure();
  Value product = multiply(node);
  if (node.failed())
    return failure();
  if (activation.name == "Softmax")
    return node.setOutput(node.call("Softmax", {product}).attr("axis", axis).get());
  return node.setOutput(activate(node, product, activation.name, activation.parameters));
}

static LogicalResult importGemmFastGelu(NodeBinder &node) {
  Value lhs, rhs, bias;
  if (node.operand("X", lhs).operand("W", rhs).optionalOperand("bias", bias).failed())
    return failure();
  Value product = node.create<MatMulOp>(lhs, rhs, false, false);
  return node.replaceWith<GeluOp>(addIfPresent(node, product, bias), "tanh");
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

static LogicalResult importGelu(NodeBinder &node) {
  Value input;
  if (node.operand("X", input).failed())
    return failure();
  return node.replaceWith<GeluOp>(input, "none");
}

static LogicalResult importBiasGelu(NodeBinder &node) {
  Value input, bias;
  if (node.operand("A", input).operand("B", bias).failed())
    return failure();
  return node.replaceWith<GeluOp>(addIfPresent(node, input, bias), "none");
}

static LogicalResult importFastGelu(NodeBinder &node) {
  Value input, bias;
  if (node.operand("X", input).optionalOperand("bias", bias).failed())
    return failure();
  return node.replaceWith<GeluOp>(addIfPresent(node, input, bias), "tanh");
}

static LogicalResult importQuickGelu(NodeBinder &node) {
  Value input;
  float alpha;
  if (node.operand("X", input).attr("alpha", alpha, 1.702f).failed())
    return failure();
  return node.replaceWith<SwishOp>(input, alpha);
}

/// The first half of the last dimension, times Gelu of the second.
static LogicalResult importBiasSplitGelu(NodeBinder &node) {
  Value input, bias;
  if (node.operand("X", input).operand("bias", bias).failed())
    return failure();
  int64_t rank = getType(input).getRank();
  int64_t size = getLastSize(bias);
  if (node.require(rank > 0 && size > 0 && size % 2 == 0,
                   "the bias has an even, known number of elements", Twine(size), "")
          .failed())
    return failure();
  Value sum = node.create<AddOp>(input, bias);
  SmallVector<Value> halves = node.createMany<SplitOp>(
      2, sum, ArrayRef<int64_t>{size / 2, size / 2}, rank - 1);
  if (halves.empty())
    return failure();
  return node.replaceWith<MulOp>(halves[0], node.create<GeluOp>(halves[1], "none"));
}

static LogicalResult importBiasAdd(NodeBinder &node) {
  Value input, bias, skip;
  if (node.operand("X", input).operand("bias", bias).operand("skip", skip).failed())
    return failure();
  return node.replaceWith<AddOp>(node.create<AddOp>(input, bias), skip);
}

static LogicalResult importBiasDropout(NodeBinder &node) {
  Value input, bias, residual, ratio, trains;
  if (node.operand("data", input).operand("bias", bias)
          .optionalOperand("residual", residual).optionalOperand("ratio", ratio)
          .optionalOperand("training_mode", trains).ignoreAttrs({"seed"}).failed())
    return failure();
  Value sum = node.create<AddOp>(input, bias);
  bool hasMask = node.hasOutput(1);
  SmallVector<Value> dropout = node.call("Dropout", {sum, ratio, trains}).get(hasMask ? 2 : 1);
  if (hasMask)
    (void)node.setOutput(dropout[1], 1);
  return node.setOutput(addIfPresent(node, dropout[0], residual));
}

/// A softmax as of opset 1: over `axis` and all dimensions behind it. Both kinds of
/// broadcasting that `is_inner_broadcast` tells apart are those of Add.
static LogicalResult importBiasSoftmax(NodeBinder &node) {
  Value input, bias;
  int64_t axis;
  if (node.operand("data", input).operand("bias", bias).attr("axis", axis, 1)
          .ignoreAttrs({"is_inner_broadcast"}).failed())
    return failure();
  Value sum = node.create<AddOp>(input, bias);
  return node.setOutput(node.call("Softmax", {sum}).attr("axis", axis).atOpset(11).get());
}

void importer::registerMicrosoftFused(Registry &r) {
  r.onOp(microsoft, "FusedConv", 1, importFusedConv, "X W B Z");
  r.onOp(microsoft, "FusedGemm", 1, importFusedGemm, "A B C");
  r.onOp(microsoft, "FusedMatMul", 1, importFusedMatMul, "A B");
  r.onOp(microsoft, "TransposeMatMul", 1, importFusedMatMul, "A B");
  r.onOp(microsoft, "FusedMatMulActivation", 1, importFusedMatMulActivation, "A B");
  r.onOp(microsoft, "GemmFastGelu", 1, importGemmFastGelu, "X W bias");
  r.onOp(microsoft, "Gelu", 1, importGelu, "X");
  r.onOp(microsoft, "BiasGelu", 1, importBiasGelu, "A B");
  r.onOp(microsoft, "FastGelu", 1, importFastGelu, "X bias");
  r.onOp(microsoft, "QuickGelu", 1, importQuickGelu, "X");
  r.onOp(microsoft, "BiasSplitGelu", 1, importBiasSplitGelu, "X bias");
  r.onOp(microsoft, "BiasAdd", 1, importBiasAdd, "X bias skip");
  r.onOp(microsoft, "BiasDropout", 1, importBiasDropout,
         "data bias residual ratio training_mode");
  r.onOp(microsoft, "BiasSoftmax", 1, importBiasSoftmax, "data bias");
}
