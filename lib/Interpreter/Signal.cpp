//===- Signal.cpp - discrete Fourier transforms ---------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Elements.h"
#include <cmath>
#include <complex>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

using Complex = std::complex<double>;
using Complexes = std::vector<Complex>;

/// The sums for frequencies 0, 1, ..., `count` - 1 of a transform of `length` elements.
/// Elements that `row` lacks are 0, others do not count.
static Complexes transform(const Complexes &row, int64_t length, int64_t count,
                           bool inverse) {
  Complexes roots, result;
  for (int64_t step = 0; step < length; ++step)
    roots.push_back(std::polar(1.0, (inverse ? 2 : -2) * M_PI * double(step) /
                                        double(length)));
  int64_t given = std::min<int64_t>(row.size(), length);
  for (int64_t k = 0; k < count; ++k) {
    Complex sum = 0;
    for (int64_t n = 0; n < given; ++n)
      sum += row[n] * roots[n * k % length];
    result.push_back(inverse ? sum / double(length) : sum);
  }
  return result;
}

/// Frequencies up to length / 2, and those that follow from them as the result is real.
static Complexes complete(Complexes row, int64_t length) {
  row.resize(length);
  for (int64_t k = 0; k < length; ++k) {
    if (2 * k > length)
      row[k] = std::conj(row[length - k]);
    else if (k == 0 || 2 * k == length)
      row[k] = row[k].real();
  }
  return row;
}

static LogicalResult dft(DFTOp op, Call &call) {
  const HostTensor &input = call[op.getInput()], &given = call[op.getDftLength()];
  int64_t rank = input.getRank(), axis = normalizeAxis(op.getAxis(), rank);
  bool inverse = op.getInverse(), oneSided = op.getOnesided();
  bool isRealResult = inverse && oneSided, isComplex = input.getDim(rank - 1) == 2;
  int64_t size = input.getDim(axis), length = isRealResult ? 2 * (size - 1) : size;
  if (given.isValid())
    length = given.getInt(0);
  if (length < 0 || (length == 0 && !(isRealResult && size == 1)))
    return call.fail("dft_length is not positive");
  int64_t count = oneSided && !inverse ? length / 2 + 1 : length;
  Shape dims(input.getDims());
  dims[axis] = count;
  dims.back() = isRealResult ? 1 : 2;
  Doubles values = readDoubles(input), result(product(dims));
  // Rows start at all indices whose entry for the axis and the last dimension is 0.
  Shape places(input.getDims()), from = getStrides(input.getDims()), to = getStrides(dims);
  places[axis] = places[rank - 1] = 1;
  forEachIndex(places, [&](ArrayRef<int64_t> index) {
    Complexes row;
    for (int64_t n = 0; n < size; ++n) {
      int64_t at = dot(index, from) + n * from[axis];
      row.emplace_back(values[at], isComplex ? values[at + 1] : 0);
    }
    if (isRealResult)
      row = complete(std::move(row), length);
    Complexes sums = transform(row, length, count, inverse);
    for (int64_t k = 0; k < count; ++k) {
      int64_t at = dot(index, to) + k * to[axis];
      result[at] = sums[k].real();
      if (!isRealResult)
        result[at + 1] = sums[k].imag();
    }
  });
  return call.give(makeTensor(call.getResultType(), dims, result));
}

static LogicalResult stft(STFTOp op, Call &call) {
  const HostTensor &signal = call[op.getSignal()], &window = call[op.getWindow()];
  const HostTensor &frameLength = call[op.getFrameLength()];
  int64_t step = call[op.getFrameStep()].getInt(0);
  int64_t length = frameLength.isValid() ? frameLength.getInt(0) : window.getDim(0);
  int64_t batch = signal.getDim(0), size = signal.getDim(1), parts = signal.getDim(2);
  if (step < 1)
    return call.fail("frame_step is not positive");
  if (length < 1)
    return call.fail("frame_length is not positive");
  if (window.isValid() && window.getDim(0) != length)
    return call.fail("the window does not have frame_length elements");
  if (size < length)
    return call.fail("the signal is shorter than a frame");
  int64_t frames = (size - length) / step + 1;
  int64_t count = op.getOnesided() ? length / 2 + 1 : length;
  Doubles values = readDoubles(signal), weights(length, 1), result;
  if (window.isValid())
    weights = readDoubles(window);
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t f = 0; f < frames; ++f) {
      Complexes row;
      for (int64_t n = 0; n < length; ++n) {
        int64_t at = (b * size + f * step + n) * parts;
        row.push_back(Complex(values[at], parts == 2 ? values[at + 1] : 0) * weights[n]);
      }
      for (Complex sum : transform(row, length, count, /*inverse=*/false)) {
        result.push_back(sum.real());
        result.push_back(sum.imag());
      }
    }
  return call.give(makeTensor(call.getResultType(), {batch, frames, count, 2}, result));
}

void interpreter::registerSignal(Registry &registry) {
  registry.add<DFTOp>(dft);
  registry.add<STFTOp>(stft);
}
