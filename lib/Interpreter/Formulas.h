//===- Formulas.h - what operators of several dialects compute --*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The computations that nn operators and onednn primitives share, defined in the files
// of their families. Spatial tensors are channels-first here.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_INTERPRETER_FORMULAS_H
#define NN_LIB_INTERPRETER_FORMULAS_H

#include "Window.h"

namespace mlir::nn::interpreter {

/// The convolution of `input`, minus its zero point, with `weight` (O x I/groups x
/// kernel), without bias.
Doubles convolve(const HostTensor &input, const HostTensor &weight,
                 const Window &window, int64_t groups, int64_t zeroPoint = 0);
/// The transposed convolution: `window` is that of the convolution whose input is the
/// result. `weight` is I x O/groups x kernel.
Doubles convolveTransposed(const HostTensor &input, const HostTensor &weight,
                           const Window &window, int64_t groups);

/// numpy.matmul of operands of rank >= 2; integers wrap. Fails through the call if
/// the shapes do not fit.
FailureOr<HostTensor> multiplyMatrices(Call &call, const HostTensor &lhs,
                                       const HostTensor &rhs, DataType type);

/// Local response normalization over `size` channels.
HostTensor normalizeLocally(const HostTensor &input, int64_t size, double alpha,
                            double beta, double bias);

HostTensor softmax(const HostTensor &input, int64_t axis, bool logarithm);

/// For each window over each of `planes` planes, `reduce(values, padded)` of the
/// values in the window and the number of its positions that are in the padding.
template <typename T, typename Reduce>
std::vector<T> reduceWindows(const Window &window, int64_t planes,
                             const std::vector<T> &elements, Reduce reduce) {
  Shape strides = getStrides(window.input);
  int64_t area = product(window.input);
  std::vector<T> result, values;
  for (int64_t plane = 0; plane < planes; ++plane)
    forEachIndex(window.output, [&](ArrayRef<int64_t> output) {
      values.clear();
      int64_t padded = 0;
      forEachIndex(window.kernel, [&](ArrayRef<int64_t> kernel) {
        int64_t offset = plane * area;
        bool inside = true, inPadding = true;
        for (int64_t d = 0; d < window.getRank(); ++d) {
          int64_t at = window.getInput(d, output[d], kernel[d]);
          inside &= at >= 0 && at < window.input[d];
          // With ceil_mode, windows may also extend beyond the padding.
          inPadding &= at < window.input[d] + window.ends[d];
          offset += at * strides[d];
        }
        if (inside)
          values.push_back(elements[offset]);
        else if (inPadding)
          ++padded;
      });
      result.push_back(reduce(values, padded));
    });
  return result;
}

} // namespace mlir::nn::interpreter

#endif // NN_LIB_INTERPRETER_FORMULAS_H
