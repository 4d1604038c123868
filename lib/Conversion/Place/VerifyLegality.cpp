//===- VerifyLegality.cpp - what may be left at the end of a phase --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "nn/Conversion/Passes.h"
#include "nn/Target/Backend.h"
#include "nn/Target/Target.h"

namespace mlir::nn {
#define GEN_PASS_DEF_VERIFYLEGALITY
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
struct VerifyLegality : nn::impl::VerifyLegalityBase<VerifyLegality> {
  using VerifyLegalityBase::VerifyLegalityBase;

  void runOnOperation() override {
    TargetAttr target = getTarget(getOperation());
    bool failedAny = false;
    getOperation().walk([&](Operation *op) {
      if (std::optional<std::string> why = getViolation(op, target)) {
        op->emitOpError("is left at the end of ") << phase << ": " << *why;
        failedAny = true;
      }
    });
    if (failedAny)
      signalPassFailure();
  }

private:
  std::optional<std::string> getViolation(Operation *op, TargetAttr target) {
    if (phase == "legalize" || phase == "fuse")
      return getGap(op, target);
    if (phase == "place") {
      if (isa<ShapeOpInterface, FusionOp>(op) && !isa<ConstantOp>(op))
        return "no back end has lowered it";
    } else if (phase == "bufferize") {
      auto isTensor = [](Type type) { return isa<TensorType>(type); };
      if (llvm::any_of(op->getOperandTypes(), isTensor) ||
          llvm::any_of(op->getResultTypes(), isTensor))
        return "tensors have become buffers";
    } else if (phase == "emit") {
      if (!isa<LLVM::LLVMDialect>(op->getDialect()) && !isa<ModuleOp>(op))
        return "everything has become LLVM's dialect";
    }
    return std::nullopt;
  }

  /// What keeps all back ends of the target from computing an operator.
  static std::optional<std::string> getGap(Operation *op, TargetAttr target) {
    if (!isa<ShapeOpInterface>(op) || isa<ConstantOp>(op) || op->use_empty())
      return std::nullopt;
    std::optional<Gap> closest;
    for (const Backend *backend : getBackends()) {
      if (!backend->isAllowed(target))
        continue;
      std::optional<Gap> gap = backend->findGap(op);
      if (!gap)
        return std::nullopt;
      if (!closest || gap->kind >= closest->kind)
        closest = gap;
    }
    return closest ? closest->str() : "the target has no back end";
  }
};
} // namespace
