//===- CarryInPlace.cpp - one buffer for each value of a loop -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The copies at the end of a body are one parallel assignment: `a, b = b, a` may not
// read what it has just written. As in any sequence of copies that stands for one, a
// buffer is written after all that read it, and where that is a cycle, one of the
// values is saved first.
//
//===----------------------------------------------------------------------===//

#include "CarryInPlace.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::bufferization;

namespace {

/// A value that the next iteration finds in `destination`.
struct Handover {
  OpOperand *operand; ///< Of the terminator.
  Value destination;
  /// The carried values in whose buffers the value may lie.
  SmallPtrSet<Value, 2> sources;
};

} // namespace

/// True if `value` is `destination` with parts written, which bufferizes in place.
static bool isWrittenInto(Value value, Value destination) {
  while (value != destination) {
    Operation *op = value.getDefiningOp();
    if (auto insert = dyn_cast_or_null<tensor::InsertSliceOp>(op))
      value = insert.getDest();
    else if (auto style = dyn_cast_or_null<DestinationStyleOpInterface>(op))
      value = style.getTiedOpOperand(cast<OpResult>(value))->get();
    else if (auto loop = dyn_cast_or_null<scf::ForOp>(op)) {
      unsigned index = cast<OpResult>(value).getResultNumber();
      if (!isWrittenInto(loop.getYieldedValues()[index], loop.getRegionIterArg(index)))
        return false;
      value = loop.getInitArgs()[index];
    } else
      return false;
  }
  return true;
}

/// The values of `carried` of which `value` may be a view or a new version.
static SmallPtrSet<Value, 2> findSources(Value value, ArrayRef<Value> carried,
                                         const AnalysisState &state) {
  SmallPtrSet<Value, 2> sources;
  SmallVector<Value> pending = {value};
  DenseSet<Value> seen;
  while (!pending.empty()) {
    Value next = pending.pop_back_val();
    if (!isa<TensorType>(next.getType()) || !seen.insert(next).second)
      continue;
    if (llvm::is_contained(carried, next)) {
      sources.insert(next);
      continue;
    }
    // Arguments of blocks around the loop are other buffers.
    if (isa<BlockArgument>(next))
      continue;
    for (AliasingOpOperand alias : state.getAliasingOpOperands(next))
      pending.push_back(alias.opOperand->get());
  }
  return sources;
}

/// A copy of a value in a buffer of its own.
static Value save(Value value, OpBuilder &builder, Location loc) {
  return AllocTensorOp::create(builder, loc, cast<RankedTensorType>(value.getType()),
                               /*dynamicSizes=*/ValueRange(), /*copy=*/value);
}

void nn::carryInPlace(Block &body, ArrayRef<Value> carried, OpBuilder &builder) {
  Operation *yield = body.getTerminator();
  Location loc = yield->getLoc();
  builder.setInsertionPoint(yield);
  BufferizationOptions options;
  AnalysisState state(options);

  // What is in place already stays so, unless another value needs what was there.
  SmallVector<Handover> all;
  for (auto [operand, destination] : llvm::zip(yield->getOpOperands(), carried))
    if (destination && isa<RankedTensorType>(destination.getType()))
      all.push_back({&operand, destination,
                     findSources(operand.get(), carried, state)});
  auto isReadByOthers = [&](const Handover &handover) {
    return llvm::any_of(all, [&](const Handover &other) {
      return other.operand != handover.operand &&
             other.sources.contains(handover.destination);
    });
  };
  SmallVector<Handover> copies, others;
  DenseSet<Value> written;
  for (Handover &handover : all) {
    auto type = cast<RankedTensorType>(handover.destination.getType());
    Value value = handover.operand->get();
    if (value == handover.destination)
      continue;
    bool isCopied = value.getType() == type && type.hasStaticShape() &&
                    (isReadByOthers(handover) ||
                     !isWrittenInto(value, handover.destination));
    if (isCopied)
      written.insert(handover.destination);
    (isCopied ? copies : others).push_back(handover);
  }
  auto reads = [&](const Handover &handover, Value buffer) {
    return handover.sources.contains(buffer);
  };

  // What the next iteration gets in another buffer is read behind all copies.
  for (Handover &handover : others)
    if (llvm::any_of(handover.sources, [&](Value source) {
          return source != handover.destination && written.contains(source);
        }))
      handover.operand->set(save(handover.operand->get(), builder, loc));

  DenseMap<Value, Value> places; // of values that have been copied
  while (!copies.empty()) {
    auto *next = llvm::find_if(copies, [&](const Handover &handover) {
      return llvm::none_of(copies, [&](const Handover &other) {
        return reads(other, handover.destination);
      });
    });
    if (next == copies.end()) {
      // Each buffer is read by a copy that has not been made.
      auto *first = llvm::find_if(
          copies, [](const Handover &handover) { return !handover.sources.empty(); });
      first->operand->set(save(first->operand->get(), builder, loc));
      first->sources.clear();
      continue;
    }
    Value value = next->operand->get();
    Value &place = places[value];
    Value copy =
        MaterializeInDestinationOp::create(builder, loc, next->destination.getType(),
                                           place ? place : value, next->destination)
            .getResult();
    if (!place)
      place = copy;
    next->operand->set(copy);
    copies.erase(next);
  }
}
