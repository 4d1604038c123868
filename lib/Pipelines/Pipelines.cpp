//===- Pipelines.cpp - the phases of compilation --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Pipelines/Pipelines.h"
#include "dialects/NN/Transforms/Canonicalize.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "nn/Conversion/Passes.h"
#include "nn/Target/Backend.h"
#include "nn/Target/Passes.h"

using namespace mlir;
using namespace mlir::nn;

static constexpr std::pair<Phase, llvm::StringLiteral> kPhases[] = {
    {Phase::Simplify, "simplify"},   {Phase::Legalize, "legalize"},
    {Phase::Fuse, "fuse"},           {Phase::Place, "place"},
    {Phase::Bufferize, "bufferize"}, {Phase::Emit, "emit"}};

std::optional<Phase> nn::parsePhase(StringRef name) {
  for (auto [phase, phaseName] : kPhases)
    if (name == phaseName)
      return phase;
  return std::nullopt;
}

StringRef nn::getName(Phase phase) { return kPhases[int(phase)].second; }

namespace {
/// Runs passes on functions other than kernels. Kernels are emitted as they shall be, and
/// are often most of the code.
class OnHost : public PassWrapper<OnHost, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(OnHost)
  OpPassManager passes{func::FuncOp::getOperationName()};

  StringRef getName() const override { return "OnHost"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    passes.getDependentDialects(registry);
  }
  void runOnOperation() override {
    if (!getOperation()->hasAttr("nn.kernel") &&
        failed(runPipeline(passes, getOperation())))
      signalPassFailure();
  }
};
} // namespace

static void addOnHost(OpPassManager &pm, function_ref<void(OpPassManager &)> addPasses) {
  auto pass = std::make_unique<OnHost>();
  addPasses(pass->passes);
  pm.addNestedPass<func::FuncOp>(std::move(pass));
}

/// Constants evaluated, shape arithmetic gone, types as static as they can be.
static void addSimplification(OpPassManager &functions, bool keepQuantized = false) {
  FoldConstantsOptions folding;
  folding.keepQuantized = keepQuantized;
  functions.addPass(createCanonicalize());
  functions.addPass(createFoldConstants(folding));
  functions.addPass(createFoldShapes());
  functions.addPass(createInferShapes());
}

/// What is lost here cannot be traced back to the model further down.
static void addVerification(OpPassManager &pm, StringRef phase,
                            const PipelineOptions &options) {
  VerifyProvenanceOptions verification;
  verification.strict = options.strictProvenance;
  verification.phase = phase.str();
  pm.addPass(createVerifyProvenance(verification));
}

static void addLegality(OpPassManager &pm, StringRef phase) {
  VerifyLegalityOptions legality;
  legality.phase = phase.str();
  pm.addPass(createVerifyLegality(legality));
}

/// What the model says, in few operators. Knows no machine.
static void buildSimplify(OpPassManager &pm, const PipelineOptions &options) {
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createCanonicalize());
  if (!options.keepQuantized) {
    functions.addPass(createSimplifyQuantization());
    functions.addPass(createExposeIntegers());
  }
  addSimplification(functions, options.keepQuantized);
  addSimplification(functions, options.keepQuantized);
  functions.addPass(createRecognizePatterns());
  addVerification(pm, "simplify", options);
  addLegality(pm, "simplify");
}

void nn::buildPreparation(OpPassManager &pm) {
  PipelineOptions options;
  options.keepQuantized = true;
  buildSimplify(pm, options);
  FoldConstantsOptions folding;
  folding.keepQuantized = true;
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createFoldBatchNorm());
  functions.addPass(createCanonicalize());
  functions.addPass(createFoldConstants(folding));
}

/// Types, forms and layouts that the target computes in.
static void buildLegalize(OpPassManager &pm, const PipelineOptions &options) {
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createNarrowProducts());
  functions.addPass(createLegalizeTypes());
  functions.addPass(createPrepareRecurrent());
  functions.addPass(createFoldConstants());
  // In the types that are computed in: scaled weights are not rounded to f16.
  functions.addPass(createFoldBatchNorm());
  functions.addPass(createDecomposeQuantization());
  functions.addPass(createStoreSmallTypes());
  functions.addPass(createFoldConstants());
  functions.addPass(createCanonicalize());
  functions.addPass(createCSE());
  functions.addPass(createRemoveDeadChannels());
  functions.addPass(createAssignLayout());
  addSimplification(functions);
  functions.addPass(createSplitReductions());
  functions.addPass(createCanonicalize());
  functions.addPass(createCSE());
  addVerification(pm, "legalize", options);
  addLegality(pm, "legalize");
}

/// Groups that one kernel shall compute.
static void buildFuse(OpPassManager &pm, const PipelineOptions &options) {
  pm.addNestedPass<func::FuncOp>(createCheckWindows());
  pm.addNestedPass<func::FuncOp>(createFormFusions());
  addVerification(pm, "fuse", options);
  addLegality(pm, "fuse");
}

/// Upstream's canonicalizer, but that it does not compare all blocks with each other.
static std::unique_ptr<Pass> createCanonicalizer(ArrayRef<std::string> disabled = {}) {
  GreedyRewriteConfig config;
  config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Normal);
  return createCanonicalizerPass(config, disabled);
}

/// Each group to the back end that computes it fastest, the rest to those that take it.
static void buildPlace(OpPassManager &pm, const PipelineOptions &options) {
  PlaceOptions place;
  place.prefer = options.prefer;
  place.tuning = options.tuning;
  pm.addPass(createPlace(place));
  for (const Backend *backend : getBackends())
    backend->addPasses(pm);
  addOnHost(pm, [](OpPassManager &host) {
    // Sizes in terms of the inputs': bufferization compares those of slices by
    // solving for all that they are computed from.
    host.addPass(memref::createResolveRankedShapeTypeResultDimsPass());
    host.addPass(arith::createIntRangeOptimizationsPass());
    host.addPass(createCanonicalizer(getWrongCanonicalizations()));
    host.addPass(createCSEPass());
  });
  addVerification(pm, "place", options);
  addLegality(pm, "place");
}

/// Memrefs, in one arena; constants in the weights section.
static void buildBufferize(OpPassManager &pm, const PipelineOptions &options) {
  pm.addPass(createPrepareBufferization());
  pm.addPass(createEliminateEmptyTensors());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.allowReturnAllocsFromLoops = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  bufferize.unknownTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  addOnHost(pm, [](OpPassManager &host) {
    host.addPass(memref::createResolveShapedTypeResultDimsPass());
    host.addPass(createCanonicalizer());
    host.addPass(createCSEPass());
  });
  pm.addPass(createMaterializeOutputs());
  addOnHost(pm, [](OpPassManager &host) {
    host.addPass(memref::createFoldMemRefAliasOpsPass());
    host.addPass(createCanonicalizer());
    host.addPass(createCSEPass());
  });
  // What is left of copies after this is contiguous.
  ConvertCopiesOptions copies;
  copies.tuning = options.tuning;
  pm.addPass(createConvertCopies(copies));
  ConvertLinalgToKernelsOptions loops;
  loops.tuning = options.tuning;
  pm.addPass(createConvertLinalgToKernels(loops));
  pm.addPass(createPlaceBuffers());
  pm.addPass(createMarkKernels());
  pm.addPass(createResolveDims());
  addOnHost(pm, [](OpPassManager &host) {
    host.addPass(createCanonicalizer());
    host.addPass(createCSEPass());
  });
  pm.addPass(createPlanArena());
  pm.addPass(createCheckSizes());
  pm.addPass(createLayOutWeights());
  addLegality(pm, "bufferize");
}

/// The LLVM dialect.
static void buildEmit(OpPassManager &pm) {
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createExpandMath());
  functions.addPass(createConvertVectorToSCFPass(
      VectorTransferToSCFOptions().enableFullUnroll()));
  functions.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(createOutlineDeviceCode());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createCanonicalizer());
  pm.addPass(createCSEPass());
  // libdevice would be called for maxima. On CPUs, LLVM has better ones.
  pm.addNestedPass<gpu::GPUModuleOp>(arith::createArithExpandOpsPass());
  pm.addNestedPass<gpu::GPUModuleOp>(createConvertDeviceCode());
  pm.addPass(createConvertToLLVM());
  pm.addPass(createReconcileUnrealizedCastsPass());
  addLegality(pm, "emit");
}

void nn::buildPhase(OpPassManager &pm, Phase phase, const PipelineOptions &options) {
  switch (phase) {
  case Phase::Simplify:
    return buildSimplify(pm, options);
  case Phase::Legalize:
    return buildLegalize(pm, options);
  case Phase::Fuse:
    return buildFuse(pm, options);
  case Phase::Place:
    return buildPlace(pm, options);
  case Phase::Bufferize:
    return buildBufferize(pm, options);
  case Phase::Emit:
    return buildEmit(pm);
  }
}

/// The target of `compile-to` without target=, where the module has none.
static std::string defaultTarget = "cpu";

void nn::setDefaultTarget(StringRef target) { defaultTarget = target.str(); }

/// Parses "<phase> [from=<phase>] [target=<target>] [prefer=<back end>]
/// [tuning=<file>]" and adds the phases.
static LogicalResult
parseCompileTo(OpPassManager &pm, StringRef text,
               function_ref<LogicalResult(const Twine &)> error) {
  SmallVector<StringRef> words;
  text.split(words, ' ', -1, /*KeepEmpty=*/false);
  std::optional<Phase> phase =
      words.empty() ? std::nullopt : parsePhase(words.front());
  if (!phase)
    return error("--compile-to takes a phase: simplify, legalize, fuse, place, "
                 "bufferize or emit");
  Phase first = Phase::Simplify;
  PipelineOptions options;
  options.strictProvenance = true;
  SetTargetOptions target;
  target.target = defaultTarget;
  target.ifMissing = true;
  for (StringRef word : ArrayRef<StringRef>(words).drop_front()) {
    if (word.consume_front("target=")) {
      target.target = word.str();
      target.ifMissing = false;
    } else if (word.consume_front("from=")) {
      std::optional<Phase> from = parsePhase(word);
      if (!from || int(*from) > int(*phase))
        return error("--compile-to: from= takes a phase that is not later than the last");
      first = *from;
    } else if (word.consume_front("prefer=")) {
      options.prefer = word.str();
    } else if (word.consume_front("tuning=")) {
      options.tuning = word.str();
    } else {
      return error("--compile-to: unknown option '" + word +
                   "'; there are from=<phase>, target=<target>, prefer=<back end> and "
                   "tuning=<file>");
    }
  }
  pm.addPass(createSetTarget(target));
  for (auto [included, name] : kPhases)
    if (int(first) <= int(included) && int(included) <= int(*phase))
      buildPhase(pm, included, options);
  return success();
}

void nn::registerPipelines() {
  PassPipelineRegistration<>("nn-prepare-compression",
                             "Bring an imported model into the form that nn-apply-plan takes",
                             buildPreparation);
  registerPassPipeline(
      "compile-to",
      "The compiler's own pipeline up to a phase: simplify, legalize, "
      "fuse, place, bufferize, emit; then from=<phase> (that the others were run before), "
      "target=<target> (see nn-set-target), prefer=<back end>, tuning=<file> (see nn-place)",
      parseCompileTo, [](function_ref<void(const ::mlir::detail::PassOptions &)>) {});
}
