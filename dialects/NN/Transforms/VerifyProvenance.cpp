//===- VerifyProvenance.cpp - nn-verify-provenance ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/IR/Remarks.h"
#include "nn/Analysis/Provenance.h"

namespace mlir::nn {
#define GEN_PASS_DEF_VERIFYPROVENANCE
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

/// The first name in a location: a node, or a position in a file.
static std::string getNamed(Location location) {
  std::string name;
  location->walk([&](Location part) {
    llvm::raw_string_ostream os(name);
    if (auto node = dyn_cast<NameLoc>(part))
      os << node.getName().getValue();
    else if (auto place = dyn_cast<FileLineColRange>(part))
      os << place.getFilename().getValue() << ":" << place.getStartLine();
    return name.empty() ? WalkResult::advance() : WalkResult::interrupt();
  });
  return name;
}

namespace {
struct VerifyProvenance : nn::impl::VerifyProvenanceBase<VerifyProvenance> {
  using VerifyProvenanceBase::VerifyProvenanceBase;

  void runOnOperation() override {
    getOperation().walk([&](func::FuncOp function) {
      function.walk([&](Operation *op) { checkOperation(op); });
      if (function.getName() == "main")
        checkOutputs(function);
    });
  }

  void checkOperation(Operation *op) {
    if (op->hasTrait<OpTrait::ConstantLike>() ||
        !llvm::any_of(op->getResultTypes(),
                      [](Type type) { return isa<TensorType>(type); }))
      return;
    if (getNamed(op->getLoc()).empty()) {
      std::string where = phase.empty() ? "" : " at the end of " + phase;
      if (strict) {
        op->emitOpError("has a location that names no ONNX node") << where;
        signalPassFailure();
      } else {
        remarkMissed(op, op->getName().getStringRef().str() +
                             " has a location that names no ONNX node" + where);
      }
    } else if (isa<ContractionOpInterface>(op) && getOrigins(op).empty()) {
      remarkMissed(op, op->getName().getStringRef().str() +
                           " is no tensor of the model, but part of '" +
                           getNamed(op->getLoc()) + "'");
    }
  }

  void checkOutputs(func::FuncOp function) {
    if (function.isExternal())
      return;
    Operation *end = function.getBody().back().getTerminator();
    for (auto [index, output] : llvm::enumerate(end->getOperands())) {
      Operation *op = output.getDefiningOp();
      if (!isa<TensorType>(output.getType()) || !op ||
          op->hasTrait<OpTrait::ConstantLike>() || !getOrigins(output).empty())
        continue;
      auto name = function.getResultAttrOfType<StringAttr>(index, "nn.name");
      remarkMissed(op, "output '" + (name ? name.str() : std::to_string(index)) +
                           "' has no origin; '" + getNamed(op->getLoc()) +
                           "' computes it");
    }
  }

  static void remarkMissed(Operation *op, const std::string &what) {
    remark::missed(op->getLoc(), remark::RemarkOpts::name("not-traced")
                                     .category("provenance"))
        << remark::add("{0}", what);
  }
};
} // namespace
