//===- OneDNNConvOps.cpp - convolutions -----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/SpatialShapes.h"
#include "dialects/OneDNN/IR/Verification.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::onednn;

LogicalResult onednn::verifyWindowLists(Operation *op, size_t count,
                                        ArrayRef<int64_t> strides,
                                        ArrayRef<int64_t> dilations,
                                        ArrayRef<int64_t> padsBegin,
                                        ArrayRef<int64_t> padsEnd) {
  std::pair<StringRef, ArrayRef<int64_t>> lists[] = {
      {"strides", strides},
      {"dilations", dilations},
      {"pads_begin", padsBegin},
      {"pads_end", padsEnd}};
  for (auto [name, list] : lists)
    if (!list.empty() && list.size() != count)
      return op->emitOpError() << "'" << name << "' has " << list.size()
                               << " entries, expected " << count << " or none";
  auto isPositive = [](int64_t value) { return value > 0; };
  if (!llvm::all_of(strides, isPositive) || !llvm::all_of(dilations, isPositive))
    return op->emitOpError("strides and dilations must be positive");
  return success();
}

LogicalResult onednn::verifyTypes(Operation *op, ShapedType src, ShapedType weights,
                                  Value bias, ShapedType dst) {
  Type srcType = src.getElementType(), weightsType = weights.getElementType(),
       dstType = dst.getElementType();
  Type biasType = bias ? getShaped(bias).getElementType() : Type();
  bool areFloats = isa<FloatType>(srcType) && isa<FloatType>(weightsType) &&
                   isa<FloatType>(dstType) && (!bias || isa<FloatType>(biasType));
  bool areIntegers =
      srcType.isInteger(8) && weightsType.isSignlessInteger(8) &&
      (dstType.isInteger(8) || dstType.isSignlessInteger(32) || dstType.isF32()) &&
      (!bias || biasType.isSignlessInteger(32) || biasType.isF32());
  if (areFloats || areIntegers)
    return success();
  InFlightDiagnostic error = op->emitOpError("has no such element types: src ")
                             << srcType << ", weights " << weightsType;
  if (bias)
    error << ", bias " << biasType;
  return error << ", dst " << dstType;
}

LogicalResult onednn::verifyPostOps(PrimitiveOpInterface op, ShapedType dst) {
  for (Attribute postOp : op.getPostOpList()) {
    auto binary = dyn_cast<BinaryAttr>(postOp);
    if (!binary)
      continue;
    // post_ops_c1
    OperandRange operands = op.getPostOpOperands();
    if (binary.getOperand() < 0 ||
        binary.getOperand() >= static_cast<int64_t>(operands.size()))
      return op.emitOpError("post-op names operand ")
             << binary.getOperand() << " of " << operands.size();
    ShapedType operand = getShaped(operands[binary.getOperand()]);
    bool fits = operand.getRank() == dst.getRank();
    for (auto [size, whole] : llvm::zip(operand.getShape(), dst.getShape()))
      fits &= size == 1 || maybeEqual(size, whole);
    if (!fits)
      return op.emitOpError("post-op operand ")
             << binary.getOperand() << " of type " << operand
             << " does not broadcast to dst";
  }
  return success();
}

template <typename Op> static LogicalResult verifyConvolution(Op op) {
  constexpr bool isTransposed = std::is_same_v<Op, DeconvolutionOp>;
  ShapedType src = getShaped(op.getSrc()), weights = getShaped(op.getWeights()),
             dst = getShaped(op.getDst());
  int64_t rank = src.getRank();
  // conv_c1
  if (rank < 3 || weights.getRank() != rank || dst.getRank() != rank)
    return op.emitOpError("src, weights and dst must have one rank of at least 3");
  // conv_c2
  if (failed(verifyWindowLists(op, rank - 2, op.getStrides(), op.getDilations(),
                               op.getPadsBegin(), op.getPadsEnd())))
    return failure();
  // conv_c3
  SpatialDims dims(op.getLayout(), rank);
  int64_t groups = op.getGroups();
  if (groups < 1)
    return op.emitOpError("groups must be positive");
  int64_t inner = weights.getDimSize(1);
  int64_t timesGroups =
      ShapedType::isDynamic(inner) ? ShapedType::kDynamic : inner * groups;
  int64_t srcChannels = isTransposed ? weights.getDimSize(0) : timesGroups;
  int64_t dstChannels = isTransposed ? timesGroups : weights.getDimSize(0);
  if (!maybeEqual(src.getDimSize(dims.channel), srcChannels))
    return op.emitOpError("src has ")
           << src.getDimSize(dims.channel) << " channels, weights take "
           << srcChannels;
  if (!maybeEqual(dst.getDimSize(dims.channel), dstChannels))
    return op.emitOpError("dst has ")
           << dst.getDimSize(dims.channel) << " channels, weights give "
           << dstChannels;
  if (!ShapedType::isDynamic(weights.getDimSize(0)) &&
      weights.getDimSize(0) % groups != 0)
    return op.emitOpError("weights' dimension 0 is not a multiple of groups");
  // conv_c4
  if (op.getBias()) {
    ShapedType bias = getShaped(op.getBias());
    if (bias.getRank() != 1 || !maybeEqual(bias.getDimSize(0), dstChannels))
      return op.emitOpError("bias must have rank 1 and ")
             << dstChannels << " elements";
  }
  if (failed(verifyTypes(op, src, weights, op.getBias(), dst)))
    return failure();
  // types_c2
  int64_t zero = op.getSrcZeroPoint();
  bool isUnsigned = src.getElementType().isUnsignedInteger();
  if (src.getElementType().isInteger(8)
          ? zero < (isUnsigned ? 0 : -128) || zero > (isUnsigned ? 255 : 127)
          : zero != 0)
    return op.emitOpError("src_zero_point ")
           << zero << " is no value of " << src.getElementType();
  // conv_c5
  bool isExplicit = op.getAutoPad() == AutoPad::NotSet;
  for (int64_t i = 0; isExplicit && i < dims.count; ++i) {
    int64_t in = src.getDimSize(dims.firstSpatial + i);
    int64_t out = dst.getDimSize(dims.firstSpatial + i);
    int64_t kernel = weights.getDimSize(2 + i);
    if (ShapedType::isDynamic(in) || ShapedType::isDynamic(out) ||
        ShapedType::isDynamic(kernel))
      continue;
    int64_t stride = getEntry(op.getStrides(), i, 1);
    int64_t extent = getEntry(op.getDilations(), i, 1) * (kernel - 1) + 1;
    int64_t pads = getEntry(op.getPadsBegin(), i, 0) + getEntry(op.getPadsEnd(), i, 0);
    int64_t expected = isTransposed ? (in - 1) * stride + extent - pads
                                    : (in + pads - extent) / stride + 1;
    if (out != expected)
      return op.emitOpError("dst has size ")
             << out << " in spatial dimension " << i << ", expected " << expected;
  }
  return verifyPostOps(cast<PrimitiveOpInterface>(op.getOperation()), dst);
}

LogicalResult ConvolutionOp::verify() { return verifyConvolution(*this); }
LogicalResult DeconvolutionOp::verify() { return verifyConvolution(*this); }
