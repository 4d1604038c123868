//===- CodeGen.cpp - from the LLVM dialect to machine code ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Target/CodeGen.h"
#include "LLVMMachine.h"
#include "SplitFunctions.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Passes/StandardInstrumentations.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/IndVarSimplify.h"
#include "llvm/Transforms/Scalar/LoopIdiomRecognize.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/LoopUnrollPass.h"
#include "llvm/Transforms/Utils/LoopUtils.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

/// Masked accesses of bf16 as such of i16: without AVX512_BF16, LLVM takes the
/// former apart and calls a library for each element.
static void accessBF16AsIntegers(llvm::Function &function) {
  llvm::SmallVector<llvm::IntrinsicInst *> calls;
  for (llvm::Instruction &instruction : llvm::instructions(function))
    if (auto *call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction))
      calls.push_back(call);
  for (llvm::IntrinsicInst *call : calls) {
    bool isLoad = call->getIntrinsicID() == llvm::Intrinsic::masked_load;
    if (!isLoad && call->getIntrinsicID() != llvm::Intrinsic::masked_store)
      continue;
    auto *type = llvm::cast<llvm::VectorType>(
        isLoad ? call->getType() : call->getArgOperand(0)->getType());
    if (!type->getElementType()->isBFloatTy())
      continue;
    llvm::IRBuilder<> builder(call);
    llvm::Type *integers = llvm::VectorType::get(builder.getInt16Ty(), type);
    if (isLoad) {
      llvm::Value *loaded = builder.CreateMaskedLoad(
          integers, call->getArgOperand(0), call->getParamAlign(0).valueOrOne(),
          call->getArgOperand(1),
          builder.CreateBitCast(call->getArgOperand(2), integers));
      call->replaceAllUsesWith(builder.CreateBitCast(loaded, type));
    } else {
      builder.CreateMaskedStore(
          builder.CreateBitCast(call->getArgOperand(0), integers),
          call->getArgOperand(1), call->getParamAlign(1).valueOrOne(),
          call->getArgOperand(2));
    }
    call->eraseFromParent();
  }
}

/// Selects of bf16 as such of i16: without AVX512_BF16, LLVM takes the former apart,
/// into a jump or a conditional move for each element. Its optimizer makes them of
/// selects of integers.
static void selectBF16AsIntegers(llvm::Function &function) {
  llvm::SmallVector<llvm::SelectInst *> selects;
  for (llvm::Instruction &instruction : llvm::instructions(function))
    if (instruction.getType()->getScalarType()->isBFloatTy())
      if (auto *select = llvm::dyn_cast<llvm::SelectInst>(&instruction))
        selects.push_back(select);
  for (llvm::SelectInst *select : selects) {
    llvm::IRBuilder<> builder(select);
    llvm::Type *integer = select->getType()->getWithNewType(builder.getInt16Ty());
    llvm::Value *selected = builder.CreateSelect(
        select->getCondition(), builder.CreateBitCast(select->getTrueValue(), integer),
        builder.CreateBitCast(select->getFalseValue(), integer));
    select->replaceAllUsesWith(builder.CreateBitCast(selected, select->getType()));
    select->eraseFromParent();
  }
}

/// Masked stores of a single element, which is known, as stores of that element. With
/// AVX-512, LLVM 22 stores more: of integers that were truncated, it takes the element
/// before the truncation (X86's reduceMaskedStoreToScalarStore).
static void storeSingleElements(llvm::Function &function) {
  llvm::SmallVector<std::pair<llvm::IntrinsicInst *, unsigned>> stores;
  for (llvm::Instruction &instruction : llvm::instructions(function)) {
    auto *call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
    if (!call || call->getIntrinsicID() != llvm::Intrinsic::masked_store)
      continue;
    auto *mask = llvm::dyn_cast<llvm::Constant>(call->getArgOperand(2));
    auto *type = llvm::dyn_cast<llvm::FixedVectorType>(call->getArgOperand(0)->getType());
    if (!mask || !type)
      continue;
    llvm::SmallVector<unsigned> elements;
    for (unsigned i = 0; i < type->getNumElements(); ++i)
      if (llvm::Constant *bit = mask->getAggregateElement(i); bit && !bit->isNullValue())
        elements.push_back(i);
    if (elements.size() == 1)
      stores.push_back({call, elements.front()});
  }
  for (auto [call, element] : stores) {
    llvm::IRBuilder<> builder(call);
    llvm::Value *value = call->getArgOperand(0);
    llvm::Type *type = value->getType()->getScalarType();
    llvm::Align align = llvm::commonAlignment(
        call->getParamAlign(1).valueOrOne(), element * type->getScalarSizeInBits() / 8);
    builder.CreateAlignedStore(
        builder.CreateExtractElement(value, uint64_t(element)),
        builder.CreateConstInBoundsGEP1_64(type, call->getArgOperand(1), element), align);
    call->eraseFromParent();
  }
}

static bool usesBFloat(const llvm::Module &module) {
  for (const llvm::Function &function : module)
    for (const llvm::Instruction &instruction : llvm::instructions(function)) {
      if (instruction.getType()->getScalarType()->isBFloatTy())
        return true;
      for (const llvm::Value *operand : instruction.operands())
        if (operand->getType()->getScalarType()->isBFloatTy())
          return true;
    }
  return false;
}

/// Defines the function that instruction selection calls to round f32 to bf16 on
/// CPUs without an instruction for it: even for selects and conversions, which it
/// computes in f32.
static void defineBFloatRounding(llvm::Module &module) {
  llvm::LLVMContext &context = module.getContext();
  llvm::Type *f32 = llvm::Type::getFloatTy(context);
  llvm::Type *bf16 = llvm::Type::getBFloatTy(context);
  auto *function = llvm::Function::Create(
      llvm::FunctionType::get(bf16, {f32}, false),
      llvm::GlobalValue::InternalLinkage, "__truncsfbf2", module);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "", function));
  llvm::Value *value = function->getArg(0);
  llvm::Value *bits = builder.CreateBitCast(value, builder.getInt32Ty());
  llvm::Value *high = builder.CreateLShr(bits, 16);
  llvm::Value *tie = builder.CreateAdd(builder.CreateAnd(high, 1),
                                       builder.getInt32(0x7fff));
  llvm::Value *rounded = builder.CreateLShr(builder.CreateAdd(bits, tie), 16);
  llvm::Value *quietNaN = builder.CreateOr(high, 0x40);
  llvm::Value *result =
      builder.CreateSelect(builder.CreateFCmpUNO(value, value), quietNaN, rounded);
  result = builder.CreateTrunc(result, builder.getInt16Ty());
  builder.CreateRet(builder.CreateBitCast(result, bf16));
  llvm::appendToCompilerUsed(module, {function});
}

/// Iterations of a nest up to which LLVM may unroll all of its loops, and of the inner loops
/// up to which it may then vectorize the one around them. Of the hundreds of loads and
/// stores by which a small image would be transposed, the vectorizer compares all pairs,
/// for 10 s. Windows are smaller.
static constexpr uint64_t kUnrolledIterations = 128, kVectorizedIterations = 64;

/// Whether a kernel of lib/Kernels, in vectors and tuned, and not one that was made of linalg
/// operations (LinalgToKernels).
static bool isTemplate(const llvm::Function &function) {
  return function.getName().starts_with("kernel_");
}

namespace {
/// Has the outer loops of large nests stay as they are. Run before LLVM unrolls the
/// innermost loop, of which it sets attributes of those around it.
struct LimitLoops : llvm::PassInfoMixin<LimitLoops> {
  llvm::PreservedAnalyses run(llvm::Loop &innermost, llvm::LoopAnalysisManager &,
                              llvm::LoopStandardAnalysisResults &analyses,
                              llvm::LPMUpdater &) {
    const llvm::Function &function = *innermost.getHeader()->getParent();
    // LLVM would weigh all that is in the loop, and leave it.
    bool isLeft = !innermost.isInnermost() &&
                  analyses.SE.getSmallConstantTripCount(&innermost) == 0;
    // The innermost loops of a convolution fill the registers as they are.
    if (isLeft || function.getName().starts_with("kernel_packed"))
      innermost.setLoopAlreadyUnrolled();
    if (!function.getName().starts_with("loops"))
      return llvm::PreservedAnalyses::all();
    constexpr uint64_t kMany = kUnrolledIterations + 1;
    uint64_t inner = 1;
    for (llvm::Loop *loop = &innermost; loop; loop = loop->getParentLoop()) {
      uint64_t own = analyses.SE.getSmallConstantTripCount(loop);
      uint64_t all = own == 0 ? kMany : std::min(own * inner, kMany);
      if (loop != &innermost && all == kMany)
        loop->setLoopAlreadyUnrolled();
      if (inner > kVectorizedIterations)
        llvm::addStringMetadataToLoop(loop, "llvm.loop.vectorize.enable", 0);
      inner = all;
    }
    return llvm::PreservedAnalyses::all();
  }
};

/// A pass over functions or loops that templates do not need.
template <typename PassT> struct NotInTemplates : llvm::PassInfoMixin<NotInTemplates<PassT>> {
  explicit NotInTemplates(PassT pass = PassT()) : pass(std::move(pass)) {}

  llvm::PreservedAnalyses run(llvm::Function &function, llvm::FunctionAnalysisManager &manager) {
    return isTemplate(function) ? llvm::PreservedAnalyses::all() : pass.run(function, manager);
  }
  llvm::PreservedAnalyses run(llvm::Loop &loop, llvm::LoopAnalysisManager &manager,
                              llvm::LoopStandardAnalysisResults &analyses,
                              llvm::LPMUpdater &updater) {
    return isTemplate(*loop.getHeader()->getParent())
               ? llvm::PreservedAnalyses::all()
               : pass.run(loop, manager, analyses, updater);
  }

  PassT pass;
};
} // namespace

/// What LLVM's own pipeline does that speeds this code up. Kernels get the sizes that are
/// known where they are called, and are inlined there at the end: as long as they are functions,
/// LLVM sees which arguments do not alias. Most are written in vectors: looking for more took half of the time.
static constexpr llvm::StringLiteral kLLVMPasses =
    "function(sroa<modify-cfg>,early-cse<memssa>,instcombine<no-verify-fixpoint>,"
    "simplifycfg),"
    "ipsccp,deadargelim,globaldce,"
    "function("
    "early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,"
    "reassociate,"
    "loop-mssa(loop-rotate<header-duplication;no-prepare-for-lto>,licm<allowspeculation>),"
    "simplifycfg,"
    "loop(loop-idiom-of-loops,indvars-of-loops,limit-loops,loop-deletion,unroll-whole-loops),"
    "sroa<modify-cfg>,gvn,correlated-propagation,instcombine<no-verify-fixpoint>,"
    "memcpyopt,dse,adce,loop-mssa(licm<allowspeculation>),simplifycfg,"
    "loop(loop-rotate<header-duplication;no-prepare-for-lto>),loop-vectorize,"
    "instcombine-of-loops,simplifycfg,loop-unroll<O3>,"
    "instcombine<no-verify-fixpoint>,loop-mssa(licm<allowspeculation>),div-rem-pairs,"
    "simplifycfg),"
    "cgscc(inline),globaldce";

std::unique_ptr<llvm::Module>
nn::translateToLLVMIR(ModuleOp module, const CodeVariant &variant,
                      llvm::LLVMContext &context) {
  Location loc = module.getLoc();
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  std::unique_ptr<llvm::Module> llvmModule =
      translateModuleToLLVMIR(module, context, "model");
  if (!llvmModule) {
    emitError(loc) << "the module could not be translated to LLVM IR";
    return nullptr;
  }
  std::unique_ptr<llvm::TargetMachine> machine = createX86Machine(variant, loc);
  if (!machine)
    return nullptr;
  llvmModule->setTargetTriple(machine->getTargetTriple());
  llvmModule->setDataLayout(machine->createDataLayout());
  if (usesBFloat(*llvmModule))
    defineBFloatRounding(*llvmModule);
  splitLargeFunctions(*llvmModule);
  auto [processor, features] = variant.splitFeatures();
  for (llvm::Function &function : *llvmModule) {
    if (function.isDeclaration())
      continue;
    accessBF16AsIntegers(function);
    function.addFnAttr("target-cpu", processor);
    if (!features.empty())
      function.addFnAttr("target-features", features);
    function.addFnAttr("prefer-vector-width", std::to_string(variant.vectorBits));
    function.addFnAttr("frame-pointer", "none");
    function.addFnAttr(llvm::Attribute::NoUnwind);
    // It would be inlined anyway, but after its instructions were weighed one by one.
    if (isTemplate(function) && function.hasOneUse() &&
        llvm::isa<llvm::CallBase>(*function.user_begin()))
      function.addFnAttr(llvm::Attribute::AlwaysInline);
  }

  LLVMAnalyses analyses;
  // For -time-passes and LLVM's other ways to watch passes.
  llvm::PassInstrumentationCallbacks callbacks;
  llvm::StandardInstrumentations instrumentations(llvmModule->getContext(),
                                                  /*DebugLogging=*/false);
  instrumentations.registerCallbacks(callbacks, &analyses.modules);
  llvm::PassBuilder builder(machine.get(), llvm::PipelineTuningOptions(), std::nullopt,
                            &callbacks);
  analyses.registerIn(builder);
  builder.registerPipelineParsingCallback(
      [](StringRef name, llvm::LoopPassManager &passes,
         ArrayRef<llvm::PassBuilder::PipelineElement>) {
        if (name == "limit-loops")
          passes.addPass(LimitLoops());
        else if (name == "indvars-of-loops")
          passes.addPass(NotInTemplates<llvm::IndVarSimplifyPass>());
        else if (name == "loop-idiom-of-loops")
          passes.addPass(NotInTemplates<llvm::LoopIdiomRecognizePass>());
        else if (name == "unroll-whole-loops") // The text has no level of its own for it.
          passes.addPass(llvm::LoopFullUnrollPass(/*OptLevel=*/3));
        else
          return false;
        return true;
      });
  builder.registerPipelineParsingCallback(
      [](StringRef name, llvm::FunctionPassManager &passes,
         ArrayRef<llvm::PassBuilder::PipelineElement>) {
        if (name != "instcombine-of-loops")
          return false;
        passes.addPass(NotInTemplates<llvm::InstCombinePass>(llvm::InstCombinePass(
            llvm::InstCombineOptions().setVerifyFixpoint(false))));
        return true;
      });
  llvm::ModulePassManager passes;
  llvm::cantFail(builder.parsePassPipeline(passes, kLLVMPasses));
  passes.run(*llvmModule, analyses.modules);
  for (llvm::Function &function : *llvmModule) {
    selectBF16AsIntegers(function);
    storeSingleElements(function);
  }
  return llvmModule;
}

/// What generated code may expect of any C library. Compilers emit calls of the
/// memory functions on their own.
static bool isLibcSymbol(StringRef name) {
  static const llvm::StringSet<> known = {"memcpy", "memmove", "memset",
                                          "memcmp", "bcmp"};
  return known.contains(name);
}

LogicalResult nn::emitObject(llvm::Module &llvmModule, const CodeVariant &variant,
                             llvm::SmallVectorImpl<char> &object, Location loc) {
  for (const llvm::GlobalValue &global : llvmModule.global_values())
    if (global.isDeclaration() && !global.use_empty() &&
        !global.getName().starts_with("llvm.") && !isLibcSymbol(global.getName()))
      return emitError(loc) << "generated code calls '" << global.getName()
                            << "', which a compiled model may not depend on; "
                               "please report this model";
  std::unique_ptr<llvm::TargetMachine> machine = createX86Machine(variant, loc);
  if (!machine)
    return failure();
  if (failed(emitCode(llvmModule, *machine, llvm::CodeGenFileType::ObjectFile, object, loc)))
    return failure();

  // Instruction selection may have made calls of its own (fmodf and others).
  auto file = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(StringRef(object.data(), object.size()), "model.o"));
  if (!file)
    return emitError(loc) << llvm::toString(file.takeError());
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    llvm::Expected<uint32_t> flags = symbol.getFlags();
    llvm::Expected<StringRef> name = symbol.getName();
    if (!flags || !name)
      return emitError(loc) << "the object file just written is damaged";
    if ((*flags & llvm::object::SymbolRef::SF_Undefined) && !name->empty() &&
        !isLibcSymbol(*name) && *name != "_GLOBAL_OFFSET_TABLE_")
      return emitError(loc) << "generated code calls '" << *name
                            << "', which a compiled model may not depend on; "
                               "please report this model";
  }
  return success();
}
