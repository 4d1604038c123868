//===- HostKernels.cpp - kernels for GPUs as code for the host ------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "HostKernels.h"
#include "Machine.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/IntrinsicsNVPTX.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include <mutex>

using namespace mlir;
using namespace mlir::nn::emulation;
using llvm::createStringError;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// The module for the host
//===----------------------------------------------------------------------===//

/// The address space of what the threads of a block share.
static constexpr unsigned kSharedSpace = 3;

namespace {
/// Turns a module for GPUs into one for the host.
class Retargeter {
public:
  explicit Retargeter(llvm::Module &module)
      : module(module), context(module.getContext()),
        i64(llvm::Type::getInt64Ty(context)) {}
  llvm::Error run(const llvm::DataLayout &layout, const llvm::Triple &triple);
  SmallVector<HostKernel> kernels;
  /// Names and sizes.
  SmallVector<std::pair<std::string, size_t>> sharedArrays;

private:
  void cleanUp(llvm::Function &function);
  llvm::Error replaceIntrinsics(llvm::Function &function);
  void checkAccesses(llvm::Function &function);
  llvm::Error createEntry(llvm::Function &kernel);

  llvm::Module &module;
  llvm::LLVMContext &context;
  llvm::Type *i64;
  bool hasBarriers = false;
};
} // namespace

llvm::Error Retargeter::run(const llvm::DataLayout &layout, const llvm::Triple &triple) {
  module.setTargetTriple(triple);
  module.setDataLayout(layout);
  if (llvm::NamedMDNode *annotations = module.getNamedMetadata("nvvm.annotations"))
    annotations->eraseFromParent();
  for (llvm::GlobalVariable &global : module.globals())
    if (global.getAddressSpace() == kSharedSpace) {
      global.setLinkage(llvm::GlobalValue::ExternalLinkage);
      global.setInitializer(llvm::Constant::getNullValue(global.getValueType()));
      sharedArrays.push_back({global.getName().str(),
                              layout.getTypeAllocSize(global.getValueType()).getFixedValue()});
    }
  SmallVector<llvm::Function *> entries;
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (function.getCallingConv() == llvm::CallingConv::PTX_Kernel)
      entries.push_back(&function);
    cleanUp(function);
    checkAccesses(function);
    if (llvm::Error error = replaceIntrinsics(function))
      return error;
  }
  for (llvm::Function *kernel : entries)
    if (llvm::Error error = createEntry(*kernel))
      return error;
  return llvm::Error::success();
}

void Retargeter::cleanUp(llvm::Function &function) {
  function.setCallingConv(llvm::CallingConv::C);
  for (StringRef name : {"target-cpu", "target-features"})
    function.removeFnAttr(name);
  for (llvm::Instruction &instruction : llvm::instructions(function))
    if (auto *call = dyn_cast<llvm::CallBase>(&instruction))
      call->setCallingConv(llvm::CallingConv::C);
}

/// The field of Position that a special register is; nullopt for other intrinsics.
static std::optional<unsigned> getPosition(llvm::Intrinsic::ID id) {
  switch (id) {
  case llvm::Intrinsic::nvvm_read_ptx_sreg_tid_x:
    return 0;
  case llvm::Intrinsic::nvvm_read_ptx_sreg_tid_y:
    return 1;
  case llvm::Intrinsic::nvvm_read_ptx_sreg_tid_z:
    return 2;
  case llvm::Intrinsic::nvvm_read_ptx_sreg_ntid_x:
    return 3;
  case llvm::Intrinsic::nvvm_read_ptx_sreg_ntid_y:
    return 4;
  case llvm::Intrinsic::nvvm_read_ptx_sreg_ntid_z:
    return 5;
  case llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_x:
    return 6;
  case llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_y:
    return 7;
  case llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_z:
    return 8;
  case llvm::Intrinsic::nvvm_read_ptx_sreg_nctaid_x:
    return 9;
  case llvm::Intrinsic::nvvm_read_ptx_sreg_nctaid_y:
    return 10;
  case llvm::Intrinsic::nvvm_read_ptx_sreg_nctaid_z:
    return 11;
  default:
    return std::nullopt;
  }
}

llvm::Error Retargeter::replaceIntrinsics(llvm::Function &function) {
  SmallVector<llvm::IntrinsicInst *> calls;
  for (llvm::Instruction &instruction : llvm::instructions(function))
    if (auto *call = dyn_cast<llvm::IntrinsicInst>(&instruction))
      if (call->getCalledFunction()->getName().starts_with("llvm.nvvm."))
        calls.push_back(call);
  llvm::Type *i32 = llvm::Type::getInt32Ty(context);
  llvm::Constant *position =
      module.getOrInsertGlobal("nn_position", llvm::ArrayType::get(i32, 12));
  for (llvm::IntrinsicInst *call : calls) {
    llvm::IRBuilder<> builder(call);
    if (std::optional<unsigned> field = getPosition(call->getIntrinsicID())) {
      llvm::Value *place = builder.CreateConstInBoundsGEP1_64(i32, position, *field);
      call->replaceAllUsesWith(builder.CreateLoad(i32, place));
    } else if (call->getIntrinsicID() == llvm::Intrinsic::nvvm_barrier_cta_sync_aligned_all) {
      llvm::FunctionCallee wait = module.getOrInsertFunction("nn_wait", builder.getVoidTy());
      builder.CreateCall(wait);
      hasBarriers = true;
    } else {
      return createStringError("kernel '" + function.getName() + "' uses '" +
                               call->getCalledFunction()->getName() +
                               "', which is not emulated");
    }
    call->eraseFromParent();
  }
  return llvm::Error::success();
}

/// Has accesses to what is not the thread's own checked before they happen.
void Retargeter::checkAccesses(llvm::Function &function) {
  const llvm::DataLayout &layout = module.getDataLayout();
  SmallVector<std::tuple<llvm::Instruction *, llvm::Value *, llvm::Value *, bool>> accesses;
  auto add = [&](llvm::Instruction &at, llvm::Value *address, llvm::Value *bytes,
                 bool isWrite) {
    const llvm::Value *object = llvm::getUnderlyingObject(address);
    auto *global = dyn_cast<llvm::GlobalVariable>(object);
    bool isConstant = global && global->getAddressSpace() != kSharedSpace;
    if (!isa<llvm::AllocaInst>(object) && !isConstant)
      accesses.push_back({&at, address, bytes, isWrite});
  };
  auto getSize = [&](llvm::Type *type) {
    return llvm::ConstantInt::get(i64, layout.getTypeStoreSize(type).getFixedValue());
  };
  for (llvm::Instruction &instruction : llvm::instructions(function)) {
    if (auto *load = dyn_cast<llvm::LoadInst>(&instruction)) {
      add(*load, load->getPointerOperand(), getSize(load->getType()), false);
    } else if (auto *store = dyn_cast<llvm::StoreInst>(&instruction)) {
      add(*store, store->getPointerOperand(), getSize(store->getValueOperand()->getType()),
          true);
    } else if (auto *update = dyn_cast<llvm::AtomicRMWInst>(&instruction)) {
      add(*update, update->getPointerOperand(), getSize(update->getType()), false);
    } else if (auto *fill = dyn_cast<llvm::MemIntrinsic>(&instruction)) {
      add(*fill, fill->getRawDest(), fill->getLength(), true);
      if (auto *copy = dyn_cast<llvm::MemTransferInst>(fill))
        add(*copy, copy->getRawSource(), copy->getLength(), false);
    }
  }
  llvm::Type *pointer = llvm::PointerType::get(context, 0);
  llvm::Type *i32 = llvm::Type::getInt32Ty(context);
  llvm::FunctionCallee check = module.getOrInsertFunction(
      "nn_check", llvm::Type::getVoidTy(context), pointer, i64, i32);
  for (auto [at, address, bytes, isWrite] : accesses) {
    llvm::IRBuilder<> builder(at);
    builder.CreateCall(check, {builder.CreatePointerBitCastOrAddrSpaceCast(address, pointer),
                               builder.CreateZExtOrTrunc(bytes, i64),
                               builder.getInt32(isWrite)});
  }
}

/// A function that takes a kernel's parameters from a buffer, where each has its natural
/// alignment.
llvm::Error Retargeter::createEntry(llvm::Function &kernel) {
  const llvm::DataLayout &layout = module.getDataLayout();
  llvm::Type *pointer = llvm::PointerType::get(context, 0);
  HostKernel described;
  described.name = kernel.getName().str();
  auto *entry = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer}, false),
      llvm::GlobalValue::ExternalLinkage, kernel.getName() + ".host", module);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "", entry));
  SmallVector<llvm::Value *> arguments;
  uint64_t offset = 0;
  for (llvm::Argument &argument : kernel.args()) {
    llvm::Type *type = argument.getType();
    offset = llvm::alignTo(offset, layout.getABITypeAlign(type));
    llvm::Value *place =
        builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), entry->getArg(0), offset);
    arguments.push_back(builder.CreateLoad(type, place));
    offset += layout.getTypeStoreSize(type).getFixedValue();
  }
  builder.CreateCall(&kernel, arguments);
  builder.CreateRetVoid();
  described.parameterBytes = offset;
  described.hasBarriers = hasBarriers;
  // "4x2,1x4": rank and bytes of an element of each buffer; descriptors come first.
  StringRef list = kernel.getFnAttribute("nn-buffers").getValueAsString();
  unsigned field = 0;
  while (!list.empty()) {
    StringRef item;
    std::tie(item, list) = list.split(',');
    HostKernel::Buffer buffer{field, 0, 0};
    if (item.consumeInteger(10, buffer.rank) || !item.consume_front("x") ||
        item.getAsInteger(10, buffer.elementBytes))
      return createStringError("kernel '" + kernel.getName() + "' has a malformed attribute");
    described.buffers.push_back(buffer);
    field += 3 + 2 * buffer.rank;
  }
  kernels.push_back(std::move(described));
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

Expected<std::unique_ptr<HostKernels>> HostKernels::load(StringRef bitcode) {
  static std::once_flag initialized;
  std::call_once(initialized, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
  auto context = std::make_unique<llvm::LLVMContext>();
  Expected<std::unique_ptr<llvm::Module>> module =
      llvm::parseBitcodeFile(llvm::MemoryBufferRef(bitcode, "device"), *context);
  if (!module)
    return module.takeError();
  Expected<std::unique_ptr<llvm::orc::LLJIT>> jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  Retargeter retargeter(**module);
  if (llvm::Error error = retargeter.run((*jit)->getDataLayout(), (*jit)->getTargetTriple()))
    return std::move(error);

  llvm::orc::SymbolMap symbols;
  auto define = [&](StringRef name, auto *address) {
    symbols[(*jit)->mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                                             llvm::JITSymbolFlags::Exported};
  };
  Machine &machine = Machine::get();
  define("nn_position", &machine.position);
  define("nn_check", &Machine::check);
  define("nn_wait", &Machine::wait);
  // What LLVM makes calls of.
  define("memcpy", &std::memcpy);
  define("memmove", &std::memmove);
  define("memset", &std::memset);
  define("fmodf", static_cast<float (*)(float, float)>(&fmodf));
  define("fmod", static_cast<double (*)(double, double)>(&fmod));
  llvm::orc::JITDylib &library = (*jit)->getMainJITDylib();
  if (llvm::Error error = library.define(llvm::orc::absoluteSymbols(std::move(symbols))))
    return std::move(error);
  if (llvm::Error error = (*jit)->addIRModule(
          llvm::orc::ThreadSafeModule(std::move(*module), std::move(context))))
    return std::move(error);

  auto loaded = std::make_unique<HostKernels>();
  for (auto &[name, bytes] : retargeter.sharedArrays) {
    Expected<llvm::orc::ExecutorAddr> address = (*jit)->lookup(name);
    if (!address)
      return address.takeError();
    loaded->sharedArrays.push_back({address->toPtr<void *>(), bytes});
  }
  for (HostKernel &kernel : retargeter.kernels) {
    Expected<llvm::orc::ExecutorAddr> address = (*jit)->lookup(kernel.name + ".host");
    if (!address)
      return address.takeError();
    kernel.sharedArrays = loaded->sharedArrays;
    kernel.run = address->toPtr<void (*)(const void *)>();
    std::string name = kernel.name;
    loaded->kernels.try_emplace(name, std::move(kernel));
  }
  loaded->jit = std::move(*jit);
  return loaded;
}

const HostKernel *HostKernels::find(StringRef name) const {
  auto found = kernels.find(name);
  return found == kernels.end() ? nullptr : &found->second;
}
