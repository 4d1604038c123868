//===- Microsoft.h - import of ONNX Runtime's operators ---------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Operators of com.microsoft and com.microsoft.nchwc, which ONNX Runtime's optimizer,
// quantizers and transformer tools write. They become the operators that plain models
// have, most of them by calling those of ai.onnx. Operands and attributes are those of
// onnxruntime/docs/ContribOperators.md.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_IMPORT_ONNX_MICROSOFT_MICROSOFT_H
#define NN_LIB_IMPORT_ONNX_MICROSOFT_MICROSOFT_H

#include "../Quantization.h"
#include "../Registry.h"
#include "../Values.h"

namespace mlir::nn::importer {

constexpr llvm::StringLiteral microsoft = "com.microsoft";
constexpr llvm::StringLiteral nchwc = "com.microsoft.nchwc";

/// `value + addend`, or `value` if there is no addend.
Value addIfPresent(NodeBinder &node, Value value, Value addend);

/// The product of two matrices of quantized integers, plus a bias that may be absent.
Value scaleProduct(NodeBinder &node, const Quantized &a, const Quantized &b, Value bias);

/// The activation that a fused node ends with: ai.onnx's operator `name`, with
/// `parameters` in the order of ONNX's attributes (of Clip: its bounds). The value itself
/// if the name is empty.
Value activate(NodeBinder &node, Value value, llvm::StringRef name,
               ArrayRef<float> parameters);

/// A convolution with an addend and an activation, in any layout.
struct FusedConv {
  Value input, weight, bias, addend;
  std::string activation;
  SmallVector<float> parameters;

  /// Takes operands and attributes; the addend has another name in each domain.
  LogicalResult bind(NodeBinder &node, llvm::StringRef addendName);
  /// Conv of ai.onnx on the operands as they are now.
  Value call(NodeBinder &node) const;
  /// Adds the addend to the convolution's result, and ends the node with the activation.
  LogicalResult finish(NodeBinder &node, Value result) const;
};

/// Moves the channels behind the batch, or to the end.
Value toChannelsFirst(NodeBinder &node, Value value);
Value toChannelsLast(NodeBinder &node, Value value);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_MICROSOFT_MICROSOFT_H
