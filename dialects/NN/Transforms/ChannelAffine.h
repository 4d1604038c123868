//===- ChannelAffine.h - products and sums with constants per channel -*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TRANSFORMS_CHANNELAFFINE_H
#define NN_TRANSFORMS_CHANNELAFFINE_H

#include "dialects/NN/IR/NN.h"
#include "nn/Support/HostTensor.h"

namespace mlir::nn::affine {

/// A number for each channel, or one for all.
using Channels = SmallVector<double>;

/// Whether constants may move. With larger ones, what the operators compute one by one may
/// overflow, and weights that hold their product would hide that.
bool areBounded(ArrayRef<double> numbers);
double getLargest(ArrayRef<double> numbers);

/// `x` (op) `y`, channel by channel.
Channels combine(ArrayRef<double> x, ArrayRef<double> y,
                 function_ref<double(double, double)> compute);

/// A constant of floats.
std::optional<HostTensor> getConstant(Value value);
/// Its numbers.
std::optional<Channels> getNumbers(Value value);
/// Whether the elements of a constant are of normal size, `scale` times as large, too.
bool isBounded(const HostTensor &tensor, double scale);
/// A constant of such numbers, one for each channel along dimension `dim` of `rank`.
Value makeChannels(OpBuilder &builder, Location loc, ArrayRef<double> numbers, Type type,
                   int64_t rank, int64_t dim);

/// y = x * scale + bias, and the operators that compute it, from the first on.
struct Affine {
  Channels scale = {1.0}, bias = {0.0};
  bool hasScale = false, hasBias = false;
  SmallVector<Operation *> ops;

  void multiply(ArrayRef<double> factor) {
    scale = combine(scale, factor, std::multiplies<double>());
    bias = combine(bias, factor, std::multiplies<double>());
    hasScale = true;
  }
  void add(ArrayRef<double> summand) {
    bias = combine(bias, summand, std::plus<double>());
    hasBias = true;
  }
};

/// A product, quotient, sum or difference of a value and a constant per channel.
struct Step {
  Operation *op = nullptr;
  Value value;
  Channels number; // to multiply by or to add
  bool isSum = false;
};

/// Takes such an operator apart; `channels` is the size of dimension `channel`.
std::optional<Step> matchStep(Operation *op, int64_t channel, int64_t channels);

/// Appends the steps behind `value`, each the only user of the one before. Two sums in
/// a row stay: `x + c - c` rounds x.
void collectTail(Affine &affine, Value value, int64_t channel, int64_t channels);

} // namespace mlir::nn::affine

#endif // NN_TRANSFORMS_CHANNELAFFINE_H
