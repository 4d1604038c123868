//===- NNToOneDNN.cpp - the back end of oneDNN ----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Anchors.h"
#include "OneDNNBackend.h"
#include "dialects/OneDNN/IR/OneDNN.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Remarks.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Fusion/FusionGroup.h"
#include "nn/Target/CostModel.h"
#include "llvm/ADT/SetVector.h"
#include <cmath>

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
  /// What stores that permuted, if something does.
  TransposeOp stored;
  /// Operators that must run before the primitive.
  llvm::SetVector<Operation *> before;
};

class Planner {
public:
  Planner(const FusionView &body, const OneDNNCapability &capability)
      : body(body), dims(body.dims), capability(capability) {
    plan.anchor = body.anchor;
    plan.claimed.insert(body.anchor);
    plan.result = body.anchor->getResult(0);
  }

  Plan run() {
    for (Value operand : plan.anchor->getOperands()) {
      if (TransposeOp transpose = body.getTranspose(operand))
        plan.claimed.insert(transpose);
      else
        body.collectProducers(operand, plan.before);
    }
    while (claimNext()) {
    }
    claimStored();
    if (isInt8Product(plan.anchor))
      simplifyIntegerPostOps(
          plan.postOps, cast<RankedTensorType>(plan.result.getType()).getElementType());
    return std::move(plan);
  }

private:
  bool claimNext();
  bool claimCast(CastOp op);
  void claimStored();
  bool claimBias(Operation *op, Value operand);
  bool isRoundedToRange(Type type) const;
  bool isAfterAnchor(Value value) const;

  const FusionView &body;
  SymbolicDims &dims;
  const OneDNNCapability &capability;
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

bool Planner::claimBias(Operation *op, Value operand) {
  // Only with constant weights, because the two are packed together.
  if (!isa<AddOp>(op) || plan.result != plan.anchor->getResult(0) || !takesBias(plan.anchor) ||
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
    if (std::optional<float> number = body.getSplatF32(add.getRhs());
        number && std::trunc(*number) == *number) {
      shift = *number;
      value = add.getLhs();
    }
  auto clip = value.getDefiningOp<ClipOp>();
  if (!clip || !clip.getMin() || !clip.getMax() || !clip.getInput().getDefiningOp<RoundOp>())
    return false;
  std::optional<float> low = body.getSplatF32(clip.getMin()),
                       high = body.getSplatF32(clip.getMax());
  bool isUnsigned = type.isUnsignedInteger();
  return low && high && std::trunc(*low) == *low && std::trunc(*high) == *high &&
         *low + shift >= (isUnsigned ? 0 : -128) &&
         *high + shift <= (isUnsigned ? 255 : 127);
}

/// Claims a transposition of the result.
void Planner::claimStored() {
  TransposeOp last = body.getTranspose(body.results.front());
  if (!last || last.getInput() != plan.result)
    return;
  plan.claimed.insert(last);
  plan.stored = last;
  plan.result = last.getResult();
}

/// Claims an operator that is the only user of the claimed operators' result.
bool Planner::claimNext() {
  if (!plan.result.hasOneUse())
    return false;
  Operation *op = *plan.result.user_begin();
  if (op->getParentOp() != body.root || isa<YieldOp>(op) ||
      body.getTranspose(op->getResult(0)))
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
      body.collectProducers(step.operand, plan.before);
  llvm::append_range(plan.postOps, *steps);
  plan.claimed.insert_range(absorbed);
  plan.claimed.insert(op);
  plan.result = op->getResult(0);
  return true;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// Makes the primitive, and returns its result.
static Value emitPrimitive(FusionSplitter &splitter, const Plan &plan) {
  OpBuilder &builder = splitter.getBuilder();
  PrimitiveOperands primitive;
  SmallVector<Operation *> sources(plan.claimed.getArrayRef());
  Location location = fuseLocations(sources);
  for (Value operand : plan.anchor->getOperands()) {
    auto transpose = operand.getDefiningOp<TransposeOp>();
    bool isClaimed = plan.claimed.contains(transpose);
    primitive.operands.push_back(
        splitter.toOuter(isClaimed ? transpose.getInput() : operand));
    primitive.permutations.push_back(isClaimed ? transpose.getPerm() : ArrayRef<int64_t>());
  }
  auto type = cast<RankedTensorType>(plan.result.getType());
  SmallVector<int64_t> order, inverse;
  if (TransposeOp stored = plan.stored) {
    llvm::append_range(order, stored.getPerm());
    primitive.dstPermutation = inverse = invertPermutationVector(order);
  }
  primitive.dst = splitter.emitDestination(location, plan.anchor, type, order);
  if (plan.bias)
    primitive.bias = flattenConstant(builder, location, splitter.toOuter(plan.bias));
  for (const PostOp &postOp : plan.postOps) {
    if (postOp.eltwise) {
      primitive.postOps.push_back(postOp.eltwise);
      continue;
    }
    primitive.postOps.push_back(onednn::BinaryAttr::get(
        builder.getContext(), postOp.binary, primitive.postOpArgs.size()));
    primitive.postOpArgs.push_back(expandRank(
        builder, location, splitter.toOuter(postOp.operand), type.getRank()));
  }
  return createPrimitive(builder, location, plan.anchor, primitive);
}

//===----------------------------------------------------------------------===//
// Back end
//===----------------------------------------------------------------------===//

namespace {
class OneDNNPlacer : public Placer {
public:
  explicit OneDNNPlacer(const CostModel &costs) : costs(costs) {}

  void offer(const FusionView &group, SmallVectorImpl<Claim> &claims) override {
    if (group.anchors.size() != 1)
      return;
    const OneDNNCapability *primitive = getPrimitive(group.anchor);
    if (!primitive || findGap(*primitive, group.anchor))
      return;
    SmallVector<RefusedTranspose> refused;
    for (TransposeOp transpose : group.transposes)
      if (std::optional<StringRef> why = refuseTranspose(group, transpose))
        refused.push_back({transpose, why->str()});
    double cost = costs.getLibraryCallTime() + costs.getTime(group) +
                  costs.getTime(group, refused);
    claims.push_back({primitive->lowering, cost, [&group, primitive, refused] {
                        return place(group, *primitive, refused);
                      }});
  }

private:
  static FailureOr<SmallVector<Operation *>> place(const FusionView &group,
                                                   const OneDNNCapability &primitive,
                                                   ArrayRef<RefusedTranspose> refused) {
    TransposeSplitter transposes(group, refused);
    const FusionView &core = transposes.getCore();
    Plan plan = Planner(core, primitive).run();
    SmallVector<Operation *> parts = FusionSplitter(core).run(
        plan.before, plan.claimed, plan.result,
        [&](FusionSplitter &splitter) { return emitPrimitive(splitter, plan); });
    llvm::append_range(parts, transposes.finish("onednn"));
    return parts;
  }

  const CostModel &costs;
};
} // namespace

void OneDNNBackend::getDependentDialects(DialectRegistry &registry) const {
  registry.insert<onednn::OneDNNDialect, arith::ArithDialect, tensor::TensorDialect>();
}

std::unique_ptr<Placer> OneDNNBackend::createPlacer(ModuleOp module,
                                                    const CostModel &costs) const {
  return std::make_unique<OneDNNPlacer>(costs);
}
