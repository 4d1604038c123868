//===- Sizes.cpp - sizes that can be --------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/Sizes.h"

using namespace mlir;

bool nn::isReasonableShape(ArrayRef<int64_t> shape) {
  constexpr int64_t limit = int64_t(1) << 40;
  int64_t elements = 1;
  for (int64_t dim : shape) {
    if (dim < 0) // unknown
      continue;
    int64_t factor = std::max<int64_t>(dim, 1);
    if (factor > limit / elements)
      return false;
    elements *= factor;
  }
  return true;
}
