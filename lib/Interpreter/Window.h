//===- Window.h - the geometry of convolution and pooling -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_INTERPRETER_WINDOW_H
#define NN_LIB_INTERPRETER_WINDOW_H

#include "Elements.h"

namespace mlir::nn::interpreter {

/// Windows that slide over the spatial dimensions of a padded tensor.
struct Window {
  Shape kernel, strides, dilations, begins, ends;
  /// Spatial sizes of the input and of the result.
  Shape input, output;

  int64_t getRank() const { return kernel.size(); }
  /// How far the window reaches in dimension `d`.
  int64_t getExtent(int64_t d) const {
    return dilations[d] * (kernel[d] - 1) + 1;
  }
  /// The input position of kernel position `k` for output position `o`; it may be in
  /// the padding.
  int64_t getInput(int64_t d, int64_t o, int64_t k) const {
    return o * strides[d] - begins[d] + k * dilations[d];
  }
};

/// The geometry of a convolution or pool with these attributes on an input. Fails
/// through the call if no window fits.
FailureOr<Window> makeWindow(Call &call, ArrayRef<int64_t> inputSizes,
                             ArrayRef<int64_t> kernel,
                             ArrayRef<int64_t> strides,
                             ArrayRef<int64_t> dilations,
                             ArrayRef<int64_t> pads, AutoPad autoPad,
                             bool ceilMode);

} // namespace mlir::nn::interpreter

#endif // NN_LIB_INTERPRETER_WINDOW_H
