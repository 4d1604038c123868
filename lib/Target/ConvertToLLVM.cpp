//===- ConvertToLLVM.cpp - bufferized models in the LLVM dialect ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "CodeToLLVM.h"
#include "RuntimeToLLVM.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/Conversion/GPUCommon/GPUCommonPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "nn/Conversion/OneDNNToLLVM.h"
#include "nn/Target/Passes.h"
#include "nn/Target/Target.h"
#include "runtime/abi/nnrt_abi.h"

namespace mlir::nn {
#define GEN_PASS_DEF_CONVERTTOLLVM
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

/// Divides the blocks of a function into short ones, until `joinBlocks`; adds those that it
/// makes. Each check moves what follows it in its block to another, and the conversion keeps a
/// record of each operation that is moved.
static void divideBlocks(func::FuncOp function, DenseSet<Block *> &made) {
  constexpr size_t most = 64;
  for (Block &block : llvm::make_early_inc_range(function.getBody())) {
    SmallVector<Operation *> starts;
    for (auto [number, op] : llvm::enumerate(block.without_terminator()))
      if (number > 0 && number % most == 0)
        starts.push_back(&op);
    for (Operation *start : llvm::reverse(starts)) {
      Block *rest = block.splitBlock(start);
      OpBuilder builder = OpBuilder::atBlockEnd(&block);
      cf::BranchOp::create(builder, start->getLoc(), rest);
      made.insert(rest);
    }
  }
}

static void joinBlocks(LLVM::LLVMFuncOp function, const DenseSet<Block *> &made) {
  for (auto block = function.begin(); block != function.end(); ++block)
    while (auto branch = dyn_cast<LLVM::BrOp>(block->getTerminator())) {
      Block *rest = branch.getDest();
      if (!made.contains(rest))
        break;
      branch.erase();
      block->getOperations().splice(block->end(), rest->getOperations());
      rest->erase();
    }
}

namespace {
struct ConvertToLLVMPass : nn::impl::ConvertToLLVMBase<ConvertToLLVMPass> {
  using ConvertToLLVMBase::ConvertToLLVMBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    func::FuncOp main = getMain(module);
    FailureOr<CodeVariant> variant = getVariant(module);
    if (failed(variant))
      return signalPassFailure();
    SmallVector<MemRefType> inputs;
    if (main) {
      for (Type type : main.getArgumentTypes().drop_front())
        inputs.push_back(cast<MemRefType>(type));
      for (unsigned i = 0, e = main.getNumArguments(); i < e; ++i)
        main.setArgAttrs(i, ArrayRef<NamedAttribute>());
    }
    if (failed(lowerVectors(module)))
      return signalPassFailure();
    DenseSet<Block *> made;
    for (auto function : module.getOps<func::FuncOp>())
      divideBlocks(function, made);

    LowerToLLVMOptions options(&getContext());
    options.overrideIndexBitwidth(64);
    LLVMTypeConverter converter(&getContext(), options);
    // To the host, addresses on the device are addresses.
    populateGpuMemorySpaceAttributeConversions(converter, [](gpu::AddressSpace) { return 0; });
    RewritePatternSet patterns(&getContext());
    populateCodeToLLVMPatterns(converter, patterns);
    populateOneDNNToLLVMPatterns(converter, patterns);
    populateRuntimeToLLVMPatterns(converter, patterns);
    LLVMConversionTarget target(getContext());
    target.addLegalOp<ModuleOp, gpu::GPUModuleOp>();
    target.markOpRecursivelyLegal<gpu::GPUModuleOp>();
    if (failed(applyFullConversion(module, target, std::move(patterns))))
      return signalPassFailure();

    for (auto function : module.getOps<LLVM::LLVMFuncOp>())
      joinBlocks(function, made);
    finishFunctions(*module.getBody());
    if (main)
      createEntryPoint(module, inputs, variant->getSuffix());
  }

  /// int32_t nnrt_model_run_<suffix>(context, inputs): descriptors of the
  /// inputs, then the model's function.
  void createEntryPoint(ModuleOp module, ArrayRef<MemRefType> inputs, StringRef suffix) {
    auto main = module.lookupSymbol<LLVM::LLVMFuncOp>("main");
    Location loc = main.getLoc();
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    Type i64 = builder.getI64Type();
    auto type = LLVM::LLVMFunctionType::get(builder.getI32Type(), {pointer, pointer});
    auto entry = LLVM::LLVMFuncOp::create(builder, loc, ("nnrt_model_run_" + suffix).str(), type);
    Block *body = entry.addEntryBlock(builder);
    builder.setInsertionPointToStart(body);
    auto constant = [&](int64_t value) -> Value {
      return LLVM::ConstantOp::create(builder, loc, i64, builder.getI64IntegerAttr(value));
    };
    auto load = [&](Type type, Value base, int64_t byteOffset) -> Value {
      Value place = LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), base,
                                        ArrayRef<LLVM::GEPArg>{int32_t(byteOffset)});
      return LLVM::LoadOp::create(builder, loc, type, place);
    };
    SmallVector<Value> arguments{body->getArgument(0)};
    for (auto [index, input] : llvm::enumerate(inputs)) {
      int64_t tensor = index * sizeof(nnrt_abi_tensor);
      Value data = load(pointer, body->getArgument(1),
                        tensor + offsetof(nnrt_abi_tensor, data));
      Value dims = load(pointer, body->getArgument(1),
                        tensor + offsetof(nnrt_abi_tensor, dims));
      arguments.append({data, data, constant(0)});
      SmallVector<Value> sizes, strides(input.getRank());
      for (auto [i, size] : llvm::enumerate(input.getShape()))
        sizes.push_back(ShapedType::isDynamic(size)
                            ? load(i64, dims, i * sizeof(int64_t))
                            : constant(size));
      Value stride = constant(1);
      for (int64_t i = input.getRank() - 1; i >= 0; --i) {
        strides[i] = stride;
        if (i > 0)
          stride = LLVM::MulOp::create(builder, loc, stride, sizes[i]);
      }
      arguments.append(sizes);
      arguments.append(strides);
    }
    Value status = LLVM::CallOp::create(builder, loc, main, arguments).getResult();
    LLVM::ReturnOp::create(builder, loc, status);
    // Only the entry's name is exported, so that no other name can clash with another
    // library's.
    if (failed(SymbolTable::replaceAllSymbolUses(
            main, builder.getStringAttr("nn_main"), module)))
      return signalPassFailure();
    SymbolTable::setSymbolName(main, "nn_main");
  }
};
} // namespace
