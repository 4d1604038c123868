//===- WindowAxes.cpp - the windows of convolution kernels ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Kernels/WindowAxes.h"
#include "dialects/NN/IR/SpatialShapes.h"

using namespace mlir;
using namespace mlir::nn;

/// `pads` are begins, then ends.
static FailureOr<SmallVector<WindowAxis>>
makeAxes(ArrayRef<int64_t> kernel, const Window &window, ArrayRef<int64_t> pads) {
  int64_t count = kernel.size();
  SmallVector<WindowAxis> axes(count);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    axis.kernel = kernel[i];
    axis.stride = window.strides[i];
    axis.dilation = window.dilations[i];
    axis.padBegin = pads[i];
    axis.padEnd = pads[count + i];
    if (axis.padBegin < 0)
      return failure();
  }
  return axes;
}

FailureOr<SmallVector<WindowAxis>> nn::getWindowAxes(ConvOp op) {
  if (op.getAutoPad() != AutoPad::NotSet && op.getAutoPad() != AutoPad::Valid)
    return failure();
  ArrayRef<int64_t> kernel =
      cast<RankedTensorType>(op.getWeight().getType()).getShape().drop_front(2);
  Window window(kernel.size(), op.getStrides(), op.getDilations(), op.getPads());
  SmallVector<int64_t> pads(2 * kernel.size(), 0);
  if (op.getAutoPad() == AutoPad::NotSet)
    pads = window.pads;
  if (llvm::any_of(pads, [](int64_t pad) { return pad < 0; }))
    return failure();
  return makeAxes(kernel, window, pads);
}

FailureOr<SmallVector<WindowAxis>> nn::getWindowAxes(ConvTransposeOp op) {
  std::optional<SmallVector<int64_t>> pads = resolveTransposedPads(op);
  if (!pads)
    return failure();
  ArrayRef<int64_t> kernel =
      cast<RankedTensorType>(op.getWeight().getType()).getShape().drop_front(2);
  Window window(kernel.size(), op.getStrides(), op.getDilations(), op.getPads());
  return makeAxes(kernel, window, *pads);
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
