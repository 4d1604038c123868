//===- MaterializeOutputs.cpp - results into the caller's buffers ---------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "nn/Target/Passes.h"

namespace mlir::nn {
#define GEN_PASS_DEF_MATERIALIZEOUTPUTS
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
/// Follows casts that change nothing but the type's static knowledge, or whether
/// its integers have a sign.
memref::AllocOp getAllocation(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<memref::CastOp>(op) &&
        !(isa<UnrealizedConversionCastOp>(op) && op->getNumOperands() == 1))
      break;
    value = op->getOperand(0);
  }
  return value.getDefiningOp<memref::AllocOp>();
}

struct MaterializeOutputsPass
    : nn::impl::MaterializeOutputsBase<MaterializeOutputsPass> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main)
      return;
    auto returnOp = cast<func::ReturnOp>(main.getBody().front().getTerminator());
    OpBuilder builder(returnOp);
    DenseSet<Operation *> taken;
    SmallVector<memref::AllocOp> returned;
    for (auto [index, value] : llvm::enumerate(returnOp.getOperands())) {
      memref::AllocOp allocation = getAllocation(value);
      auto type = dyn_cast<MemRefType>(value.getType());
      if (!type) {
        returnOp.emitError() << "result " << index << " is no buffer";
        return signalPassFailure();
      }
      if (allocation && allocation->getBlock() == &main.getBody().front() &&
          allocation.getType().getLayout().isIdentity() &&
          taken.insert(allocation).second) {
        builder.setInsertionPoint(allocation);
        auto output = rt::OutputOp::create(builder, allocation.getLoc(),
                                       allocation.getType(), index,
                                       allocation.getDynamicSizes());
        allocation.getResult().replaceAllUsesWith(output);
        // Not erased yet: another result may be the same allocation.
        returned.push_back(allocation);
        ++numDirect;
        continue;
      }
      builder.setInsertionPoint(returnOp);
      SmallVector<Value> sizes;
      for (int64_t i = 0; i < type.getRank(); ++i)
        if (type.isDynamicDim(i))
          sizes.push_back(memref::DimOp::create(builder, returnOp.getLoc(), value, i));
      auto output = rt::OutputOp::create(
          builder, returnOp.getLoc(),
          MemRefType::get(type.getShape(), type.getElementType()), index, sizes);
      memref::CopyOp::create(builder, returnOp.getLoc(), value, output);
      ++numCopied;
    }
    for (memref::AllocOp allocation : returned)
      allocation.erase();
    builder.setInsertionPoint(returnOp);
    Value ok = arith::ConstantIntOp::create(builder, returnOp.getLoc(), 0, 32);
    returnOp.getOperandsMutable().assign(ok);
    main.setType(builder.getFunctionType(main.getArgumentTypes(), builder.getI32Type()));
    main.setAllResultAttrs(ArrayRef<DictionaryAttr>{builder.getDictionaryAttr({})});
  }
};
} // namespace
