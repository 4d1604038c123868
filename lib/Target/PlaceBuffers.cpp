//===- PlaceBuffers.cpp - which buffers lie on the device -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "nn/Target/GPU.h"
#include "nn/Target/Passes.h"
#include "nn/Target/Target.h"
#include "llvm/ADT/EquivalenceClasses.h"

namespace mlir::nn {
#define GEN_PASS_DEF_PLACEBUFFERS
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

/// Calls `visit` with each buffer that a function has.
static void forEachBuffer(func::FuncOp function, function_ref<void(Value)> visit) {
  auto visitAll = [&](ValueRange values) {
    for (Value value : values)
      if (isa<MemRefType>(value.getType()))
        visit(value);
  };
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    visitAll(op->getResults());
    for (Region &region : op->getRegions())
      for (Block &block : region)
        visitAll(block.getArguments());
  });
}

static void moveToDevice(Value value) {
  auto type = cast<MemRefType>(value.getType());
  value.setType(MemRefType::get(type.getShape(), type.getElementType(), type.getLayout(),
                                getDeviceSpace(type.getContext())));
}

/// Allocates a contiguous buffer of the host with the sizes of another one.
static Value createBufferLike(OpBuilder &builder, Location loc, Value like) {
  auto type = cast<MemRefType>(like.getType());
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(memref::DimOp::create(builder, loc, like, i));
  return memref::AllocOp::create(
      builder, loc, MemRefType::get(type.getShape(), type.getElementType()), sizes);
}

/// The operation of which a value is a view, if it is an OpT.
template <typename OpT> static OpT getRoot(Value value) {
  while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
    value = view.getViewSource();
  return value.getDefiningOp<OpT>();
}

namespace {
/// Values that may be the same buffer.
class SameBuffers {
public:
  explicit SameBuffers(func::FuncOp function) {
    BufferViewFlowAnalysis aliases(function);
    forEachBuffer(function, [&](Value value) {
      classes.insert(value);
      for (Value alias : aliases.resolve(value))
        classes.unionSets(value, alias);
      // Where only the sign of the elements is forgotten.
      if (auto cast = value.getDefiningOp<UnrealizedConversionCastOp>())
        for (Value source : cast.getInputs())
          if (isa<MemRefType>(source.getType()))
            classes.unionSets(value, source);
    });
  }
  Value getLeader(Value value) const { return classes.getLeaderValue(value); }

private:
  llvm::EquivalenceClasses<Value> classes;
};

class BufferPlacer {
public:
  explicit BufferPlacer(func::FuncOp main) : main(main), builder(main.getContext()) {}
  void run();
  int64_t numOnDevice = 0, numCopies = 0;

private:
  void findDeviceBuffers();
  /// Gives buffers that only the host can provide another one on the device.
  void replaceHostRoots();
  void copyInput(Value host, Operation *before);
  void copyOutput(rt::OutputOp output);
  void moveToWeights(memref::GetGlobalOp use);
  void copy(Location loc, Value source, Value target);
  /// Has an operation of the host work on copies of what lies on the device.
  void stage(Operation *op);
  void stageElement(Operation *op, OpOperand &buffer, ValueRange indices);
  bool isOnDevice(Value value) const { return onDevice.contains(value); }

  func::FuncOp main;
  OpBuilder builder;
  llvm::SetVector<Value> onDevice;
};
} // namespace

void BufferPlacer::findDeviceBuffers() {
  SameBuffers same(main);
  DenseSet<Value> used;
  main.walk([&](rt::LaunchOp launch) {
    for (Value operand : launch->getOperands())
      if (isa<MemRefType>(operand.getType()))
        used.insert(same.getLeader(operand));
  });
  // Weights lie there already.
  main.walk([&](memref::CopyOp copy) {
    if (used.contains(same.getLeader(copy.getTarget())) && getRoot<rt::WeightOp>(copy.getSource()))
      used.insert(same.getLeader(copy.getSource()));
  });
  forEachBuffer(main, [&](Value value) {
    if (used.contains(same.getLeader(value)))
      onDevice.insert(value);
  });
}

void BufferPlacer::copy(Location loc, Value source, Value target) {
  rt::CopyOp::create(builder, loc, source, target);
  ++numCopies;
}

void BufferPlacer::copyInput(Value host, Operation *before) {
  builder.setInsertionPoint(before);
  Value device = createBufferLike(builder, host.getLoc(), host);
  onDevice.insert(device);
  copy(host.getLoc(), host, device);
  host.replaceUsesWithIf(device, [&](OpOperand &use) {
    // Sizes of inputs are what those of other buffers are computed from, and inputs are not
    // written: the host reads its own.
    return !isa<memref::DimOp, memref::LoadOp, rt::CopyOp>(use.getOwner());
  });
  onDevice.remove(host);
}

void BufferPlacer::copyOutput(rt::OutputOp output) {
  builder.setInsertionPointAfter(output);
  auto device = memref::AllocOp::create(builder, output.getLoc(),
                                        cast<MemRefType>(output.getType()), output.getSizes());
  output.getResult().replaceAllUsesWith(device);
  onDevice.remove(output);
  onDevice.insert(device);
  builder.setInsertionPoint(main.getBody().back().getTerminator());
  copy(output.getLoc(), device, output);
}

/// The device has the weights section.
void BufferPlacer::moveToWeights(memref::GetGlobalOp use) {
  auto global =
      SymbolTable::lookupNearestSymbolFrom<memref::GlobalOp>(use, use.getNameAttr());
  builder.setInsertionPoint(use);
  auto weight = rt::WeightOp::create(builder, use.getLoc(), use.getType(),
                                     cast<ElementsAttr>(*global.getInitialValue()), nullptr);
  onDevice.remove(use);
  onDevice.insert(weight);
  use.replaceAllUsesWith(weight.getResult());
  use.erase();
}

void BufferPlacer::replaceHostRoots() {
  Block &block = main.getBody().front();
  Operation *first = &block.front();
  for (BlockArgument argument : block.getArguments())
    if (isOnDevice(argument))
      copyInput(argument, first);
  SmallVector<Operation *> roots;
  main.walk([&](Operation *op) {
    if (isa<rt::OutputOp, memref::GetGlobalOp, memref::AllocaOp>(op) &&
        isOnDevice(op->getResult(0)))
      roots.push_back(op);
  });
  for (Operation *op : roots) {
    if (auto output = dyn_cast<rt::OutputOp>(op)) {
      copyOutput(output);
    } else if (auto use = dyn_cast<memref::GetGlobalOp>(op)) {
      moveToWeights(use);
    } else {
      builder.setInsertionPoint(op);
      auto alloca = cast<memref::AllocaOp>(op);
      auto device = memref::AllocOp::create(builder, op->getLoc(), alloca.getType(),
                                            alloca.getDynamicSizes());
      onDevice.remove(alloca);
      onDevice.insert(device);
      alloca.replaceAllUsesWith(device.getResult());
      alloca.erase();
    }
  }
}

/// An element that is loaded or stored takes the place of its buffer.
void BufferPlacer::stageElement(Operation *op, OpOperand &buffer, ValueRange indices) {
  Location loc = op->getLoc();
  builder.setInsertionPoint(op);
  auto type = cast<MemRefType>(buffer.get().getType());
  SmallVector<OpFoldResult> offsets(indices.begin(), indices.end());
  SmallVector<OpFoldResult> ones(type.getRank(), builder.getIndexAttr(1));
  auto elementType = cast<MemRefType>(
      memref::SubViewOp::inferRankReducedResultType({}, type, offsets, ones, ones));
  Value element = memref::SubViewOp::create(builder, loc, elementType, buffer.get(), offsets,
                                            ones, ones);
  Value host = memref::AllocOp::create(builder, loc,
                                       MemRefType::get({}, type.getElementType()));
  if (auto load = dyn_cast<memref::LoadOp>(op)) {
    copy(loc, element, host);
    load.getMemrefMutable().assign(host);
    load.getIndicesMutable().clear();
    return;
  }
  auto store = cast<memref::StoreOp>(op);
  store.getMemrefMutable().assign(host);
  store.getIndicesMutable().clear();
  builder.setInsertionPointAfter(op);
  copy(loc, host, element);
}

void BufferPlacer::stage(Operation *op) {
  if (auto load = dyn_cast<memref::LoadOp>(op)) {
    // The host has the weights too.
    if (auto weight = load.getMemRef().getDefiningOp<rt::WeightOp>()) {
      builder.setInsertionPoint(op);
      auto type = cast<MemRefType>(weight.getType());
      auto own = rt::WeightOp::create(
          builder, weight.getLoc(), MemRefType::get(type.getShape(), type.getElementType()),
          weight.getValueAttr(), weight.getOffsetAttr());
      load.getMemrefMutable().assign(own);
      return;
    }
    return stageElement(op, load.getMemrefMutable(), SmallVector<Value>(load.getIndices()));
  }
  if (auto store = dyn_cast<memref::StoreOp>(op))
    return stageElement(op, store.getMemrefMutable(),
                        SmallVector<Value>(store.getIndices()));
  Location loc = op->getLoc();
  if (auto copyOp = dyn_cast<memref::CopyOp>(op)) {
    builder.setInsertionPoint(op);
    copy(loc, copyOp.getSource(), copyOp.getTarget());
    op->erase();
    return;
  }
  // What is a result of a destination-passing operation is not read.
  auto passing = dyn_cast<DestinationStyleOpInterface>(op);
  for (OpOperand &operand : op->getOpOperands()) {
    Value device = operand.get();
    // A reshape reads its sizes only.
    if (!isOnDevice(device) ||
        (isa<memref::ReshapeOp>(op) && operand.getOperandNumber() == 0))
      continue;
    bool isResult = passing && passing.isDpsInit(&operand);
    builder.setInsertionPoint(op);
    Value host = createBufferLike(builder, loc, device);
    if (!isResult)
      copy(loc, device, host);
    operand.set(host);
    if ((passing && !isResult) || isa<memref::ReshapeOp>(op))
      continue;
    builder.setInsertionPointAfter(op);
    copy(loc, host, device);
  }
}

void BufferPlacer::run() {
  findDeviceBuffers();
  replaceHostRoots();
  for (Value value : onDevice)
    moveToDevice(value);
  numOnDevice = int64_t(onDevice.size());
  SmallVector<Operation *> ofHost;
  main.walk([&](Operation *op) {
    if (!isa<rt::LaunchOp, rt::CopyOp>(op) && op->getNumRegions() == 0 &&
        !isMemoryEffectFree(op) &&
        llvm::any_of(op->getOperands(), [&](Value value) { return isOnDevice(value); }))
      ofHost.push_back(op);
  });
  for (Operation *op : ofHost)
    stage(op);
}

/// A kernel gets buffers on the device.
static void placeKernel(func::FuncOp kernel) {
  SameBuffers same(kernel);
  DenseSet<Value> passed;
  for (BlockArgument argument : kernel.getArguments())
    if (isa<MemRefType>(argument.getType()))
      passed.insert(same.getLeader(argument));
  forEachBuffer(kernel, [&](Value value) {
    if (passed.contains(same.getLeader(value)))
      moveToDevice(value);
  });
  kernel.setType(FunctionType::get(kernel.getContext(),
                                   kernel.getBody().front().getArgumentTypes(),
                                   kernel.getResultTypes()));
}

namespace {
struct PlaceBuffersPass : nn::impl::PlaceBuffersBase<PlaceBuffersPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    func::FuncOp main = getMain(module);
    if (!main || getTarget(module).getKind() == TargetKind::CPU)
      return;
    BufferPlacer placer(main);
    placer.run();
    numOnDevice = placer.numOnDevice;
    numCopies = placer.numCopies;
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr("nn.kernel") && !function.isExternal())
        placeKernel(function);
  }
};
} // namespace
