//===- LinalgToKernels.cpp - linalg on buffers as parallel kernels --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Transpose.h"
#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"
#include "nn/Conversion/Passes.h"
#include "nn/Kernels/KernelTable.h"
#include "nn/Target/Target.h"

namespace mlir::nn {
#define GEN_PASS_DEF_CONVERTLINALGTOKERNELS
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

/// Assumed for sizes known only at run time.
static constexpr int64_t kUnknownSize = 64;

/// The buffer that a view refers to.
static Value getRoot(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

/// The trip count of a loop from 0, at least 1.
static int64_t getTrips(Value upperBound) {
  return std::max<int64_t>(1,
                           getConstantIntValue(upperBound).value_or(kUnknownSize));
}

/// How often the innermost code of a block runs: the loops in it are reductions and the
/// parallel loops inside them.
static int64_t countWork(Block *block) {
  int64_t work = 1;
  for (Operation &op : *block) {
    if (auto loop = dyn_cast<scf::ForOp>(op))
      work = std::max(work, getTrips(loop.getUpperBound()) * countWork(loop.getBody()));
    if (auto loop = dyn_cast<scf::ParallelOp>(op)) {
      int64_t inner = countWork(loop.getBody());
      for (Value upperBound : loop.getUpperBound())
        inner *= getTrips(upperBound);
      work = std::max(work, inner);
    }
  }
  return work;
}

/// True if no output shares memory with another buffer: each has its own allocation,
/// argument or result of the model.
static bool areDisjoint(ArrayRef<Value> inputs, ArrayRef<Value> outputs) {
  SmallPtrSet<Value, 8> roots;
  for (Value input : inputs)
    roots.insert(getRoot(input));
  for (Value output : outputs)
    if (!roots.insert(getRoot(output)).second)
      return false;
  return llvm::all_of(roots, [](Value root) {
    if (auto argument = dyn_cast<BlockArgument>(root))
      return isa<func::FuncOp>(argument.getOwner()->getParentOp());
    return isa<memref::AllocOp, memref::GetGlobalOp, rt::WeightOp, rt::OutputOp>(
        root.getDefiningOp());
  });
}

namespace {
/// A loop nest made from one linalg operation, which is to become a kernel.
class Outliner {
public:
  Outliner(Operation *loops, ArrayRef<Value> written, const Thresholds &thresholds)
      : loops(loops), parallel(dyn_cast<scf::ParallelOp>(loops)),
        written(written.begin(), written.end()), thresholds(thresholds) {}

  /// Collects the values that the kernel needs; false if a call cannot pass them.
  bool analyze();
  /// Replaces the loops by a call of a function, which may exist already. Returns
  /// whether it is new.
  bool outline(KernelTable &kernels, StringRef kind);

private:
  unsigned countOuterLoops();
  rt::LaunchOp createCall(OpBuilder &builder);
  void emitOuterLoop(OpBuilder &builder, Value begin, Value end);
  void emitInnerLoops(OpBuilder &builder, Location loc, unsigned depth);
  Value inKernel(Value value);

  Operation *loops;
  scf::ParallelOp parallel; // null if the outermost loop is a reduction
  SetVector<Value> written;
  const Thresholds &thresholds;
  SmallVector<Value> constants, inputs, outputs, scalars;
  unsigned numOuter = 0;
  IRMapping mapping; // from values outside to the kernel's
};
} // namespace

/// Scalars are passed as indices.
static bool isPassed(Type type) {
  return type.isIndex() ||
         (type.isSignlessInteger() && type.getIntOrFloatBitWidth() <= 64);
}

static Value castScalar(OpBuilder &builder, Location loc, Type type, Value value) {
  if (value.getType() == type)
    return value;
  return arith::IndexCastUIOp::create(builder, loc, type, value);
}

bool Outliner::analyze() {
  SetVector<Value> used;
  getUsedValuesDefinedAbove(loops->getRegions(), used);
  used.insert(loops->operand_begin(), loops->operand_end());
  for (Value value : used) {
    if (matchPattern(value, m_Constant()))
      constants.push_back(value);
    else if (isa<MemRefType>(value.getType()))
      (written.contains(value) ? outputs : inputs).push_back(value);
    else if (isPassed(value.getType()))
      scalars.push_back(value);
    else
      return false;
  }
  if (outputs.empty())
    return false;
  if (parallel)
    numOuter = countOuterLoops();
  return true;
}

/// The loops whose iterations become those of the kernel: all except the innermost ones
/// that are enough work.
unsigned Outliner::countOuterLoops() {
  unsigned count = parallel.getNumLoops();
  for (int64_t work = countWork(parallel.getBody());
       count > 1 && work < thresholds.iterationWork; --count)
    work *= getTrips(parallel.getUpperBound()[count - 1]);
  return count;
}

/// The value itself, or its counterpart in the kernel if it comes from outside.
Value Outliner::inKernel(Value value) {
  return mapping.lookupOrDefault(value);
}

void Outliner::emitInnerLoops(OpBuilder &builder, Location loc, unsigned depth) {
  if (depth < parallel.getNumLoops()) {
    scf::ForOp::create(
        builder, loc, inKernel(parallel.getLowerBound()[depth]),
        inKernel(parallel.getUpperBound()[depth]),
        inKernel(parallel.getStep()[depth]), ValueRange(),
        [&](OpBuilder &inner, Location, Value index, ValueRange) {
          mapping.map(parallel.getInductionVars()[depth], index);
          emitInnerLoops(inner, loc, depth + 1);
          scf::YieldOp::create(inner, loc);
        });
    return;
  }
  for (Operation &op : parallel.getBody()->without_terminator())
    builder.clone(op, mapping);
}

/// One loop over the kernel's range, from which the indices of the outer loops are
/// computed.
void Outliner::emitOuterLoop(OpBuilder &builder, Value begin, Value end) {
  Location loc = loops->getLoc();
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  scf::ForOp::create(
      builder, loc, begin, end, one, ValueRange(),
      [&](OpBuilder &inner, Location, Value index, ValueRange) {
        for (unsigned i = numOuter; i-- > 1;) {
          Value size = inKernel(parallel.getUpperBound()[i]);
          mapping.map(parallel.getInductionVars()[i],
                      arith::RemUIOp::create(inner, loc, index, size).getResult());
          index = arith::DivUIOp::create(inner, loc, index, size);
        }
        mapping.map(parallel.getInductionVars()[0], index);
        emitInnerLoops(inner, loc, numOuter);
        scf::YieldOp::create(inner, loc);
      });
}

rt::LaunchOp Outliner::createCall(OpBuilder &builder) {
  Location loc = loops->getLoc();
  SmallVector<Value> indices;
  for (Value scalar : scalars)
    indices.push_back(castScalar(builder, loc, builder.getIndexType(), scalar));
  Value count = arith::ConstantIndexOp::create(builder, loc, 1);
  int64_t work = parallel ? countWork(parallel.getBody()) : 1;
  for (unsigned i = 0, e = parallel ? parallel.getNumLoops() : 0; i < e; ++i) {
    Value size = parallel.getUpperBound()[i];
    if (i < numOuter)
      count = builder.createOrFold<arith::MulIOp>(loc, count, size);
    else
      work *= getTrips(size);
  }
  return rt::LaunchOp::create(builder, loc, TypeRange(), "loops", inputs, outputs,
                              indices, count,
                              std::max<int64_t>(1, thresholds.threadWork / work));
}

bool Outliner::outline(KernelTable &kernels, StringRef kind) {
  OpBuilder builder(loops);
  Location loc = loops->getLoc();
  rt::LaunchOp call = createCall(builder);

  SmallVector<Value> arguments(inputs);
  arguments.append(outputs);
  SmallVector<Type> types = llvm::to_vector(ValueRange(arguments).getTypes());
  types.append(scalars.size() + 2, builder.getIndexType());
  builder.setInsertionPointToEnd(loops->getParentOfType<ModuleOp>().getBody());
  auto kernel =
      func::FuncOp::create(builder, loc, "loops", builder.getFunctionType(types, {}));
  kernel.setPrivate();
  kernel->setAttr("nn.kernel", builder.getStringAttr(kind));
  if (areDisjoint(inputs, outputs))
    kernel->setAttr("nn.disjoint", builder.getUnitAttr());

  Block *block = kernel.addEntryBlock();
  builder.setInsertionPointToEnd(block);
  for (auto [value, argument] : llvm::zip(arguments, block->getArguments()))
    mapping.map(value, argument);
  for (auto [scalar, argument] :
       llvm::zip(scalars, block->getArguments().drop_front(arguments.size())))
    mapping.map(scalar, castScalar(builder, loc, scalar.getType(), argument));
  for (Value constant : constants)
    builder.clone(*constant.getDefiningOp(), mapping);
  if (parallel)
    emitOuterLoop(builder, block->getArgument(types.size() - 2),
                  block->getArgument(types.size() - 1));
  else
    builder.clone(*loops, mapping);
  func::ReturnOp::create(builder, loc);
  loops->erase();
  auto [shared, isNew] = kernels.add(kernel, "loops");
  call.setKernel(shared.getSymName());
  return isNew;
}

/// The buffers that a nest of loops writes, which are to become a kernel: loops outside of
/// other loops that carry nothing and only load, compute and store. Nothing otherwise.
static std::optional<SmallVector<Value>> getWritten(scf::ForOp loops) {
  if (loops.getNumResults() != 0 || loops->getParentOfType<LoopLikeOpInterface>())
    return std::nullopt;
  SmallVector<Value> written;
  WalkResult result = loops.walk([&](Operation *op) {
    if (auto store = dyn_cast<memref::StoreOp>(op)) {
      if (!loops.isDefinedOutsideOfLoop(store.getMemRef()))
        return WalkResult::interrupt();
      written.push_back(store.getMemRef());
      return WalkResult::advance();
    }
    return isa<scf::ForOp, memref::LoadOp>(op) || isPure(op) ? WalkResult::advance()
                                                            : WalkResult::interrupt();
  });
  return result.wasInterrupted() ? std::nullopt : std::optional(written);
}

namespace {
struct ConvertLinalgToKernels
    : nn::impl::ConvertLinalgToKernelsBase<ConvertLinalgToKernels> {
  using ConvertLinalgToKernelsBase::ConvertLinalgToKernelsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<Thresholds> thresholds = CostModel::readThresholds(module, tuning);
    if (failed(thresholds))
      return signalPassFailure();
    SmallVector<linalg::LinalgOp> ops;
    SmallVector<scf::ForOp> nests;
    for (auto function : module.getOps<func::FuncOp>())
      if (!function->hasAttr("nn.kernel")) {
        function.walk([&](linalg::LinalgOp op) { ops.push_back(op); });
        function.walk([&](scf::ForOp loop) { nests.push_back(loop); });
      }
    KernelTable kernels(module);
    bool onGPU = getTarget(module).getKind() == TargetKind::CUDA;
    if (onGPU) // A thread for each element.
      thresholds->iterationWork = 1;
    for (scf::ForOp loops : nests)
      if (std::optional<SmallVector<Value>> written = getWritten(loops))
        if (Outliner outliner(loops, *written, *thresholds); outliner.analyze())
          numKernels += outliner.outline(kernels, "loop");
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops) {
      if (!op.hasPureBufferSemantics())
        continue;
      SmallVector<Value> written = llvm::to_vector(op.getDpsInits());
      StringRef kind = op->getName().getStringRef();
      if (auto transpose = dyn_cast<linalg::TransposeOp>(*op); transpose && !onGPU) {
        FailureOr<TransposeKernel> made = emitTransposeKernel(transpose, *thresholds);
        if (succeeded(made)) {
          if (areDisjoint(transpose.getInput(), transpose.getInit()))
            made->kernel->setAttr("nn.disjoint", rewriter.getUnitAttr());
          auto [kernel, isNew] = kernels.add(made->kernel, "transpose");
          made->call.setKernel(kernel.getSymName());
          numKernels += isNew;
          rewriter.eraseOp(op);
          continue;
        }
      }
      rewriter.setInsertionPoint(op);
      FailureOr<linalg::LinalgLoops> loops =
          linalg::linalgOpToParallelLoops(rewriter, op);
      if (failed(loops)) {
        op->emitOpError() << "has no loops";
        return signalPassFailure();
      }
      rewriter.eraseOp(op);
      if (loops->empty())
        continue;
      Outliner outliner(loops->front(), written, *thresholds);
      if (!outliner.analyze())
        continue;
      numKernels += outliner.outline(kernels, kind);
    }
  }
};
} // namespace
