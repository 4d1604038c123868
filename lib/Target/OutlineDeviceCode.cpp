//===- OutlineDeviceCode.cpp - kernels in a module of their own -----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "nn/Target/Passes.h"
#include "nn/Target/Target.h"
#include "nn/Target/Weights.h"

namespace mlir::nn {
#define GEN_PASS_DEF_OUTLINEDEVICECODE
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
struct OutlineDeviceCodePass : nn::impl::OutlineDeviceCodeBase<OutlineDeviceCodePass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (getTarget(module).getKind() == TargetKind::CPU)
      return;
    SmallVector<func::FuncOp> kernels;
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr("nn.kernel"))
        kernels.push_back(function);
    SmallVector<rt::LaunchOp> launches;
    module.walk([&](rt::LaunchOp launch) { launches.push_back(launch); });
    for (rt::LaunchOp launch : launches)
      replace(launch);
    if (kernels.empty())
      return;
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    auto device = gpu::GPUModuleOp::create(builder, module.getLoc(), "device");
    copyGlobals(module, kernels, device);
    for (func::FuncOp kernel : kernels) {
      kernel->moveBefore(device.getBody(), device.getBody()->end());
      createEntry(kernel);
    }
  }

  static std::string getEntryName(StringRef kernel) { return (kernel + "_threads").str(); }

  void replace(rt::LaunchOp launch) {
    OpBuilder builder(launch);
    SmallVector<Value> arguments(launch.getInputs());
    llvm::append_range(arguments, launch.getOutputs());
    llvm::append_range(arguments, launch.getScalars());
    auto replacement =
        rt::LaunchDeviceOp::create(builder, launch.getLoc(), getEntryName(launch.getKernel()),
                                   arguments, launch.getCount());
    replacement->setDiscardableAttrs(launch->getDiscardableAttrDictionary());
    launch.erase();
  }

  /// Constants that kernels read.
  static void copyGlobals(ModuleOp module, ArrayRef<func::FuncOp> kernels,
                          gpu::GPUModuleOp device) {
    OpBuilder builder = OpBuilder::atBlockEnd(device.getBody());
    DenseSet<StringAttr> copied;
    for (func::FuncOp kernel : kernels)
      kernel.walk([&](memref::GetGlobalOp use) {
        if (!copied.insert(use.getNameAttr().getAttr()).second)
          return;
        auto global = module.lookupSymbol<memref::GlobalOp>(use.getName());
        builder.clone(*global);
      });
  }

  /// Thread i of the entry computes iteration i.
  static void createEntry(func::FuncOp kernel) {
    OpBuilder builder(kernel->getContext());
    builder.setInsertionPointAfter(kernel);
    Location loc = kernel.getLoc();
    Type index = builder.getIndexType();
    // The kernel's last two parameters are the range.
    SmallVector<Type> types(kernel.getArgumentTypes().drop_back(2));
    types.push_back(index);
    auto entry = gpu::GPUFuncOp::create(builder, loc, getEntryName(kernel.getSymName()),
                                        builder.getFunctionType(types, {}));
    entry->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), builder.getUnitAttr());
    // For emulation, an attribute in LLVM: rank and bytes of an element of each buffer.
    std::string buffers;
    for (Type type : types)
      if (auto memref = dyn_cast<MemRefType>(type)) {
        buffers += (buffers.empty() ? "" : ",") + std::to_string(memref.getRank()) + "x" +
                   std::to_string(getElementBytes(memref.getElementType()));
      }
    entry->setAttr("passthrough",
                   builder.getArrayAttr(builder.getStrArrayAttr({"nn-buffers", buffers})));
    builder.setInsertionPointToStart(&entry.getBody().front());
    Value thread = arith::AddIOp::create(
        builder, loc,
        arith::MulIOp::create(builder, loc,
                              gpu::BlockIdOp::create(builder, loc, gpu::Dimension::x),
                              gpu::BlockDimOp::create(builder, loc, gpu::Dimension::x)),
        gpu::ThreadIdOp::create(builder, loc, gpu::Dimension::x));
    Value count = entry.getArguments().back();
    Value isUsed =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, thread, count);
    scf::IfOp::create(builder, loc, isUsed, [&](OpBuilder &inside, Location) {
      Value one = arith::ConstantIndexOp::create(inside, loc, 1);
      SmallVector<Value> arguments(entry.getArguments().drop_back());
      arguments.push_back(thread);
      arguments.push_back(arith::AddIOp::create(inside, loc, thread, one));
      func::CallOp::create(inside, loc, kernel, arguments);
      scf::YieldOp::create(inside, loc);
    });
    builder.setInsertionPointToEnd(&entry.getBody().front());
    gpu::ReturnOp::create(builder, loc);
  }
};
} // namespace
