//===- Compare.cpp - whether tensors match --------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/Compare.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::nn;

Tolerance Tolerance::getDefault(DataType type) {
  switch (type) {
  case DataType::Float16:
  case DataType::BFloat16:
    return {2e-2, 2e-3};
  default:
    return {};
  }
}

/// The index of element `linear` in each dimension.
static SmallVector<int64_t> getIndex(ArrayRef<int64_t> dims, int64_t linear) {
  SmallVector<int64_t> index(dims.size());
  for (int64_t d = int64_t(dims.size()) - 1; d >= 0; --d) {
    index[d] = linear % dims[d];
    linear /= dims[d];
  }
  return index;
}

std::string nn::formatElement(const HostTensor &tensor, int64_t index) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  DataType type = tensor.getType();
  if (type == DataType::String)
    stream << '"' << tensor.getStrings()[index] << '"';
  else if (type == DataType::Bool)
    stream << (tensor.getInt(index) ? "true" : "false");
  else if (type == DataType::UInt64)
    stream << uint64_t(tensor.getInt(index));
  else if (isFloat(type))
    stream << llvm::format("%.*g", type == DataType::Float64 ? 17 : 9,
                           tensor.getDouble(index));
  else
    stream << tensor.getInt(index);
  return text;
}

/// Numbers as long double, which holds 64-bit integers exactly.
static long double getNumber(const HostTensor &tensor, int64_t index) {
  if (isFloat(tensor.getType()))
    return tensor.getDouble(index);
  if (tensor.getType() == DataType::UInt64)
    return uint64_t(tensor.getInt(index));
  return tensor.getInt(index);
}

Comparison nn::compareTensors(const HostTensor &got, const HostTensor &want,
                              Tolerance tolerance) {
  Comparison result;
  result.numElements = want.getNumElements();
  if (got.getType() != want.getType() || got.getDims() != want.getDims()) {
    result.matches = false;
    result.incomparable =
        "got " + got.describe() + ", want " + want.describe();
    return result;
  }

  bool exact = want.getType() == DataType::String ||
               want.getType() == DataType::Bool;
  long double largest = 0;
  if (!exact)
    for (int64_t i : llvm::seq(want.getNumElements())) {
      long double magnitude = std::fabs(getNumber(want, i));
      if (std::isfinite(magnitude))
        largest = std::max(largest, magnitude);
    }

  const double infinity = std::numeric_limits<double>::infinity();
  double worst = -1;
  int64_t worstPlace = 0;
  for (int64_t i : llvm::seq(want.getNumElements())) {
    long double error = 0;
    double ratio = 0; // of the error to its limit; more than 1 is a mismatch
    if (want.getType() == DataType::String) {
      ratio = got.getStrings()[i] == want.getStrings()[i] ? 0 : infinity;
    } else {
      long double x = getNumber(got, i), y = getNumber(want, i);
      error = std::fabs(x - y);
      if (exact || !std::isfinite(x) || !std::isfinite(y)) {
        ratio = x == y || (x != x && y != y) ? 0 : infinity;
        error = ratio;
      } else if (error > 0) {
        long double limit =
            (long double)tolerance.atol * std::max(0.01L, largest) +
            (long double)tolerance.rtol * std::fabs(y);
        ratio = limit > 0 ? double(error / limit) : infinity;
      }
    }
    if (ratio > 1)
      ++result.numMismatches;
    if (ratio > worst) {
      worst = ratio;
      worstPlace = i;
      result.worstError = double(error);
    }
  }
  result.matches = result.numMismatches == 0;
  result.worstRatio = std::max(worst, 0.0);
  if (want.getNumElements() > 0) {
    result.worstIndex = getIndex(want.getDims(), worstPlace);
    result.worstGot = formatElement(got, worstPlace);
    result.worstWant = formatElement(want, worstPlace);
  }
  return result;
}

std::string Comparison::describe() const {
  if (!incomparable.empty())
    return incomparable;
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << numMismatches << " of " << numElements
         << " elements do not match; worst at [";
  llvm::interleaveComma(worstIndex, stream);
  stream << "]: got " << worstGot << ", want " << worstWant << " (error "
         << llvm::format("%.3g", worstError) << ", "
         << llvm::format("%.3g", worstRatio) << " of what is allowed)";
  return text;
}
