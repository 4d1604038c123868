//===- LeafLoader.cpp - operands of fused elementwise operators -----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Kernels/LeafLoader.h"
#include "nn/Conversion/ElementwiseToArith.h"

using namespace mlir;
using namespace mlir::nn;

LogicalResult LeafLoader::add(ValueRange values, Value reference,
                              ArrayRef<int64_t> ends) {
  FailureOr<llvm::SetVector<Value>> leaves = site.view.getLeaves(values);
  if (failed(leaves))
    return failure();
  for (Value leaf : *leaves) {
    FailureOr<SmallVector<DimUse>> use =
        site.view.getGroupUses(leaf, reference, ends);
    if (failed(use))
      return failure();
    uses[leaf] = *use;
  }
  site.addInputs(*leaves);
  return success();
}

Value LeafLoader::load(Value leaf, ArrayRef<Value> indices, int64_t lanes,
                       Value mask) {
  KernelEmitter &e = site.getEmitter();
  const SmallVector<DimUse> &use = uses.find(leaf)->second;
  Value offset = e.index(0);
  for (auto [index, size, one] : llvm::zip(indices, sizes, use))
    if (one == DimUse::Full)
      offset = e.add(e.mul(offset, size), index);
  Array array = site.getInput(leaf);
  return use.back() == DimUse::Full ? e.load(array, offset, lanes, mask)
                                    : e.loadSplat(array, offset, lanes);
}

Type nn::getKernelComputeType(Type tensorType) {
  return getComputeType(getSignlessType(getElementTypeOrSelf(tensorType)));
}

FailureOr<Value> PrologueLoader::load(ArrayRef<Value> indices, int64_t lanes,
                                  Value mask) {
  KernelEmitter &e = site.getEmitter();
  BodyEmitter body(site.view, e, lanes);
  FailureOr<Value> loaded = body.emit(value, [&](Value leaf) {
    return leaves.load(leaf, indices, lanes, mask);
  });
  if (failed(loaded))
    return failure();
  return emitCast(e.b, e.loc, *loaded, getKernelComputeType(value.getType()),
                  false, false);
}

LogicalResult EpilogueStorer::add(ArrayRef<int64_t> ends) {
  Value anchor = site.view.anchor->getResult(0);
  auto results = llvm::map_to_vector(site.view.results, [&](Value result) {
    return site.view.getUntransposed(result);
  });
  for (Value result : results)
    if (!site.view.haveSameShape(result, anchor))
      return failure();
  return leaves.add(results, anchor, ends);
}

void EpilogueStorer::setSizes(ArrayRef<Value> groupSizes) {
  sizes.assign(groupSizes.begin(), groupSizes.end());
  leaves.setSizes(groupSizes);
}

Value EpilogueStorer::getOffset(ArrayRef<Value> indices) {
  KernelEmitter &e = site.getEmitter();
  Value offset = e.index(0);
  for (auto [index, size] : llvm::zip(indices, sizes))
    offset = e.add(e.mul(offset, size), index);
  return offset;
}

bool EpilogueStorer::readsFloats() const {
  Value anchor = site.view.anchor->getResult(0);
  return getElementTypeOrSelf(anchor.getType()).isInteger(32) &&
         llvm::all_of(anchor.getUsers(), [](Operation *user) {
           return isa<CastOp>(user) &&
                  getElementTypeOrSelf(user->getResult(0).getType()).isF32();
         });
}

LogicalResult EpilogueStorer::store(Value value, ArrayRef<Value> indices,
                                    int64_t lanes, Value mask, Value offset) {
  KernelEmitter &e = site.getEmitter();
  Type stored = getSignlessType(
      getElementTypeOrSelf(site.view.anchor->getResult(0).getType()));
  if (!getElementTypeOrSelf(value.getType()).isF32() || !readsFloats())
    value = emitCast(e.b, e.loc, value, stored, false, false);
  return site.emitResults(
      lanes,
      [&](Value leaf) -> Value {
        if (site.view.isAnchorResult(leaf))
          return value;
        return leaves.load(leaf, indices, lanes, mask);
      },
      offset ? offset : getOffset(indices), mask);
}
