//===- Operand.h - Tensors in oneDNN's order of dimensions ------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// oneDNN's logical order is always N, C, spatial; strides describe the order in memory.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_ONEDNN_OPERAND_H
#define NNRT_CPU_ONEDNN_OPERAND_H

#include "CPU/OneDNN/Handles.h"

namespace nnrt {
namespace onednn {

struct Operand {
  int rank = 0;
  int32_t type = 0; // nnrt_abi_type
  int64_t dims[DNNL_MAX_NDIMS] = {};
  int64_t strides[DNNL_MAX_NDIMS] = {};

  int64_t numElements() const;
  bool sameShape(const Operand &other) const;
  MemoryDesc desc() const;
  /// Without strides: oneDNN chooses the format.
  MemoryDesc anyFormat(int32_t type) const;
  /// The same shape and strides with other elements.
  Operand withType(int32_t type) const;
  /// The same shape, row-major without gaps.
  Operand dense() const;
  std::string text() const; // "f32 2x3x4"
};

/// The tensor as it was passed, with dimensions in memory order.
Operand makeOperand(const nnrt_abi_tensor &tensor);

/// Adds leading dimensions of size 1, like numpy's broadcasting.
Operand padRank(const Operand &operand, int rank);

/// From N, spatial, C to N, C, spatial.
Operand fromChannelsLast(const Operand &operand);

/// Weights of convolution as ONNX has them (O, I/groups, spatial), or of
/// deconvolution (I, O/groups, spatial), to oneDNN's [G,] O, I, spatial.
Operand groupWeights(const Operand &weights, int64_t groups, bool transposed);

dnnl_data_type_t dnnlType(int32_t abiType);
const char *typeText(int32_t abiType);
int bytesOf(int32_t abiType);

} // namespace onednn
} // namespace nnrt

#endif // NNRT_CPU_ONEDNN_OPERAND_H
