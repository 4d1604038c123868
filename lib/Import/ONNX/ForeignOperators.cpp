//===- ForeignOperators.cpp - operators that others wrote -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "ForeignOperators.h"
#include "OnnxLibrary.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir::nn;
using llvm::StringRef;

/// Whether only the graph transformations of ONNX Runtime make the operator: none of
/// those that exporters and quantizers write. Names after ONNX Runtime's
/// onnxruntime/core/optimizer and docs/ContribOperators.md.
static bool isMadeByOptimizer(const NodeInfo &node) {
  static const llvm::StringSet<> fused = {
      "DecoderMaskedMultiHeadAttention", "LongformerAttention"};
  StringRef domain = node.domain;
  if (domain == "com.microsoft.nchwc" || domain == "com.ms.internal.nhwc")
    return true;
  return domain == "com.microsoft" && fused.contains(node.op);
}

/// Who wrote the node, and how to do without it.
static StringRef getAdviceByDomain(const NodeInfo &node) {
  if (isMadeByOptimizer(node))
    return "ONNX Runtime's optimizer wrote this node: compile the model as exported, "
           "not the optimized file";
  StringRef domain = node.domain;
  if (domain == "com.microsoft")
    return "the operator is ONNX Runtime's own: export the model with operators of "
           "ai.onnx (a quantized one in the QDQ format)";
  if (domain.starts_with("org.pytorch"))
    return "PyTorch had no ONNX operator for this: export with a newer opset, or without "
           "operator_export_type ONNX_ATEN_FALLBACK";
  if (!domain.empty())
    return "give the model a function that defines the operator, or replace the node by "
           "operators of ai.onnx";
  return getAdvice(Remedy::ReplaceOp);
}

std::string importer::getAdviceForOperator(const NodeInfo &node) {
  return (getAdviceByDomain(node) + "; or let a library of your own compute it, with "
                                    "--custom-op (docs/CustomOperators.md)")
      .str();
}
