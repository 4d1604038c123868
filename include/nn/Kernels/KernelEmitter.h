//===- KernelEmitter.h - emits the code of kernels --------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// What all kernel templates share: index arithmetic that folds, flat views of
// tensors, (masked) loads and stores of vectors, and loops.
//
// A kernel is a function over identity-layout memrefs. Templates treat each memref as a
// flat array and compute offsets themselves, so that collapsed dimensions, broadcasts and
// panels need no views. A vector has as many lanes as 32-bit elements fit into a register
// of the target. Only loads and stores are masked, never arithmetic.
//
//===----------------------------------------------------------------------===//

#ifndef NN_KERNELS_KERNELEMITTER_H
#define NN_KERNELS_KERNELEMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

namespace mlir::nn {

/// Independent accumulators needed to hide FMA latency: 4 cycles, two FMAs a cycle.
constexpr int64_t kMinIndependentAccumulators = 8;

/// A tensor of a kernel, seen as its elements in row-major order.
struct Array {
  /// memref<?xT>; null for `i1`, whose vectors memrefs would read as packed bits.
  Value flat;
  /// For `i1`: the address, as an i64.
  Value address;
  Type elementType;
};

class KernelEmitter {
public:
  KernelEmitter(OpBuilder &builder, Location location, int64_t vectorBits)
      : b(builder), loc(location), vectorBits(vectorBits) {}

  OpBuilder &b;
  Location loc;
  int64_t vectorBits;

  /// Lanes of vectors of `bits`-bit elements.
  int64_t getLanes(int64_t bits = 32) const { return vectorBits / bits; }

  //===--------------------------------------------------------------------===//
  // Indices: operations on known values fold
  //===--------------------------------------------------------------------===//

  Value index(int64_t value);
  Value add(Value lhs, Value rhs);
  Value add(Value lhs, int64_t rhs) { return add(lhs, index(rhs)); }
  Value sub(Value lhs, Value rhs);
  Value mul(Value lhs, Value rhs);
  Value mul(Value lhs, int64_t rhs) { return mul(lhs, index(rhs)); }
  /// Quotient and remainder of values that are not negative.
  Value div(Value lhs, Value rhs);
  Value rem(Value lhs, Value rhs);
  Value ceilDiv(Value lhs, Value rhs);
  Value min(Value lhs, Value rhs);
  Value max(Value lhs, Value rhs);
  Value less(Value lhs, Value rhs);
  Value equal(Value lhs, int64_t rhs);
  /// Whether 0 <= lhs < rhs.
  Value isBelow(Value lhs, Value rhs);
  Value select(Value condition, Value whenTrue, Value whenFalse);
  /// The indices of the element number `linear` of an array of these sizes.
  SmallVector<Value> delinearize(Value linear, ArrayRef<Value> sizes);

  //===--------------------------------------------------------------------===//
  // Tensors
  //===--------------------------------------------------------------------===//

  /// The size of a dimension of a memref, as a constant where it is static.
  Value size(Value memref, int64_t dim);
  Value numElements(Value memref);
  Array array(Value memref);

  /// A buffer on the stack. To be made outside of loops.
  Value scratch(int64_t size, Type elementType);

  /// The type of `lanes` elements: a scalar for one.
  Type vector(Type elementType, int64_t lanes) const;
  /// `lanes` elements, starting at `offset`. Lanes outside the mask are zero, and their
  /// elements are not read.
  Value load(const Array &array, Value offset, int64_t lanes, Value mask = {});
  void store(Value value, const Array &array, Value offset, Value mask = {});
  /// One element in all lanes.
  Value loadSplat(const Array &array, Value offset, int64_t lanes);
  Value broadcast(Value scalar, int64_t lanes);
  /// The address of an element, as an i64.
  Value address(const Array &array, Value offset);
  Value pointer(Value address);
  /// A pointer to the element number `index` behind another one, and that element.
  Value offset(Value pointer, Type elementType, Value index);
  Value load(Value pointer, Type elementType, Value index);
  /// Prefetches the cache lines of `lanes` elements, which must be in the array.
  void prefetch(const Array &array, Value offset, int64_t lanes);
  /// The lanes [first, first + count) of a vector.
  Value lanesOf(Value vector, int64_t first, int64_t count);
  /// Reduces the lanes of a vector (a power of two) to a scalar with `combine`.
  Value joinLanes(Value vector, function_ref<Value(Value, Value)> combine);
  /// The same for what takes several values.
  SmallVector<Value>
  joinLanes(ValueRange vectors,
            function_ref<SmallVector<Value>(ValueRange, ValueRange)> combine);
  /// Transposes: the columns of L or 2L rows of L elements. L elements are 128 bits, the
  /// part of a register in which x86 interleaves.
  SmallVector<Value> transposeParts(ArrayRef<Value> rows);
  /// A mask that includes the first `count` lanes.
  Value mask(Value count, int64_t lanes);
  /// Replaces lanes outside the mask (if there is one) by `neutral`.
  Value selectMasked(Value mask, Value value, double neutral);

  Value constant(Type type, double value);
  /// a + b, of floats or integers.
  Value sum(Value a, Value b);
  /// a * b + c, fused.
  Value fma(Value a, Value b, Value c);

  //===--------------------------------------------------------------------===//
  // Loops. Bodies emit at `b`, whose insertion point is then inside the loop.
  //===--------------------------------------------------------------------===//

  using LoopBody = function_ref<void(Value iv)>;
  using CarryingBody =
      function_ref<SmallVector<Value>(Value iv, ValueRange carried)>;
  /// for (iv = low; iv < high; iv += step). No loop is emitted if it is known to run once
  /// or not at all.
  void loop(Value low, Value high, int64_t step, LoopBody body);
  SmallVector<Value> loop(Value low, Value high, int64_t step,
                          ArrayRef<Value> initial, CarryingBody body);
  /// The same with several sets of accumulators, to hide latencies: an iteration takes a step
  /// for each of `sets`, which lie one after the other in `initial`.
  using Step = function_ref<void(Value iv, MutableArrayRef<Value> accumulators)>;
  SmallVector<Value> loopInSets(Value low, Value high, int64_t sets,
                                ArrayRef<Value> initial, Step step);
  /// Their sum: one set. The number of sets is a power of two.
  SmallVector<Value> addSets(ArrayRef<Value> accumulators, int64_t sets);
  void ifTrue(Value condition, function_ref<void()> body,
              function_ref<void()> otherwise = nullptr);
  /// The values of the body if `condition` is true, else those of `otherwise`.
  SmallVector<Value> ifElse(Value condition, TypeRange types,
                            function_ref<SmallVector<Value>()> body,
                            function_ref<SmallVector<Value>()> otherwise);

  /// Covers 0 ... count-1 with vectors: `unroll` at a time, then one at a time, then a
  /// masked one. `mask` is null for full vectors.
  void vectorLoop(Value count, int64_t lanes, int64_t unroll,
                  function_ref<void(Value position, Value mask)> body);
  /// Like vectorLoop, with values carried from vector to vector. `unroll` sets of
  /// `initial` are carried side by side; `combine` combines two of them.
  SmallVector<Value> vectorLoop(
      Value count, int64_t lanes, int64_t unroll, ArrayRef<Value> initial,
      function_ref<SmallVector<Value>(Value position, Value mask,
                                      ValueRange carried)>
          body,
      function_ref<SmallVector<Value>(ValueRange lhs, ValueRange rhs)> combine);

  /// Like vectorLoop, but `factor` (a power of two) vectors at a time are one wide vector.
  /// LLVM splits each of its instructions, so that long dependency chains are interleaved.
  /// Bodies get the number of lanes to compute; `initial` makes the first carried values
  /// with that many lanes.
  SmallVector<Value> wideLoop(
      Value count, int64_t lanes, int64_t factor,
      function_ref<SmallVector<Value>(int64_t lanes)> initial,
      function_ref<SmallVector<Value>(Value position, int64_t lanes, Value mask,
                                      ValueRange carried)>
          body,
      function_ref<SmallVector<Value>(ValueRange lhs, ValueRange rhs)> combine);

private:
  Value boolAddress(const Array &array, Value offset);
};

} // namespace mlir::nn

#endif // NN_KERNELS_KERNELEMITTER_H
