//===- Fourier.cpp - Discrete Fourier transforms of one length ------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Reference/Fourier.h"

#include <algorithm>
#include <cmath>
#include <kissfft/kissfft.hh>
#include <mutex>
#include <vector>

using namespace nnrt;

/// exp(2 pi i steps / length), for 0 <= steps < length.
static Complex getRoot(int64_t steps, int64_t length) {
  double angle = 2 * M_PI * double(steps) / double(length);
  return {std::cos(angle), std::sin(angle)};
}

/// Whether kissfft is fast: its other factors take quadratic time, and memory that threads
/// cannot share. (It takes 1 for such a factor.)
static bool isSmooth(int64_t length) {
  if (length < 2)
    return false;
  for (int64_t factor : {2, 3, 5})
    while (length % factor == 0)
      length /= factor;
  return length == 1;
}

//===----------------------------------------------------------------------===//
// Transforms of complex numbers
//===----------------------------------------------------------------------===//

class FourierPlan::Core {
public:
  Core(int64_t length, bool inverse);

  int64_t scratchSize() const { return isDirect() ? 0 : 2 * convolved; }
  void transform(const Complex *in, Complex *out, Complex *scratch) const;

private:
  /// The length of the transform that kissfft computes.
  static int64_t chooseLength(int64_t length) {
    if (length < 2 || isSmooth(length))
      return length;
    int64_t least = 2 * length - 1;
    while (!isSmooth(least))
      ++least;
    return least;
  }
  bool isDirect() const { return convolved == length; }

  int64_t length, convolved;
  kissfft<double> fft; // of `convolved` elements
  // With k n = (k^2 + n^2 - (k - n)^2) / 2 the transform is a convolution with a chirp:
  std::vector<Complex> chirp;  // exp(-+pi i n^2 / length)
  std::vector<Complex> filter; // the transform of its conjugate, over `convolved`
};

FourierPlan::Core::Core(int64_t length, bool inverse)
    : length(length), convolved(chooseLength(length)),
      fft(size_t(convolved), inverse && convolved == length) {
  if (isDirect())
    return;
  chirp.resize(length);
  std::vector<Complex> wrapped(convolved);
  for (int64_t n = 0, steps = 0; n < length; ++n) {
    Complex root = getRoot(steps, 2 * length);
    chirp[n] = inverse ? root : std::conj(root);
    wrapped[n] = wrapped[n ? convolved - n : 0] = std::conj(chirp[n]);
    steps = (steps + 2 * n + 1) % (2 * length); // n^2
  }
  filter.resize(convolved);
  fft.transform(wrapped.data(), filter.data());
  for (Complex &value : filter)
    value /= double(convolved);
}

void FourierPlan::Core::transform(const Complex *in, Complex *out,
                                  Complex *scratch) const {
  if (length == 1) {
    *out = *in;
    return;
  }
  if (isDirect()) {
    fft.transform(in, out);
    return;
  }
  Complex *padded = scratch, *product = scratch + convolved;
  for (int64_t n = 0; n < length; ++n)
    padded[n] = in[n] * chirp[n];
  std::fill(padded + length, padded + convolved, Complex());
  fft.transform(padded, product);
  // Between two conjugations, the forward transform is the inverse one.
  for (int64_t k = 0; k < convolved; ++k)
    product[k] = std::conj(product[k] * filter[k]);
  fft.transform(product, padded);
  for (int64_t k = 0; k < length; ++k)
    out[k] = std::conj(padded[k]) * chirp[k];
}

//===----------------------------------------------------------------------===//
// Transforms of real numbers
//===----------------------------------------------------------------------===//

FourierPlan::FourierPlan(const Kind &kind) : kind(kind) {
  bool isPaired = kind.real && kind.length % 2 == 0;
  int64_t half = kind.length / 2;
  core = std::make_unique<Core>(isPaired ? half : kind.length, kind.inverse);
  if (!isPaired)
    return;
  turns = std::make_unique<Complex[]>(half);
  for (int64_t k = 0; k < half; ++k) {
    Complex root = getRoot(k, kind.length);
    turns[k] = kind.inverse ? root : std::conj(root);
  }
}

FourierPlan::~FourierPlan() = default;

int64_t FourierPlan::scratchSize() const {
  // Real input of odd length is copied, and so are all its frequencies.
  bool isCopied = kind.real && !turns;
  return core->scratchSize() + (isCopied ? 2 * kind.length : 0);
}

void FourierPlan::transform(const void *in, Complex *out, Complex *scratch) const {
  if (!kind.real)
    return core->transform(static_cast<const Complex *>(in), out, scratch);
  if (turns) {
    // Neighbours are the parts of a complex number.
    core->transform(static_cast<const Complex *>(in), out, scratch);
    return separate(out);
  }
  const double *row = static_cast<const double *>(in);
  Complex *copy = scratch, *all = copy + kind.length;
  std::copy(row, row + kind.length, copy);
  core->transform(copy, all, all + kind.length);
  std::copy(all, all + numFrequencies(), out);
}

void FourierPlan::separate(Complex *out) const {
  int64_t half = kind.length / 2;
  Complex first = out[0];
  out[0] = first.real() + first.imag();
  out[half] = first.real() - first.imag();
  for (int64_t k = 1; k <= half - k; ++k) {
    Complex low = out[k], high = std::conj(out[half - k]);
    // Those of the elements at even places, and at odd ones.
    Complex even = 0.5 * (low + high), odd = 0.5 * (low - high);
    odd = turns[k] * Complex(odd.imag(), -odd.real());
    out[k] = even + odd;
    out[half - k] = std::conj(even - odd);
  }
}

//===----------------------------------------------------------------------===//
// The cache
//===----------------------------------------------------------------------===//

namespace {
struct Cache {
  static constexpr size_t mostPlans = 32;
  static constexpr int64_t mostElements = int64_t(1) << 20;

  std::mutex mutex;
  std::vector<std::shared_ptr<const FourierPlan>> plans; // the last used first
};
} // namespace

std::shared_ptr<const FourierPlan> FourierPlan::get(const Kind &kind) {
  // Never destroyed: threads may outlive the program's end.
  static Cache &cache = *new Cache;
  std::lock_guard<std::mutex> lock(cache.mutex);
  auto &plans = cache.plans;
  auto found = std::find_if(plans.begin(), plans.end(), [&](const auto &plan) {
    return plan->kind.length == kind.length && plan->kind.inverse == kind.inverse &&
           plan->kind.real == kind.real;
  });
  if (found == plans.end()) {
    plans.push_back(std::make_shared<FourierPlan>(kind));
    found = plans.end() - 1;
  }
  std::rotate(plans.begin(), found, found + 1);
  int64_t elements = 0;
  size_t kept = 0;
  while (kept < plans.size() && kept < Cache::mostPlans &&
         (elements += plans[kept]->kind.length) <= Cache::mostElements)
    ++kept;
  plans.resize(std::max<size_t>(kept, 1));
  return plans.front();
}
