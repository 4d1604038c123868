//===- SpatialShapes.h - sizes of convolutions and pools --------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_DIALECTS_NN_IR_SPATIALSHAPES_H
#define NN_DIALECTS_NN_IR_SPATIALSHAPES_H

#include "dialects/NN/IR/NN.h"

namespace mlir::nn {

/// The positions of channels and spatial dimensions in a tensor of rank `rank`.
struct SpatialDims {
  SpatialDims(Layout layout, int64_t rank)
      : channel(layout == Layout::ChannelsLast ? rank - 1 : 1),
        firstSpatial(layout == Layout::ChannelsLast ? 1 : 2), count(rank - 2) {}
  int64_t channel;
  int64_t firstSpatial;
  int64_t count;
};

/// Window parameters with ONNX's defaults filled in, `count` (pads: 2*count)
/// entries each.
struct Window {
  Window(int64_t count, ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
         ArrayRef<int64_t> pads);
  SmallVector<int64_t> strides, dilations, pads;
};

/// Number of window positions along one dimension, by ONNX's formula.
Dim getWindowCount(ShapeEnv &env, Dim size, int64_t kernel, int64_t stride,
                   int64_t dilation, int64_t padBegin, int64_t padEnd,
                   bool ceilMode, AutoPad autoPad);

/// The smallest size, but 1 at least, of which a window is taken.
int64_t getSmallestSize(int64_t kernel, int64_t stride, int64_t dilation,
                        int64_t padBegin, int64_t padEnd, bool ceilMode,
                        AutoPad autoPad);

/// Replaces each spatial dimension by its number of window positions. Failure if a size
/// is known and there is no position: an empty result would make the first mean of it
/// NaN.
LogicalResult countWindows(ShapeEnv &env, MutableArrayRef<Dim> spatial,
                           ArrayRef<int64_t> kernel, const Window &window,
                           bool ceilMode, AutoPad autoPad);

/// Checks that lists have `count` (pads: 2*count) entries or none, and positive
/// ones where they must be (`allowNegativePads` for convolutions).
LogicalResult verifyWindow(Operation *op, int64_t count,
                           ArrayRef<int64_t> strides,
                           ArrayRef<int64_t> dilations, ArrayRef<int64_t> pads);

/// The explicit pads (begins, then ends) for `auto_pad`, if the sizes determine them.
/// `sizes` are the input's spatial dimensions.
std::optional<SmallVector<int64_t>>
resolveAutoPad(AutoPad autoPad, ArrayRef<int64_t> sizes,
               ArrayRef<int64_t> kernel, const Window &window);

/// The pads of a transposed convolution (begins, then ends), less the output padding.
/// Nothing if they follow from `output_shape` and a size known only at run time.
std::optional<SmallVector<int64_t>> resolveTransposedPads(ConvTransposeOp op);

} // namespace mlir::nn

#endif // NN_DIALECTS_NN_IR_SPATIALSHAPES_H
