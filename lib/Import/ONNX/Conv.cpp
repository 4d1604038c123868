//===- Conv.cpp - import of convolutions ----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "ShapeMath.h"
#include "SpatialAttrs.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static std::string showSizes(ArrayRef<int64_t> values) {
  return "[" + llvm::join(llvm::map_range(values, [](int64_t value) {
           return std::to_string(value);
         }), ", ") + "]";
}

Value SpatialAttrs::bindKernelShape(NodeBinder &node, Value weight) const {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(weight.getType()).getShape();
  if (kernelShape.empty() || shape.size() < 2)
    return weight;
  ArrayRef<int64_t> known = shape.drop_front(2);
  if (!llvm::equal(kernelShape, known, [](int64_t given, int64_t size) {
        return ShapedType::isDynamic(size) || given == size;
      })) {
    (void)node.fail("kernel_shape is the shape of the weight's windows",
                    showSizes(kernelShape), showSizes(known));
    return {};
  }
  return fixTrailingDims(node, weight, kernelShape, [](int64_t dim) {
    return "gets weights with another size than attribute 'kernel_shape' says along dimension " +
           std::to_string(dim) +
           "; give it weights of that shape, or export the model again";
  });
}

static LogicalResult importConv(NodeBinder &node) {
  Value input, weight, bias;
  SpatialAttrs attrs;
  int64_t group;
  node.operand("X", input).operand("W", weight).optionalOperand("B", bias)
      .attr("group", group, 1);
  if (attrs.bind(node).failed() ||
      !(weight = attrs.bindKernelShape(node, weight)))
    return failure();
  return node.replaceWith<ConvOp>(input, weight, bias, attrs.strides,
                                  attrs.dilations, attrs.pads, group,
                                  attrs.autoPad);
}

static LogicalResult importConvTranspose(NodeBinder &node) {
  Value input, weight, bias;
  SpatialAttrs attrs;
  SmallVector<int64_t> outputPadding, outputShape;
  int64_t group;
  node.operand("X", input).operand("W", weight).optionalOperand("B", bias)
      .attr("group", group, 1).attr("output_padding", outputPadding)
      .attr("output_shape", outputShape);
  if (attrs.bind(node).failed() ||
      !(weight = attrs.bindKernelShape(node, weight)))
    return failure();
  // Old exporters give the batch and channels, too.
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  if (rank > 2 && int64_t(outputShape.size()) == rank)
    outputShape.erase(outputShape.begin(), outputShape.begin() + 2);
  return node.replaceWith<ConvTransposeOp>(
      input, weight, bias, attrs.strides, attrs.dilations, attrs.pads,
      outputPadding, outputShape, group, attrs.autoPad);
}

void importer::registerConv(Registry &r) {
  r.onOp("Conv", 1, importConv);
  r.onOp("ConvTranspose", 1, importConvTranspose);
}
