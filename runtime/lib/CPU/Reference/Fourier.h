//===- Fourier.h - Discrete Fourier transforms of one length ----*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// All lengths take time O(n log n). Lengths without prime factors above 5 are
// transformed by kissfft; others become a convolution of such a length (Bluestein, "A
// linear filtering approach to the computation of discrete Fourier transform", 1970).
// Everything is computed in f64.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CPU_REFERENCE_FOURIER_H
#define NNRT_CPU_REFERENCE_FOURIER_H

#include <complex>
#include <cstdint>
#include <memory>

namespace nnrt {

using Complex = std::complex<double>;

/// What transforms of one kind have in common. Plans are immutable, and shared by threads.
class FourierPlan {
public:
  struct Kind {
    int64_t length; // positive
    bool inverse;   // exp(+2 pi i k n / length); not scaled
    bool real;      // real input
  };

  /// The plan from a cache of the process, which keeps those that were used last: of at
  /// most 32 kinds, with 2^20 elements in all, but always the last. Throws std::bad_alloc.
  static std::shared_ptr<const FourierPlan> get(const Kind &kind);

  explicit FourierPlan(const Kind &kind);
  ~FourierPlan();

  int64_t length() const { return kind.length; }
  bool isReal() const { return kind.real; }
  /// How many frequencies `transform` computes: all, or those up to length / 2 of real
  /// input.
  int64_t numFrequencies() const {
    return kind.real ? kind.length / 2 + 1 : kind.length;
  }
  /// Elements of scratch memory that `transform` needs.
  int64_t scratchSize() const;

  /// `in` has `length` elements, which are doubles for real input. It does not overlap
  /// `out`.
  void transform(const void *in, Complex *out, Complex *scratch) const;

private:
  class Core;

  /// Computes the frequencies of `length` real numbers from those of length / 2 complex
  /// ones.
  void separate(Complex *out) const;

  Kind kind;
  std::unique_ptr<Core> core;
  /// Of real input of even length: exp(-+2 pi i k / length).
  std::unique_ptr<Complex[]> turns;
};

} // namespace nnrt

#endif // NNRT_CPU_REFERENCE_FOURIER_H
