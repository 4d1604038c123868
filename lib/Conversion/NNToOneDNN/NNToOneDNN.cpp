//===- NNToOneDNN.cpp - operators and fusions to oneDNN primitives --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Anchors.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Conversion/Passes.h"
#include "nn/Target/Target.h"
#include "llvm/ADT/SetVector.h"
#include <cmath>

namespace mlir::nn {
#define GEN_PASS_DEF_CONVERTNNTOONEDNN
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

static void remarkMissed(Operation *op, StringRef name, const std::string &why) {
  remark::missed(op->getLoc(), remark::RemarkOpts::name(name).category("onednn"))
      << remark::add("{0}: {1}", op->getName().getStringRef().str(), why);
}

//===----------------------------------------------------------------------===//
// Plan
//===----------------------------------------------------------------------===//

namespace {
/// The part of a fusion (or of a single operator) that becomes the primitive.
struct Plan {
  Operation *anchor = nullptr;
  /// A constant per channel, of the body.
  Value bias;
  /// In order, each with the operator that it stems from.
  SmallVector<PostOp> postOps;
  /// The anchor and the operators that became bias and post-ops.
  llvm::SetVector<Operation *> claimed;
  /// The result of the claimed operators.
  Value result;
  /// Operators that must run before the primitive.
  llvm::SetVector<Operation *> before;
};

class Planner {
public:
  Planner(const Body &body, Operation *anchor, SymbolicDims &dims,
          const Capability &capability)
      : body(body), dims(dims), capability(capability) {
    plan.anchor = anchor;
    plan.claimed.insert(anchor);
    plan.result = anchor->getResult(0);
  }

  Plan run() {
    for (Value operand : plan.anchor->getOperands())
      collectBefore(operand);
    while (claimNext()) {
    }
    if (isInt8Product(plan.anchor))
      simplifyIntegerPostOps(
          plan.postOps, cast<RankedTensorType>(plan.result.getType()).getElementType());
    return std::move(plan);
  }

private:
  bool claimNext();
  bool claimCast(CastOp op);
  bool claimBias(Operation *op, Value operand);
  bool isRoundedToRange(Type type) const;
  bool isAfterAnchor(Value value) const;
  void collectBefore(Value value);

  const Body &body;
  SymbolicDims &dims;
  const Capability &capability;
  Plan plan;
};
} // namespace

/// Whether a value of the body depends on a claimed operator.
bool Planner::isAfterAnchor(Value value) const {
  Operation *op = value.getDefiningOp();
  if (!op || op->getParentOp() != body.root)
    return false;
  return plan.claimed.contains(op) ||
         llvm::any_of(op->getOperands(),
                      [&](Value operand) { return isAfterAnchor(operand); });
}

void Planner::collectBefore(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getParentOp() != body.root || isa<ConstantOp>(op))
    return;
  for (Value operand : op->getOperands())
    collectBefore(operand);
  plan.before.insert(op);
}

bool Planner::claimBias(Operation *op, Value operand) {
  // Only with constant weights, because the two are packed together.
  if (!isa<AddOp>(op) || plan.claimed.size() > 1 || !takesBias(plan.anchor) ||
      !body.getConstant(plan.anchor->getOperand(1)) ||
      !body.getConstant(operand))
    return false;
  int64_t channel = getChannelDim(plan.anchor);
  // A single channel could be mistaken for any other kind of operand.
  Dims sizes = dims.getDims(operand), whole = dims.getDims(plan.result);
  int64_t index = channel - (whole.size() - sizes.size());
  if (index < 0 || !dims.proveEqual(sizes[index], whole[channel]))
    return false;
  for (auto [i, size] : llvm::enumerate(sizes))
    if (static_cast<int64_t>(i) != index && !dims.isConstant(size, 1))
      return false;
  plan.bias = operand;
  return true;
}

static Type getElementType(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

/// The conversion of the sums to f32 is part of an integer primitive, and so is that to
/// its integer result.
bool Planner::claimCast(CastOp op) {
  if (!isInt8Product(plan.anchor))
    return false;
  Type from = getElementType(plan.result), to = getElementType(op);
  bool isFirst = from.isInteger(32) && to.isF32();
  bool isLast = from.isF32() && to.isInteger(8);
  if (!isFirst && !(isLast && isRoundedToRange(to)))
    return false;
  plan.claimed.insert(op);
  plan.result = op.getResult();
  return true;
}

/// Whether the value already is an integer of the type before the conversion: nn.cast
/// truncates and wraps, whereas a primitive rounds and saturates.
bool Planner::isRoundedToRange(Type type) const {
  Value value = plan.result;
  double shift = 0;
  if (auto add = value.getDefiningOp<AddOp>())
    if (std::optional<float> number = body.getSplat(add.getRhs());
        number && std::trunc(*number) == *number) {
      shift = *number;
      value = add.getLhs();
    }
  auto clip = value.getDefiningOp<ClipOp>();
  if (!clip || !clip.getMin() || !clip.getMax() || !clip.getInput().getDefiningOp<RoundOp>())
    return false;
  std::optional<float> low = body.getSplat(clip.getMin()),
                       high = body.getSplat(clip.getMax());
  bool isUnsigned = type.isUnsignedInteger();
  return low && high && std::trunc(*low) == *low && std::trunc(*high) == *high &&
         *low + shift >= (isUnsigned ? 0 : -128) &&
         *high + shift <= (isUnsigned ? 255 : 127);
}

/// Claims an operator that is the only user of the claimed operators' result.
bool Planner::claimNext() {
  if (!plan.result.hasOneUse())
    return false;
  Operation *op = *plan.result.user_begin();
  if (op->getParentOp() != body.root || isa<YieldOp>(op))
    return false;
  auto refuse = [&](const std::string &why) {
    remarkMissed(op, "split", why);
    return false;
  };
  if (!isa<ElementwiseOpInterface>(op) || op->getNumResults() != 1)
    return refuse("not elementwise");
  if (getElementType(plan.result).isInteger(8))
    return false;
  if (auto cast = dyn_cast<CastOp>(op); cast && claimCast(cast))
    return true;
  if (!dims.haveSameShape(op->getResult(0), plan.result) ||
      getElementType(op->getResult(0)) != getElementType(plan.result))
    return refuse("the result is not provably of the primitive's shape and type");
  constexpr size_t maxPostOps = 30; // oneDNN takes 32
  if (plan.postOps.size() + 2 > maxPostOps)
    return refuse("more post-ops than oneDNN takes");

  if (op->getNumOperands() == 2) {
    bool isLhs = op->getOperand(0) == plan.result;
    if (claimBias(op, op->getOperand(isLhs ? 1 : 0))) {
      plan.claimed.insert(op);
      plan.result = op->getResult(0);
      return true;
    }
  }
  std::string reason;
  SmallVector<Operation *> absorbed;
  FailureOr<SmallVector<PostOp>> steps = failure();
  if (isInt8Product(plan.anchor)) {
    if (!getElementType(plan.result).isF32())
      return refuse("integers are not computed with after a primitive");
    steps = getIntegerPostOps(op, plan.result, body, absorbed);
  }
  if (failed(steps) || steps->empty())
    steps = getPostOps(op, plan.result, body, capability, reason);
  if (failed(steps))
    return refuse(reason);
  for (const PostOp &step : *steps) {
    if (!step.operand)
      continue;
    if (isAfterAnchor(step.operand))
      return refuse("the other operand depends on the primitive");
    if (!getPostOpBroadcast(step.operand, plan.result,
                            getChannelDim(plan.anchor), dims))
      return refuse("the other operand is not provably one number, one for "
                    "each channel, or of the primitive's shape");
  }
  for (const PostOp &step : *steps)
    if (step.operand)
      collectBefore(step.operand);
  llvm::append_range(plan.postOps, *steps);
  plan.claimed.insert_range(absorbed);
  plan.claimed.insert(op);
  plan.result = op->getResult(0);
  return true;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

namespace {
class Rewriter {
public:
  Rewriter(const Body &body, Plan &plan, SymbolicDims &dims)
      : body(body), plan(plan), dims(dims), builder(body.root) {}

  /// Replaces the root. Returns whether something was split off.
  bool run();

private:
  Value toOuter(Value value);
  void outline(const llvm::SetVector<Operation *> &ops);
  void emitPrimitive();
  Value emitDestination(Location location);

  const Body &body;
  Plan &plan;
  SymbolicDims &dims;
  OpBuilder builder;
  /// From values of the body to those of the function.
  IRMapping outer;
};
} // namespace

/// The value of the function that corresponds to a value of the body.
Value Rewriter::toOuter(Value value) {
  if (Value known = outer.lookupOrNull(value))
    return known;
  Value result = body.getOuter(value);
  if (!result) {
    auto constant = value.getDefiningOp<ConstantOp>();
    assert(constant && "a value of the body that was not computed yet");
    result = builder.clone(*constant)->getResult(0);
    dims.inherit(result, value);
  }
  outer.map(value, result);
  return result;
}

/// Makes a fusion of some operators of the body.
void Rewriter::outline(const llvm::SetVector<Operation *> &ops) {
  llvm::SetVector<Value> inputs;
  SmallVector<Value> results;
  SmallVector<Operation *> sources;
  // In the body's order, so that definitions come before uses.
  for (Operation &op : cast<FusionOp>(body.root).getBody().front())
    if (ops.contains(&op))
      sources.push_back(&op);
  for (Operation *op : sources) {
    for (Value operand : op->getOperands())
      if (!ops.contains(operand.getDefiningOp()) &&
          !operand.getDefiningOp<ConstantOp>())
        inputs.insert(operand);
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(),
                       [&](Operation *user) { return !ops.contains(user); }))
        results.push_back(result);
  }

  auto outerInputs =
      llvm::map_to_vector(inputs, [&](Value input) { return toOuter(input); });
  auto fusion = FusionOp::create(builder, fuseLocations(sources),
                                 TypeRange(ValueRange(results)), outerInputs);
  Block *block = builder.createBlock(&fusion.getBody());
  IRMapping inner;
  for (Value input : inputs)
    inner.map(input, block->addArgument(input.getType(), input.getLoc()));
  SmallVector<Value> yielded;
  for (Operation *op : sources) {
    for (Value operand : op->getOperands())
      if (auto constant = operand.getDefiningOp<ConstantOp>())
        if (!inner.contains(operand) && constant->getParentOp() == body.root)
          builder.clone(*constant, inner);
    builder.clone(*op, inner);
  }
  for (Value result : results)
    yielded.push_back(inner.lookup(result));
  YieldOp::create(builder, fusion.getLoc(), yielded);
  builder.setInsertionPointAfter(fusion);

  SmallVector<OriginAttr> origins;
  for (auto [index, result] : llvm::enumerate(results)) {
    for (OriginAttr origin : getOrigins(result))
      origins.push_back(OriginAttr::get(fusion.getContext(), index,
                                        origin.getTensor(),
                                        origin.getPermutation()));
    outer.map(result, fusion.getResult(index));
    dims.inherit(fusion.getResult(index), result);
  }
  setOrigins(fusion, origins);
}

/// A tensor for the result, of the anchor's shape.
Value Rewriter::emitDestination(Location location) {
  // A copy of the anchor on tensors of the function, to compute its sizes.
  Operation *copy = builder.clone(*plan.anchor, outer);
  ReifiedRankedShapedTypeDims sizes;
  builder.setInsertionPoint(copy);
  LogicalResult reified =
      cast<ReifyRankedShapedTypeOpInterface>(copy).reifyResultShapes(builder,
                                                                     sizes);
  assert(succeeded(reified) && "an anchor whose sizes cannot be computed");
  (void)reified;
  auto type = cast<RankedTensorType>(copy->getResult(0).getType());
  auto wanted = cast<RankedTensorType>(plan.result.getType());
  SmallVector<Value> dynamic;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (wanted.isDynamicDim(i))
      dynamic.push_back(
          getValueOrCreateConstantIndexOp(builder, location, sizes[0][i]));
  Value dst = tensor::EmptyOp::create(builder, location, wanted, dynamic);
  builder.setInsertionPointAfter(copy);
  copy->erase();
  return dst;
}

void Rewriter::emitPrimitive() {
  PrimitiveOperands primitive;
  SmallVector<Operation *> sources(plan.claimed.getArrayRef());
  Location location = fuseLocations(sources);
  for (Value operand : plan.anchor->getOperands())
    primitive.operands.push_back(toOuter(operand));
  primitive.dst = emitDestination(location);
  int64_t rank =
      cast<RankedTensorType>(primitive.dst.getType()).getRank();
  if (plan.bias)
    primitive.bias = flattenConstant(builder, location, toOuter(plan.bias));
  for (const PostOp &postOp : plan.postOps) {
    if (postOp.eltwise) {
      primitive.postOps.push_back(postOp.eltwise);
      continue;
    }
    primitive.postOps.push_back(onednn::BinaryAttr::get(
        builder.getContext(), postOp.binary, primitive.postOpArgs.size()));
    primitive.postOpArgs.push_back(
        expandRank(builder, location, toOuter(postOp.operand), rank));
  }
  Value result = createPrimitive(builder, location, plan.anchor, primitive);
  Operation *op = result.getDefiningOp();
  setOrigins(op, getOrigins(plan.result));
  outer.map(plan.result, result);
  dims.inherit(result, plan.result);
}

bool Rewriter::run() {
  bool isSplit = !plan.before.empty();
  if (isSplit)
    outline(plan.before);
  emitPrimitive();

  auto fusion = dyn_cast<FusionOp>(body.root);
  if (!fusion) {
    inheritProvenance(body.root, toOuter(plan.result));
    body.root->getResult(0).replaceAllUsesWith(toOuter(plan.result));
    body.root->erase();
    return false;
  }
  llvm::SetVector<Operation *> after;
  for (Operation &op : fusion.getBody().front().without_terminator())
    if (!isa<ConstantOp>(op) && !plan.before.contains(&op) &&
        !plan.claimed.contains(&op))
      after.insert(&op);
  if (!after.empty())
    outline(after);
  isSplit |= !after.empty();

  auto results = llvm::map_to_vector(
      fusion.getBody().front().getTerminator()->getOperands(),
      [&](Value yielded) { return toOuter(yielded); });
  for (auto [old, result] : llvm::zip(fusion.getResults(), results)) {
    // The sizes of later operations were computed from the fusion's results.
    dims.inherit(result, old);
    for (OriginAttr origin : getOrigins(old)) {
      Operation *op = result.getDefiningOp();
      if (!op)
        continue;
      SmallVector<OriginAttr> origins = getOrigins(op);
      auto moved = OriginAttr::get(
          op->getContext(), cast<OpResult>(result).getResultNumber(),
          origin.getTensor(), origin.getPermutation());
      if (!llvm::is_contained(origins, moved))
        origins.push_back(moved);
      setOrigins(op, origins);
    }
  }
  fusion->replaceAllUsesWith(results);
  fusion->erase();
  return isSplit;
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

namespace {
struct ConvertNNToOneDNNPass
    : nn::impl::ConvertNNToOneDNNBase<ConvertNNToOneDNNPass> {
  using ConvertNNToOneDNNBase::ConvertNNToOneDNNBase;

  void runOnOperation() override {
    auto module = getOperation()->getParentOfType<ModuleOp>();
    if (module && !getTarget(module).allows("onednn"))
      return;
    SymbolicDims dims(getOperation());
    SmallVector<Operation *> roots;
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<FusionOp>(op)) {
        roots.push_back(op);
        return WalkResult::skip();
      }
      if (getPrimitive(op, claimSoftmax))
        roots.push_back(op);
      return WalkResult::advance();
    });
    for (Operation *root : roots)
      convert(root, dims);
    // Transposes that products absorbed.
    SmallVector<TransposeOp> transposes;
    getOperation().walk([&](TransposeOp op) { transposes.push_back(op); });
    for (TransposeOp op : llvm::reverse(transposes))
      if (op->use_empty())
        op->erase();
  }

  void convert(Operation *root, SymbolicDims &dims) {
    Body body(root);
    Operation *anchor = root;
    if (auto fusion = dyn_cast<FusionOp>(root))
      anchor = fusion.getAnchor();
    if (!anchor)
      return;
    const Capability *primitive = getPrimitive(anchor, claimSoftmax);
    if (!primitive)
      return;
    if (std::optional<Gap> gap = findGap(*primitive, anchor)) {
      remarkMissed(anchor, "not-claimed", gap->str());
      return;
    }
    Plan plan = Planner(body, anchor, dims, *primitive).run();
    ++numPrimitives;
    numPostOps += plan.postOps.size();
    numSplit += Rewriter(body, plan, dims).run();
  }
};
} // namespace
