//===- Quantization.cpp - quantization ------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Elements.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

/// For each element of the input, which element of the scale (and zero point)
/// applies to it.
static FailureOr<std::vector<int64_t>>
getScaleIndices(Call &call, const HostTensor &input, const HostTensor &scale,
                int64_t axis, int64_t blockSize) {
  std::vector<int64_t> indices(input.getNumElements(), 0);
  if (scale.getNumElements() == 1 && blockSize == 0)
    return indices;
  axis = normalizeAxis(axis, input.getRank());
  Shape strides(input.getRank(), 0), expected;
  if (blockSize == 0) {
    strides[axis] = 1;
    expected = {input.getDim(axis)};
  } else {
    expected = Shape(input.getDims());
    expected[axis] = (expected[axis] + blockSize - 1) / blockSize;
    strides = getStrides(expected);
  }
  if (scale.getDims() != ArrayRef(expected))
    return call.fail("scale has the shape " + formatDims(scale.getDims()) +
                     ", not " + formatDims(expected));
  int64_t i = 0;
  forEachIndex(input.getDims(), [&](ArrayRef<int64_t> index) {
    int64_t along = blockSize ? index[axis] / blockSize : index[axis];
    indices[i++] = dot(index, strides) + (along - index[axis]) * strides[axis];
  });
  return indices;
}

static LogicalResult checkZeroPoint(Call &call, const HostTensor &scale,
                                    const HostTensor &zeroPoint) {
  if (!zeroPoint.isValid() || zeroPoint.getDims() == scale.getDims())
    return success();
  return call.fail("zero_point has the shape " +
                   formatDims(zeroPoint.getDims()) + ", but scale " +
                   formatDims(scale.getDims()));
}

/// `value` rounded to a value of the type.
static double roundTo(DataType type, double value) {
  HostTensor holder = HostTensor::allocate(type, {});
  holder.setDouble(0, value);
  return holder.getDouble(0);
}

static LogicalResult quantize(QuantizeOp op, Call &call) {
  const HostTensor &input = call[op.getInput()], &scale = call[op.getScale()];
  const HostTensor &zeroPoint = call[op.getZeroPoint()];
  FailureOr<std::vector<int64_t>> indices = getScaleIndices(
      call, input, scale, op.getAxis(), op.getBlockSize());
  if (failed(indices) || failed(checkZeroPoint(call, scale, zeroPoint)))
    return failure();
  DataType type = call.getResultType();
  unsigned bits = getBitWidth(type);
  double low = isSignedInteger(type) ? -std::ldexp(1.0, bits - 1) : 0;
  double high = std::ldexp(1.0, isSignedInteger(type) ? bits - 1 : bits) - 1;
  // ONNX divides in the precision of the scale: ties depend on it.
  DataType compute = scale.getType() == DataType::Float64 ? DataType::Float64
                                                          : DataType::Float32;
  HostTensor result = HostTensor::allocate(type, input.getDims());
  for (int64_t i = 0; i < input.getNumElements(); ++i) {
    int64_t s = (*indices)[i];
    double quotient = roundTo(compute, input.getDouble(i) / scale.getDouble(s));
    double zero = zeroPoint.isValid() ? zeroPoint.getDouble(s) : 0.0;
    if (isFloat(type)) {
      result.getMutable<uint8_t>()[i] = encodeSmallFloat(
          type, roundTo(compute, quotient + zero), op.getSaturate());
      continue;
    }
    double sum = std::nearbyint(quotient) + zero;
    // NaN becomes the lowest number.
    result.setInt(i, int64_t(std::min(sum > low ? sum : low, high)));
  }
  return call.give(std::move(result));
}

static LogicalResult dequantize(DequantizeOp op, Call &call) {
  const HostTensor &input = call[op.getInput()], &scale = call[op.getScale()];
  const HostTensor &zeroPoint = call[op.getZeroPoint()];
  FailureOr<std::vector<int64_t>> indices = getScaleIndices(
      call, input, scale, op.getAxis(), op.getBlockSize());
  if (failed(indices) || failed(checkZeroPoint(call, scale, zeroPoint)))
    return failure();
  Doubles values = readDoubles(input);
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t s = (*indices)[i];
    double zero = zeroPoint.isValid() ? zeroPoint.getDouble(s) : 0.0;
    values[i] = (values[i] - zero) * scale.getDouble(s);
  }
  return call.give(makeTensor(call.getResultType(), input.getDims(), values));
}

void interpreter::registerQuantization(Registry &registry) {
  registry.add<QuantizeOp>(quantize);
  registry.add<DequantizeOp>(dequantize);
}
