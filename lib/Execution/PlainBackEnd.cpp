//===- PlainBackEnd.cpp - executes upstream IR, to judge with -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Execution/PlainBackEnd.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include <csetjmp>
#include <cstring>

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

static constexpr llvm::StringLiteral kFunction = "f", kEntry = "entry";
static constexpr llvm::StringLiteral kGive = "nn_give";

//===----------------------------------------------------------------------===//
// What the compiled code calls
//===----------------------------------------------------------------------===//

namespace {
/// As upstream lays out an unranked memref.
struct UnrankedMemRef {
  int64_t rank;
  /// allocated, aligned, offset, sizes, strides
  int64_t *descriptor;
};

/// What a result is.
struct ResultType {
  DataType type;
  bool isMemRef; ///< keeps its memory
};

/// One call of compiled code.
struct Activation {
  ArrayRef<ResultType> types;
  ArrayRef<Buffer> arguments;
  SmallVector<Datum> results;
  struct Block {
    std::shared_ptr<char> memory;
    size_t size;
  };
  std::vector<Block> blocks;
  std::string message; ///< of an assertion that does not hold
  std::jmp_buf exit;
};
} // namespace

static thread_local Activation *activation = nullptr;

/// A view of a result's memory, which is not kept alive.
static Buffer viewMemRef(const UnrankedMemRef &memref, DataType type) {
  Buffer buffer;
  buffer.type = type;
  const int64_t *fields = memref.descriptor;
  buffer.memory.reset(reinterpret_cast<char *>(fields[1]), [](char *) {});
  buffer.offset = fields[2];
  buffer.sizes.assign(fields + 3, fields + 3 + memref.rank);
  buffer.strides.assign(fields + 3 + memref.rank, fields + 3 + 2 * memref.rank);
  return buffer;
}

/// Who keeps the memory of a result: an argument or a block of this call.
static std::shared_ptr<char> findOwner(const char *address) {
  for (const Buffer &argument : activation->arguments) {
    int64_t last = argument.offset;
    for (auto [size, stride] : llvm::zip_equal(argument.sizes, argument.strides))
      last += std::max<int64_t>(size - 1, 0) * stride;
    const char *begin = argument.memory.get();
    if (address >= begin && address <= begin + last * int64_t(getByteSize(argument.type)))
      return argument.memory;
  }
  for (const Activation::Block &block : activation->blocks)
    if (address >= block.memory.get() && address < block.memory.get() + block.size)
      return block.memory;
  return nullptr;
}

static void giveResult(int64_t, UnrankedMemRef *memref) {
  ResultType type = activation->types[activation->results.size()];
  Buffer view = viewMemRef(*memref, type.type);
  if (!type.isMemRef)
    return activation->results.push_back(view.load());
  view.memory = std::shared_ptr<char>(findOwner(view.memory.get()), view.memory.get());
  activation->results.push_back(std::move(view));
}

static void *allocatePoisoned(size_t bytes) {
  bytes = (bytes + 127) / 64 * 64;
  char *block = static_cast<char *>(std::aligned_alloc(64, bytes));
  std::memset(block, kPoison, bytes);
  activation->blocks.push_back({std::shared_ptr<char>(block, std::free), bytes});
  return block;
}
static void freeNothing(void *) {}

/// Upstream's entry for copies between strided memrefs.
static void copyMemRef(int64_t elementSize, UnrankedMemRef *source,
                       UnrankedMemRef *target) {
  // Any type of that size.
  DataType type = elementSize == 1   ? DataType::UInt8
                  : elementSize == 2 ? DataType::UInt16
                  : elementSize == 4 ? DataType::UInt32
                                     : DataType::UInt64;
  viewMemRef(*target, type).store(viewMemRef(*source, type).load());
}

static int recordMessage(const char *message) {
  activation->message = message;
  return 0;
}
/// Compiled code has nothing to unwind.
[[noreturn]] static void leaveCode() { std::longjmp(activation->exit, 1); }

/// LLVM asks for it where there is no instruction. The result is the lower half of
/// a vector register.
static float truncateToBF16(float value) {
  uint32_t bits = doubleToBFloat(value);
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

static void buildBufferization(OpPassManager &pm) {
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.allowReturnAllocsFromLoops = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  bufferize.unknownTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
}

static void buildLowering(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addNestedPass<func::FuncOp>(createConvertVectorToSCFPass(
      VectorTransferToSCFOptions().enableFullUnroll()));
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

/// Hands the results of the function to the caller before it returns.
static void giveResults(ModuleOp module, func::FuncOp function) {
  SmallVector<Operation *> ends;
  function.walk([&](func::ReturnOp end) { ends.push_back(end); });
  OpBuilder builder(module.getContext());
  for (Operation *end : ends) {
    builder.setInsertionPoint(end);
    Location loc = end->getLoc();
    for (auto [i, value] : llvm::enumerate(end->getOperands())) {
      Value memref = value;
      if (!isa<BaseMemRefType>(value.getType())) {
        memref = memref::AllocaOp::create(builder, loc,
                                          MemRefType::get({}, value.getType()));
        memref::StoreOp::create(builder, loc, value, memref, ValueRange{});
      }
      Type element = cast<BaseMemRefType>(memref.getType()).getElementType();
      auto type = UnrankedMemRefType::get(element, 0);
      Value unranked = memref::CastOp::create(builder, loc, type, memref);
      Value index = arith::ConstantIndexOp::create(builder, loc, i);
      // One declaration an element type; all are one function.
      std::string name;
      llvm::raw_string_ostream(name) << kGive << "_" << element;
      if (!module.lookupSymbol(name)) {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToStart(module.getBody());
        auto declared = func::FuncOp::create(
            builder, loc, name,
            builder.getFunctionType({builder.getIndexType(), type}, {}));
        declared.setPrivate();
        declared->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                          builder.getUnitAttr());
      }
      func::CallOp::create(builder, loc, name, TypeRange{},
                           ValueRange{index, unranked});
    }
    end->setOperands({});
  }
  function.setFunctionType(
      builder.getFunctionType(function.getArgumentTypes(), {}));
  function.setResAttrsAttr(nullptr);
}

/// void entry(void **args): calls the function with what args point to.
static void addEntry(llvm::Module &module) {
  llvm::Function *function =
      module.getFunction(("_mlir_ciface_" + kFunction).str());
  llvm::IRBuilder<> builder(module.getContext());
  llvm::Function *entry = llvm::Function::Create(
      llvm::FunctionType::get(builder.getVoidTy(), {builder.getPtrTy()}, false),
      llvm::Function::ExternalLinkage, kEntry, module);
  builder.SetInsertPoint(
      llvm::BasicBlock::Create(module.getContext(), "", entry));
  SmallVector<llvm::Value *> arguments;
  for (llvm::Argument &argument : function->args()) {
    llvm::Value *slot = builder.CreateLoad(
        builder.getPtrTy(), builder.CreateConstGEP1_64(builder.getPtrTy(), entry->getArg(0),
                                                       argument.getArgNo()));
    arguments.push_back(argument.getType()->isPointerTy()
                            ? slot
                            : builder.CreateLoad(argument.getType(), slot));
  }
  builder.CreateCall(function, arguments);
  builder.CreateRetVoid();
}

//===----------------------------------------------------------------------===//
// Compiled code
//===----------------------------------------------------------------------===//

namespace {
using Entry = void (*)(void **);
} // namespace

struct PlainBackEnd::Implementation {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  /// By the text of the module.
  llvm::StringMap<Entry> compiled;
  unsigned numModules = 0;

  llvm::Error initialize();
  Expected<Entry> compile(ModuleOp module);
  Expected<Entry> add(std::unique_ptr<llvm::Module> module,
                      std::unique_ptr<llvm::LLVMContext> context);
};

llvm::Error PlainBackEnd::Implementation::initialize() {
  if (jit)
    return llvm::Error::success();
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  Expected<llvm::orc::JITTargetMachineBuilder> machine =
      llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!machine)
    return machine.takeError();
  machine->setCodeGenOptLevel(llvm::CodeGenOptLevel::Less);
  return llvm::orc::LLJITBuilder()
      .setJITTargetMachineBuilder(std::move(*machine))
      .create()
      .moveInto(jit);
}

Expected<Entry>
PlainBackEnd::Implementation::add(std::unique_ptr<llvm::Module> module,
                                  std::unique_ptr<llvm::LLVMContext> context) {
  module->setDataLayout(jit->getDataLayout());
  module->setTargetTriple(jit->getTargetTriple());
  addEntry(*module);
  Expected<llvm::orc::JITDylib &> library =
      jit->createJITDylib("module" + std::to_string(numModules++));
  if (!library)
    return library.takeError();
  llvm::orc::SymbolMap symbols;
  auto define = [&](StringRef name, auto *function) {
    symbols[jit->mangleAndIntern(name)] = {
        llvm::orc::ExecutorAddr::fromPtr(function), llvm::JITSymbolFlags::Exported};
  };
  for (llvm::Function &function : *module)
    if (function.isDeclaration() &&
        function.getName().starts_with(("_mlir_ciface_" + kGive).str()))
      define(function.getName(), giveResult);
  define("malloc", allocatePoisoned);
  define("free", freeNothing);
  define("memrefCopy", copyMemRef);
  define("puts", recordMessage);
  define("abort", leaveCode);
  define("__truncsfbf2", truncateToBF16);
  if (llvm::Error error = library->define(llvm::orc::absoluteSymbols(symbols)))
    return error;
  Expected<std::unique_ptr<llvm::orc::DynamicLibrarySearchGenerator>> process =
      llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
          jit->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  library->addGenerator(std::move(*process));
  if (llvm::Error error = jit->addIRModule(
          *library, llvm::orc::ThreadSafeModule(std::move(module), std::move(context))))
    return error;
  Expected<llvm::orc::ExecutorAddr> address = jit->lookup(*library, kEntry);
  if (!address)
    return address.takeError();
  return address->toPtr<Entry>();
}

Expected<Entry> PlainBackEnd::Implementation::compile(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, OpPrintingFlags().useLocalScope());
  if (auto known = compiled.find(text); known != compiled.end())
    return known->second;
  if (llvm::Error error = initialize())
    return error;

  // What upstream says of a failure.
  std::string messages;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      llvm::raw_string_ostream(messages) << diagnostic << " ";
    return success();
  });
  auto function = module.lookupSymbol<func::FuncOp>(kFunction);
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    UnitAttr::get(module.getContext()));
  bool hasTensors = function
                        .walk([](Operation *op) {
                          auto isTensor = llvm::IsaPred<TensorType>;
                          return llvm::any_of(op->getOperandTypes(), isTensor) ||
                                         llvm::any_of(op->getResultTypes(), isTensor)
                                     ? WalkResult::interrupt()
                                     : WalkResult::advance();
                        })
                        .wasInterrupted();
  auto run = [&](auto build) {
    PassManager pm(module.getContext());
    build(pm);
    return pm.run(module);
  };
  auto fail = [&](StringRef what) {
    return createStringError("the plain back end could not " + what + ": " + messages);
  };
  if (hasTensors && failed(run(buildBufferization)))
    return fail("bufferize it");
  function = module.lookupSymbol<func::FuncOp>(kFunction);
  giveResults(module, function);
  if (failed(run(buildLowering)))
    return fail("lower it");
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  auto context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> llvmModule = translateModuleToLLVMIR(module, *context);
  if (!llvmModule)
    return fail("translate it");
  Expected<Entry> entry = add(std::move(llvmModule), std::move(context));
  if (entry)
    compiled[text] = *entry;
  return entry;
}

PlainBackEnd::PlainBackEnd() : implementation(std::make_unique<Implementation>()) {}
PlainBackEnd::~PlainBackEnd() = default;

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// Enters compiled code; false if an assertion made it leave.
static bool enter(Entry entry, void **arguments) {
  if (setjmp(activation->exit))
    return false;
  entry(arguments);
  return true;
}

static Expected<SmallVector<Datum>> invoke(Entry entry, TypeRange argumentTypes,
                                           ArrayRef<Datum> arguments,
                                           ArrayRef<ResultType> types) {
  std::vector<Buffer> buffers; // keeps copies of tensors alive
  std::vector<SmallVector<int64_t>> descriptors;
  SmallVector<void *> slots;
  descriptors.reserve(arguments.size());
  for (auto [type, argument] : llvm::zip_equal(argumentTypes, arguments)) {
    Buffer buffer = argument.buffer.isValid() ? argument.buffer
                                              : Buffer::copyOf(argument.tensor);
    SmallVector<int64_t> &fields = descriptors.emplace_back();
    // Code for a type that says where the first element is does not look it up.
    if (auto memref = dyn_cast<MemRefType>(type)) {
      auto [strides, offset] = memref.getStridesAndOffset();
      if (offset == 0) {
        buffer.memory = std::shared_ptr<char>(
            buffer.memory,
            buffer.memory.get() + buffer.offset * int64_t(getByteSize(buffer.type)));
        buffer.offset = 0;
      }
    }
    int64_t address = reinterpret_cast<int64_t>(buffer.memory.get());
    fields.append({address, address, buffer.offset});
    fields.append(buffer.sizes.begin(), buffer.sizes.end());
    fields.append(buffer.strides.begin(), buffer.strides.end());
    slots.push_back(isa<ShapedType>(type) ? static_cast<void *>(fields.data())
                                          : buffer.memory.get());
    buffers.push_back(std::move(buffer));
  }
  Activation current;
  current.types = types;
  current.arguments = buffers;
  activation = &current;
  bool ended = enter(entry, slots.data());
  activation = nullptr;
  if (!ended)
    return createStringError("an assertion does not hold: " + current.message);
  return std::move(current.results);
}

static Expected<SmallVector<ResultType>> getResultTypes(TypeRange types) {
  SmallVector<ResultType> result;
  for (Type type : types) {
    std::optional<DataType> dataType = getDataType(getElementTypeOrSelf(type));
    if (!dataType)
      return createStringError("the plain back end cannot give a result of its type");
    result.push_back({*dataType, isa<BaseMemRefType>(type)});
  }
  return result;
}

Expected<SmallVector<Datum>> PlainBackEnd::call(func::FuncOp function,
                                                ArrayRef<Datum> arguments) {
  OpBuilder builder(function.getContext());
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, builder.getUnknownLoc());
  builder.setInsertionPointToStart(module->getBody());
  auto clone = cast<func::FuncOp>(builder.clone(*function));
  clone.setName(kFunction);
  clone.setPublic();
  // Functions that it calls, and those that these call.
  SmallVector<Operation *> open{clone};
  while (!open.empty())
    open.pop_back_val()->walk([&](func::CallOp call) {
      if (module->lookupSymbol(call.getCallee()))
        return;
      if (auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
              function, call.getCalleeAttr()))
        open.push_back(builder.clone(*callee));
    });
  Expected<SmallVector<ResultType>> types =
      getResultTypes(function.getResultTypes());
  if (!types)
    return types.takeError();
  Expected<Entry> entry = implementation->compile(*module);
  if (!entry)
    return entry.takeError();
  return invoke(*entry, function.getArgumentTypes(), arguments, *types);
}

Expected<SmallVector<Datum>>
PlainBackEnd::execute(Operation *op, llvm::function_ref<Datum(Value)> getValue) {
  llvm::SetVector<Value> outside;
  outside.insert(op->operand_begin(), op->operand_end());
  for (Region &region : op->getRegions())
    getUsedValuesDefinedAbove(region, outside);

  OpBuilder builder(op->getContext());
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, loc);
  builder.setInsertionPointToStart(module->getBody());
  SmallVector<Value> passed;
  for (Value value : outside)
    if (Operation *definition = value.getDefiningOp();
        !definition || !isa<arith::ConstantOp>(definition))
      passed.push_back(value);
  auto function = func::FuncOp::create(
      builder, loc, kFunction,
      builder.getFunctionType(ValueRange(passed).getTypes(), op->getResultTypes()));
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  IRMapping mapping;
  SmallVector<Datum> arguments;
  for (Value value : outside)
    // Constants stay what they are: some operations need them.
    if (Operation *definition = value.getDefiningOp();
        definition && isa<arith::ConstantOp>(definition))
      builder.clone(*definition, mapping);
  for (auto [value, argument] : llvm::zip_equal(passed, body->getArguments())) {
    mapping.map(value, argument);
    arguments.push_back(getValue(value));
  }
  Operation *clone = builder.clone(*op, mapping);
  clone->walk([](Operation *nested) {
    SmallVector<StringAttr> own;
    for (NamedAttribute attribute : nested->getDiscardableAttrs())
      if (attribute.getName().strref().starts_with("nn."))
        own.push_back(attribute.getName());
    for (StringAttr name : own)
      nested->removeDiscardableAttr(name);
  });
  func::ReturnOp::create(builder, loc, clone->getResults());

  Expected<SmallVector<ResultType>> types =
      getResultTypes(op->getResultTypes());
  if (!types)
    return types.takeError();
  Expected<Entry> entry = implementation->compile(*module);
  if (!entry)
    return entry.takeError();
  return invoke(*entry, ValueRange(passed).getTypes(), arguments, *types);
}
