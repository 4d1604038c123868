//===- Compile.cpp - from a model to a library ----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Pipelines/Compile.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/OwningOpRef.h"
#include "nn/Pipelines/CompileGuard.h"
#include "nn/Support/Constants.h"
#include "nn/Support/CustomNodes.h"
#include "nn/Target/Library.h"
#include "nn/Target/Target.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::nn;

/// About how many bytes the constants of a module take when it is printed.
static int64_t getConstantBytes(ModuleOp module) {
  int64_t bytes = 0;
  module.walk([&](ConstantOp op) {
    op.getValue().walk([&](DenseResourceElementsAttr resource) {
      if (const AsmResourceBlob *blob = resource.getRawHandle().getBlob())
        bytes += 2 * int64_t(blob->getData().size());
    });
  });
  return bytes;
}

/// Writes a module on which phases fail, in the form that runGuarded wants. Nothing
/// where options ask for none, or it would be too large to be sent.
static std::string writeReproducer(ModuleOp before, Phase first, Phase last,
                                   const PipelineOptions &pipelineOptions,
                                   const CompileOptions &options) {
  constexpr int64_t maxBytes = 64 << 20;
  if (options.reproducer.empty() || getConstantBytes(before) > maxBytes)
    return "";
  std::string words = (" from=" + getName(first)).str();
  if (!pipelineOptions.prefer.empty())
    words += " prefer=" + pipelineOptions.prefer;
  if (!pipelineOptions.tuning.empty())
    words += " tuning=" + pipelineOptions.tuning;
  std::string command =
      ("nn-opt --compile-to=\"" + getName(last) + words + "\" " + options.reproducer).str();
  std::error_code code;
  llvm::raw_fd_ostream file(options.reproducer, code);
  if (code)
    return "";
  file << "// " << command << "\n";
  before->print(file, OpPrintingFlags().enableDebugInfo());
  file << "\n";
  return "the model, or '" + options.reproducer + "' (which shows it by '" + command + "')";
}

/// Runs phases `first` to `last`.
static LogicalResult runPhases(ModuleOp module, Phase first, Phase last,
                               const PipelineOptions &pipelineOptions,
                               const CompileOptions &options) {
  PassManager pm(module.getContext());
  // Fails in programs that did not register the options: they have none.
  (void)applyPassManagerCLOptions(pm);
  pm.enableVerifier(options.verifyEach);
  if (options.timing)
    pm.enableTiming();
  for (int phase = int(first); phase <= int(last); ++phase)
    buildPhase(pm, Phase(phase), pipelineOptions);
  OwningOpRef<ModuleOp> before(module.clone());
  return runGuarded(
      module.getContext(), "the compilation",
      [&] {
        pm.addInstrumentation(createActivityInstrumentation(module.getContext()));
        return pm.run(module);
      },
      [&] { return writeReproducer(*before, first, last, pipelineOptions, options); });
}

LogicalResult nn::simplify(ModuleOp module) {
  PipelineOptions options;
  options.keepQuantized = true;
  return runPhases(module, Phase::Simplify, Phase::Simplify, options, {});
}

/// The module keeps its attributes.
static void eraseBody(ModuleOp module) {
  for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
    op.erase();
}

/// Translates to LLVM IR, and further to an object file if one is wanted. The module keeps its
/// attributes only, so that its code is not in memory together with that of LLVM.
static std::unique_ptr<llvm::Module>
generateCode(ModuleOp lowered, const CodeVariant &variant, llvm::LLVMContext &context,
             SmallVectorImpl<char> *object) {
  std::unique_ptr<llvm::Module> llvmModule;
  if (failed(runGuarded(
          lowered.getContext(), "code generation for " + variant.cpu,
          [&]() -> LogicalResult {
            llvmModule = translateToLLVMIR(lowered, variant, context);
            if (!llvmModule)
              return failure();
            eraseBody(lowered);
            return success(!object || succeeded(emitObject(*llvmModule, variant, *object,
                                                           lowered.getLoc())));
          })))
    return nullptr;
  return llvmModule;
}

/// Generates what the device executes, which the module loses.
static LogicalResult generateDeviceCode(ModuleOp lowered, const CompileOptions &options,
                                        std::vector<DeviceCode> &code) {
  return runGuarded(lowered.getContext(), "code generation for the device", [&] {
    FailureOr<std::vector<DeviceCode>> taken = takeDeviceCode(lowered, options.emulate);
    if (succeeded(taken))
      code = std::move(*taken);
    return LogicalResult(taken);
  });
}

/// What computes which operators of an optimized module, for one variant.
static FailureOr<OwningOpRef<ModuleOp>> placeVariant(ModuleOp optimized,
                                                     const CodeVariant &variant,
                                                     const CompileOptions &options) {
  OwningOpRef<ModuleOp> module(optimized.clone());
  TargetAttr target = getTarget(*module);
  if (target.getKind() == TargetKind::CPU)
    target = target.withProcessor(StringAttr::get(module->getContext(), variant.cpu));
  (*module)->setAttr("nn.target", target);
  PipelineOptions pipelineOptions;
  pipelineOptions.prefer = options.prefer;
  pipelineOptions.tuning = options.tuning;
  if (failed(runPhases(*module, Phase::Place, Phase::Place, pipelineOptions, options)))
    return failure();
  return module;
}

/// Lowers what was placed. Lists of weights and kernels go on from `previous`, the module of
/// the variant before, if there is one.
static LogicalResult lowerVariant(ModuleOp placed, ModuleOp previous,
                                  const CompileOptions &options) {
  if (previous)
    for (StringRef list : {"nn.weights", "nn.kernels", "nn.libraries", "nn.custom_operators"})
      if (Attribute attribute = previous->getAttr(list))
        placed->setAttr(list, attribute);
  return runPhases(placed, Phase::Bufferize, Phase::Emit, {}, options);
}

/// Whether anything multiplies 8-bit integers.
static bool hasIntegerProducts(ModuleOp module) {
  return module
      .walk([](Operation *op) {
        return isa<ConvOp, MatMulOp>(op) &&
                       getElementTypeOrSelf(op->getOperand(0).getType()).isInteger(8)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Leaves out variants whose code would be that of the next one: those of the same CPU with
/// instructions for products of 8-bit integers, if the module has none.
static void dropEqualVariants(ModuleOp module, std::vector<CodeVariant> &variants) {
  if (hasIntegerProducts(module))
    return;
  for (size_t i = 0; i + 1 < variants.size();)
    if (variants[i].hasDotProducts && !variants[i + 1].hasDotProducts &&
        variants[i].splitFeatures().first == variants[i + 1].splitFeatures().first)
      variants.erase(variants.begin() + i);
    else
      ++i;
}

/// Gives the module its target, and returns the variants that it asks for.
static FailureOr<std::vector<CodeVariant>> setTarget(ModuleOp module,
                                                     const CompileOptions &options) {
  if (!options.target.empty()) {
    llvm::Expected<TargetAttr> target = parseTarget(module.getContext(), options.target);
    if (!target)
      return module.emitError(llvm::toString(target.takeError()));
    module->setAttr("nn.target", *target);
  }
  llvm::Expected<std::vector<CodeVariant>> variants = getVariants(getTarget(module));
  if (!variants)
    return module.emitError(llvm::toString(variants.takeError()));
  return *variants;
}

/// Leaves the names of files of the libraries that compute users' operators.
static void forgetPaths(ModuleOp lowered) {
  auto operators = lowered->getAttrOfType<ArrayAttr>("nn.custom_operators");
  if (!operators)
    return;
  SmallVector<Attribute> named;
  for (auto custom : operators.getAsRange<DictionaryAttr>()) {
    StringRef file = llvm::sys::path::filename(custom.getAs<StringAttr>("library"));
    named.push_back(getCustomNode(custom.getAs<StringAttr>("function"),
                                  StringAttr::get(lowered.getContext(), file),
                                  custom.getAs<DictionaryAttr>("parameters")));
  }
  lowered->setAttr("nn.custom_operators", ArrayAttr::get(lowered.getContext(), named));
}

LogicalResult nn::compileToLibrary(ModuleOp module, StringRef path,
                                   const CompileOptions &options) {
  FailureOr<std::vector<CodeVariant>> variants = setTarget(module, options);
  if (failed(variants) || failed(runPhases(module, Phase::Simplify, Phase::Fuse, {}, options)))
    return failure();
  FailureOr<nnrt::Manifest> manifest = failure();
  if (failed(runGuarded(module.getContext(), "the description of the model", [&] {
        manifest = describeModel(module);
        return LogicalResult(manifest);
      })))
    return failure();
  dropEqualVariants(module, *variants);
  // All before the first code: it needs memory when that of the weights as they were in the
  // model is free again.
  std::vector<OwningOpRef<ModuleOp>> placed;
  for (const CodeVariant &variant : *variants) {
    FailureOr<OwningOpRef<ModuleOp>> next = placeVariant(module, variant, options);
    if (failed(next))
      return failure();
    placed.push_back(std::move(*next));
  }
  eraseBody(module);
  if (options.ownsConstants) {
    SmallVector<ModuleOp> users;
    for (OwningOpRef<ModuleOp> &each : placed)
      users.push_back(*each);
    releaseConstantsBut(module.getContext(), users);
  }
  std::vector<CompiledVariant> compiled;
  std::vector<DeviceCode> deviceCode;
  OwningOpRef<ModuleOp> lowered;
  for (auto [variant, next] : llvm::zip_equal(*variants, placed)) {
    if (failed(lowerVariant(*next, lowered ? *lowered : ModuleOp(), options)))
      return failure();
    lowered = std::move(next);
    if (failed(generateDeviceCode(*lowered, options, deviceCode)))
      return failure();
    compiled.push_back(describeVariant(*lowered, variant));
    llvm::LLVMContext context;
    if (!generateCode(*lowered, variant, context, &compiled.back().object))
      return failure();
  }
  if (options.forgetsPaths)
    forgetPaths(*lowered);
  return runGuarded(module.getContext(), "the writing of the library", [&] {
    return writeLibrary(*lowered, std::move(*manifest), compiled, deviceCode, path,
                        options.codeWeights);
  });
}

/// LLVM IR of the first variant, and its object file if one is wanted.
static std::unique_ptr<llvm::Module>
compileFirstVariant(ModuleOp module, const CompileOptions &options,
                    llvm::LLVMContext &context, SmallVectorImpl<char> *object) {
  FailureOr<std::vector<CodeVariant>> variants = setTarget(module, options);
  if (failed(variants) || failed(runPhases(module, Phase::Simplify, Phase::Fuse, {}, options)))
    return nullptr;
  dropEqualVariants(module, *variants);
  FailureOr<OwningOpRef<ModuleOp>> lowered =
      placeVariant(module, variants->front(), options);
  std::vector<DeviceCode> deviceCode;
  if (failed(lowered) || failed(lowerVariant(**lowered, {}, options)) ||
      failed(generateDeviceCode(**lowered, options, deviceCode)))
    return nullptr;
  return generateCode(**lowered, variants->front(), context, object);
}

LogicalResult nn::compileToObject(ModuleOp module, llvm::raw_ostream &os,
                                  const CompileOptions &options) {
  llvm::LLVMContext context;
  SmallVector<char, 0> object;
  if (!compileFirstVariant(module, options, context, &object))
    return failure();
  os.write(object.data(), object.size());
  return success();
}

LogicalResult nn::compileToLLVMIR(ModuleOp module, llvm::raw_ostream &os,
                                  const CompileOptions &options) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule =
      compileFirstVariant(module, options, context, /*object=*/nullptr);
  if (!llvmModule)
    return failure();
  llvmModule->print(os, nullptr);
  return success();
}
