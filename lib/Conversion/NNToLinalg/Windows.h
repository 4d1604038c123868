//===- Windows.h - padding and windows of spatial operators -----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_CONVERSION_NNTOLINALG_WINDOWS_H
#define NN_LIB_CONVERSION_NNTOLINALG_WINDOWS_H

#include "TensorEmitter.h"
#include "dialects/NN/IR/SpatialShapes.h"

namespace mlir::nn {

/// The padding of the spatial dimensions.
struct Padding {
  /// The padding before the first element, and after the last one so that all windows
  /// are inside (0 if no window reaches the last elements).
  Sizes begin, needed;
  /// The padding after the last element that the model asks for.
  Sizes end;
};

/// `input`, `output`: sizes of the spatial dimensions.
inline Padding getPadding(TensorEmitter &e, AutoPad autoPad,
                          const Window &window, ArrayRef<int64_t> kernel,
                          ArrayRef<Size> input, ArrayRef<Size> output) {
  Padding padding;
  size_t count = kernel.size();
  for (size_t i = 0; i < count; ++i) {
    int64_t extent = window.dilations[i] * (kernel[i] - 1) + 1;
    Size last = e.mul(e.sub(output[i], e.size(1)), e.size(window.strides[i]));
    Size reached = e.add(last, e.size(extent));
    Size begin = e.size(0), end = e.size(0);
    if (autoPad == AutoPad::NotSet) {
      begin = e.size(window.pads[i]);
      end = e.size(window.pads[count + i]);
    } else if (autoPad != AutoPad::Valid) {
      Size total = e.max(e.sub(reached, input[i]), e.size(0));
      Size half = e.floorDiv(total, e.size(2));
      Size rest = e.sub(total, half);
      begin = autoPad == AutoPad::SameUpper ? half : rest;
      end = autoPad == AutoPad::SameUpper ? rest : half;
    }
    padding.begin.push_back(begin);
    padding.end.push_back(end);
    padding.needed.push_back(
        e.max(e.sub(reached, e.add(input[i], begin)), e.size(0)));
  }
  return padding;
}

/// Pads the spatial dimensions with `value`.
inline Value padSpatial(TensorEmitter &e, Value input, const SpatialDims &where,
                        ArrayRef<Size> begin, ArrayRef<Size> end, Value value) {
  int64_t rank = where.count + 2;
  Sizes low(rank, e.size(0)), high(rank, e.size(0));
  for (int64_t i = 0; i < where.count; ++i) {
    low[where.firstSpatial + i] = begin[i];
    high[where.firstSpatial + i] = end[i];
  }
  return e.pad(input, low, high, value);
}

inline Sizes getSpatial(ArrayRef<Size> sizes, const SpatialDims &where) {
  return Sizes(sizes.slice(where.firstSpatial, where.count));
}

} // namespace mlir::nn

#endif // NN_LIB_CONVERSION_NNTOLINALG_WINDOWS_H
