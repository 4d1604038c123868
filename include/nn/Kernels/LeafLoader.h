//===- LeafLoader.h - operands of fused elementwise operators ---*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A kernel with an anchor iterates over a few groups of dimensions ("rows", "channels").
// The loader reads the operands of the elementwise operators before or after the anchor
// at the position given by the groups' indices.
//
//===----------------------------------------------------------------------===//

#ifndef NN_KERNELS_LEAFLOADER_H
#define NN_KERNELS_LEAFLOADER_H

#include "nn/Kernels/KernelSite.h"

namespace mlir::nn {

class LeafLoader {
public:
  explicit LeafLoader(KernelSite &site) : site(site) {}

  /// Makes the operands of the elementwise operators between `values` and the anchor's
  /// result (which is excluded) inputs of the kernel. They are broadcast to `reference`,
  /// over whose dimensions the kernel iterates in the groups that end at `ends`. Failure
  /// if an operand has only some of the dimensions of a group.
  LogicalResult add(ValueRange values, Value reference, ArrayRef<int64_t> ends);

  /// The size of each group, once known in the kernel.
  void setSizes(ArrayRef<Value> groupSizes) { sizes.assign(groupSizes.begin(), groupSizes.end()); }

  /// The value of a leaf; the vector lies along the last group, and starts at
  /// the last index.
  Value load(Value leaf, ArrayRef<Value> indices, int64_t lanes, Value mask);
  bool contains(Value leaf) const { return uses.count(leaf); }

private:
  KernelSite &site;
  DenseMap<Value, SmallVector<DimUse>> uses;
  SmallVector<Value> sizes;
};

/// An input tensor of an anchor, with the elementwise operators that compute it (often
/// none): the kernel's prologue.
class PrologueLoader {
public:
  PrologueLoader(KernelSite &site, Value value)
      : site(site), value(value), leaves(site) {}

  /// The groups that end at `ends` consist of dimensions of `reference` (by default the
  /// tensor itself), to which the tensor is broadcast.
  LogicalResult add(ArrayRef<int64_t> ends, Value reference = {}) {
    return leaves.add(value, reference ? reference : value, ends);
  }
  void setSizes(ArrayRef<Value> sizes) { leaves.setSizes(sizes); }
  /// The vector at the indices of the groups, in the compute type.
  FailureOr<Value> load(ArrayRef<Value> indices, int64_t lanes, Value mask);

private:
  KernelSite &site;
  Value value;
  LeafLoader leaves;
};

/// The epilogue of a kernel with an anchor: applies the elementwise operators after the
/// anchor, and stores the results.
class EpilogueStorer {
public:
  explicit EpilogueStorer(KernelSite &site) : site(site), leaves(site) {}

  /// `ends` is as for LeafLoader, in the dimensions of the anchor's result. Failure if a
  /// result does not have the shape of the anchor's.
  LogicalResult add(ArrayRef<int64_t> ends);
  void setSizes(ArrayRef<Value> groupSizes);
  /// Whether operators only read the anchor's integers as f32.
  bool readsFloats() const;
  /// `value` is the anchor's result in the compute type, or in f32 if operators read it so. It
  /// is stored at `offset`, if that is given.
  LogicalResult store(Value value, ArrayRef<Value> indices, int64_t lanes,
                      Value mask, Value offset = {});
  /// The offset of the element at the indices of the groups.
  Value getOffset(ArrayRef<Value> indices);

private:
  KernelSite &site;
  LeafLoader leaves;
  SmallVector<Value> sizes;
};

/// The type in which a kernel computes with elements of the (nn) type.
Type getKernelComputeType(Type tensorType);

} // namespace mlir::nn

#endif // NN_KERNELS_LEAFLOADER_H
