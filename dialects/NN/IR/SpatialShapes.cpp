//===- SpatialShapes.cpp - sizes of convolutions and pools -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/SpatialShapes.h"

using namespace mlir;
using namespace mlir::nn;

Window::Window(int64_t count, ArrayRef<int64_t> strides,
               ArrayRef<int64_t> dilations, ArrayRef<int64_t> pads)
    : strides(strides), dilations(dilations), pads(pads) {
  if (this->strides.empty())
    this->strides.assign(count, 1);
  if (this->dilations.empty())
    this->dilations.assign(count, 1);
  if (this->pads.empty())
    this->pads.assign(2 * count, 0);
}

Dim nn::getWindowCount(ShapeEnv &env, Dim size, int64_t kernel, int64_t stride,
                       int64_t dilation, int64_t padBegin, int64_t padEnd,
                       bool ceilMode, AutoPad autoPad) {
  int64_t extent = dilation * (kernel - 1) + 1;
  if (autoPad == AutoPad::SameUpper || autoPad == AutoPad::SameLower)
    return size.ceilDiv(stride);
  if (autoPad == AutoPad::Valid)
    padBegin = padEnd = 0;
  Dim positions = size + (padBegin + padEnd - extent);
  if (!ceilMode)
    return positions.floorDiv(stride) + 1;
  // A last window that would start in the end padding is dropped: the number of
  // starts below size + padBegin bounds the count.
  return env.min(positions.ceilDiv(stride) + 1,
                 (size + (padBegin - 1)).floorDiv(stride) + 1);
}

int64_t nn::getSmallestSize(int64_t kernel, int64_t stride, int64_t dilation,
                            int64_t padBegin, int64_t padEnd, bool ceilMode,
                            AutoPad autoPad) {
  if (autoPad == AutoPad::SameUpper || autoPad == AutoPad::SameLower)
    return 1;
  int64_t size = dilation * (kernel - 1) + 1;
  if (autoPad == AutoPad::NotSet)
    size -= padBegin + padEnd;
  if (ceilMode) // the only window may reach beyond the end
    size -= stride - 1;
  return std::max<int64_t>(size, 1);
}

LogicalResult nn::countWindows(ShapeEnv &env, MutableArrayRef<Dim> spatial,
                               ArrayRef<int64_t> kernel, const Window &window,
                               bool ceilMode, AutoPad autoPad) {
  for (auto [i, dim] : llvm::enumerate(spatial)) {
    int64_t begin = window.pads[i], end = window.pads[spatial.size() + i];
    int64_t smallest = getSmallestSize(kernel[i], window.strides[i],
                                       window.dilations[i], begin, end, ceilMode,
                                       autoPad);
    auto known = dyn_cast<AffineConstantExpr>(dim);
    // An empty result may stay empty.
    if (known && known.getValue() < smallest && (known.getValue() != 0 || smallest > 1))
      return env.fail("the window does not fit into the padded input in spatial "
                      "dimension " + Twine(i) + ": of a size of " +
                      Twine(known.getValue()) + ", where it needs " +
                      Twine(smallest) +
                      " or more; give the model a larger input, or the node pads");
    dim = getWindowCount(env, dim, kernel[i], window.strides[i],
                         window.dilations[i], begin, end, ceilMode, autoPad);
  }
  return success();
}

LogicalResult nn::verifyWindow(Operation *op, int64_t count,
                               ArrayRef<int64_t> strides,
                               ArrayRef<int64_t> dilations,
                               ArrayRef<int64_t> pads) {
  auto check = [&](StringRef name, ArrayRef<int64_t> list, int64_t length,
                   int64_t minimum) -> LogicalResult {
    if (!list.empty() && int64_t(list.size()) != length)
      return op->emitOpError() << name << " has " << list.size()
                               << " entries, not " << length;
    for (int64_t entry : list)
      if (entry < minimum || entry > (int64_t(1) << 31))
        return op->emitOpError() << name << " holds " << entry
                                 << ", which is out of range";
    return success();
  };
  return success(succeeded(check("strides", strides, count, 1)) &&
                 succeeded(check("dilations", dilations, count, 1)) &&
                 succeeded(check("pads", pads, 2 * count, 0)));
}

std::optional<SmallVector<int64_t>>
nn::resolveAutoPad(AutoPad autoPad, ArrayRef<int64_t> sizes,
                   ArrayRef<int64_t> kernel, const Window &window) {
  size_t count = kernel.size();
  SmallVector<int64_t> pads(2 * count, 0);
  if (autoPad == AutoPad::NotSet)
    return window.pads;
  if (autoPad == AutoPad::Valid)
    return pads;
  for (size_t i = 0; i < count; ++i) {
    int64_t stride = window.strides[i];
    int64_t extent = window.dilations[i] * (kernel[i] - 1) + 1;
    int64_t total;
    if (stride == 1) {
      total = extent - 1;
    } else {
      if (ShapedType::isDynamic(sizes[i]))
        return std::nullopt;
      int64_t outputs = (sizes[i] + stride - 1) / stride;
      total = std::max<int64_t>(0, (outputs - 1) * stride + extent - sizes[i]);
    }
    int64_t begin = autoPad == AutoPad::SameUpper ? total / 2 : total - total / 2;
    pads[i] = begin;
    pads[count + i] = total - begin;
  }
  return pads;
}

std::optional<SmallVector<int64_t>> nn::resolveTransposedPads(ConvTransposeOp op) {
  auto input = cast<RankedTensorType>(op.getInput().getType());
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  SpatialDims where(op.getLayout(), input.getRank());
  ArrayRef<int64_t> sizes = input.getShape().slice(where.firstSpatial, where.count);
  ArrayRef<int64_t> kernel = weight.getShape().drop_front(2);
  size_t count = where.count;
  Window window(count, op.getStrides(), op.getDilations(), op.getPads());
  bool isSame = op.getAutoPad() == AutoPad::SameUpper ||
                op.getAutoPad() == AutoPad::SameLower;
  SmallVector<int64_t> pads(2 * count, 0);
  if (op.getAutoPad() == AutoPad::NotSet)
    pads = window.pads;
  for (size_t i = 0; i < count; ++i) {
    int64_t added = op.getOutputPadding().empty() ? 0 : op.getOutputPadding()[i];
    int64_t extent = window.dilations[i] * (kernel[i] - 1) + 1;
    if (!op.getOutputShape().empty() || isSame) {
      // The pads follow from the size wanted; with "same" it is stride * input.
      int64_t total = extent + added - window.strides[i];
      if (!op.getOutputShape().empty()) {
        if (ShapedType::isDynamic(sizes[i]))
          return std::nullopt;
        total = window.strides[i] * (sizes[i] - 1) + added + extent -
                op.getOutputShape()[i];
      }
      int64_t half = total / 2;
      pads[i] = op.getAutoPad() == AutoPad::SameUpper ? half : total - half;
      pads[count + i] = total - pads[i];
    }
    // An output padding is what the end pads cut off less.
    pads[count + i] -= added;
  }
  return pads;
}
