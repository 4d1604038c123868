//===- Rounding.cpp - weights of few bits ---------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Rounding.h"
#include "nn/Support/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;

Matrix RoundedWeights::getValues() const {
  Matrix values = integers;
  for (int64_t k = 0; k < values.rows; ++k)
    for (int64_t n = 0; n < values.columns; ++n)
      values[k][n] *= getScale(k, n);
  return values;
}

/// The largest integer; a weight and its negative are equally large.
static double getLargest(int bits) { return (1 << (bits - 1)) - 1; }

/// Sets the scales of rows [begin, end), a row of `scales`, by the weights that are largest. They
/// are as exact as f32, which stores them.
static void setScales(RoundedWeights &rounded, const Matrix &weights, int64_t begin,
                      int64_t end) {
  for (int64_t n = 0; n < weights.columns; ++n) {
    double largest = 0;
    for (int64_t k = begin; k < end; ++k)
      largest = std::max(largest, std::fabs(weights[k][n]));
    auto scale = float(largest / getLargest(rounded.bits));
    rounded.scales[rounded.block ? begin / rounded.block : 0][n] =
        scale >= std::numeric_limits<float>::min() ? scale : 1;
  }
}

/// What is lost: the mean of (x'(W - V))^2, over columns.
static double getLoss(const Matrix &weights, const Matrix &values, const Matrix &moments) {
  Matrix error = weights;
  for (size_t i = 0; i < error.elements.size(); ++i)
    error.elements[i] -= values.elements[i];
  Matrix product = multiply(moments, error);
  double loss = 0;
  for (size_t i = 0; i < error.elements.size(); ++i)
    loss += product.elements[i] * error.elements[i];
  return loss;
}

/// Room for integers that are not known yet.
static RoundedWeights makeRoom(const Matrix &weights, int bits) {
  RoundedWeights rounded;
  rounded.bits = bits;
  rounded.block = bits == 4 ? kInt4Block : 0;
  rounded.integers = Matrix(weights.rows, weights.columns);
  rounded.scales =
      Matrix(rounded.block ? weights.rows / rounded.block : 1, weights.columns);
  return rounded;
}

/// Rounds an element, and returns what it is then.
static double round(RoundedWeights &rounded, int64_t k, int64_t n, double value) {
  double largest = getLargest(rounded.bits), scale = rounded.getScale(k, n);
  double integer = std::clamp(std::nearbyint(value / scale), -largest, largest);
  rounded.integers[k][n] = integer;
  return integer * scale;
}

RoundedWeights nn::roundToNearest(const Matrix &weights, int bits) {
  RoundedWeights nearest = makeRoom(weights, bits);
  int64_t step = nearest.block ? nearest.block : weights.rows;
  for (int64_t begin = 0; begin < weights.rows; begin += step)
    setScales(nearest, weights, begin, begin + step);
  for (int64_t k = 0; k < weights.rows; ++k)
    for (int64_t n = 0; n < weights.columns; ++n)
      round(nearest, k, n, weights[k][n]);
  return nearest;
}

RoundedWeights nn::roundWeights(const Matrix &weights, int bits, const Matrix &moments,
                                const InverseMoments &inverse) {
  RoundedWeights nearest = roundToNearest(weights, bits), fedBack = makeRoom(weights, bits);
  int64_t step = fedBack.block ? fedBack.block : weights.rows;
  Matrix values = inverse.decide(
      weights,
      [&](int64_t k, int64_t n, double value) {
        // What was made 0 stays so.
        return weights[k][n] == 0 ? 0 : round(fedBack, k, n, value);
      },
      [&](int64_t k, const Matrix &current) {
        if (k % step == 0)
          setScales(fedBack, current, k, k + step);
      });
  return getLoss(weights, values, moments) < getLoss(weights, nearest.getValues(), moments)
             ? fedBack
             : nearest;
}

Value nn::dequantize(OpBuilder &builder, Location loc, const ProductRegion &region,
                     const RoundedWeights &rounded) {
  const Matrix &matrix = rounded.scales;
  SmallVector<int64_t> dims = {matrix.columns};
  if (rounded.block)
    dims.insert(dims.begin(), matrix.rows);
  HostTensor scales = HostTensor::allocate(DataType::Float32, dims);
  for (auto [i, scale] : llvm::enumerate(matrix.elements))
    scales.setDouble(i, scale);
  Value constant =
      ConstantOp::create(builder, loc, makeConstantAttr(builder.getContext(), scales));
  return DequantizeOp::create(builder, loc, region.weight, constant, Value(),
                              rounded.block ? 1 - region.weightAxis : region.weightAxis,
                              rounded.block);
}
