//===- Conv.cpp - convolutions in ONNX ------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

template <typename OpT> static Attributes getAttributes(OpT op, NodeWriter &w) {
  Attributes attributes;
  // Follows from the weight, but some readers want to see it.
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  ArrayRef<int64_t> window = weight.getShape().drop_front(2);
  if (!ShapedType::isDynamicShape(window))
    attributes.push_back(
        MakeAttribute("kernel_shape", std::vector<int64_t>(window.vec())));
  for (StringRef name : {"strides", "dilations", "pads", "group", "auto_pad",
                         "output_padding", "output_shape"})
    if (std::optional<Attribute> value = op->getInherentAttr(name))
      w.addAttribute(attributes, name, *value);
  return attributes;
}

static LogicalResult writeConv(ConvOp op, NodeWriter &w) {
  Attributes attributes = getAttributes(op, w);
  auto type = cast<RankedTensorType>(op.getInput().getType());
  if (!isa<IntegerType>(type.getElementType()))
    return w.replaceWith("Conv", w.getOperands(), attributes);

  SmallVector<Name> operands{w.get(op.getInput()), w.get(op.getWeight())};
  if (int64_t zero = op.getInputZeroPoint()) {
    HostTensor point = HostTensor::allocate(*getDataType(type.getElementType()), {});
    point.setInt(0, zero);
    operands.push_back(w.constant(point));
  }
  if (!op.getBias())
    return w.replaceWith("ConvInteger", operands, attributes);
  // Added as if the layout were ONNX's, which the result is transposed from.
  Name sum = w.create("ConvInteger", operands, attributes);
  SmallVector<int64_t> shape(type.getRank(), 1);
  shape[1] = cast<RankedTensorType>(op.getBias().getType()).getDimSize(0);
  return w.replaceWith("Add", {sum, w.reshape(w.get(op.getBias()), shape)});
}

static LogicalResult writeConvTranspose(ConvTransposeOp op, NodeWriter &w) {
  return w.replaceWith("ConvTranspose", w.getOperands(), getAttributes(op, w));
}

void exporter::registerConv(Registry &r) {
  r.onOp<ConvOp>("Conv, ConvInteger", writeConv);
  r.onOp<ConvTransposeOp>("ConvTranspose", writeConvTranspose);
}
