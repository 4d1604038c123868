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
  r.onOp<GridSampleOp>("GridSample");
  r.onOp<NonMaxSuppressionOp>("NonMaxSuppression");
  r.onOp<NonZeroOp>("NonZero");
  r.onOp<RangeOp>("Range");
  r.onOp<RoiAlignOp>("RoiAlign", writeRoiAlign);
  r.onOp<ScatterElementsOp>("ScatterElements");
  r.onOp<ScatterNDOp>("ScatterND");
  r.onOp<TopKOp>("TopK", writeTopK);
  r.onOp<UniqueOp>("Unique");
}
