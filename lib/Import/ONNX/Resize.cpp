//===- Resize.cpp - import of Resize and Upsample --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// Operands that are there but empty count as absent.
static Value dropEmpty(Value value) {
  bool isEmpty = value && cast<RankedTensorType>(value.getType()).getShape() ==
                              ArrayRef<int64_t>{0};
  return isEmpty ? Value() : value;
}

/// Resize until version 10, and Upsample: coordinates are divided by the scale.
/// The nearest pixel is the one before when enlarging; ONNX Runtime takes the
/// one after when reducing.
static LogicalResult resample(NodeBinder &node, Value input, Value scales,
                              StringRef mode) {
  if (!scales)
    return failure();
  bool enlarges = false, reduces = false;
  DenseFPElementsAttr known;
  if (matchPattern(scales, m_Constant(&known)))
    for (const APFloat &scale : known) {
      enlarges |= scale.convertToDouble() > 1;
      reduces |= scale.convertToDouble() < 1;
    }
  if (mode == "nearest" &&
      node.require(!(enlarges && reduces),
                   "the old nearest mode enlarges or reduces all dimensions",
                   "scales of both kinds", "", Remedy::ChangeForm).failed())
    return failure();
  return node.replaceWith<ResizeOp>(input, /*roi=*/Value(), scales,
                                    /*sizes=*/Value(), ArrayRef<int64_t>(), mode,
                                    "asymmetric", reduces ? "ceil" : "floor",
                                    "stretch", -0.75f, /*exclude_outside=*/false,
                                    /*antialias=*/false, 0.0f);
}

static LogicalResult importUpsample(NodeBinder &node) {
  Value input, scales;
  std::string mode;
  if (node.operand("X", input).operand("scales", scales)
          .attr("mode", mode, "nearest", {"nearest", "linear"}).failed())
    return failure();
  return resample(node, input, scales, mode);
}

static LogicalResult importUpsampleAttribute(NodeBinder &node) {
  Value input;
  SmallVector<float> scales;
  std::string mode;
  if (node.operand("X", input).attr("scales", scales)
          .attr("mode", mode, "nearest", {"nearest", "linear"}).failed())
    return failure();
  return resample(node, input, node.constantFloats(scales), mode);
}

static LogicalResult importUpsampleHeightWidth(NodeBinder &node) {
  Value input;
  float height, width;
  std::string mode;
  if (node.operand("X", input).attr("height_scale", height, 1.0f)
          .attr("width_scale", width, 1.0f)
          .attr("mode", mode, "nearest", {"nearest", "bilinear"}).failed())
    return failure();
  return resample(node, input, node.constantFloats({1, 1, height, width}),
                  mode == "nearest" ? "nearest" : "linear");
}

static LogicalResult importResize(NodeBinder &node) {
  Value input, roi, scales, sizes;
  SmallVector<int64_t> axes;
  std::string mode, coordinates, nearest, aspect;
  float coefficient, extrapolation;
  bool excludeOutside, antialias;
  if (node.operand("X", input).optionalOperand("roi", roi)
          .optionalOperand("scales", scales).optionalOperand("sizes", sizes)
          .attr("axes", axes)
          .attr("mode", mode, "nearest", {"nearest", "linear", "cubic"})
          .attr("coordinate_transformation_mode", coordinates, "half_pixel",
                {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                 "align_corners", "asymmetric", "tf_crop_and_resize"})
          .attr("nearest_mode", nearest, "round_prefer_floor",
                {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})
          .attr("keep_aspect_ratio_policy", aspect, "stretch",
                {"stretch", "not_larger", "not_smaller"})
          .attr("cubic_coeff_a", coefficient, -0.75f)
          .attr("extrapolation_value", extrapolation, 0.0f)
          .attr("exclude_outside", excludeOutside, false)
          .attr("antialias", antialias, false).failed())
    return failure();
  scales = dropEmpty(scales);
  sizes = dropEmpty(sizes);
  roi = coordinates == "tf_crop_and_resize" ? dropEmpty(roi) : Value();
  if (node.require(bool(scales) != bool(sizes),
                   "exactly one of operands 'scales' and 'sizes' is given",
                   scales ? "both" : "none", "").failed())
    return failure();
  if (sizes)
    sizes = node.asInt64(sizes);
  return node.replaceWith<ResizeOp>(input, roi, scales, sizes, axes, mode,
                                    coordinates, nearest, aspect, coefficient,
                                    excludeOutside, antialias, extrapolation);
}

void importer::registerResize(Registry &r) {
  r.onOp("Resize", 10, importUpsample);
  r.onOp("Resize", 11, importResize);
  r.onOp("Upsample", 1, importUpsampleHeightWidth);
  r.onOp("Upsample", 7, importUpsampleAttribute);
  r.onOp("Upsample", 9, importUpsample);
}
