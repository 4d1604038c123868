//===- PostOps.cpp - elementwise operators as post-ops --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "PostOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::nn;
using onednn::BinaryAlgorithm;
using onednn::EltwiseAlgorithm;

//===----------------------------------------------------------------------===//
// Elementwise operators
//===----------------------------------------------------------------------===//

static PostOp eltwise(Operation *op, EltwiseAlgorithm algorithm,
                      float alpha = 0.0f, float beta = 0.0f) {
  PostOp postOp;
  postOp.eltwise =
      onednn::EltwiseAttr::get(op->getContext(), algorithm, alpha, beta);
  return postOp;
}

static constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// max(low, min(high, x)); null if a limit is NaN, which every result is then.
static std::optional<PostOp> limit(Operation *op, float low, float high) {
  if (!(low <= high))
    return std::nullopt;
  if (low == 0.0f && high == kInfinity)
    return eltwise(op, EltwiseAlgorithm::Relu);
  return eltwise(op, EltwiseAlgorithm::ClipV2, low, high);
}

static PostOp binary(BinaryAlgorithm algorithm, Value operand) {
  PostOp postOp;
  postOp.binary = algorithm;
  postOp.operand = operand;
  return postOp;
}

/// Operators of one operand; `alpha` and `beta` as oneDNN defines them. What oneDNN
/// computes otherwise for NaN is missing, but for rectifiers, which are worth it
/// (docs/decisions/floats.md). Where nothing is added, the summand is -0, which keeps
/// the sign of a zero.
static std::optional<PostOp> getUnary(Operation *op) {
  using Alg = EltwiseAlgorithm;
  using Result = std::optional<PostOp>;
  return TypeSwitch<Operation *, Result>(op)
      .Case<ReluOp>([&](auto) { return eltwise(op, Alg::Relu); })
      .Case<LeakyReluOp>([&](LeakyReluOp relu) {
        return eltwise(op, Alg::Relu, relu.getAlpha().convertToFloat());
      })
      .Case<EluOp>([&](EluOp elu) {
        return eltwise(op, Alg::Elu, elu.getAlpha().convertToFloat());
      })
      .Case<CeluOp>([&](CeluOp celu) -> Result {
        if (celu.getAlpha().convertToFloat() != 1.0f)
          return std::nullopt;
        return eltwise(op, Alg::Elu, 1.0f);
      })
      .Case<SigmoidOp>([&](auto) { return eltwise(op, Alg::Logistic); })
      .Case<TanhOp>([&](auto) { return eltwise(op, Alg::Tanh); })
      .Case<GeluOp>([&](GeluOp gelu) {
        return eltwise(op, gelu.getApproximate() == "tanh" ? Alg::GeluTanh
                                                           : Alg::GeluErf);
      })
      .Case<HardSwishOp>([&](auto) {
        return eltwise(op, Alg::HardSwish, 1.0f / 6.0f, 0.5f);
      })
      .Case<SwishOp>([&](SwishOp swish) {
        return eltwise(op, Alg::Swish, swish.getAlpha().convertToFloat());
      })
      .Case<MishOp>([&](auto) { return eltwise(op, Alg::Mish); })
      .Case<SoftplusOp>([&](auto) { return eltwise(op, Alg::SoftRelu, 1.0f); })
      .Case<RoundOp>([&](auto) { return eltwise(op, Alg::Round); })
      .Case<AbsOp>([&](auto) { return eltwise(op, Alg::Abs); })
      .Case<SqrtOp>([&](auto) { return eltwise(op, Alg::Sqrt); })
      .Case<NegOp>([&](auto) { return eltwise(op, Alg::Linear, -1.0f, -0.0f); })
      .Case<ReciprocalOp>([&](auto) { return eltwise(op, Alg::Pow, 1.0f, -1.0f); })
      .Default([](Operation *) { return std::nullopt; });
}

/// Operators of two operands with `number` everywhere in the one that is not
/// the value computed so far.
static std::optional<PostOp> getWithScalar(Operation *op, bool currentIsLhs,
                                           float number) {
  using Alg = EltwiseAlgorithm;
  using Result = std::optional<PostOp>;
  return TypeSwitch<Operation *, Result>(op)
      .Case<AddOp>([&](auto) { return eltwise(op, Alg::Linear, 1.0f, number); })
      .Case<MulOp>([&](auto) { return eltwise(op, Alg::Linear, number, -0.0f); })
      .Case<MaxOp>([&](auto) { return limit(op, number, kInfinity); })
      .Case<MinOp>([&](auto) { return limit(op, -kInfinity, number); })
      .Case<SubOp>([&](auto) {
        return currentIsLhs ? eltwise(op, Alg::Linear, 1.0f, -number)
                            : eltwise(op, Alg::Linear, -1.0f, number);
      })
      .Case<DivOp>([&](auto) -> Result {
        // A quotient is not the product with a rounded reciprocal; only powers
        // of two have an exact one.
        float reciprocal = 1.0f / number;
        int exponent;
        if (!currentIsLhs || std::frexp(std::abs(number), &exponent) != 0.5f ||
            !std::isnormal(reciprocal))
          return std::nullopt;
        return eltwise(op, Alg::Linear, reciprocal, -0.0f);
      })
      .Case<PowOp>([&](auto) -> Result {
        if (!currentIsLhs)
          return std::nullopt;
        return number == 2.0f ? eltwise(op, Alg::Square)
                              : eltwise(op, Alg::Pow, 1.0f, number);
      })
      .Default([](Operation *) { return std::nullopt; });
}

/// Operators of two tensors.
static std::optional<SmallVector<PostOp>> getBinary(Operation *op,
                                                    bool currentIsLhs,
                                                    Value operand) {
  using Result = std::optional<SmallVector<PostOp>>;
  auto one = [&](BinaryAlgorithm algorithm) -> Result {
    return SmallVector<PostOp>{binary(algorithm, operand)};
  };
  return TypeSwitch<Operation *, Result>(op)
      .Case<AddOp>([&](auto) { return one(BinaryAlgorithm::Add); })
      .Case<MulOp>([&](auto) { return one(BinaryAlgorithm::Mul); })
      .Case<SubOp>([&](auto) -> Result {
        if (currentIsLhs)
          return one(BinaryAlgorithm::Sub);
        return SmallVector<PostOp>{eltwise(op, EltwiseAlgorithm::Linear, -1.0f),
                                   binary(BinaryAlgorithm::Add, operand)};
      })
      .Case<DivOp>([&](auto) -> Result {
        if (currentIsLhs)
          return one(BinaryAlgorithm::Div);
        return std::nullopt;
      })
      .Default([](Operation *) { return std::nullopt; });
}

FailureOr<SmallVector<PostOp>>
mlir::nn::getPostOps(Operation *op, Value current, const FusionView &body,
                     const OneDNNCapability &capability,
                     std::string &reason) {
  std::string name = op->getName().getStringRef().str();
  SmallVector<PostOp> found;
  if (std::optional<PostOp> unary = getUnary(op)) {
    found.push_back(*unary);
  } else if (auto clip = dyn_cast<ClipOp>(op)) {
    float low = -kInfinity, high = kInfinity;
    for (auto [bound, value] : {std::pair(clip.getMin(), &low),
                                std::pair(clip.getMax(), &high)}) {
      if (!bound)
        continue;
      std::optional<float> splat = body.getSplatF32(bound);
      if (!splat) {
        reason = "nn.clip has a bound that is not constant";
        return failure();
      }
      *value = *splat;
    }
    std::optional<PostOp> limits = limit(op, low, high);
    if (!limits) {
      reason = "nn.clip has bounds that oneDNN does not take";
      return failure();
    }
    found.push_back(*limits);
  } else if (op->getNumOperands() == 2) {
    bool isLhs = op->getOperand(0) == current;
    Value other = op->getOperand(isLhs ? 1 : 0);
    std::optional<PostOp> withScalar;
    if (std::optional<float> number = body.getSplatF32(other))
      withScalar = getWithScalar(op, isLhs, *number);
    if (withScalar) {
      found.push_back(*withScalar);
    } else if (auto steps = getBinary(op, isLhs, other)) {
      found = *steps;
    }
  }
  if (found.empty()) {
    reason = name + " has no post-op of oneDNN";
    return failure();
  }
  for (const PostOp &postOp : found) {
    if (postOp.eltwise ? capability.eltwisePostOps : capability.binaryPostOps)
      continue;
    reason = name + " cannot be a post-op of " + capability.lowering.str();
    return failure();
  }
  return found;
}

//===----------------------------------------------------------------------===//
// Primitives of integers
//===----------------------------------------------------------------------===//

std::optional<Dequantized> mlir::nn::matchDequantized(Value value,
                                                      const FusionView &body) {
  Dequantized found;
  // From the last operator to the first: each at most once, in this order.
  auto take = [&](auto op, float &number) {
    if (!op || !op->hasOneUse() || op->getParentOp() != body.root)
      return;
    if (std::optional<float> splat = body.getSplatF32(op.getRhs())) {
      number = *splat;
      found.ops.push_back(op);
      value = op.getLhs();
    }
  };
  take(value.getDefiningOp<MulOp>(), found.scale);
  float added = 0;
  take(value.getDefiningOp<SubOp>(), found.zeroPoint);
  take(value.getDefiningOp<AddOp>(), added);
  found.zeroPoint -= added;
  auto cast = value.getDefiningOp<CastOp>();
  if (!cast || !cast->hasOneUse() || cast->getParentOp() != body.root ||
      !cast.getType().getElementType().isF32() ||
      !getElementTypeOrSelf(cast.getInput()).isInteger(8))
    return std::nullopt;
  found.ops.push_back(cast);
  found.integers = cast.getInput();
  return found;
}

/// A scale with which nothing overflows or vanishes that would not without it.
static bool isUsual(double number) {
  return std::abs(number) >= 0x1p-40 && std::abs(number) <= 0x1p40;
}

SmallVector<PostOp>
mlir::nn::getIntegerPostOps(Operation *op, Value current, const FusionView &body,
                            SmallVector<Operation *> &absorbed) {
  if (op->getNumOperands() != 2)
    return {};
  bool isLhs = op->getOperand(0) == current;
  Value other = op->getOperand(isLhs ? 1 : 0);
  if (isa<DivOp>(op) && isLhs)
    if (std::optional<float> number = body.getSplatF32(other); number && isUsual(*number))
      return {eltwise(op, EltwiseAlgorithm::Linear, 1.0f / *number)};
  std::optional<Dequantized> operand = matchDequantized(other, body);
  if (!isa<AddOp>(op) || !operand || !isUsual(operand->scale))
    return {};
  // current + (x - z) * s = ((current / s - z) + x) * s
  absorbed = operand->ops;
  return {eltwise(op, EltwiseAlgorithm::Linear, 1.0f / operand->scale,
                  -operand->zeroPoint),
          binary(BinaryAlgorithm::Add, operand->integers),
          eltwise(op, EltwiseAlgorithm::Linear, operand->scale)};
}

static onednn::EltwiseAttr getEltwise(const PostOp &postOp, EltwiseAlgorithm algorithm) {
  auto attr = dyn_cast_or_null<onednn::EltwiseAttr>(postOp.eltwise);
  return attr && attr.getAlgorithm() == algorithm ? attr : onednn::EltwiseAttr();
}

void mlir::nn::simplifyIntegerPostOps(SmallVector<PostOp> &postOps,
                                      Type elementType) {
  SmallVector<PostOp> simple;
  for (const PostOp &postOp : postOps) {
    auto second = getEltwise(postOp, EltwiseAlgorithm::Linear);
    auto first = second && !simple.empty()
                     ? getEltwise(simple.back(), EltwiseAlgorithm::Linear)
                     : onednn::EltwiseAttr();
    if (!first) {
      simple.push_back(postOp);
      continue;
    }
    double a = first.getAlpha().getValueAsDouble(), b = first.getBeta().getValueAsDouble();
    double c = second.getAlpha().getValueAsDouble(), d = second.getBeta().getValueAsDouble();
    // Two sums in a row, x + b + d, may be there to round x.
    bool isTwoSums = c == 1 && b != 0 && d != 0;
    if (isTwoSums || !isUsual(a) || !isUsual(c)) {
      simple.push_back(postOp);
      continue;
    }
    simple.back().eltwise = onednn::EltwiseAttr::get(
        elementType.getContext(), EltwiseAlgorithm::Linear, float(a * c), float(b * c + d));
  }

  // clip, [linear of 1], and the conversion to integers of 8 bits.
  if (elementType.isInteger(8) && !simple.empty()) {
    bool isUnsigned = elementType.isUnsignedInteger();
    double low = isUnsigned ? 0 : -128, high = isUnsigned ? 255 : 127, shift = 0;
    size_t last = simple.size() - 1;
    if (auto linear = getEltwise(simple[last], EltwiseAlgorithm::Linear);
        linear && last > 0 && linear.getAlpha().getValueAsDouble() == 1) {
      shift = linear.getBeta().getValueAsDouble();
      --last;
    }
    if (auto clip = getEltwise(simple[last], EltwiseAlgorithm::ClipV2);
        clip && clip.getAlpha().getValueAsDouble() + shift <= low &&
        clip.getBeta().getValueAsDouble() + shift >= high)
      simple.erase(simple.begin() + last);
    // The conversion rounds.
    if (!simple.empty() && getEltwise(simple.back(), EltwiseAlgorithm::Round))
      simple.pop_back();
  }
  postOps = std::move(simple);
}

//===----------------------------------------------------------------------===//
// Broadcasting
//===----------------------------------------------------------------------===//

std::optional<PostOpBroadcast>
mlir::nn::getPostOpBroadcast(Value operand, Value dst, int64_t channel,
                             SymbolicDims &dims) {
  Dims sizes = dims.getDims(operand), whole = dims.getDims(dst);
  if (sizes.size() > whole.size())
    return std::nullopt;
  bool isScalar = true, isWhole = true, isPerChannel = true;
  for (int64_t i = 0, rank = whole.size(); i < rank; ++i) {
    int64_t missing = whole.size() - sizes.size();
    Dim size = i < missing ? dims.constant(1) : sizes[i - missing];
    bool isOne = dims.isConstant(size, 1);
    bool isEqual = dims.proveEqual(size, whole[i]);
    isScalar &= isOne;
    isWhole &= isEqual;
    isPerChannel &= i == channel ? isEqual : isOne;
  }
  // A dimension of size 1 is whole as well as broadcast: the first kind wins.
  if (isWhole)
    return PostOpBroadcast::None;
  if (isScalar)
    return PostOpBroadcast::Scalar;
  if (isPerChannel)
    return PostOpBroadcast::PerChannel;
  return std::nullopt;
}
