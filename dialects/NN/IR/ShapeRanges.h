//===- ShapeRanges.h - between which numbers sizes lie ----------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Expressions are mathematical integers, tensors hold integers of some bits: what an
// expression says of an element is true only if its value is one of the type's.
//
//===----------------------------------------------------------------------===//

#ifndef NN_DIALECTS_NN_IR_SHAPERANGES_H
#define NN_DIALECTS_NN_IR_SHAPERANGES_H

#include "dialects/NN/IR/ShapeEnv.h"

namespace mlir::nn {

IntegerRange getRange(const ShapeEnv &env, Dim dim);

/// True if `lhs` is provably `rhs` or more.
bool isNotLess(ShapeEnv &env, Dim lhs, Dim rhs);

/// True if the value of the expression is one of the integer type's, or `index`'s.
/// Arithmetic of 64 bits on sizes is taken not to overflow; for shorter integers,
/// dimensions that are known at run time only are taken to be 2^24 at most.
bool fits(const ShapeEnv &env, Dim dim, Type type);

/// The number that bits of an integer type stand for, if it is one of int64_t. Booleans
/// are 0 and 1.
std::optional<int64_t> readInteger(const APInt &bits, Type type);

/// What arithmetic without overflow says about the elements of `tensor` (`found`, null
/// where nothing), as the tensor holds it: constants wrapped to the element type; where
/// a value may leave the type's range, a symbol for what is there at run time. nullopt
/// if the tensor is not one whose elements are followed. To be applied to whatever
/// `inferContents` gives.
Contents wrapContents(ShapeEnv &env, Value tensor, const Contents &found);

} // namespace mlir::nn

#endif // NN_DIALECTS_NN_IR_SHAPERANGES_H
