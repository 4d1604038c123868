//===- LayOutWeights.cpp - places in the weights section ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "nn/Target/Passes.h"
#include "nn/Target/Weights.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::nn {
#define GEN_PASS_DEF_LAYOUTWEIGHTS
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

int64_t nn::getElementBytes(Type elementType) {
  return elementType.isIndex() ? 8
                               : llvm::divideCeil(elementType.getIntOrFloatBitWidth(), 8);
}

int64_t nn::getStorageBytes(ShapedType type) {
  unsigned bits = type.getElementTypeBitWidth();
  return type.getNumElements() * int64_t(llvm::divideCeil(bits, 8));
}

namespace {
/// Allows aligned vector loads, and no two constants share a cache line.
constexpr int64_t kAlignment = 64;

struct LayOutWeightsPass : nn::impl::LayOutWeightsBase<LayOutWeightsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Builder builder(&getContext());
    // Continue the list of another variant.
    llvm::MapVector<Attribute, int64_t> offsets;
    int64_t end = 0;
    auto add = [&](ElementsAttr value, int64_t offset) {
      offsets[value] = offset;
      end = llvm::alignTo(offset + getStorageBytes(value.getShapedType()), kAlignment);
    };
    if (auto list = module->getAttrOfType<ArrayAttr>("nn.weights"))
      for (auto entry : list.getAsRange<ArrayAttr>())
        add(cast<ElementsAttr>(entry[0]), cast<IntegerAttr>(entry[1]).getInt());

    module.walk([&](rt::WeightOp weight) {
      ElementsAttr value = weight.getValueAttr();
      if (!value)
        return;
      auto it = offsets.find(value);
      if (it == offsets.end()) {
        add(value, end);
        it = offsets.find(value);
      }
      weight.setOffset(it->second);
      weight.removeValueAttr();
    });
    SmallVector<Attribute> list;
    for (auto [value, offset] : offsets)
      list.push_back(builder.getArrayAttr({value, builder.getI64IntegerAttr(offset)}));
    module->setAttr("nn.weights", builder.getArrayAttr(list));
    bytes = end;
  }
};
} // namespace
