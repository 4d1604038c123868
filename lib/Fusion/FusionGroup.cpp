//===- FusionGroup.cpp - makes and splits groups of operators -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Fusion/FusionGroup.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "nn/Analysis/Provenance.h"

using namespace mlir;
using namespace mlir::nn;

FusionOp nn::outlineFusion(OpBuilder &builder, ArrayRef<Operation *> ops,
                           ValueRange results, function_ref<Value(Value)> toOuter,
                           function_ref<bool(Value)> isCopied) {
  llvm::SetVector<Value> inputs;
  llvm::SmallPtrSet<Operation *, 16> inside(ops.begin(), ops.end());
  for (Operation *op : ops)
    for (Value operand : op->getOperands())
      if (!inside.contains(operand.getDefiningOp()) && !isCopied(operand))
        inputs.insert(operand);

  auto fusion = FusionOp::create(builder, fuseLocations(ops), TypeRange(results),
                                 llvm::map_to_vector(inputs, toOuter));
  Block *block = builder.createBlock(&fusion.getBody());
  IRMapping inner;
  for (Value input : inputs)
    inner.map(input, block->addArgument(input.getType(), input.getLoc()));
  for (Operation *op : ops) {
    for (Value operand : op->getOperands())
      if (!inner.contains(operand) && isCopied(operand))
        builder.clone(*operand.getDefiningOp(), inner);
    builder.clone(*op, inner);
  }
  auto yielded =
      llvm::map_to_vector(results, [&](Value result) { return inner.lookup(result); });
  YieldOp::create(builder, fusion.getLoc(), yielded);
  builder.setInsertionPointAfter(fusion);
  return fusion;
}

//===----------------------------------------------------------------------===//
// FusionSplitter
//===----------------------------------------------------------------------===//

Value FusionSplitter::toOuter(Value value) {
  if (Value known = outer.lookupOrNull(value))
    return known;
  Value result = view.getOuter(value);
  if (TransposeOp transpose = view.getTranspose(value)) {
    // Of which only the sizes are asked for.
    IRMapping operands;
    operands.map(transpose.getInput(), toOuter(transpose.getInput()));
    result = builder.clone(*transpose, operands)->getResult(0);
    view.dims.inherit(result, value);
  } else if (!result) {
    auto constant = value.getDefiningOp<ConstantOp>();
    assert(constant && "a value of the body that was not computed yet");
    result = builder.clone(*constant)->getResult(0);
    view.dims.inherit(result, value);
  }
  outer.map(value, result);
  return result;
}

/// Makes a fusion of some operators of the body.
FusionOp FusionSplitter::outline(const llvm::SetVector<Operation *> &ops) {
  // In the body's order, so that definitions come before uses.
  SmallVector<Operation *> sources;
  SmallVector<Value> results;
  for (Operation &op : cast<FusionOp>(view.root).getBody().front())
    if (ops.contains(&op))
      sources.push_back(&op);
  for (Operation *op : sources)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(),
                       [&](Operation *user) { return !ops.contains(user); }))
        results.push_back(result);
  FusionOp fusion = outlineFusion(
      builder, sources, results, [&](Value value) { return toOuter(value); },
      [](Value value) { return value.getDefiningOp<ConstantOp>() != nullptr; });

  view.dims.visit(fusion);
  for (auto [result, outlined] : llvm::zip(results, fusion.getResults())) {
    addOrigins(outlined, getOrigins(result));
    outer.map(result, outlined);
    view.dims.inherit(outlined, result);
  }
  return fusion;
}

Value FusionSplitter::emitDestination(Location location, Operation *op,
                                      RankedTensorType type, ArrayRef<int64_t> order) {
  if (type.hasStaticShape())
    return tensor::EmptyOp::create(builder, location, type, ValueRange());
  // A copy on tensors of the function, to compute its sizes.
  for (Value operand : op->getOperands())
    toOuter(operand);
  Operation *copy = builder.clone(*op, outer);
  ReifiedRankedShapedTypeDims sizes;
  builder.setInsertionPoint(copy);
  LogicalResult reified =
      cast<ReifyRankedShapedTypeOpInterface>(copy).reifyResultShapes(builder, sizes);
  assert(succeeded(reified) && "an operator whose sizes cannot be computed");
  (void)reified;
  SmallVector<Value> dynamic;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      dynamic.push_back(getValueOrCreateConstantIndexOp(
          builder, location, sizes[0][order.empty() ? i : order[i]]));
  Value destination = tensor::EmptyOp::create(builder, location, type, dynamic);
  builder.setInsertionPointAfter(copy);
  copy->erase();
  return destination;
}

SmallVector<Operation *> FusionSplitter::run(const llvm::SetVector<Operation *> &before,
                                             const llvm::SetVector<Operation *> &claimed,
                                             Value result,
                                             function_ref<Value(FusionSplitter &)> emit) {
  SmallVector<Operation *> parts;
  if (!before.empty())
    parts.push_back(outline(before));
  Value emitted = emit(*this);
  setOrigins(emitted.getDefiningOp(), getOrigins(result));
  outer.map(result, emitted);
  view.dims.inherit(emitted, result);

  auto fusion = dyn_cast<FusionOp>(view.root);
  if (!fusion) {
    inheritProvenance(view.root, emitted);
    view.root->getResult(0).replaceAllUsesWith(emitted);
    return parts;
  }
  finish(fusion, before, claimed, parts);
  return parts;
}

SmallVector<Operation *>
FusionSplitter::divide(const llvm::SetVector<Operation *> &before) {
  SmallVector<Operation *> parts = {outline(before)};
  finish(cast<FusionOp>(view.root), before, /*claimed=*/{}, parts);
  return parts;
}

void FusionSplitter::finish(FusionOp fusion, const llvm::SetVector<Operation *> &before,
                            const llvm::SetVector<Operation *> &claimed,
                            SmallVectorImpl<Operation *> &parts) {
  llvm::SetVector<Operation *> after;
  for (Operation &op : fusion.getBody().front().without_terminator())
    if (!isa<ConstantOp>(op) && !before.contains(&op) && !claimed.contains(&op))
      after.insert(&op);
  if (!after.empty())
    parts.push_back(outline(after));

  auto results = llvm::map_to_vector(view.results,
                                     [&](Value yielded) { return toOuter(yielded); });
  for (auto [old, replacement] : llvm::zip(fusion.getResults(), results)) {
    // The sizes of later operations were computed from the fusion's results.
    view.dims.inherit(replacement, old);
    if (isa<OpResult>(replacement))
      addOrigins(replacement, getOrigins(old));
  }
  fusion->replaceAllUsesWith(results);
}

//===----------------------------------------------------------------------===//
// TransposeSplitter
//===----------------------------------------------------------------------===//

TransposeSplitter::TransposeSplitter(const FusionView &view,
                                     ArrayRef<RefusedTranspose> refused)
    : view(view), refused(refused) {
  if (refused.empty())
    return;
  auto isRefused = [&](Operation *op) {
    return llvm::any_of(refused, [&](const RefusedTranspose &each) { return each.op == op; });
  };
  OpBuilder builder(view.root);
  auto add = [&](TransposeOp op, Value input) {
    auto copy = cast<TransposeOp>(builder.clone(*op));
    copy.getInputMutable().assign(input);
    view.dims.visit(copy);
    made.push_back(copy);
    return copy.getResult();
  };
  // Operands first, in the order of the body.
  SmallVector<Operation *> kept;
  IRMapping outer;
  view.forEachOperator([&](Operation *op) {
    if (!isRefused(op))
      kept.push_back(op);
    else if (Value input = view.getOuter(op->getOperand(0)))
      outer.map(op->getResult(0), add(cast<TransposeOp>(op), input));
  });
  TransposeOp last = view.getTranspose(view.results.front());
  bool splitsResult = last && isRefused(last);
  SmallVector<Value> results(view.results);
  if (splitsResult)
    results.front() = last.getInput();
  FusionOp fusion = outlineFusion(
      builder, kept, results,
      [&](Value value) {
        Value known = outer.lookupOrNull(value);
        return known ? known : view.getOuter(value);
      },
      [](Value value) { return value.getDefiningOp<ConstantOp>() != nullptr; });
  view.dims.visit(fusion);
  for (auto [result, outlined] : llvm::zip(results, fusion.getResults()))
    addOrigins(outlined, getOrigins(result));
  SmallVector<Value> replacements(fusion.getResults());
  if (splitsResult)
    replacements.front() = add(last, replacements.front());
  for (auto [old, created] : llvm::zip(view.root->getResults(), replacements)) {
    view.dims.inherit(created, old);
    addOrigins(created, getOrigins(old));
  }
  view.root->replaceAllUsesWith(replacements);
  replacement = replacements.front();
  core.emplace(fusion, view.dims);
}

SmallVector<Operation *> TransposeSplitter::finish(StringRef backend) {
  for (const RefusedTranspose &each : refused)
    remark::missed(each.op->getLoc(),
                   remark::RemarkOpts::name("transposed").category(backend))
        << remark::add("nn.transpose beside {0}: {1}",
                       view.anchor->getName().getStringRef().str(), each.why);
  return made;
}

void TransposeSplitter::undo() {
  if (!core)
    return;
  auto erase = [&](Operation *op) {
    view.dims.forget(op);
    op->erase();
  };
  // A group with several results has no transposition of a result.
  Operation *root = core->root;
  core.reset();
  if (replacement.getDefiningOp() == root) {
    root->replaceAllUsesWith(view.root);
  } else {
    replacement.replaceAllUsesWith(view.root->getResult(0));
    erase(made.pop_back_val());
  }
  erase(root);
  llvm::for_each(llvm::reverse(made), erase);
  made.clear();
}

SmallVector<Operation *> nn::splitAtAnchor(const FusionView &view) {
  llvm::SetVector<Operation *> before, claimed;
  ArrayRef<Operation *> others = ArrayRef(view.anchors).drop_back();
  for (Operation *other : others)
    view.collectProducers(other->getResult(0), before);
  for (Value operand : view.anchor->getOperands())
    if (TransposeOp read = view.getTranspose(operand);
        others.empty() || !read || !view.getOuter(read.getInput()))
      view.collectProducers(operand, before);
  if (!others.empty())
    return FusionSplitter(view).divide(before);
  claimed.insert(view.anchor);
  Operation *alone = nullptr;
  SmallVector<Operation *> parts = FusionSplitter(view).run(
      before, claimed, view.anchor->getResult(0), [&](FusionSplitter &splitter) {
        IRMapping operands;
        for (Value operand : view.anchor->getOperands())
          operands.map(operand, splitter.toOuter(operand));
        alone = splitter.getBuilder().clone(*view.anchor, operands);
        view.dims.visit(alone);
        return alone->getResult(0);
      });
  parts.push_back(alone);
  return parts;
}
