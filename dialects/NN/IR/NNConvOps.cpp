//===- NNConvOps.cpp - convolutions -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/IR/SpatialShapes.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::nn;

/// What the shape functions and verifiers of both convolutions share.
template <typename OpOrAdaptor>
static LogicalResult checkConv(OpOrAdaptor op,
                               function_ref<LogicalResult(const Twine &)> fail) {
  auto input = cast<RankedTensorType>(op.getInput().getType());
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  // conv_c1
  if (input.getRank() < 3 || input.getRank() != weight.getRank())
    return fail("input and weight must have one rank >= 3, not " +
                Twine(input.getRank()) + " and " + Twine(weight.getRank()));
  Type element = input.getElementType(), weightElement = weight.getElementType();
  Type sum = element;
  if (element.isInteger(8) && weightElement.isInteger(8))
    sum = IntegerType::get(element.getContext(), 32);
  else if (!isa<FloatType>(element))
    return fail("operands must be floats, or integers of 8 bits");
  else if (weightElement != element)
    return fail("operands have different element types");
  if (Value bias = op.getBias();
      bias && cast<ShapedType>(bias.getType()).getElementType() != sum)
    return fail("the bias has another element type than the sums");
  for (int64_t i = 2; i < weight.getRank(); ++i)
    if (weight.isDynamicDim(i))
      return fail("the kernel's spatial dimensions must be known");
  return success();
}

static LogicalResult checkBias(Value bias, int64_t channels,
                               function_ref<LogicalResult(const Twine &)> fail) {
  if (!bias)
    return success();
  auto type = cast<RankedTensorType>(bias.getType());
  if (type.getRank() != 1 ||
      (!type.isDynamicDim(0) && !ShapedType::isDynamic(channels) &&
       type.getDimSize(0) != channels))
    return fail("the bias must have " + Twine(channels) + " elements");
  return success();
}

LogicalResult ConvOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                  SmallVectorImpl<InferredTensor> &results) {
  if (failed(checkConv(adaptor, [&](const Twine &m) { return env.fail(m); })))
    return failure();
  auto type = cast<RankedTensorType>(adaptor.getInput().getType());
  auto weight = cast<RankedTensorType>(adaptor.getWeight().getType());
  SpatialDims where(adaptor.getLayout(), type.getRank());
  if ((!adaptor.getStrides().empty() &&
       int64_t(adaptor.getStrides().size()) != where.count) ||
      (!adaptor.getDilations().empty() &&
       int64_t(adaptor.getDilations().size()) != where.count) ||
      (!adaptor.getPads().empty() &&
       int64_t(adaptor.getPads().size()) != 2 * where.count))
    return env.fail("strides, dilations and pads must fit " +
                    Twine(where.count) + " spatial dimensions");
  Window window(where.count, adaptor.getStrides(), adaptor.getDilations(),
                adaptor.getPads());
  if (llvm::any_of(window.strides, [](int64_t s) { return s < 1; }))
    return env.fail("strides must be positive");
  Dims dims = env.getDims(adaptor.getInput());
  // conv_c6
  if (failed(countWindows(env, MutableArrayRef(dims).slice(where.firstSpatial, where.count),
                          weight.getShape().drop_front(2), window, /*ceilMode=*/false,
                          adaptor.getAutoPad())))
    return failure();
  dims[where.channel] = env.getDims(adaptor.getWeight())[0];
  Type element = type.getElementType();
  results.push_back(
      {dims, element.isInteger(8) ? IntegerType::get(element.getContext(), 32) : element});
  return success();
}

LogicalResult ConvOp::verify() {
  auto fail = [&](const Twine &m) -> LogicalResult { return emitOpError(m); };
  if (failed(checkConv(*this, fail)))
    return failure();
  auto input = getInput().getType(), weight = getWeight().getType();
  SpatialDims where(getLayout(), input.getRank());
  // conv_c2, conv_c3
  if (failed(verifyWindow(*this, where.count, getStrides(), getDilations(),
                          getPads())))
    return failure();
  // conv_c4
  int64_t channels = input.getDimSize(where.channel), group = getGroup();
  if (group < 1)
    return emitOpError("group must be positive");
  if (!ShapedType::isDynamic(channels) && !weight.isDynamicDim(1) &&
      channels != group * weight.getDimSize(1))
    return emitOpError("the input has ")
           << channels << " channels, but group * weight's dimension 1 is "
           << group * weight.getDimSize(1);
  if (!weight.isDynamicDim(0) && weight.getDimSize(0) % group != 0)
    return emitOpError("the number of filters, ")
           << weight.getDimSize(0) << ", is not a multiple of group, " << group;
  // conv_c7
  int64_t zero = getInputZeroPoint();
  Type element = input.getElementType();
  bool isUnsigned = element.isUnsignedInteger();
  if (element.isInteger(8) ? zero < (isUnsigned ? 0 : -128) || zero > (isUnsigned ? 255 : 127)
                      : zero != 0)
    return emitOpError("input_zero_point ") << zero << " is no value of " << element;
  // conv_c5
  return checkBias(getBias(), weight.getDimSize(0), fail);
}

LogicalResult
ConvTransposeOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                             SmallVectorImpl<InferredTensor> &results) {
  if (failed(checkConv(adaptor, [&](const Twine &m) { return env.fail(m); })))
    return failure();
  auto type = cast<RankedTensorType>(adaptor.getInput().getType());
  auto weight = cast<RankedTensorType>(adaptor.getWeight().getType());
  SpatialDims where(adaptor.getLayout(), type.getRank());
  auto fits = [&](ArrayRef<int64_t> list, int64_t count) {
    return list.empty() || int64_t(list.size()) == count;
  };
  // conv_c2, conv_transpose_c1
  if (!fits(adaptor.getStrides(), where.count) ||
      !fits(adaptor.getDilations(), where.count) ||
      !fits(adaptor.getPads(), 2 * where.count) ||
      !fits(adaptor.getOutputPadding(), where.count) ||
      !fits(adaptor.getOutputShape(), where.count))
    return env.fail("strides, dilations, pads, output_padding and output_shape "
                    "must fit " + Twine(where.count) + " spatial dimensions");
  Window window(where.count, adaptor.getStrides(), adaptor.getDilations(),
                adaptor.getPads());
  Dims dims = env.getDims(adaptor.getInput());
  for (int64_t i = 0; i < where.count; ++i) {
    Dim &dim = dims[where.firstSpatial + i];
    if (!adaptor.getOutputShape().empty()) {
      dim = env.constant(adaptor.getOutputShape()[i]);
      continue;
    }
    AutoPad autoPad = adaptor.getAutoPad();
    if (autoPad == AutoPad::SameUpper || autoPad == AutoPad::SameLower) {
      dim = dim * window.strides[i];
      continue;
    }
    int64_t added =
        adaptor.getOutputPadding().empty() ? 0 : adaptor.getOutputPadding()[i];
    int64_t padding = autoPad == AutoPad::Valid
                          ? 0
                          : window.pads[i] + window.pads[where.count + i];
    dim = (dim - 1) * window.strides[i] +
          (added + window.dilations[i] * (weight.getDimSize(2 + i) - 1) + 1 -
           padding);
  }
  dims[where.channel] =
      env.getDims(adaptor.getWeight())[1] * int64_t(adaptor.getGroup());
  results.push_back({dims, type.getElementType()});
  return success();
}

LogicalResult ConvTransposeOp::verify() {
  auto fail = [&](const Twine &m) -> LogicalResult { return emitOpError(m); };
  if (failed(checkConv(*this, fail)))
    return failure();
  auto input = getInput().getType(), weight = getWeight().getType();
  SpatialDims where(getLayout(), input.getRank());
  if (failed(verifyWindow(*this, where.count, getStrides(), getDilations(),
                          getPads())))
    return failure();
  int64_t channels = input.getDimSize(where.channel), group = getGroup();
  if (group < 1)
    return emitOpError("group must be positive");
  if (!ShapedType::isDynamic(channels) && !weight.isDynamicDim(0) &&
      channels != weight.getDimSize(0))
    return emitOpError("the input has ") << channels << " channels, but weight's "
           "dimension 0 is " << weight.getDimSize(0);
  if (!ShapedType::isDynamic(channels) && channels % group != 0)
    return emitOpError("the number of channels, ")
           << channels << ", is not a multiple of group, " << group;
  int64_t filters = weight.getDimSize(1);
  return checkBias(getBias(),
                   ShapedType::isDynamic(filters) ? filters : filters * group,
                   fail);
}

namespace {
/// Replaces auto_pad by explicit pads, if the sizes are known.
struct ResolveConvAutoPad : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getAutoPad() == AutoPad::NotSet)
      return failure();
    auto type = op.getInput().getType();
    SpatialDims where(op.getLayout(), type.getRank());
    Window window(where.count, op.getStrides(), op.getDilations(), op.getPads());
    auto pads = resolveAutoPad(
        op.getAutoPad(), type.getShape().slice(where.firstSpatial, where.count),
        op.getWeight().getType().getShape().drop_front(2), window);
    if (!pads)
      return rewriter.notifyMatchFailure(op, "sizes are not known");
    rewriter.modifyOpInPlace(op, [&] {
      op.setPads(*pads);
      op.setAutoPad(AutoPad::NotSet);
    });
    return success();
  }
};
} // namespace

void ConvOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<ResolveConvAutoPad>(context);
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

/// The products of an element: for each tap, those of the channels of a group.
Dim ConvOp::getWorkPerElement(ShapeEnv &env) {
  return env.product(ArrayRef(env.getDims(getWeight())).drop_front());
}

/// A tap reaches an element of the result out of as many as the strides step over.
Dim ConvTransposeOp::getWorkPerElement(ShapeEnv &env) {
  Dims weight = env.getDims(getWeight());
  int64_t strides = 1;
  for (int64_t stride : getStrides())
    strides *= stride;
  Dim taps = env.product(ArrayRef(weight).drop_front(2));
  return (taps * weight[0].floorDiv(getGroup())).ceilDiv(strides);
}
