//===- SizeFormula.h - sizes as text over dimension names -------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// What `@main` computes from the dimensions of its arguments, as text for people and
// scripts: a sum of products, e.g.
//
//   1048576 + 1204*H*N + roundup(4*N, 64) + max(64*N, roundup(12*H, 64))
//
// A factor is a dimension, by the name that the ONNX model gives it or as
// dim("INPUT", INDEX), or one of max(...), min(...), roundup(x, multiple),
// floordiv(x, y), truncdiv(x, y), truncmod(x, y), and eq, ne, lt, le, gt, ge,
// which are 1 or 0. Given these functions, the text is a valid Python expression.
//
//===----------------------------------------------------------------------===//

#ifndef NN_TARGET_SIZEFORMULA_H
#define NN_TARGET_SIZEFORMULA_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <optional>
#include <string>

namespace mlir::nn {

/// The formula of an index that `main` computes before it reads any data. The arguments of
/// `main` have `nn.name` and `nn.dim_names`. The formula is simplified with what is known
/// of sizes: none is negative, and those of one name are equal. nullopt if the value
/// depends on something that formulas cannot express.
std::optional<std::string> describeSize(Value size, func::FuncOp main);

} // namespace mlir::nn

#endif // NN_TARGET_SIZEFORMULA_H
