//===- NNToKernels.cpp - the back end of kernel templates -----------------===//
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
#include "KernelBackend.h"
#include "nn/Kernels/KernelTable.h"
#include "nn/Kernels/Templates.h"
#include "nn/Target/CostModel.h"

using namespace mlir;
using namespace mlir::nn;

namespace {

bool isAlwaysFast(const FusionView &, const CostModel &) { return true; }
std::optional<double> computesAll(const FusionView &, const CostModel &) { return 1; }

struct Template {
  /// Its name in the rows of Capabilities.cpp.
  StringLiteral name;
  LogicalResult (*emit)(KernelSite &);
  /// Whether it computes the group as fast as a library would.
  bool (*isFast)(const FusionView &, const CostModel &);
  /// Adds the transpositions of the group that must be computed on their own.
  void (*refuseTransposes)(const FusionView &, const CostModel &,
                           SmallVectorImpl<RefusedTranspose> &) = nn::refuseTransposes;
  /// The part of the group's operations that it takes the time of; nullopt: it refuses the
  /// group.
  std::optional<double> (*getShare)(const FusionView &, const CostModel &) = computesAll;
  /// The anchors of groups that it computes, unless these are elementwise.
  size_t numAnchors = 1;
};

/// At equal cost the first that does not fail is used.
constexpr Template templates[] = {
    {"kernel elementwise", emitElementwiseKernel, isAlwaysFast},
    {"kernel reduction", emitReductionKernel, isAlwaysFast},
    {"kernel softmax", emitSoftmaxKernel, isAlwaysFast},
    {"kernel layer_norm", emitLayerNormKernel, isAlwaysFast},
    {"kernel instance_norm", emitInstanceNormKernel, isAlwaysFast},
    {"kernel depthwise_conv", emitDepthwiseKernel, isAlwaysFast},
    {"kernel single_channel_conv", emitSingleChannelKernel, isAlwaysFast},
    {"kernel lrn", emitLRNKernel, isAlwaysFast},
    {"kernel pool", emitPoolKernel, isAlwaysFast},
    {"kernel dequantizing_matmul", emitDequantizingMatMulKernel, isAlwaysFast,
     nn::refuseTransposes, getDequantizingShare},
    {"kernel dot_products", emitDotProductsKernel, isAlwaysFast,
     refuseTransposesOfDotProducts},
    {"kernel block_contraction", emitBlockContractionKernel, isAlwaysFast,
     nn::refuseTransposes, getBlockShare},
    {"kernel contraction", emitContractionKernel, isContractionFast},
    {"kernel matmul", emitMatMulKernel, isMatMulFast, refuseTransposesOfMatMul},
    {"kernel recurrent", emitRecurrentKernel, isAlwaysFast},
    {"kernel attention", emitAttentionKernel, isAlwaysFast, refuseTransposesOfAttention,
     getAttentionShare, /*numAnchors=*/3}};

/// Whether the capability table has the template for an operator.
bool isClaimed(const Template &candidate, Operation *op) {
  return llvm::any_of(getKernelBackend().findRows(op->getName()),
                      [&](const Capability *row) {
                        return row->lowering == candidate.name && !findGap(*row, op);
                      });
}

/// Whether the template may be tried: it supports the anchors (or, without one, all
/// operators), and the elementwise operators around them can be emitted.
bool isClaimed(const Template &candidate, const FusionView &view) {
  auto isClaimedAnchor = [&](Operation *op) { return isClaimed(candidate, op); };
  if (view.anchor && (view.anchors.size() != candidate.numAnchors ||
                      !llvm::all_of(view.anchors, isClaimedAnchor)))
    return false;
  bool all = true;
  view.root->walk([&](ElementwiseOpInterface op) {
    all &= view.anchor ? !getKernelBackend().findGap(op)
                       : isClaimed(candidate, op);
  });
  return all;
}

class KernelPlacer : public Placer {
public:
  KernelPlacer(ModuleOp module, const CostModel &costs) : kernels(module), costs(costs) {}

  void offer(const FusionView &group, SmallVectorImpl<Claim> &claims) override {
    double time = costs.getTime(group);
    for (const Template &candidate : templates) {
      if (!isClaimed(candidate, group))
        continue;
      std::optional<double> share = candidate.getShare(group, costs);
      if (!share)
        continue;
      double cost = costs.getLaunchTime() + time * *share;
      if (!candidate.isFast(group, costs))
        cost = double(costs.getThresholds().templateSlowdown) *
               (costs.getLibraryCallTime() + time);
      SmallVector<RefusedTranspose> refused;
      candidate.refuseTransposes(group, costs, refused);
      cost += costs.getTime(group, refused);
      claims.push_back({candidate.name, cost,
                        [this, &group, &candidate, refused] {
                          return emit(candidate, group, refused);
                        }});
    }
  }

private:
  FailureOr<SmallVector<Operation *>> emit(const Template &candidate,
                                           const FusionView &group,
                                           ArrayRef<RefusedTranspose> refused) {
    TransposeSplitter splitter(group, refused);
    OpBuilder host(splitter.getCore().root);
    KernelSite site(splitter.getCore(), host, costs);
    if (failed(candidate.emit(site))) {
      site.abandon();
      splitter.undo();
      return failure();
    }
    eliminateCommonSubExpressions(site.kernel);
    StringRef kind = site.kernel->getAttrOfType<StringAttr>("nn.kernel").getValue();
    func::FuncOp kernel = kernels.add(site.kernel, ("kernel_" + kind).str()).first;
    cast<rt::LaunchOp>(site.call).setKernel(kernel.getSymName());
    return splitter.finish("kernels");
  }

  static void eliminateCommonSubExpressions(func::FuncOp kernel) {
    IRRewriter rewriter(kernel.getContext());
    DominanceInfo dominance(kernel);
    mlir::eliminateCommonSubExpressions(rewriter, dominance, kernel);
  }

  KernelTable kernels;
  const CostModel &costs;
};

} // namespace

void KernelBackend::getDependentDialects(DialectRegistry &registry) const {
  registry.insert<LLVM::LLVMDialect, arith::ArithDialect, cf::ControlFlowDialect,
                  func::FuncDialect, math::MathDialect, memref::MemRefDialect,
                  rt::RTDialect, scf::SCFDialect, tensor::TensorDialect,
                  vector::VectorDialect>();
}

std::unique_ptr<Placer> KernelBackend::createPlacer(ModuleOp module,
                                                    const CostModel &costs) const {
  return std::make_unique<KernelPlacer>(module, costs);
}
