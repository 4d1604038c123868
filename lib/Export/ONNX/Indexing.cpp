//===- Indexing.cpp - operators that pick elements, in ONNX ---------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

/// In ONNX, the number is a list of one.
static LogicalResult writeTopK(TopKOp op, NodeWriter &w) {
  Name k = w.get(op.getK());
  if (cast<RankedTensorType>(op.getK().getType()).getRank() != 1)
    k = w.reshape(k, {1});
  Attributes attributes;
  w.addAttribute(attributes, "axis", op.getAxisAttr());
  w.addAttribute(attributes, "largest", op.getLargestAttr());
  return w.replaceWith("TopK", {w.get(op.getInput()), k}, attributes);
}

/// ONNX's coordinates are in [-1, 1].
static LogicalResult writeGridSample(GridSampleOp op, NodeWriter &w) {
  Name input = w.get(op.getInput()), grid = w.get(op.getGrid());
  Attributes attributes;
  w.addAttribute(attributes, "mode", op.getModeAttr());
  w.addAttribute(attributes, "padding_mode", op.getPaddingModeAttr());
  bool alignCorners = op.getAlignCorners();
  if (!op.getNormalized()) {
    if (alignCorners && op.getPaddingMode() == "reflection")
      return w.fail("ONNX has no coordinates in elements that are reflected at their centers");
    // 2 * (x + 1/2) / size - 1, with the sizes in the order of coordinates.
    Type type = cast<RankedTensorType>(op.getGrid().getType()).getElementType();
    Name sizes = w.create("Shape", {input}, {MakeAttribute("start", int64_t(2))});
    sizes = w.create("Slice", {sizes, w.list({-1}), w.list({INT64_MIN}), w.list({0}),
                               w.list({-1})});
    Name one = w.convert(w.scalar(1), type), two = w.convert(w.scalar(2), type);
    Name twice = w.create("Add", {w.create("Mul", {grid, two}), one});
    grid = w.create("Sub", {w.create("Div", {twice, w.convert(sizes, type)}), one});
    alignCorners = false;
  }
  attributes.push_back(MakeAttribute("align_corners", int64_t(alignCorners)));
  return w.replaceWith("GridSample", {input, grid}, attributes);
}

static LogicalResult writeRoiAlign(RoiAlignOp op, NodeWriter &w) {
  Attributes attributes;
  w.addAttribute(attributes, "mode", op.getModeAttr());
  w.addAttribute(attributes, "output_height", op.getOutputHeightAttr());
  w.addAttribute(attributes, "output_width", op.getOutputWidthAttr());
  w.addAttribute(attributes, "sampling_ratio", op.getSamplingRatioAttr());
  w.addAttribute(attributes, "spatial_scale", op.getSpatialScaleAttr());
  attributes.push_back(
      MakeAttribute("coordinate_transformation_mode",
                    std::string(op.getHalfPixel() ? "half_pixel" : "output_half_pixel")));
  return w.replaceWith("RoiAlign", w.getOperands(), attributes);
}

void exporter::registerIndexing(Registry &r) {
  r.onOp<GatherElementsOp>("GatherElements");
  r.onOp<GatherNDOp>("GatherND");
  r.onOp<GatherOp>("Gather");
  r.onOp<GridSampleOp>("GridSample", writeGridSample);
  r.onOp<NonMaxSuppressionOp>("NonMaxSuppression");
  r.onOp<NonZeroOp>("NonZero");
  r.onOp<RangeOp>("Range");
  r.onOp<RoiAlignOp>("RoiAlign", writeRoiAlign);
  r.onOp<ScatterElementsOp>("ScatterElements");
  r.onOp<ScatterNDOp>("ScatterND");
  r.onOp<TopKOp>("TopK", writeTopK);
  r.onOp<UniqueOp>("Unique");
}
