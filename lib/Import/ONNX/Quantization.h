//===- Quantization.h - import of quantized tensors -------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_QUANTIZATION_H
#define NN_LIB_IMPORT_ONNX_QUANTIZATION_H

#include "NodeBinder.h"

namespace mlir::nn::importer {

/// A quantized tensor, or how to quantize one.
struct Quantized {
  Value value, scale, zeroPoint;
  Type type = {}; ///< To quantize to if there is no zero point.
};

/// The real numbers. Parameters that are lists are along `axis`.
Value dequantize(NodeBinder &node, Quantized tensor, int64_t axis = 1);

/// Quantizes with the scale and zero point of `to`, to the zero point's type.
Value quantize(NodeBinder &node, Value real, Quantized to, int64_t axis = 1);

/// The handlers of these operators, which other domains have, too.
LogicalResult importQuantizeLinear(NodeBinder &node);
LogicalResult importDequantizeLinear(NodeBinder &node);

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_QUANTIZATION_H
