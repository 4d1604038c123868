//===- MarkKernels.cpp - bracket kernels for the profiler -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "nn/Support/Locations.h"
#include "nn/Target/GPU.h"
#include "nn/Target/Passes.h"
#include "runtime/abi/nnrt_abi.h"

namespace mlir::nn {
#define GEN_PASS_DEF_MARKKERNELS
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
struct MarkKernelsPass : nn::impl::MarkKernelsBase<MarkKernelsPass> {
  /// The profiler's name for an operation, or "" if it is not a kernel.
  std::string getKind(Operation *op) {
    if (auto call = dyn_cast<rt::LaunchOp>(op)) {
      auto kernel = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
          op, call.getKernelAttr());
      auto kind = kernel->getAttrOfType<StringAttr>("nn.kernel");
      return kind ? kind.str() : "kernel";
    }
    if (auto call = dyn_cast<rt::CallOp>(op); call && call.getCustomAttr())
      return call.getCustomAttr().getAs<StringAttr>("function").str();
    if (auto call = dyn_cast<rt::CallOp>(op))
      return rt::stringifyRuntimeKernel(call.getKernel()).str();
    StringRef dialect = op->getName().getDialectNamespace();
    if (dialect == "onednn" || dialect == "linalg")
      return op->getName().getStringRef().str();
    if (isa<memref::CopyOp>(op))
      return "copy";
    if (auto copy = dyn_cast<rt::CopyOp>(op)) {
      bool from = isOnDevice(copy.getSource().getType());
      bool to = isOnDevice(copy.getTarget().getType());
      return from && to ? "copy" : from ? "copy.from_device" : "copy.to_device";
    }
    if (isa<scf::ForOp, scf::ForallOp, scf::ParallelOp, scf::WhileOp>(op))
      return "loop";
    return "";
  }

  /// Kernels in branches are counted separately, those of a loop together.
  void mark(Block &block, SmallVectorImpl<Attribute> &kernels, OpBuilder &builder) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (auto branch = dyn_cast<scf::IfOp>(op)) {
        for (Region &region : branch->getRegions())
          if (!region.empty())
            mark(region.front(), kernels, builder);
        continue;
      }
      std::string kind = getKind(&op);
      if (kind.empty())
        continue;
      int64_t index = kernels.size();
      kernels.push_back(builder.getArrayAttr(
          {builder.getStringAttr(kind),
           builder.getStringAttr(getONNXNames(op.getLoc()))}));
      builder.setInsertionPoint(&op);
      rt::KernelBeginOp::create(builder, op.getLoc(), index);
      builder.setInsertionPointAfter(&op);
      rt::KernelEndOp::create(builder, op.getLoc(), index);
    }
  }

  /// Calls of users' libraries refer to the module's list of them.
  static void numberCustomOperators(ModuleOp module, func::FuncOp main) {
    SmallVector<Attribute> operators;
    if (auto list = module->getAttrOfType<ArrayAttr>("nn.custom_operators"))
      llvm::append_range(operators, list);
    main.walk([&](rt::CallOp call) {
      DictionaryAttr custom = call.getCustomAttr();
      if (!custom)
        return;
      auto *place = llvm::find(operators, custom);
      SmallVector<int64_t> parameters(call.getParameters());
      parameters.front() = place - operators.begin();
      if (place == operators.end())
        operators.push_back(custom);
      call.setParameters(parameters);
    });
    if (!operators.empty())
      module->setAttr("nn.custom_operators",
                      ArrayAttr::get(module.getContext(), operators));
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    func::FuncOp main = getMain(module);
    if (!main)
      return;
    OpBuilder builder(&getContext());
    SmallVector<Attribute> kernels;
    // Continue the table of another variant.
    if (auto table = module->getAttrOfType<ArrayAttr>("nn.kernels"))
      llvm::append_range(kernels, table);
    mark(main.getBody().front(), kernels, builder);
    module->setAttr("nn.kernels", builder.getArrayAttr(kernels));
    numberCustomOperators(module, main);
    // Dialects that mirror a library bear its name.
    SmallVector<StringRef> libraries;
    if (auto list = module->getAttrOfType<ArrayAttr>("nn.libraries"))
      llvm::append_range(libraries, list.getAsValueRange<StringAttr>());
    main.walk([&](Operation *op) {
      StringRef name = op->getName().getDialectNamespace();
      auto call = dyn_cast<rt::CallOp>(op);
      if (call && call.getKernel() == rt::RuntimeKernel::MapStrings &&
          llvm::is_contained({NNRT_ABI_FULL_MATCH, NNRT_ABI_COUNT_MATCHES, NNRT_ABI_MATCH},
                             call.getParameters().front()))
        name = "re2";
      if ((name == "onednn" || name == "re2") && !llvm::is_contained(libraries, name))
        libraries.push_back(name);
    });
    module->setAttr("nn.libraries", builder.getStrArrayAttr(libraries));
  }
};
} // namespace
