//===- Problem.h - What a call site asks for, with shapes -------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_ONEDNN_PROBLEM_H
#define NNRT_CPU_ONEDNN_PROBLEM_H

#include "CPU/OneDNN/Operand.h"

#include <vector>

namespace nnrt {
namespace onednn {

/// A call site together with the shapes of one call, in oneDNN's terms. Throws
/// FAILED_PRECONDITION if they are inconsistent.
class Problem {
public:
  Problem(const nnrt_abi_onednn_site &site, const nnrt_abi_tensor *args);

  const nnrt_abi_onednn_site &site;
  Operand src, weights, bias, dst; // those that the kind has
  /// The operand of each post-op; only BINARY ones have one.
  std::vector<Operand> postOpOperands;
  int srcArg = 0, weightsArg = -1, biasArg = -1, dstArg = -1;

  bool isContraction() const { return weightsArg >= 0; }
  bool isConvolution() const; // or deconvolution
  bool constantWeights() const;
  /// Nothing to compute: the result has no elements.
  bool isEmpty() const;
  /// A matrix product over no elements: its results are the bias, or zeros.
  bool isEmptyProduct() const;

  /// src has 8 bits, and the sums of its products with the weights are exact.
  bool isInteger() const;
  /// How far before spatial dimension `i` of src the first window begins.
  int64_t padBegin(int i) const { return padsBegin[i]; }
  /// The element of src that stands for zero.
  int32_t srcZeroPoint() const;
  /// For CPUs on which oneDNN's integer products are not exact: from now on, the
  /// primitive computes in f32, and operands are converted.
  void computeInF32() { inF32 = true; }
  bool isInF32() const { return inF32; }

  /// The element types that the operands have in the primitive.
  int32_t srcType() const;
  int32_t dstType() const;
  int32_t weightsType() const;
  int32_t biasType() const;

  /// The primitive on operands of these formats, with the first `numPostOps`
  /// post-ops. Null if oneDNN has no implementation for them.
  PrimitiveDesc create(const_dnnl_memory_desc_t srcDesc,
                       const_dnnl_memory_desc_t weightsDesc,
                       const_dnnl_memory_desc_t biasDesc,
                       const_dnnl_memory_desc_t dstDesc, int numPostOps) const;

  const char *kindText() const;
  std::string shapesText() const; // "f32 1x3x8x8, f32 4x3x3x3 -> f32 1x4x8x8"
  std::string name() const;       // the ONNX nodes

private:
  void resolveSpatial();
  void turnColumn();
  void flattenMatMul();
  void resolvePads(const Operand &large, const Operand &small,
                   const int64_t *kernel);
  Attributes makeAttributes(int numPostOps) const;

  bool inF32 = false;
  // As oneDNN counts them.
  int64_t padsBegin[3] = {}, padsEnd[3] = {}, strides[3] = {}, dilations[3] = {};
};

} // namespace onednn
} // namespace nnrt

#endif // NNRT_CPU_ONEDNN_PROBLEM_H
