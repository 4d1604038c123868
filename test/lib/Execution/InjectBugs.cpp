//===- InjectBugs.cpp - passes that are wrong -----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Test-only passes, each with one mistake that real passes make, to show that
// --verify-numeric finds and names it. Each changes the first operation of @main
// that it can, so that the module stays valid; without one it fails.
//
//===----------------------------------------------------------------------===//

#include "InjectBugs.h"
#include "dialects/NN/IR/NN.h"
#include "dialects/OneDNN/IR/OneDNN.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Pass/Pass.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;

/// The value of a constant operand, to be changed by the caller.
static HostTensor copyConstant(Value value) {
 auto constant = value.getDefiningOp<ConstantOp>();
 FailureOr<HostTensor> tensor =
     constant ? toHostTensor(constant.getValue()) : FailureOr<HostTensor>(failure());
 if (failed(tensor))
   return {};
 HostTensor copy = HostTensor::allocate(tensor->getType(), tensor->getDims());
 std::memcpy(copy.getMutableData(), tensor->getData(), copy.getNumBytes());
 return copy;
}

static Value createConstant(OpBuilder &builder, Location loc, const HostTensor &tensor) {
 return ConstantOp::create(builder, loc,
                           makeConstantAttr(builder.getContext(), tensor));
}

static bool injectWrongConstant(MulOp op, OpBuilder &builder) {
 HostTensor tensor = copyConstant(op.getRhs());
 if (!tensor.isValid())
   return false;
 tensor.setDouble(0, tensor.getDouble(0) + 0.5);
 op.setOperand(1, createConstant(builder, op.getLoc(), tensor));
 return true;
}

static bool injectDroppedBias(ConvOp op, OpBuilder &) {
 if (!op.getBias())
   return false;
 op.getBiasMutable().clear();
 return true;
}

static bool injectSwappedOperands(SubOp op, OpBuilder &) {
 Value lhs = op.getLhs();
 op.setOperand(0, op.getRhs());
 op.setOperand(1, lhs);
 return true;
}

static bool injectWrongAxis(SoftmaxOp op, OpBuilder &) {
 if (op.getAxis() == 0)
   return false;
 op.setAxis(0);
 return true;
}

static bool injectPadOffByOne(ConvOp op, OpBuilder &) {
 SmallVector<int64_t> pads(op.getPads());
 if (pads.empty() || pads[0] == 0)
   return false;
 --pads[0];
 ++pads[pads.size() / 2];
 op.setPads(pads);
 return true;
}

static bool injectWrongBroadcast(AddOp op, OpBuilder &builder) {
 HostTensor tensor = copyConstant(op.getRhs());
 if (!tensor.isValid() || tensor.getRank() != 2 || tensor.getDim(1) != 1)
   return false;
 op.setOperand(1, createConstant(builder, op.getLoc(),
                                 tensor.withDims({1, tensor.getDim(0)})));
 return true;
}

static bool injectLostTranspose(TransposeOp op, OpBuilder &) {
 // Not those that layouts bring in.
 if (op.getInput().getType() != op.getType() || op.getType().getRank() != 2)
   return false;
 // As a pattern that forgets what the operation does, but not its name.
 Operation *source = op.getInput().getDefiningOp();
 if (!source)
   return false;
 source->setAttr("nn.origin", op->getAttr("nn.origin"));
 op.replaceAllUsesWith(op.getInput());
 op.erase();
 return true;
}

static bool injectPostOpOrder(onednn::MatMulOp op, OpBuilder &builder) {
 SmallVector<Attribute> postOps(op.getPostOps().getValue());
 if (postOps.size() < 2)
   return false;
 std::reverse(postOps.begin(), postOps.end());
 op.setPostOpsAttr(builder.getArrayAttr(postOps));
 return true;
}

static bool injectWrongLayout(onednn::ConvolutionOp op, OpBuilder &) {
 op.setLayout(op.getLayout() == Layout::ChannelsLast ? Layout::ChannelsFirst
                                                     : Layout::ChannelsLast);
 return true;
}

static bool injectSliceOffByOne(tensor::ExtractSliceOp op, OpBuilder &) {
 SmallVector<int64_t> offsets(op.getStaticOffsets());
 if (offsets.empty() || ShapedType::isDynamic(offsets[0]) || offsets[0] == 0)
   return false;
 --offsets[0];
 op.setStaticOffsets(offsets);
 return true;
}

static bool injectStaleShape(tensor::DimOp op, OpBuilder &builder) {
 op.replaceAllUsesWith(
     arith::ConstantIndexOp::create(builder, op.getLoc(), 1).getResult());
 op.erase();
 return true;
}

static bool injectUninitializedDestination(linalg::FillOp op, OpBuilder &) {
 op->replaceAllUsesWith(op.getOutputs());
 op.erase();
 return true;
}

namespace {
class InjectBug : public PassWrapper<InjectBug, OperationPass<ModuleOp>> {
public:
 MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(InjectBug)
 using Inject = std::function<bool(Operation *, OpBuilder &)>;

 InjectBug(StringRef argument, StringRef description, Inject inject)
     : argument(argument), description(description), inject(std::move(inject)) {}

 StringRef getArgument() const override { return argument; }
 StringRef getDescription() const override { return description; }

 void runOnOperation() override {
   auto main = getOperation().lookupSymbol<func::FuncOp>("main");
   for (Operation &op : llvm::make_early_inc_range(main.getBody().front())) {
     OpBuilder builder(&op);
     if (inject(&op, builder))
       return;
   }
   main.emitError("there is no operation to make this mistake with");
   signalPassFailure();
 }

private:
 StringRef argument, description;
 Inject inject;
};

/// Fails as a pass must not: without a word.
class FailSilently : public PassWrapper<FailSilently, OperationPass<>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FailSilently)

  StringRef getArgument() const override { return "test-bug-silence"; }
  StringRef getDescription() const override { return "Fail without saying why"; }
  void runOnOperation() override { signalPassFailure(); }
};
} // namespace

template <typename OpT>
static void add(StringRef argument, StringRef description,
               bool (*inject)(OpT, OpBuilder &)) {
 registerPass([=] {
   return std::make_unique<InjectBug>(
       argument, description, [=](Operation *op, OpBuilder &builder) {
         auto typed = dyn_cast<OpT>(op);
         return typed && inject(typed, builder);
       });
 });
}

void nn::registerTestBugPasses() {
 registerPass([] { return std::make_unique<FailSilently>(); });
 add("test-bug-wrong-constant", "Change an element of a constant",
     injectWrongConstant);
 add("test-bug-dropped-bias", "Drop the bias of a convolution", injectDroppedBias);
 add("test-bug-swapped-operands", "Swap what is subtracted", injectSwappedOperands);
 add("test-bug-wrong-axis", "Normalize along another axis", injectWrongAxis);
 add("test-bug-pad-off-by-one", "Shift the pads of a convolution",
     injectPadOffByOne);
 add("test-bug-wrong-broadcast", "Make a column a row", injectWrongBroadcast);
 add("test-bug-lost-transpose", "Drop a transposition", injectLostTranspose);
 add("test-bug-post-op-order", "Apply post-ops in the wrong order",
     injectPostOpOrder);
 add("test-bug-wrong-layout", "Take a layout for the other", injectWrongLayout);
 add("test-bug-slice-off-by-one", "Shift a slice", injectSliceOffByOne);
 add("test-bug-stale-shape", "Take a size for that of another run",
     injectStaleShape);
 add("test-bug-uninitialized-destination", "Add to what nobody wrote",
     injectUninitializedDestination);
}
