//===- Window.cpp - the geometry of convolution and pooling ---------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Window.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

FailureOr<Window> interpreter::makeWindow(
    Call &call, ArrayRef<int64_t> inputSizes, ArrayRef<int64_t> kernel,
    ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
    ArrayRef<int64_t> pads, AutoPad autoPad, bool ceilMode) {
  size_t rank = inputSizes.size();
  Window window;
  window.input.assign(inputSizes.begin(), inputSizes.end());
  window.kernel.assign(kernel.begin(), kernel.end());
  window.strides.assign(strides.begin(), strides.end());
  window.dilations.assign(dilations.begin(), dilations.end());
  window.strides.resize(rank, 1);
  window.dilations.resize(rank, 1);
  window.begins.assign(rank, 0);
  window.ends.assign(rank, 0);
  if (autoPad == AutoPad::NotSet && !pads.empty()) {
    window.begins.assign(pads.begin(), pads.begin() + rank);
    window.ends.assign(pads.begin() + rank, pads.end());
  }
  for (size_t d = 0; d < rank; ++d) {
    int64_t size = inputSizes[d], stride = window.strides[d];
    int64_t extent = window.getExtent(d);
    if (autoPad == AutoPad::SameUpper || autoPad == AutoPad::SameLower) {
      // As many results as strides fit; the padding is split, and an odd one
      // goes to the end (upper) or the begin (lower).
      int64_t count = (size + stride - 1) / stride;
      int64_t total =
          std::max<int64_t>((count - 1) * stride + extent - size, 0);
      int64_t small = total / 2, large = total - small;
      bool upper = autoPad == AutoPad::SameUpper;
      window.begins[d] = upper ? small : large;
      window.ends[d] = upper ? large : small;
      window.output.push_back(count);
      continue;
    }
    int64_t room = size + window.begins[d] + window.ends[d] - extent;
    // With up to `stride` - 1 elements less, ceil mode has a window that extends beyond
    // the end. An empty result may stay empty.
    int64_t count = (ceilMode ? llvm::divideCeilSigned(room, stride)
                              : llvm::divideFloorSigned(room, stride)) + 1;
    bool staysEmpty = size == 0 && room + 1 + (ceilMode ? stride - 1 : 0) >= 0;
    if (count < 1 && !staysEmpty)
      return call.fail("a kernel that reaches over " + Twine(extent) +
                       " elements does not fit into spatial dimension " +
                       Twine(d) + " of size " + Twine(size) + " with padding " +
                       Twine(window.begins[d]) + " and " +
                       Twine(window.ends[d]));
    // A last window that would start in the end padding is dropped.
    if (ceilMode && (count - 1) * stride >= size + window.begins[d])
      --count;
    window.output.push_back(count);
  }
  return window;
}
