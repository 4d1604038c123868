//===- VerifyLegality.cpp - what may be left at the end of a phase --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Verifier.h"
#include "nn/Target/Backend.h"
#include "nn/Target/GPU.h"
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
    if (failed(verify(getOperation())))
      return signalPassFailure();
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
  /// Whether an operation of the host reads or writes what lies on the device.
  static bool accessesDevice(Operation *op) {
    auto function = op->getParentOfType<func::FuncOp>();
    if (!function || function->hasAttr("nn.kernel") || isa<rt::LaunchOp, rt::CopyOp>(op) ||
        op->getNumRegions() != 0 || isMemoryEffectFree(op))
      return false;
    return llvm::any_of(op->getOpOperands(), [&](OpOperand &operand) {
      bool isAddress = isa<rt::ReleaseOp>(op) || (isa<memref::ReshapeOp>(op) &&
                                                  operand.getOperandNumber() == 0);
      return !isAddress && isOnDevice(operand.get().getType());
    });
  }

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
      if (accessesDevice(op))
        return "the host uses a buffer of the device";
    } else if (phase == "emit") {
      if (!isa<LLVM::LLVMDialect, NVVM::NVVMDialect>(op->getDialect()) &&
          !isa<ModuleOp, gpu::GPUModuleOp>(op))
        return "everything has become LLVM's dialect";
    }
    return std::nullopt;
  }
};
} // namespace
