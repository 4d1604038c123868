//===- PlanArena.cpp - all intermediate buffers in one arena --------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Operations are numbered in order, those of a region between the operation that
// holds it and its end. The life of a buffer is an interval of numbers: from its
// allocation to the last use of any alias, or to the end of what holds that use
// and not the allocation (a loop may come back to it). Buffers that leave an
// iteration of a loop live for an unknown number of iterations; they are
// allocated when they are made, as are those whose size depends on data. What a
// loop has allocated and does not carry on is freed at the end of each iteration.
//
//===----------------------------------------------------------------------===//

#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "nn/Target/GPU.h"
#include "nn/Target/Passes.h"
#include "nn/Target/SizeFormula.h"
#include "nn/Target/Weights.h"

namespace mlir::nn {
#define GEN_PASS_DEF_PLANARENA
#include "nn/Target/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {

/// Cache line, and what aligned vector stores and oneDNN like.
constexpr int64_t kAlignment = 64;
/// Stands for unknown dimensions where buffers of symbolic size are compared.
constexpr int64_t kTypicalDim = 64;

struct Buffer {
  memref::AllocOp op;
  unsigned begin = 0, end = 0; // numbers of operations, both inclusive
  int64_t bytes = 0;           // static size, or an estimate
  Value symbolicBytes;         // null for static sizes
  int64_t offset = -1;         // static ones
  bool overlaps(const Buffer &other) const {
    return begin <= other.end && other.begin <= end;
  }
};

/// Buffers of symbolic size that follow each other in one place.
struct Slot {
  unsigned freeAfter = 0;
  int64_t estimate = 0;
  SmallVector<Value> sizes; // distinct
  SmallVector<Buffer *> buffers;
};

/// Plans the buffers that one @main has in one memory: the host's or the device's.
class ArenaPlanner {
public:
  ArenaPlanner(func::FuncOp main, bool onDevice)
      : main(main), block(main.getBody().front()), onDevice(onDevice) {}

  /// Gives all buffers their places, and says in the module's attributes how large the
  /// arena is.
  void run();

  size_t getNumStatic() const { return statics.size(); }
  size_t getNumSymbolic() const { return symbolics.size(); }
  int64_t getNumDataDependent() const { return dataDependent; }
  int64_t getStaticBytes() const { return staticEnd; }

  /// Has a loop that allocates free, iteration by iteration, what it has allocated
  /// since it began and does not carry on.
  static void releaseInIterations(LoopLikeOpInterface loop) {
    bool allocates = loop->walk([](rt::AllocateOp) { return WalkResult::interrupt(); })
                         .wasInterrupted();
    if (!allocates || !isa<scf::ForOp, scf::WhileOp>(loop))
      return;
    OpBuilder builder(loop);
    Value mark = rt::MarkOp::create(builder, loop.getLoc(), builder.getIndexType());
    Operation *end = loop->getRegions().back().front().getTerminator();
    SmallVector<Value> kept;
    for (Value carried : end->getOperands())
      if (isa<MemRefType>(carried.getType()))
        kept.push_back(carried);
    builder.setInsertionPoint(end);
    rt::ReleaseOp::create(builder, loop.getLoc(), mark, kept);
  }

private:

  /// Finds all allocations, their lives and sizes.
  void collect() {
    number(block);
    BufferViewFlowAnalysis aliases(main);

    SmallVector<memref::AllocOp> allocations;
    main.walk([&](memref::AllocOp op) {
      if (isOnDevice(op.getType()) == onDevice)
        allocations.push_back(op);
    });
    SmallVector<std::pair<memref::AllocOp, SmallVector<Operation *>>> symbolicOps;
    for (memref::AllocOp op : allocations) {
      SmallVector<Operation *> slice;
      SmallVector<Value> sameBuffers = getAliases(op, aliases);
      bool planned = !leavesIteration(op, sameBuffers) && collectSizeOps(op, block, slice);
      if (!planned) {
        OpBuilder builder(op);
        auto allocate = rt::AllocateOp::create(builder, op.getLoc(), op.getType(),
                                           op.getDynamicSizes());
        op.replaceAllUsesWith(allocate.getResult());
        op.erase();
        ++dataDependent;
        continue;
      }
      Buffer buffer;
      buffer.op = op;
      buffer.begin = buffer.end = numbers[op].first;
      for (Value alias : sameBuffers)
        for (Operation *user : alias.getUsers())
          buffer.end = std::max(buffer.end, getEndOfUse(op, user));
      auto type = op.getType();
      buffer.bytes = getElementBytes(type.getElementType());
      for (int64_t size : type.getShape())
        buffer.bytes *= ShapedType::isDynamic(size) ? kTypicalDim : size;
      buffer.bytes = llvm::alignTo(buffer.bytes, kAlignment);
      if (type.hasStaticShape()) {
        statics.push_back(buffer);
      } else {
        symbolics.push_back(buffer);
        moveToFront(slice);
      }
    }
    // Sizes in bytes, behind what they are made of.
    std::map<std::vector<void *>, Value> known;
    OpBuilder builder(main.getContext());
    if (lastSizeOp)
      builder.setInsertionPointAfter(lastSizeOp);
    else
      builder.setInsertionPointToStart(&block);
    for (Buffer &buffer : symbolics) {
      auto type = buffer.op.getType();
      int64_t factor = getElementBytes(type.getElementType());
      for (int64_t size : type.getShape())
        if (!ShapedType::isDynamic(size))
          factor *= size;
      std::vector<void *> key{reinterpret_cast<void *>(factor)};
      for (Value size : buffer.op.getDynamicSizes())
        key.push_back(size.getAsOpaquePointer());
      Value &bytes = known[key];
      if (!bytes) {
        Location loc = buffer.op.getLoc();
        auto constant = [&](int64_t value) {
          return arith::ConstantIndexOp::create(builder, loc, value);
        };
        bytes = constant(factor);
        for (Value size : buffer.op.getDynamicSizes())
          bytes = arith::MulIOp::create(builder, loc, bytes, size);
        bytes = arith::AddIOp::create(builder, loc, bytes, constant(kAlignment - 1));
        bytes = arith::DivSIOp::create(builder, loc, bytes, constant(kAlignment));
        bytes = arith::MulIOp::create(builder, loc, bytes, constant(kAlignment));
        // Sizes of a branch that is not taken may make no sense.
        bytes = arith::MaxSIOp::create(builder, loc, bytes, constant(0));
        lastSizeOp = bytes.getDefiningOp();
      }
      buffer.symbolicBytes = bytes;
    }
  }

  /// All values that are the buffer or a view of it, also where only the sign of
  /// its elements is forgotten (which the analysis does not look through).
  static SmallVector<Value> getAliases(Value buffer, BufferViewFlowAnalysis &analysis) {
    llvm::SetVector<Value> found;
    SmallVector<Value> pending = {buffer};
    while (!pending.empty())
      for (Value alias : analysis.resolve(pending.pop_back_val())) {
        if (!found.insert(alias))
          continue;
        for (Operation *user : alias.getUsers())
          if (isa<UnrealizedConversionCastOp>(user))
            llvm::append_range(pending, user->getResults());
      }
    return found.takeVector();
  }

  /// Numbers the operations of a block and of the regions in it.
  void number(Block &block) {
    for (Operation &op : block) {
      numbers[&op].first = nextNumber++;
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          number(inner);
      numbers[&op].second = nextNumber - 1;
    }
  }

  /// The number up to which a use keeps a buffer alive.
  unsigned getEndOfUse(Operation *allocation, Operation *user) {
    // The innermost block around both.
    for (Operation *around = allocation; around; around = around->getParentOp())
      if (Operation *holder = around->getBlock()->findAncestorOpInBlock(*user))
        return numbers[holder].second;
    llvm_unreachable("both are in @main");
  }

  /// True if a buffer that is allocated in a loop is carried to the next
  /// iteration, or out of the loop.
  static bool leavesIteration(memref::AllocOp op, ArrayRef<Value> sameBuffers) {
    for (Operation *around = op->getParentOp(); around && !isa<func::FuncOp>(around);
         around = around->getParentOp()) {
      if (isa<scf::IfOp>(around))
        continue;
      // A loop, or what is not known better.
      for (Value alias : sameBuffers) {
        auto argument = dyn_cast<BlockArgument>(alias);
        if (alias.getDefiningOp() == around ||
            (argument && argument.getOwner()->getParentOp() == around))
          return true;
      }
    }
    return false;
  }

  /// The operations that compute the sizes of an allocation, if they depend on
  /// nothing but the shapes of arguments: false if on data.
  static bool collectSizeOps(memref::AllocOp op, Block &block,
                             SmallVectorImpl<Operation *> &slice) {
    SmallVector<Value> worklist(op.getDynamicSizes());
    DenseSet<Operation *> seen;
    while (!worklist.empty()) {
      Value value = worklist.pop_back_val();
      Operation *definition = value.getDefiningOp();
      if (!definition) {
        if (cast<BlockArgument>(value).getOwner() != &block)
          return false; // Of a loop.
        continue; // An argument of @main.
      }
      if (!seen.insert(definition).second)
        continue;
      // In branches too: what is pure can be computed whether they are taken or not.
      if (definition->getNumRegions() != 0)
        return false;
      if (auto dim = dyn_cast<memref::DimOp>(definition)) {
        auto argument = dyn_cast<BlockArgument>(dim.getSource());
        if (!argument || argument.getOwner() != &block || !dim.getConstantIndex())
          return false;
      } else if (!isPure(definition)) {
        return false;
      }
      slice.push_back(definition);
      llvm::append_range(worklist, definition->getOperands());
    }
    return true;
  }

  /// Moves the operations to the front of the block, behind those moved before,
  /// in their old order.
  void moveToFront(ArrayRef<Operation *> slice) {
    SmallVector<Operation *> ordered(slice);
    llvm::erase_if(ordered, [&](Operation *op) { return moved.contains(op); });
    llvm::sort(ordered, [&](Operation *a, Operation *b) {
      return numbers[a].first < numbers[b].first;
    });
    for (Operation *op : ordered) {
      if (lastSizeOp)
        op->moveAfter(lastSizeOp);
      else
        op->moveBefore(&block, block.begin());
      lastSizeOp = op;
      moved.insert(op);
    }
  }

  /// Largest first, each at the lowest offset that is free for its whole life.
  int64_t placeStatics() {
    SmallVector<Buffer *> order;
    for (Buffer &buffer : statics)
      order.push_back(&buffer);
    llvm::stable_sort(order, [](Buffer *a, Buffer *b) { return a->bytes > b->bytes; });
    SmallVector<Buffer *> placed; // ascending offsets
    int64_t end = 0;
    for (Buffer *buffer : order) {
      int64_t offset = 0;
      for (Buffer *other : placed) {
        if (!other->overlaps(*buffer))
          continue;
        if (other->offset - offset >= buffer->bytes)
          break;
        offset = std::max(offset, other->offset + other->bytes);
      }
      buffer->offset = offset;
      end = std::max(end, offset + buffer->bytes);
      placed.insert(llvm::upper_bound(placed, buffer,
                                      [](Buffer *a, Buffer *b) {
                                        return a->offset < b->offset;
                                      }),
                    buffer);
    }
    return end;
  }

  /// In order of allocation: a free slot that has had this very size, else the
  /// free slot of the nearest size, else a new one.
  SmallVector<Slot> assignSlots() {
    SmallVector<Slot> slots;
    for (Buffer &buffer : symbolics) {
      Slot *best = nullptr;
      int64_t bestDistance = 0;
      for (Slot &slot : slots) {
        if (slot.freeAfter >= buffer.begin)
          continue;
        int64_t distance =
            llvm::is_contained(slot.sizes, buffer.symbolicBytes)
                ? -1
                : std::abs(slot.estimate - buffer.bytes);
        if (!best || distance < bestDistance) {
          best = &slot;
          bestDistance = distance;
        }
      }
      if (!best)
        best = &slots.emplace_back();
      best->freeAfter = buffer.end;
      best->estimate = std::max(best->estimate, buffer.bytes);
      if (!llvm::is_contained(best->sizes, buffer.symbolicBytes))
        best->sizes.push_back(buffer.symbolicBytes);
      best->buffers.push_back(&buffer);
    }
    return slots;
  }

  func::FuncOp main;
  Block &block;
  bool onDevice;
  DenseMap<Operation *, std::pair<unsigned, unsigned>> numbers; // own, last inside
  unsigned nextNumber = 0;
  SmallVector<Buffer, 0> statics, symbolics;
  int64_t dataDependent = 0, staticEnd = 0;
  DenseSet<Operation *> moved;
  Operation *lastSizeOp = nullptr;
};

struct PlanArenaPass : nn::impl::PlanArenaBase<PlanArenaPass> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main)
      return;
    int64_t allDataDependent = 0; // Statistics count nothing in release builds.
    for (bool onDevice : {false, true}) {
      ArenaPlanner planner(main, onDevice);
      planner.run();
      numStatic += planner.getNumStatic();
      numSymbolic += planner.getNumSymbolic();
      numDataDependent += planner.getNumDataDependent();
      allDataDependent += planner.getNumDataDependent();
      staticBytes += planner.getStaticBytes();
    }
    main.walk(ArenaPlanner::releaseInIterations);
    if (allDataDependent)
      getOperation()->setAttr("nn.data_dependent_buffers",
                              Builder(&getContext()).getI64IntegerAttr(allDataDependent));
  }
};
} // namespace

void ArenaPlanner::run() {
  collect();
  auto module = main->getParentOfType<ModuleOp>();
  OpBuilder builder(main.getContext());
  StringRef formulaName = onDevice ? "nn.device_arena_bytes" : "nn.arena_bytes";
  if (statics.empty() && symbolics.empty()) {
    if (!onDevice)
      module->setAttr(formulaName, builder.getStringAttr("0"));
    return;
  }

  staticEnd = placeStatics();
  SmallVector<Slot> slots = assignSlots();

  // The arena is allocated once all sizes are known: behind the last operation
  // that computes one, all of which were moved to the front.
  if (lastSizeOp)
    builder.setInsertionPointAfter(lastSizeOp);
  else
    builder.setInsertionPointToStart(&block);
  Location loc = main.getLoc();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  Value end = constant(staticEnd);
  SmallVector<Value> slotOffsets;
  for (Slot &slot : slots) {
    slotOffsets.push_back(end);
    Value size = slot.sizes[0];
    for (Value other : ArrayRef<Value>(slot.sizes).drop_front())
      size = arith::MaxSIOp::create(builder, loc, size, other);
    end = arith::AddIOp::create(builder, loc, end, size);
  }
  Attribute space = onDevice ? getDeviceSpace(main.getContext()) : Attribute();
  Value arena = rt::ArenaOp::create(builder, loc,
                                    MemRefType::get({ShapedType::kDynamic},
                                                    builder.getI8Type(),
                                                    MemRefLayoutAttrInterface(), space),
                                    end);
  if (std::optional<std::string> formula = describeSize(end, main))
    module->setAttr(formulaName, builder.getStringAttr(*formula));

  auto replace = [&](Buffer &buffer, Value offset) {
    builder.setInsertionPoint(buffer.op);
    Value view = memref::ViewOp::create(builder, buffer.op.getLoc(),
                                        buffer.op.getType(), arena, offset,
                                        buffer.op.getDynamicSizes());
    buffer.op.replaceAllUsesWith(view);
    buffer.op.erase();
  };
  OpBuilder::InsertPoint afterArena = builder.saveInsertionPoint();
  DenseMap<int64_t, Value> offsets;
  for (Buffer &buffer : statics) {
    builder.restoreInsertionPoint(afterArena);
    Value &offset = offsets[buffer.offset];
    if (!offset)
      offset = constant(buffer.offset);
    afterArena = builder.saveInsertionPoint();
    replace(buffer, offset);
  }
  for (auto [slot, offset] : llvm::zip(slots, slotOffsets))
    for (Buffer *buffer : slot.buffers)
      replace(*buffer, offset);
}
