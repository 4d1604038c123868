//===- Compare.h - whether tensors match ------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_COMPARE_H
#define NN_SUPPORT_COMPARE_H

#include "nn/Support/HostTensor.h"

namespace mlir::nn {

struct Tolerance {
  double rtol = 1e-3;
  double atol = 1e-4;

  /// The default for comparisons with files of expected outputs.
  static Tolerance getDefault(DataType type);
};

struct Comparison {
  bool matches = true;
  /// Why the tensors cannot be compared element by element: types or shapes.
  std::string incomparable;
  /// The element that exceeds its limit the most (or comes closest to it): its index, both
  /// values as text, |got - want|, and that divided by the limit.
  SmallVector<int64_t> worstIndex;
  std::string worstGot, worstWant;
  double worstError = 0, worstRatio = 0;
  int64_t numMismatches = 0, numElements = 0;

  /// One line for messages.
  std::string describe() const;
};

/// Elements match if |got - want| <= atol * max(0.01, M) + rtol * |want|, where
/// M is the largest finite |want|. NaN matches NaN, and infinities match equal ones. Bool
/// and string elements must be equal, and so must types and shapes.
Comparison compareTensors(const HostTensor &got, const HostTensor &want,
                          Tolerance tolerance);

/// The text of one element, with enough digits to identify it.
std::string formatElement(const HostTensor &tensor, int64_t index);

} // namespace mlir::nn

#endif // NN_SUPPORT_COMPARE_H
