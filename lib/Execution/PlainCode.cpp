//===- PlainCode.cpp - code that is compiled in this process --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "PlainCode.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include <csetjmp>
#include <cstdlib>
#include <cstring>

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

static constexpr llvm::StringLiteral kEntry = "entry";

//===----------------------------------------------------------------------===//
// What the compiled code calls
//===----------------------------------------------------------------------===//

namespace {
/// Upstream's layout of an unranked memref.
struct UnrankedMemRef {
  int64_t rank;
  /// allocated, aligned, offset, sizes, strides
  int64_t *descriptor;
};

/// One call of compiled code.
struct Activation {
  ArrayRef<PlainResult> types;
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

/// A view of a result's memory, which it does not keep alive.
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

/// The owner of a result's memory: an argument or a block of this call.
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
  PlainResult type = activation->types[activation->results.size()];
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

/// LLVM calls it where there is no instruction. The result is the lower half of a
/// vector register.
static float truncateToBF16(float value) {
  uint32_t bits = doubleToBFloat(value);
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

/// void entry(void **args): calls the function with what args point to.
static void addEntry(llvm::Module &module) {
  llvm::Function *function =
      module.getFunction(("_mlir_ciface_" + kPlainFunction).str());
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

llvm::Error PlainCode::initialize() {
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

Expected<PlainCode::Entry>
PlainCode::compile(std::unique_ptr<llvm::Module> module,
                   std::unique_ptr<llvm::LLVMContext> context) {
  if (llvm::Error error = initialize())
    return error;
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
        function.getName().starts_with(("_mlir_ciface_" + kPlainGive).str()))
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

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// Enters compiled code; false if an assertion failed.
static bool enter(PlainCode::Entry entry, void **arguments) {
  if (setjmp(activation->exit))
    return false;
  entry(arguments);
  return true;
}

Expected<SmallVector<Datum>> PlainCode::call(Entry entry, TypeRange argumentTypes,
                                             ArrayRef<Datum> arguments,
                                             ArrayRef<PlainResult> types) {
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

