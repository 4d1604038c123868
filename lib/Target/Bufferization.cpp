//===- Bufferization.cpp - bufferization of nn operations -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "CarryInPlace.h"
#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "nn/Support/Bufferization.h"
#include "nn/Target/Passes.h"

namespace mlir::nn {
#define GEN_PASS_DEF_PREPAREBUFFERIZATION
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::bufferization;

func::FuncOp nn::getMain(ModuleOp module) {
  return module.lookupSymbol<func::FuncOp>("main");
}

namespace {

/// A constant becomes a read-only view of the weights section.
struct ConstantModel
    : BufferizableOpInterface::ExternalModel<ConstantModel, ConstantOp> {
  AliasingOpOperandList getAliasingOpOperands(Operation *, Value,
                                              const AnalysisState &) const {
    return {};
  }
  bool bufferizesToAllocation(Operation *, Value) const { return false; }
  bool isWritable(Operation *, Value, const AnalysisState &) const {
    return false;
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto constant = cast<ConstantOp>(op);
    auto type = constant.getType();
    auto bufferType = MemRefType::get(type.getShape(), type.getElementType());
    replaceOpWithNewBufferizedOp<rt::WeightOp>(rewriter, op, bufferType,
                                               constant.getValueAttr(), nullptr);
    return success();
  }
};

/// Calls take contiguous buffers; what is strided is copied.
template <typename CallOp>
struct CallModel : DstBufferizableOpInterfaceExternalModel<CallModel<CallOp>, CallOp> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return cast<DestinationStyleOpInterface>(op).isDpsInput(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto call = cast<CallOp>(op);
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    // The buffers of `values` (some may be buffers already), and contiguous ones
    // in their place.
    auto getBuffers = [&](ValueRange values, bool copyContents,
                          SmallVectorImpl<Value> &buffers,
                          SmallVectorImpl<Value> &contiguous) -> LogicalResult {
      for (Value value : values) {
        FailureOr<Value> buffer = value;
        if (isa<TensorType>(value.getType()))
          buffer = getBuffer(rewriter, value, options, state);
        if (failed(buffer))
          return failure();
        buffers.push_back(*buffer);
        contiguous.push_back(
            getContiguousBuffer(rewriter, op->getLoc(), *buffer, copyContents));
      }
      return success();
    };
    SmallVector<Value> sources, inputs, targets, outputs;
    if (failed(getBuffers(call.getInputs(), /*copyContents=*/true, sources, inputs)) ||
        failed(getBuffers(call.getOutputs(), /*copyContents=*/false, targets, outputs)))
      return failure();
    CallOp newCall = createCall(rewriter, call, inputs, outputs);
    newCall->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    for (auto [output, target] : llvm::zip(outputs, targets))
      if (output != target)
        memref::CopyOp::create(rewriter, op->getLoc(), output, target);
    replaceOpWithBufferizedValues(rewriter, op, targets);
    return success();
  }

private:
  static rt::LaunchOp createCall(OpBuilder &builder, rt::LaunchOp call,
                                 ValueRange inputs, ValueRange outputs) {
    return rt::LaunchOp::create(builder, call.getLoc(), TypeRange(),
                                call.getKernelAttr(), inputs, outputs,
                                call.getScalars(), call.getCount(),
                                call.getGrainAttr());
  }
  static rt::CallOp createCall(OpBuilder &builder, rt::CallOp call, ValueRange inputs,
                               ValueRange outputs) {
    return rt::CallOp::create(builder, call.getLoc(), TypeRange(), call.getKernel(),
                              inputs, outputs, call.getParameters(), call.getCustomAttr());
  }
};

/// Each use of an empty tensor gets one of its own, where CSE has made one of many:
/// results of one operation need buffers of their own, and bufferization compares all
/// that is written to one tensor with each other. Loops keep what they share with their
/// surroundings, which is allocated outside.
void separateDestinations(tensor::EmptyOp empty, OpBuilder &builder) {
  bool isFree = llvm::all_of(empty->getUsers(), [&](Operation *user) {
    return user->getBlock() == empty->getBlock();
  });
  DenseSet<Operation *> seen;
  for (OpOperand &use : llvm::make_early_inc_range(empty->getUses())) {
    Operation *user = use.getOwner();
    if (user->getBlock() == empty->getBlock()) {
      // One of them can have the original.
      if (std::exchange(isFree, false))
        continue;
    } else if (seen.insert(user).second) {
      continue;
    }
    builder.setInsertionPoint(user);
    use.set(builder.clone(*empty)->getResult(0));
  }
}

/// Selects between sizes become arithmetic. To bound a select, the analysis of slices
/// bounds both sides, and recursively every select that these depend on, which takes
/// exponential time.
void lowerIndexSelectsToArithmetic(func::FuncOp main, OpBuilder &builder) {
  for (auto select : llvm::make_early_inc_range(main.getOps<arith::SelectOp>())) {
    if (!select.getType().isIndex())
      continue;
    Location loc = select.getLoc();
    builder.setInsertionPoint(select);
    Value flag = arith::IndexCastUIOp::create(builder, loc, builder.getIndexType(),
                                              select.getCondition());
    Value difference = arith::SubIOp::create(builder, loc, select.getTrueValue(),
                                             select.getFalseValue());
    Value added = arith::MulIOp::create(builder, loc, flag, difference);
    Value sum = arith::AddIOp::create(builder, loc, select.getFalseValue(), added);
    select.replaceAllUsesWith(sum);
    select.erase();
  }
}

/// For each value that the body of `loop` yields, the body's argument in which the next
/// iteration finds it; null if it finds it in none, as what only the condition reads.
SmallVector<Value> findCarried(scf::WhileOp loop) {
  SmallVector<Value> carried(loop.getBeforeArguments().size());
  for (auto [passed, argument] :
       llvm::zip(loop.getConditionOp().getArgs(), loop.getAfterArguments()))
    if (auto source = dyn_cast<BlockArgument>(passed))
      if (source.getOwner() == &loop.getBefore().front())
        carried[source.getArgNumber()] = argument;
  return carried;
}

struct PrepareBufferizationPass
    : nn::impl::PrepareBufferizationBase<PrepareBufferizationPass> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main)
      return;
    for (unsigned i = 0, e = main.getNumArguments(); i < e; ++i)
      main.setArgAttr(i, BufferizationDialect::kWritableAttrName,
                      BoolAttr::get(&getContext(), false));
    if (failed(main.insertArgument(0, LLVM::LLVMPointerType::get(&getContext()),
                                   DictionaryAttr(), main.getLoc())))
      return signalPassFailure();
    OpBuilder builder(&getContext());
    lowerIndexSelectsToArithmetic(main, builder);
    main.walk([&](Operation *op) {
      if (auto empty = dyn_cast<tensor::EmptyOp>(op))
        separateDestinations(empty, builder);
      else if (auto loop = dyn_cast<scf::ForOp>(op))
        carryInPlace(*loop.getBody(), llvm::to_vector_of<Value>(loop.getRegionIterArgs()),
                     builder);
      else if (auto loop = dyn_cast<scf::WhileOp>(op))
        carryInPlace(loop.getAfter().front(), findCarried(loop), builder);
    });
  }
};

} // namespace

void nn::registerBufferizationModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, NNDialect *) {
    context->loadDialect<rt::RTDialect>(); // Constants become rt.weight.
    ConstantOp::attachInterface<ConstantModel>(*context);
  });
  registry.addExtension(+[](MLIRContext *context, rt::RTDialect *) {
    rt::LaunchOp::attachInterface<CallModel<rt::LaunchOp>>(*context);
    rt::CallOp::attachInterface<CallModel<rt::CallOp>>(*context);
  });
}
