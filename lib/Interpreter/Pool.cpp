//===- Pool.cpp - pooling -------------------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Formulas.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

/// Each element of the result is `reduce(values, padded)` of the values in its
/// window and the number of positions that are in the padding.
template <typename OpT, typename T, typename Reduce>
static LogicalResult pool(OpT op, Call &call, const HostTensor &input,
                          const std::vector<T> &elements, Reduce reduce) {
  FailureOr<Window> window = makeWindow(
      call, input.getDims().drop_front(2), op.getKernelShape(), op.getStrides(),
      op.getDilations(), op.getPads(), op.getAutoPad(), op.getCeilMode());
  if (failed(window))
    return failure();
  int64_t planes = input.getDim(0) * input.getDim(1);
  std::vector<T> result = reduceWindows(*window, planes, elements, reduce);
  Shape dims{input.getDim(0), input.getDim(1)};
  dims.append(window->output);
  return call.give(
      writeSpatial(op, makeTensor(call.getResultType(), dims, result)));
}

static LogicalResult maxPool(MaxPoolOp op, Call &call) {
  HostTensor input = readSpatial(op, call[op.getInput()]);
  if (isFloat(input.getType()))
    return pool(op, call, input, readDoubles(input),
                [](const Doubles &values, int64_t) {
                  double best = -std::numeric_limits<double>::infinity();
                  for (double value : values)
                    best = value != value || value > best ? value : best;
                  return best;
                });
  bool isUInt64 = input.getType() == DataType::UInt64;
  return pool(op, call, input, readInts(input),
              [=](const Ints &values, int64_t) {
                int64_t best = isUInt64 ? 0 : std::numeric_limits<int64_t>::min();
                for (int64_t value : values)
                  if (isUInt64 ? uint64_t(value) > uint64_t(best) : value > best)
                    best = value;
                return best;
              });
}

static LogicalResult averagePool(AveragePoolOp op, Call &call) {
  HostTensor input = readSpatial(op, call[op.getInput()]);
  bool countPadding = op.getCountIncludePad();
  return pool(op, call, input, readDoubles(input),
              [=](const Doubles &values, int64_t padded) {
                double sum = 0;
                for (double value : values)
                  sum += value;
                int64_t count = values.size() + (countPadding ? padded : 0);
                // A window that is all padding has no mean.
                return count ? sum / double(count) : 0;
              });
}

static LogicalResult lpPool(LpPoolOp op, Call &call) {
  HostTensor input = readSpatial(op, call[op.getInput()]);
  double p = op.getP();
  return pool(op, call, input, readDoubles(input),
              [=](const Doubles &values, int64_t) {
                double sum = 0;
                for (double value : values)
                  sum += std::pow(std::fabs(value), p);
                return std::pow(sum, 1 / p);
              });
}

/// Pools numbered elements, so that the reduction can report which one it took.
static LogicalResult maxPoolIndices(MaxPoolIndicesOp op, Call &call) {
  HostTensor input = readSpatial(op, call[op.getInput()]);
  Ints places;
  Shape spatial(input.getDims().drop_front(2));
  Shape strides = getStrides(spatial);
  if (op.getColumnMajor()) {
    int64_t stride = 1;
    for (size_t d = 0; d < spatial.size(); ++d, stride *= spatial[d - 1])
      strides[d] = stride;
  }
  // Values with their indices in ONNX, both by row-major position.
  Doubles values = readDoubles(input);
  Ints numbers;
  int64_t area = product(spatial), planes = input.getDim(0) * input.getDim(1);
  for (int64_t plane = 0; plane < planes; ++plane)
    forEachIndex(spatial, [&](ArrayRef<int64_t> index) {
      numbers.push_back(plane * area + dot(index, strides));
      places.push_back(places.size());
    });
  return pool(op, call, input, places, [&](const Ints &window, int64_t) {
    int64_t best = -1;
    for (int64_t place : window)
      if (best < 0 || values[place] > values[best] ||
          (values[place] != values[place] && values[best] == values[best]))
        best = place;
    return best < 0 ? int64_t(-1) : numbers[best];
  });
}

void interpreter::registerPool(Registry &registry) {
  registry.add<MaxPoolOp>(maxPool);
  registry.add<AveragePoolOp>(averagePool);
  registry.add<LpPoolOp>(lpPool);
  registry.add<MaxPoolIndicesOp>(maxPoolIndices);
}
