//===- Canonicalize.h - which patterns are left out -------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_DIALECTS_NN_TRANSFORMS_CANONICALIZE_H
#define NN_DIALECTS_NN_TRANSFORMS_CANONICALIZE_H

#include "mlir/Support/LLVM.h"
#include <string>

namespace mlir::nn {

/// Names of upstream's canonicalizations that are wrong for our models, for the
/// passes that canonicalize tensors.
ArrayRef<std::string> getWrongCanonicalizations();

} // namespace mlir::nn

#endif // NN_DIALECTS_NN_TRANSFORMS_CANONICALIZE_H
