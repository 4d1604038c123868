//===- Shape.cpp - operators that move data, in ONNX ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

/// In ONNX, no axes means all of them.
template <typename OpT> static LogicalResult writeAxes(OpT op, NodeWriter &w) {
  StringRef onnx = isa<SqueezeOp>(op.getOperation()) ? "Squeeze" : "Unsqueeze";
  if (op.getAxes().empty())
    return w.setResult(w.get(op.getInput()));
  return w.replaceWith(onnx, {w.get(op.getInput()), w.list(op.getAxes())});
}

static LogicalResult writePad(PadOp op, NodeWriter &w) {
  SmallVector<Name> operands = w.getOperands();
  auto value = op.getValue();
  if (value && cast<RankedTensorType>(value.getType()).getRank() != 0)
    operands[2] = w.reshape(operands[2], {});
  operands.resize(4);
  if (!op.getAxes().empty())
    operands[3] = w.list(op.getAxes());
  Attributes attributes;
  w.addAttribute(attributes, "mode", op.getModeAttr());
  return w.replaceWith("Pad", operands, attributes);
}

void exporter::registerShape(Registry &r) {
  r.onOp<ConcatOp>("Concat");
  r.onOp<DepthToSpaceOp>("DepthToSpace");
  r.onOp<ExpandOp>("Expand");
  r.onOp<FlattenOp>("Flatten");
  r.onOp<PadOp>("Pad", writePad);
  r.onOp<ReshapeOp>("Reshape", {rename("allow_zero", "allowzero")});
  r.onOp<ResizeOp>("Resize",
                   {rename("coordinate_mode", "coordinate_transformation_mode"),
                    rename("keep_aspect_ratio", "keep_aspect_ratio_policy")});
  r.onOp<nn::ShapeOp>("Shape");
  r.onOp<SizeOp>("Size");
  r.onOp<SliceOp>("Slice", {asList("axes", 3), asList("steps", 4)});
  r.onOp<SpaceToDepthOp>("SpaceToDepth");
  r.onOp<SplitOp>("Split", {asList("sizes", 1)});
  r.onOp<SqueezeOp>("Squeeze", writeAxes<SqueezeOp>);
  r.onOp<TileOp>("Tile");
  r.onOp<TransposeOp>("Transpose");
  r.onOp<UnsqueezeOp>("Unsqueeze", writeAxes<UnsqueezeOp>);
}
