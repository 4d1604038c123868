//===- VerifyLegality.cpp - what may be left at the end of a phase --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "nn/Target/Backend.h"
#include "nn/Target/Passes.h"
#include "nn/Target/Target.h"

namespace mlir::nn {
#define GEN_PASS_DEF_VERIFYLEGALITY
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
struct VerifyLegality : nn::impl::VerifyLegalityBase<VerifyLegality> {
  using VerifyLegalityBase::VerifyLegalityBase;

  void runOnOperation() override {
    SmallVector<const Backend *> backends = getBackends(getTarget(getOperation()));
    bool failedAny = false;
    getOperation().walk([&](Operation *op) {
      if (std::optional<std::string> why = getViolation(op, backends)) {
        op->emitOpError("is left at the end of ") << phase << ": " << *why;
        failedAny = true;
      }
    });
    if (failedAny)
      signalPassFailure();
  }

private:
  std::optional<std::string> getViolation(Operation *op,
                                          ArrayRef<const Backend *> backends) {
    if (phase == "legalize" || phase == "fuse") {
      if (isa<ShapeOpInterface>(op) && !isa<ConstantOp>(op) && !op->use_empty())
        if (std::optional<Gap> gap = findGap(backends, op))
          return gap->str();
    } else if (phase == "place") {
      if (isa<ShapeOpInterface, FusionOp>(op) && !isa<ConstantOp>(op))
        return "no back end has lowered it";
    } else if (phase == "bufferize") {
      auto isTensor = [](Type type) { return isa<TensorType>(type); };
      if (llvm::any_of(op->getOperandTypes(), isTensor) ||
          llvm::any_of(op->getResultTypes(), isTensor))
        return "tensors have become buffers";
    } else if (phase == "emit") {
      if (!isa<LLVM::LLVMDialect, NVVM::NVVMDialect>(op->getDialect()) &&
          !isa<ModuleOp, gpu::GPUModuleOp>(op))
        return "everything has become LLVM's dialect";
    }
    return std::nullopt;
  }
};
} // namespace
