//===- ConvertNNToLinalg.cpp - what is left of nn to linalg ---------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "LinalgBackend.h"
#include "TensorEmitter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Rewrite/PatternApplicator.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Conversion/Passes.h"

namespace mlir::nn {
#define GEN_PASS_DEF_CONVERTNNTOLINALG
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

/// Operators that later phases lower.
static bool isLegal(Operation *op) {
  return isa<ConstantOp>(op) || !isa<ShapeOpInterface>(op);
}

static void inlineFusion(FusionOp fusion) {
  IRRewriter rewriter(fusion.getContext());
  Block &body = fusion.getBody().front();
  Operation *yield = body.getTerminator();
  rewriter.inlineBlockBefore(&body, fusion, fusion.getInputs());
  SmallVector<Value> results(yield->getOperands());
  rewriter.eraseOp(yield);
  // Origins move to the members, which have their own locations already.
  SmallVector<std::pair<Operation *, Location>> locations;
  for (Value result : results)
    if (Operation *op = result.getDefiningOp())
      locations.push_back({op, op->getLoc()});
  inheritProvenance(fusion, results);
  for (auto [op, location] : locations)
    op->setLoc(location);
  rewriter.replaceOp(fusion, results);
}

/// bitcast(bitcast(x)) = x if the outer types are the same; dead bitcasts are erased.
static void foldBitcasts(func::FuncOp function, RewriterBase &rewriter) {
  SmallVector<tensor::BitcastOp> bitcasts;
  function.walk([&](tensor::BitcastOp op) { bitcasts.push_back(op); });
  for (tensor::BitcastOp op : bitcasts) {
    auto inner = op.getSource().getDefiningOp<tensor::BitcastOp>();
    if (inner && inner.getSource().getType() == op.getType())
      rewriter.replaceOp(op, inner.getSource());
  }
  bitcasts.clear();
  function.walk([&](tensor::BitcastOp op) { bitcasts.push_back(op); });
  for (tensor::BitcastOp op : llvm::reverse(bitcasts))
    if (op.use_empty())
      rewriter.eraseOp(op);
}

static LogicalResult lowerConstant(ConstantOp op, RewriterBase &rewriter) {
  ElementsAttr value = op.getValue();
  if (op.getType().getElementType().isUnsignedInteger())
    return op.emitOpError("of unsigned elements is left");
  rewriter.setInsertionPoint(op);
  rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, cast<TypedAttr>(value));
  return success();
}

namespace {
/// Has the analysis forget what is erased.
struct ForgettingListener : ProvenanceListener {
  void notifyOperationErased(Operation *op) override {
    if (symbols)
      symbols->forget(op);
  }

  SymbolicDims *symbols = nullptr;
};

struct ConvertNNToLinalg : nn::impl::ConvertNNToLinalgBase<ConvertNNToLinalg> {
  using ConvertNNToLinalgBase::ConvertNNToLinalgBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    ForgettingListener listener;
    PatternRewriter rewriter(&getContext());
    rewriter.setListener(&listener);

    SmallVector<FusionOp> fusions;
    function.walk([&](FusionOp fusion) { fusions.push_back(fusion); });
    for (FusionOp fusion : fusions)
      inlineFusion(fusion);

    SmallVector<Operation *> worklist;
    function.walk([&](Operation *op) {
      if (!isLegal(op))
        worklist.push_back(op);
    });
    if (!worklist.empty()) {
      // The analysis is a snapshot. Consumers are lowered before producers, so that it
      // knows the operands of each operation that is lowered.
      SymbolicDims symbols(function);
      listener.symbols = &symbols;
      RewritePatternSet patterns(&getContext());
      populateConstantToLinalg(patterns, symbols);
      populateContractionToLinalg(patterns, symbols);
      populateConvToLinalg(patterns, symbols);
      populateElementwiseToLinalg(patterns, symbols);
      populateIndexingToLinalg(patterns, symbols);
      populateNormalizationToLinalg(patterns, symbols);
      populatePoolToLinalg(patterns, symbols);
      populateQuantizationToLinalg(patterns, symbols);
      populateRecurrentToLinalg(patterns, symbols);
      populateReductionToLinalg(patterns, symbols);
      populateReshapeToLinalg(patterns, symbols);
      populateResizeToLinalg(patterns, symbols);
      populateSamplingToLinalg(patterns, symbols);
      populateSelectionToLinalg(patterns, symbols);
      populateStringToLinalg(patterns, symbols);
      populateCustomToLinalg(patterns, symbols);
      populateShapeToLinalg(patterns, symbols);
      populateSignalToLinalg(patterns, symbols);
      FrozenRewritePatternSet frozen(std::move(patterns));
      PatternApplicator applicator(frozen);
      applicator.applyDefaultCostModel();
      bool failedAny = false;
      for (Operation *op : llvm::reverse(worklist)) {
        if (op->use_empty()) {
          rewriter.eraseOp(op);
          continue;
        }
        if (std::optional<Gap> gap = getLinalgBackend().findGap(op)) {
          op->emitOpError("cannot be lowered: ") << gap->str();
          failedAny = true;
          continue;
        }
        rewriter.setInsertionPoint(op);
        OperationName name = op->getName();
        Location location = op->getLoc();
        unsigned errors = 0;
        ScopedDiagnosticHandler count(&getContext(), [&](Diagnostic &diagnostic) {
          errors += diagnostic.getSeverity() == DiagnosticSeverity::Error;
          return failure(); // Others report it.
        });
        if (succeeded(applicator.matchAndRewrite(op, rewriter))) {
          ++numLowered;
          continue;
        }
        failedAny = true;
        if (errors == 0)
          emitError(location)
              << "'" << name << "' op cannot be lowered to linalg";
      }
      listener.symbols = nullptr;
      if (failedAny)
        return signalPassFailure();
    }
    foldBitcasts(function, rewriter);
    if (!lowerConstants)
      return;
    SmallVector<ConstantOp> constants;
    function.walk([&](ConstantOp op) { constants.push_back(op); });
    for (ConstantOp op : constants) {
      if (op->use_empty())
        rewriter.eraseOp(op);
      else if (failed(lowerConstant(op, rewriter)))
        return signalPassFailure();
    }
  }
};
} // namespace

void LinalgBackend::addPasses(OpPassManager &pm) const {
  pm.addNestedPass<func::FuncOp>(createConvertNNToLinalg());
}

void GPULoopsBackend::addPasses(OpPassManager &pm) const {
  pm.addNestedPass<func::FuncOp>(createFuseLoops());
}
