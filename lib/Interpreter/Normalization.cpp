//===- Normalization.cpp - normalizations and softmax ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Formulas.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

/// Calls `action(first, stride)` for each line of `dims` along `axis`: the
/// elements first + i * stride.
template <typename Action>
static void forEachLine(ArrayRef<int64_t> dims, int64_t axis, Action action) {
  int64_t outer = product(dims.take_front(axis)), size = dims[axis];
  int64_t inner = product(dims.drop_front(axis + 1));
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i)
      action(o * size * inner + i, inner);
}

/// Replaces `count` values by (x - mean) / sqrt(variance + epsilon).
static void standardize(double *values, int64_t count, double epsilon) {
  double mean = 0, variance = 0;
  for (int64_t i = 0; i < count; ++i)
    mean += values[i] / count;
  for (int64_t i = 0; i < count; ++i)
    variance += (values[i] - mean) * (values[i] - mean) / count;
  double scale = 1 / std::sqrt(variance + epsilon);
  for (int64_t i = 0; i < count; ++i)
    values[i] = (values[i] - mean) * scale;
}

/// Fails unless `tensor` has an element for each of `channels` channels.
static LogicalResult checkPerChannel(Call &call, const HostTensor &tensor,
                                     int64_t channels, const char *name) {
  if (tensor.getNumElements() == channels)
    return success();
  return call.fail(Twine(name) + " has " + Twine(tensor.getNumElements()) +
                   " elements for " + Twine(channels) + " channels");
}

static LogicalResult batchNorm(BatchNormOp op, Call &call) {
  HostTensor input = readSpatial(op, call[op.getInput()]);
  const HostTensor &scale = call[op.getScale()], &bias = call[op.getBias()];
  const HostTensor &mean = call[op.getMean()], &variance = call[op.getVariance()];
  int64_t channels = input.getDim(1);
  if (failed(checkPerChannel(call, scale, channels, "scale")) ||
      failed(checkPerChannel(call, bias, channels, "bias")) ||
      failed(checkPerChannel(call, mean, channels, "mean")) ||
      failed(checkPerChannel(call, variance, channels, "variance")))
    return failure();
  double epsilon = op.getEpsilon().convertToDouble();
  Doubles values = readDoubles(input);
  int64_t area = product(input.getDims().drop_front(2));
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t c = i / area % channels;
    values[i] = (values[i] - mean.getDouble(c)) /
                    std::sqrt(variance.getDouble(c) + epsilon) *
                    scale.getDouble(c) +
                bias.getDouble(c);
  }
  return call.give(writeSpatial(
      op, makeTensor(input.getType(), input.getDims(), values)));
}

static LogicalResult instanceNorm(InstanceNormOp op, Call &call) {
  HostTensor input = readSpatial(op, call[op.getInput()]);
  const HostTensor &scale = call[op.getScale()], &bias = call[op.getBias()];
  int64_t channels = input.getDim(1);
  if (failed(checkPerChannel(call, scale, channels, "scale")) ||
      failed(checkPerChannel(call, bias, channels, "bias")))
    return failure();
  Doubles values = readDoubles(input);
  int64_t area = product(input.getDims().drop_front(2));
  for (int64_t plane = 0; plane < input.getDim(0) * channels; ++plane) {
    double *first = values.data() + plane * area;
    standardize(first, area, op.getEpsilon().convertToDouble());
    for (int64_t i = 0; i < area; ++i)
      first[i] = first[i] * scale.getDouble(plane % channels) +
                 bias.getDouble(plane % channels);
  }
  return call.give(writeSpatial(
      op, makeTensor(input.getType(), input.getDims(), values)));
}

static LogicalResult layerNorm(LayerNormOp op, Call &call) {
  const HostTensor &input = call[op.getInput()];
  const HostTensor &scale = call[op.getScale()], &bias = call[op.getBias()];
  ArrayRef<int64_t> dims = input.getDims();
  int64_t axis = normalizeAxis(op.getAxis(), input.getRank());
  int64_t count = product(dims.drop_front(axis));
  Doubles values = readDoubles(input);
  for (int64_t row = 0; row < product(dims.take_front(axis)); ++row)
    standardize(values.data() + row * count, count,
                op.getEpsilon().convertToDouble());
  SmallVector<HostTensor> all{input, scale};
  if (bias.isValid())
    all.push_back(bias);
  FailureOr<Shape> common = broadcastShapes(call, all);
  if (failed(common))
    return failure();
  if (ArrayRef(*common) != dims)
    return call.fail("scale or bias do not broadcast to the input's shape " +
                     formatDims(dims));
  Doubles factors = broadcast(readDoubles(scale), scale.getDims(), dims);
  Doubles added(values.size(), 0.0);
  if (bias.isValid())
    added = broadcast(readDoubles(bias), bias.getDims(), dims);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = values[i] * factors[i] + added[i];
  return call.give(makeTensor(input.getType(), dims, values));
}

HostTensor interpreter::normalizeLocally(const HostTensor &input, int64_t size,
                                         double alpha, double beta, double bias) {
  int64_t channels = input.getDim(1);
  Doubles values = readDoubles(input), results(values.size());
  int64_t area = product(input.getDims().drop_front(2));
  for (int64_t i = 0; i < int64_t(values.size()); ++i) {
    int64_t c = i / area % channels;
    int64_t low = std::max<int64_t>(0, c - (size - 1) / 2);
    int64_t high = std::min(channels - 1, c + size / 2); // ceil((size - 1) / 2)
    double sum = 0;
    for (int64_t other = low; other <= high; ++other) {
      double x = values[i + (other - c) * area];
      sum += x * x;
    }
    results[i] = values[i] / std::pow(bias + alpha / size * sum, beta);
  }
  return makeTensor(input.getType(), input.getDims(), results);
}

HostTensor interpreter::softmax(const HostTensor &input, int64_t axis,
                                bool logarithm) {
  Doubles values = readDoubles(input);
  int64_t size = input.getDim(axis);
  forEachLine(input.getDims(), axis, [&](int64_t first, int64_t stride) {
    double max = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t i = 0; i < size; ++i)
      max = std::max(max, values[first + i * stride]);
    for (int64_t i = 0; i < size; ++i)
      sum += std::exp(values[first + i * stride] - max);
    for (int64_t i = 0; i < size; ++i) {
      double &x = values[first + i * stride];
      x = logarithm ? x - max - std::log(sum) : std::exp(x - max) / sum;
    }
  });
  return makeTensor(input.getType(), input.getDims(), values);
}

static LogicalResult lrn(LRNOp op, Call &call) {
  HostTensor input = readSpatial(op, call[op.getInput()]);
  return call.give(writeSpatial(
      op, normalizeLocally(input, op.getSize(), op.getAlpha().convertToDouble(),
                           op.getBeta().convertToDouble(),
                           op.getBias().convertToDouble())));
}

template <typename OpT>
static LogicalResult computeSoftmax(OpT op, Call &call, bool logarithm) {
  const HostTensor &input = call[op.getInput()];
  int64_t axis = normalizeAxis(op.getAxis(), input.getRank());
  return call.give(interpreter::softmax(input, axis, logarithm));
}

void interpreter::registerNormalization(Registry &registry) {
  registry.add<BatchNormOp>(batchNorm);
  registry.add<InstanceNormOp>(instanceNorm);
  registry.add<LayerNormOp>(layerNorm);
  registry.add<LRNOp>(lrn);
  registry.add<SoftmaxOp>([](SoftmaxOp op, Call &call) {
    return computeSoftmax(op, call, /*logarithm=*/false);
  });
  registry.add<LogSoftmaxOp>([](LogSoftmaxOp op, Call &call) {
    return computeSoftmax(op, call, /*logarithm=*/true);
  });
}
