//===- Passes.h - passes that stay in the nn dialect ------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The order that the passes are designed for (each is correct in any order):
//
//   nn-expose-integers
//     While the weights still are the integers that they were quantized to.
//   nn-canonicalize  nn-fold-constants  nn-fold-shapes  nn-infer-shapes
//     Shape arithmetic is gone, and types are as static as they can be. The
//     four help each other: run them twice.
//   nn-legalize-types  nn-fold-constants
//     Compute types, before anything looks at weights.
//   nn-prepare-recurrent
//   nn-recognize-patterns
//     Before folding scales: it matches the forms that exporters write.
//   nn-fold-batch-norm  nn-fold-constants  nn-canonicalize  nn-cse
//     Leaves arithmetic on constants, which constant folding evaluates.
//   nn-decompose-quantization
//     After folding scales, which would round what quantization makes exact.
//   nn-assign-layout  nn-fold-constants  nn-canonicalize  nn-fold-shapes  nn-cse
//     Permuted constants fold; nothing may insert operators in the other
//     layout afterwards.
//   nn-check-windows
//     While convolutions and pools still are where sizes can be asked for.
//   nn-form-fusions
//     Last: later passes work on groups.
//   nn-verify-provenance
//     At the end of the phase.
//
//===----------------------------------------------------------------------===//

#ifndef NN_DIALECTS_NN_TRANSFORMS_PASSES_H
#define NN_DIALECTS_NN_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::nn {

#define GEN_PASS_DECL
#include "dialects/NN/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/NN/Transforms/Passes.h.inc"

} // namespace mlir::nn

#endif // NN_DIALECTS_NN_TRANSFORMS_PASSES_H
