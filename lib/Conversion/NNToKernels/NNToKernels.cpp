//===- NNToKernels.cpp - convert-nn-to-kernels ----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/CSE.h"
#include "nn/Conversion/Passes.h"
#include "nn/Kernels/KernelTable.h"
#include "nn/Kernels/Templates.h"
#include "nn/Target/Backend.h"
#include "nn/Target/Target.h"

namespace mlir::nn {
#define GEN_PASS_DEF_CONVERTNNTOKERNELS
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {

struct Template {
  /// Its name in the rows of Capabilities.cpp.
  StringLiteral name;
  LogicalResult (*emit)(KernelSite &);
};

/// Whether generated code is faster than oneDNN.
constexpr Template preferredTemplates[] = {
    {"kernel depthwise_conv", emitDepthwiseKernel},
    {"kernel single_channel_conv", emitSingleChannelKernel},
    {"kernel lrn", emitLRNKernel},
    {"kernel pool", emitPoolKernel},
    {"kernel dot_products", emitDotProductsKernel},
    {"kernel contraction", emitContractionKernel},
    {"kernel matmul", emitMatMulKernel}};
/// The first that does not fail is used.
constexpr Template allTemplates[] = {
    {"kernel elementwise", emitElementwiseKernel},
    {"kernel reduction", emitReductionKernel},
    {"kernel softmax", emitSoftmaxKernel},
    {"kernel layer_norm", emitLayerNormKernel},
    {"kernel instance_norm", emitInstanceNormKernel},
    {"kernel depthwise_conv", emitDepthwiseKernel},
    {"kernel single_channel_conv", emitSingleChannelKernel},
    {"kernel lrn", emitLRNKernel},
    {"kernel pool", emitPoolKernel},
    {"kernel dot_products", emitDotProductsKernel},
    {"kernel contraction", emitContractionKernel},
    {"kernel matmul", emitMatMulKernel},
    {"kernel recurrent", emitRecurrentKernel}};

/// Whether the capability table has the template for an operator.
bool isClaimed(const Template &candidate, Operation *op) {
  return llvm::any_of(getKernelBackend().findRows(op->getName()),
                      [&](const Capability *row) {
                        return row->lowering == candidate.name && !findGap(*row, op);
                      });
}

/// Whether the template may be tried: it supports the anchor (or, without one, all
/// operators), and the elementwise operators around the anchor can be emitted.
bool isClaimed(const Template &candidate, const FusionView &view) {
  if (view.anchor && !isClaimed(candidate, view.anchor))
    return false;
  bool all = true;
  view.root->walk([&](ElementwiseOpInterface op) {
    all &= view.anchor ? !getKernelBackend().findGap(op)
                       : isClaimed(candidate, op);
  });
  return all;
}

class ConvertNNToKernels
    : public nn::impl::ConvertNNToKernelsBase<ConvertNNToKernels> {
public:
  using ConvertNNToKernelsBase::ConvertNNToKernelsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    ArrayRef<Template> templates = allTemplates;
    if (claim == "preferred") {
      templates = preferredTemplates;
    } else if (claim != "all") {
      module.emitError("convert-nn-to-kernels: claim is 'preferred' or 'all', not '")
          << claim << "'";
      return signalPassFailure();
    }
    FailureOr<CodeVariant> variant = getVariant(module);
    if (failed(variant))
      return signalPassFailure();
    vectorBits = variant->vectorBits;
    KernelTable kernels(module);
    SmallVector<func::FuncOp> functions;
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal() && !function->hasAttr("nn.kernel"))
        functions.push_back(function);
    for (func::FuncOp function : functions)
      convert(function, templates, kernels);
  }

private:
  int64_t vectorBits = 0;

  void convert(func::FuncOp function, ArrayRef<Template> templates,
               KernelTable &kernels) {
    SmallVector<Operation *> roots, replaced;
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa_and_nonnull<NNDialect>(op->getDialect()) &&
          !isa<ConstantOp>(op)) {
        roots.push_back(op);
        return WalkResult::skip();
      }
      return WalkResult::advance();
    });
    // The analysis identifies operations by address, so none is erased before the end.
    SymbolicDims dims(function);
    for (Operation *root : roots) {
      // Shape arithmetic on small tensors is cheaper without kernels.
      FusionView view(root, dims);
      if (view.hasManyAnchors)
        continue;
      for (const Template &candidate : templates) {
        if (!isClaimed(candidate, view))
          continue;
        OpBuilder host(root);
        KernelSite site(view, host, vectorBits);
        if (failed(candidate.emit(site))) {
          site.abandon();
          continue;
        }
        eliminateCommonSubExpressions(site.kernel);
        StringRef kind =
            site.kernel->getAttrOfType<StringAttr>("nn.kernel").getValue();
        auto [kernel, isNew] = kernels.add(site.kernel, ("kernel_" + kind).str());
        cast<rt::LaunchOp>(site.call).setKernel(kernel.getSymName());
        numKernels += isNew;
        ++numCalls;
        replaced.push_back(root);
        break;
      }
    }
    for (Operation *root : llvm::reverse(replaced))
      root->erase();
  }

  void eliminateCommonSubExpressions(func::FuncOp kernel) {
    IRRewriter rewriter(kernel.getContext());
    DominanceInfo dominance(kernel);
    mlir::eliminateCommonSubExpressions(rewriter, dominance, kernel);
  }
};

} // namespace
