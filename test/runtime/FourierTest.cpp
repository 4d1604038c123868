//===- FourierTest.cpp - Transforms against their definition --------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Reference/Fourier.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <thread>
#include <vector>

using namespace nnrt;

namespace {

std::vector<double> makeNumbers(int64_t count) {
  std::mt19937 random(static_cast<unsigned>(count));
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<double> numbers(static_cast<size_t>(count));
  for (double &number : numbers)
    number = uniform(random);
  return numbers;
}

std::vector<Complex> transform(const FourierPlan &plan, const std::vector<double> &in) {
  std::vector<Complex> out(plan.numFrequencies()), scratch(plan.scratchSize());
  plan.transform(in.data(), out.data(), scratch.data());
  return out;
}

/// The largest error, relative to the norm of the input.
double findError(const FourierPlan::Kind &kind) {
  FourierPlan plan(kind);
  std::vector<double> in = makeNumbers(kind.length * (kind.real ? 1 : 2));
  std::vector<Complex> out = transform(plan, in);
  double norm = 0, error = 0;
  for (double number : in)
    norm += number * number;
  std::vector<std::complex<long double>> roots;
  for (int64_t n = 0; n < kind.length; ++n)
    roots.push_back(
        std::polar(1.0L, (kind.inverse ? 2 : -2) * M_PIl * n / kind.length));
  for (int64_t k = 0; k < plan.numFrequencies(); ++k) {
    std::complex<long double> sum = 0;
    for (int64_t n = 0; n < kind.length; ++n) {
      std::complex<long double> value(in[kind.real ? n : 2 * n],
                                      kind.real ? 0 : in[2 * n + 1]);
      sum += value * roots[n * k % kind.length];
    }
    error = std::max(error, std::abs(Complex(sum) - out[k]));
  }
  return error / std::sqrt(norm);
}

} // namespace

TEST(Fourier, IsItsDefinition) {
  for (int64_t length = 1; length < 70; ++length)
    for (bool inverse : {false, true})
      for (bool real : {false, true})
        EXPECT_LT(findError({length, inverse, real}), 3e-15)
            << length << (inverse ? " inverse" : "") << (real ? " real" : "");
  for (int64_t length : {100, 255, 256, 257, 400, 1009, 1018, 1024})
    for (bool real : {false, true})
      EXPECT_LT(findError({length, false, real}), 5e-15) << length;
}

TEST(Fourier, KeepsThePlansUsedLast) {
  FourierPlan::Kind kind = {96, false, true};
  auto first = FourierPlan::get(kind);
  EXPECT_EQ(FourierPlan::get(kind), first);
  EXPECT_NE(FourierPlan::get({96, true, true}), first);
  EXPECT_NE(FourierPlan::get({96, false, false}), first);
  for (int64_t length = 1; length <= 40; ++length) {
    FourierPlan::get({length, false, false});
    if (length % 10 == 0)
      EXPECT_EQ(FourierPlan::get(kind), first);
  }
  for (int64_t length = 1; length <= 40; ++length)
    FourierPlan::get({length, false, false});
  EXPECT_NE(FourierPlan::get(kind), first);
  // By their size too, but never the last.
  first = FourierPlan::get(kind);
  FourierPlan::Kind large = {int64_t(1) << 21, false, false};
  auto last = FourierPlan::get(large);
  EXPECT_EQ(FourierPlan::get(large), last);
  EXPECT_NE(FourierPlan::get(kind), first);
}

TEST(Fourier, IsSharedByThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 200; ++i) {
        int64_t length = 1 + (i + t) % 50;
        auto plan = FourierPlan::get({length, false, false});
        std::vector<double> in = makeNumbers(2 * length);
        EXPECT_EQ(transform(*plan, in), transform(FourierPlan({length, false, false}), in));
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}
