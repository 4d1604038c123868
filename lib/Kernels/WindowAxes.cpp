//===- WindowAxes.cpp - the windows of convolution kernels ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Kernels/WindowAxes.h"
#include "dialects/NN/IR/SpatialShapes.h"

using namespace mlir;
using namespace mlir::nn;

FailureOr<SmallVector<WindowAxis>> nn::getWindowAxes(ConvOp op) {
  if (op.getAutoPad() != AutoPad::NotSet && op.getAutoPad() != AutoPad::Valid)
    return failure();
  ArrayRef<int64_t> kernel =
      cast<RankedTensorType>(op.getWeight().getType()).getShape().drop_front(2);
  int64_t count = kernel.size();
  Window window(count, op.getStrides(), op.getDilations(), op.getPads());
  SmallVector<WindowAxis> axes(count);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    axis.kernel = kernel[i];
    axis.stride = window.strides[i];
    axis.dilation = window.dilations[i];
    if (op.getAutoPad() == AutoPad::NotSet) {
      axis.padBegin = window.pads[i];
      axis.padEnd = window.pads[count + i];
    }
    if (axis.padBegin < 0 || axis.padEnd < 0)
      return failure();
  }
  return axes;
}

Value nn::getWindowStart(KernelEmitter &e, const WindowAxis &axis, Value output) {
  return e.sub(e.mul(output, axis.stride), e.index(axis.padBegin));
}

std::pair<Value, Value> nn::getTapRange(KernelEmitter &e, const WindowAxis &axis,
                                        Value output) {
  // Tap k reads position + k * dilation, which must be in [0, input).
  Value position = getWindowStart(e, axis, output);
  Value step = e.index(axis.dilation);
  Value missing = e.max(e.sub(e.index(0), position), e.index(0));
  Value first = e.ceilDiv(missing, step);
  Value room = e.max(e.sub(axis.input, position), e.index(0));
  Value end = e.min(e.ceilDiv(room, step), e.index(axis.kernel));
  return {first, end};
}
