//===- Sizes.h - sizes that can be -----------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_SIZES_H
#define NN_SUPPORT_SIZES_H

#include "mlir/Support/LLVM.h"

namespace mlir::nn {

/// False if a tensor of this shape (negative sizes: unknown) has more than 2^40
/// elements, which no machine holds. Sizes in bytes of all others fit into 64 bits.
bool isReasonableShape(ArrayRef<int64_t> shape);

} // namespace mlir::nn

#endif // NN_SUPPORT_SIZES_H
