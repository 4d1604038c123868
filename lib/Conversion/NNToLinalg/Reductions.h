//===- Reductions.h - folding dimensions away -------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_CONVERSION_NNTOLINALG_REDUCTIONS_H
#define NN_LIB_CONVERSION_NNTOLINALG_REDUCTIONS_H

#include "TensorEmitter.h"

namespace mlir::nn {

/// The initial values of a maximum and a minimum.
Value emitLowest(OpBuilder &builder, Location location, Type type,
                 bool isUnsigned);
Value emitHighest(OpBuilder &builder, Location location, Type type,
                  bool isUnsigned);
/// Sum and product of floats or integers. Sums of floats may be reassociated.
Value emitAdd(OpBuilder &builder, Location location, Value lhs, Value rhs);
Value emitMul(OpBuilder &builder, Location location, Value lhs, Value rhs);

/// Reductions over some dimensions of a shape, as normalizations need for their
/// statistics.
class DimReduction {
public:
  /// Over the dimensions `axes` of tensors with the sizes `sizes`.
  DimReduction(TensorEmitter &emitter, ArrayRef<Size> sizes,
               ArrayRef<int64_t> axes);

  /// A map that reads a tensor of all dimensions, or one of the kept dimensions.
  AffineMap full() const { return fullMap; }
  AffineMap kept() const { return keptMap; }
  ArrayRef<Size> getKeptSizes() const { return keptSizes; }
  /// The number of elements that are folded into one.
  Size getCount() const { return count; }
  /// The same as a value of type `type`.
  Value getCountAs(Type type) const;

  /// Folds the inputs, read by `maps`, into a tensor of the kept dimensions; the body's
  /// last argument is the value so far, initially `init`.
  Value fold(Value init, ValueRange inputs, ArrayRef<AffineMap> maps,
             ElementBody body) const;
  /// Elementwise over all dimensions, and over the kept ones.
  Value mapFull(Type elementType, ValueRange inputs, ArrayRef<AffineMap> maps,
                ElementBody body) const;
  Value mapKept(Type elementType, ValueRange inputs, ElementBody body) const;

  TensorEmitter &e;

private:
  Sizes sizes, keptSizes;
  SmallVector<utils::IteratorType> iterators;
  AffineMap fullMap, keptMap;
  Size count;
};

} // namespace mlir::nn

#endif // NN_LIB_CONVERSION_NNTOLINALG_REDUCTIONS_H
