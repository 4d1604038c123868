//===- ReductionRecipe.h - what a reduction does to elements ----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// How elements are combined, apart from the loops over them. What is carried through a
// loop is a state: an accumulator, or for ArgMax and ArgMin the best element so far and its
// index along the axis. A state consists of vectors with one lane for each of the results
// (or partial results) that are computed side by side.
//
//===----------------------------------------------------------------------===//

#ifndef NN_KERNELS_REDUCTIONRECIPE_H
#define NN_KERNELS_REDUCTIONRECIPE_H

#include "dialects/NN/IR/NN.h"
#include "nn/Kernels/KernelEmitter.h"

namespace mlir::nn {

class ReductionRecipe {
public:
  /// The recipe of an operation; none if there is no kernel for this operation and element type.
  static std::optional<ReductionRecipe> get(ReductionOpInterface reduction);

  using State = SmallVector<Value>;

  /// The types of a state's values, each of one lane.
  SmallVector<Type> getTypes() const;
  /// The state of no elements.
  State getInitial(KernelEmitter &e, int64_t lanes) const;
  /// One more element for each lane. `index`: that of the element along the axis, in the
  /// first lane; `areInRow`: each further lane has the next element of the axis, otherwise
  /// all have the same index. Lanes outside `mask`, if there is one, have no element.
  State accumulate(KernelEmitter &e, ValueRange state, Value element, Value index,
                   bool areInRow, Value mask) const;
  State join(KernelEmitter &e, ValueRange lhs, ValueRange rhs) const;
  /// The result, given the number of elements.
  Value finalize(KernelEmitter &e, ValueRange state, Value size) const;

private:
  enum class Combine { Add, Mul, Max, Min };

  Value getNeutral(KernelEmitter &e, int64_t lanes) const;
  Value combine(KernelEmitter &e, Value lhs, Value rhs) const;
  /// Whether ArgMax or ArgMin takes `lhs` rather than `rhs`, which come in this order.
  Value isBetter(KernelEmitter &e, Value lhs, Value rhs, bool orEqual) const;

  Combine kind = Combine::Add;
  bool square = false, abs = false; // of each element
  bool mean = false, sqrt = false, log = false; // of the combination
  bool last = false; // of equal elements, the last counts
  bool isUnsigned = false;
  Type type; // in which it is computed
  Type indexType; // null unless the result is an index
};

} // namespace mlir::nn

#endif // NN_KERNELS_REDUCTIONRECIPE_H
