//===- Provenance.cpp - which ONNX nodes and tensors ops stand for --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Analysis/Provenance.h"

using namespace mlir;
using namespace mlir::nn;

SmallVector<OriginAttr> nn::getOrigins(Operation *op) {
  SmallVector<OriginAttr> origins;
  if (auto array = op->getAttrOfType<ArrayAttr>(originAttrName))
    for (Attribute origin : array)
      if (auto known = dyn_cast<OriginAttr>(origin))
        origins.push_back(known);
  return origins;
}

SmallVector<OriginAttr> nn::getOrigins(Value value) {
  auto result = dyn_cast<OpResult>(value);
  if (!result)
    return {};
  SmallVector<OriginAttr> origins;
  for (OriginAttr origin : getOrigins(result.getOwner()))
    if (origin.getResult() == result.getResultNumber())
      origins.push_back(origin);
  return origins;
}

void nn::setOrigins(Operation *op, ArrayRef<OriginAttr> origins) {
  if (origins.empty()) {
    op->removeAttr(originAttrName);
    return;
  }
  SmallVector<Attribute> attrs(origins.begin(), origins.end());
  op->setAttr(originAttrName, ArrayAttr::get(op->getContext(), attrs));
}

void nn::addOrigins(Value value, ArrayRef<OriginAttr> more) {
  auto result = cast<OpResult>(value);
  SmallVector<OriginAttr> origins = getOrigins(result.getOwner());
  size_t before = origins.size();
  for (OriginAttr origin : more) {
    auto moved = OriginAttr::get(value.getContext(), result.getResultNumber(),
                                 origin.getTensor(), origin.getPermutation());
    if (!llvm::is_contained(origins, moved))
      origins.push_back(moved);
  }
  if (origins.size() != before)
    setOrigins(result.getOwner(), origins);
}

void nn::inheritProvenance(Operation *op, ValueRange replacement) {
  if (op->hasTrait<OpTrait::ConstantLike>())
    return;
  for (auto [index, value] : llvm::enumerate(replacement)) {
    if (!value)
      continue;
    Operation *by = value.getDefiningOp();
    if (!by || by == op || by->hasTrait<OpTrait::ConstantLike>())
      continue;
    by->setLoc(fuseLocations({op, by}));
    addOrigins(value, getOrigins(op->getResult(index)));
  }
}

Location nn::fuseLocations(ArrayRef<Operation *> ops) {
  assert(!ops.empty() && "no operation to take a location from");
  SmallVector<Location> locations;
  for (Operation *op : ops)
    if (op)
      locations.push_back(op->getLoc());
  return FusedLoc::get(ops.front()->getContext(), locations);
}

LogicalResult nn::rewriteGreedily(Operation *root,
                                  const FrozenRewritePatternSet &patterns,
                                  bool *changed) {
  ProvenanceListener listener;
  GreedyRewriteConfig config;
  config.setListener(&listener);
  config.setUseTopDownTraversal(true);
  config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
  // The driver stops when nothing changes any more; deep chains need more than the
  // default of ten iterations.
  config.setMaxIterations(64);
  return applyPatternsGreedily(root, patterns, config, changed);
}
