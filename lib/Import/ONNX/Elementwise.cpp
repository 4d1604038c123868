//===- Elementwise.cpp - import of elementwise operators ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

template <typename OpT> static LogicalResult importUnary(NodeBinder &node) {
  Value input;
  if (node.onlyOperand(input).ignoreAttrs({"consumed_inputs"}).failed())
    return failure();
  return node.replaceWith<OpT>(input);
}

template <typename OpT>
static LogicalResult importWithAlpha(NodeBinder &node, float otherwise) {
  Value input;
  float alpha;
  if (node.onlyOperand(input).attr("alpha", alpha, otherwise)
          .ignoreAttrs({"consumed_inputs"}).failed())
    return failure();
  return node.replaceWith<OpT>(input, alpha);
}

static LogicalResult importGelu(NodeBinder &node) {
  Value input;
  std::string approximate;
  if (node.onlyOperand(input)
          .attr("approximate", approximate, "none", {"none", "tanh"}).failed())
    return failure();
  return node.replaceWith<GeluOp>(input, approximate);
}

static LogicalResult importHardSigmoid(NodeBinder &node) {
  Value input;
  float alpha, beta;
  if (node.onlyOperand(input).attr("alpha", alpha, 0.2f).attr("beta", beta, 0.5f)
          .ignoreAttrs({"consumed_inputs"}).failed())
    return failure();
  return node.replaceWith<HardSigmoidOp>(input, alpha, beta);
}

static LogicalResult importSelu(NodeBinder &node) {
  // The defaults got more digits in version 6.
  bool isOld = node.getSinceVersion() < 6;
  Value input;
  float alpha, gamma;
  if (node.onlyOperand(input)
          .attr("alpha", alpha, isOld ? 1.6732f : 1.67326319217681884765625f)
          .attr("gamma", gamma, isOld ? 1.0507f : 1.05070102214813232421875f)
          .ignoreAttrs({"consumed_inputs"}).failed())
    return failure();
  return node.replaceWith<SeluOp>(input, alpha, gamma);
}

/// Bounds as attributes. The defaults of version 6 have no effect.
static LogicalResult importClipAttributes(NodeBinder &node) {
  Value input, bounds[2];
  std::optional<float> values[2];
  if (node.onlyOperand(input).optionalAttr("min", values[0])
          .optionalAttr("max", values[1]).ignoreAttrs({"consumed_inputs"}).failed())
    return failure();
  constexpr float largest = std::numeric_limits<float>::max();
  for (int i : {0, 1})
    if (values[i] && *values[i] != (i ? largest : -largest))
      bounds[i] = node.constantScalar(*values[i], getType(input).getElementType());
  return node.replaceWith<ClipOp>(input, bounds[0], bounds[1]);
}

static LogicalResult importClip(NodeBinder &node) {
  Value input, min, max;
  if (node.operand("input", input).optionalOperand("min", min)
          .optionalOperand("max", max).failed())
    return failure();
  // ONNX requires scalars, but exporters write lists of one element.
  min = node.asScalar(min);
  max = node.asScalar(max);
  return node.replaceWith<ClipOp>(input, min, max);
}

static LogicalResult replaceWithCast(NodeBinder &node, Value input, Type type) {
  bool saturate;
  std::string roundMode;
  if (node.attr("saturate", saturate, true)
          .attr("round_mode", roundMode, "up", {"up", "down", "nearest"}).failed())
    return failure();
  if (getType(input).getElementType() == type)
    return node.setOutput(input);
  if (holdsStrings(input) || isString(type))
    return node.setOutput(castStrings(node, input, type));
  return node.replaceWith<CastOp>(input, type, saturate, roundMode);
}

static LogicalResult importCast(NodeBinder &node) {
  Value input;
  int64_t to;
  if (node.onlyOperand(input).requiredAttr("to", to).failed())
    return failure();
  Type type = getTensorElementType(node.getContext(), to);
  if (node.require(bool(type), "the type to cast to is supported",
                   getDataTypeName(to), getAcceptedTypes(), Remedy::ConvertType)
          .failed())
    return failure();
  return replaceWithCast(node, input, type);
}

/// Before version 6 the type was a string, such as "FLOAT".
static LogicalResult importCastByName(NodeBinder &node) {
  Value input;
  std::string to;
  onnx::TensorProto::DataType number;
  if (node.onlyOperand(input).attr("to", to, "").failed())
    return failure();
  Type type;
  if (onnx::TensorProto::DataType_Parse(to, &number))
    type = getTensorElementType(node.getContext(), number);
  if (node.require(bool(type), "the type to cast to is supported", to,
                   getAcceptedTypes(), Remedy::ConvertType).failed())
    return failure();
  return replaceWithCast(node, input, type);
}

static LogicalResult importCastLike(NodeBinder &node) {
  Value input, like;
  if (node.operand("input", input).operand("target_type", like).failed())
    return failure();
  return replaceWithCast(node, input, getType(like).getElementType());
}

//===----------------------------------------------------------------------===//
// Binary and more
//===----------------------------------------------------------------------===//

/// Before opset 7, operands were broadcast only if `broadcast` was set; the dimensions
/// of the second then aligned with those of the first at `axis` (at the end if absent).
/// By today's rules, this is the second operand with dimensions appended.
static Value alignOldBroadcast(NodeBinder &node, Value lhs, Value rhs) {
  bool broadcast;
  std::optional<int64_t> axis;
  if (node.attr("broadcast", broadcast, false).optionalAttr("axis", axis)
          .ignoreAttrs({"consumed_inputs"}).failed())
    return {};
  int64_t lhsRank = getType(lhs).getRank(), rhsRank = getType(rhs).getRank();
  if (!broadcast || !axis)
    return rhs;
  int64_t first = *axis < 0 ? *axis + lhsRank : *axis;
  if (node.require(first >= 0 && first + rhsRank <= lhsRank,
                   "the second operand fits the first at 'axis'",
                   "axis " + Twine(*axis),
                   "0 to " + Twine(lhsRank - rhsRank)).failed())
    return {};
  SmallVector<int64_t> added;
  for (int64_t i = first + rhsRank; i < lhsRank; ++i)
    added.push_back(i - first);
  return added.empty() ? rhs : node.create<UnsqueezeOp>(rhs, added);
}

template <typename OpT> static LogicalResult importBinary(NodeBinder &node) {
  Value lhs, rhs;
  if (node.bothOperands(lhs, rhs).failed())
    return failure();
  if (node.getOpset() < 7 && !(rhs = alignOldBroadcast(node, lhs, rhs)))
    return failure();
  return node.replaceWith<OpT>(lhs, rhs);
}

/// Before opset 7, a slope with one entry per channel.
static LogicalResult importPRelu(NodeBinder &node) {
  Value input, slope;
  if (node.operand("X", input).operand("slope", slope)
          .ignoreAttrs({"consumed_inputs"}).failed())
    return failure();
  int64_t rank = getType(input).getRank();
  if (node.getOpset() < 7 && getType(slope).getRank() == 1 &&
      getType(slope).getDimSize(0) != 1 && rank > 2) {
    SmallVector<int64_t> added;
    for (int64_t i = 1; i < rank - 1; ++i)
      added.push_back(i);
    slope = node.create<UnsqueezeOp>(slope, added);
  }
  return node.replaceWith<PReluOp>(input, slope);
}

static LogicalResult importMod(NodeBinder &node) {
  Value lhs, rhs;
  bool fmod;
  if (node.bothOperands(lhs, rhs).attr("fmod", fmod, false).failed())
    return failure();
  return node.replaceWith<ModOp>(lhs, rhs, fmod);
}

template <typename OpT> static Value foldOperands(NodeBinder &node, size_t &count) {
  SmallVector<Value> operands;
  if (node.allOperands(operands).ignoreAttrs({"consumed_inputs"}).failed())
    return {};
  count = operands.size();
  Value result = operands[0];
  for (Value operand : ArrayRef(operands).drop_front())
    result = result ? node.create<OpT>(result, operand) : Value();
  return result;
}

template <typename OpT> static LogicalResult importVariadic(NodeBinder &node) {
  size_t count;
  return node.setOutput(foldOperands<OpT>(node, count));
}

static LogicalResult importMean(NodeBinder &node) {
  size_t count;
  Value sum = foldOperands<AddOp>(node, count);
  if (!sum || count == 1)
    return node.setOutput(sum);
  return node.replaceWith<DivOp>(
      sum, node.constantScalar(double(count), getType(sum).getElementType()));
}

static LogicalResult importBitShift(NodeBinder &node) {
  Value lhs, rhs;
  std::string direction;
  if (node.bothOperands(lhs, rhs).attr("direction", direction, "", {"LEFT", "RIGHT"})
          .failed())
    return failure();
  return node.replaceWith<BitShiftOp>(lhs, rhs, direction == "LEFT");
}

/// Numbers near 0 become 0, others move towards 0.
static LogicalResult importShrink(NodeBinder &node) {
  Value input;
  float bias, lambda;
  if (node.onlyOperand(input).attr("bias", bias, 0.0f).attr("lambd", lambda, 0.5f)
          .failed())
    return failure();
  // Even for integers, limits and bias are floats, and may be negative.
  Type elementType = getType(input).getElementType(), type = elementType;
  if (!isa<FloatType>(elementType)) {
    type = Float64Type::get(node.getContext());
    input = node.create<CastOp>(input, type);
  }
  auto number = [&](double value) { return node.constantScalar(value, type); };
  Value isBelow = node.create<LessOp>(input, number(-lambda));
  Value isAbove = node.create<GreaterOp>(input, number(lambda));
  Value raised = node.create<AddOp>(input, number(bias));
  Value lowered = node.create<SubOp>(input, number(bias));
  Value upper = node.create<WhereOp>(isAbove, lowered, number(0));
  if (type == elementType)
    return node.replaceWith<WhereOp>(isBelow, raised, upper);
  Value shrunk = node.create<WhereOp>(isBelow, raised, upper);
  return node.replaceWith<CastOp>(shrunk, elementType);
}

static LogicalResult importIsInf(NodeBinder &node) {
  Value input;
  bool negative, positive;
  if (node.onlyOperand(input).attr("detect_negative", negative, true)
          .attr("detect_positive", positive, true).failed())
    return failure();
  return node.replaceWith<IsInfOp>(input, negative, positive);
}

static LogicalResult importBitCast(NodeBinder &node) {
  Value input;
  int64_t to;
  if (node.onlyOperand(input).requiredAttr("to", to).failed())
    return failure();
  Type type = getTensorElementType(node.getContext(), to);
  if (node.require(bool(type), "attribute 'to' is a supported type",
                   getDataTypeName(to), "", Remedy::ConvertType).failed())
    return failure();
  return node.replaceWith<BitcastOp>(input, type);
}

static LogicalResult importWhere(NodeBinder &node) {
  Value condition, x, y;
  if (node.operand("condition", condition).operand("X", x).operand("Y", y).failed())
    return failure();
  return node.replaceWith<WhereOp>(condition, x, y);
}

void importer::registerElementwise(Registry &r) {
  r.onOp("Abs", 1, importUnary<AbsOp>);
  r.onOp("Acos", 7, importUnary<AcosOp>);
  r.onOp("Acosh", 9, importUnary<AcoshOp>);
  r.onOp("Asin", 7, importUnary<AsinOp>);
  r.onOp("Asinh", 9, importUnary<AsinhOp>);
  r.onOp("Atan", 7, importUnary<AtanOp>);
  r.onOp("Atanh", 9, importUnary<AtanhOp>);
  r.onOp("BitwiseNot", 18, importUnary<BitwiseNotOp>);
  r.onOp("Ceil", 1, importUnary<CeilOp>);
  r.onOp("Cos", 7, importUnary<CosOp>);
  r.onOp("Cosh", 9, importUnary<CoshOp>);
  r.onOp("Erf", 9, importUnary<ErfOp>);
  r.onOp("Exp", 1, importUnary<ExpOp>);
  r.onOp("Floor", 1, importUnary<FloorOp>);
  r.onOp("HardSwish", 14, importUnary<HardSwishOp>);
  r.onOp("IsNaN", 9, importUnary<IsNaNOp>);
  r.onOp("Log", 1, importUnary<LogOp>);
  r.onOp("Mish", 18, importUnary<MishOp>);
  r.onOp("Neg", 1, importUnary<NegOp>);
  r.onOp("Not", 1, importUnary<NotOp>);
  r.onOp("Reciprocal", 1, importUnary<ReciprocalOp>);
  r.onOp("Relu", 1, importUnary<ReluOp>);
  r.onOp("Round", 11, importUnary<RoundOp>);
  r.onOp("Sigmoid", 1, importUnary<SigmoidOp>);
  r.onOp("Sign", 9, importUnary<SignOp>);
  r.onOp("Sin", 7, importUnary<SinOp>);
  r.onOp("Sinh", 9, importUnary<SinhOp>);
  r.onOp("Softplus", 1, importUnary<SoftplusOp>);
  r.onOp("Softsign", 1, importUnary<SoftsignOp>);
  r.onOp("Sqrt", 1, importUnary<SqrtOp>);
  r.onOp("Tan", 7, importUnary<TanOp>);
  r.onOp("Tanh", 1, importUnary<TanhOp>);

  r.onOp("Celu", 12, [](NodeBinder &n) { return importWithAlpha<CeluOp>(n, 1.0f); });
  r.onOp("Elu", 1, [](NodeBinder &n) { return importWithAlpha<EluOp>(n, 1.0f); });
  r.onOp("LeakyRelu", 1,
         [](NodeBinder &n) { return importWithAlpha<LeakyReluOp>(n, 0.01f); });
  r.onOp("Swish", 24, [](NodeBinder &n) { return importWithAlpha<SwishOp>(n, 1.0f); });
  r.onOp("ThresholdedRelu", 10,
         [](NodeBinder &n) { return importWithAlpha<ThresholdedReluOp>(n, 1.0f); });
  r.onOp("Gelu", 20, importGelu);
  r.onOp("HardSigmoid", 1, importHardSigmoid);
  r.onOp("Selu", 1, importSelu);
  r.onOp("Clip", 1, importClipAttributes);
  r.onOp("Clip", 11, importClip);
  r.onOp("Cast", 1, importCastByName);
  r.onOp("Cast", 6, importCast);
  r.onOp("CastLike", 15, importCastLike);

  r.onOp("Add", 1, importBinary<AddOp>);
  r.onOp("Sub", 1, importBinary<SubOp>);
  r.onOp("Mul", 1, importBinary<MulOp>);
  r.onOp("Div", 1, importBinary<DivOp>);
  r.onOp("Pow", 1, importBinary<PowOp>);
  r.onOp("Mod", 10, importMod);
  r.onOp("PRelu", 1, importPRelu);
  r.onOp("Max", 1, importVariadic<MaxOp>);
  r.onOp("Min", 1, importVariadic<MinOp>);
  r.onOp("Sum", 1, importVariadic<AddOp>);
  r.onOp("Mean", 1, importMean);
  r.onOp("And", 1, importBinary<AndOp>);
  r.onOp("Or", 1, importBinary<OrOp>);
  r.onOp("Xor", 1, importBinary<XorOp>);
  r.onOp("BitCast", 26, importBitCast);
  r.onOp("BitShift", 11, importBitShift);
  r.onOp("IsInf", 10, importIsInf);
  r.onOp("Shrink", 9, importShrink);
  r.onOp("BitwiseAnd", 18, importBinary<BitwiseAndOp>);
  r.onOp("BitwiseOr", 18, importBinary<BitwiseOrOp>);
  r.onOp("BitwiseXor", 18, importBinary<BitwiseXorOp>);
  r.onOp("Equal", 1, importBinary<EqualOp>);
  r.onOp("Greater", 1, importBinary<GreaterOp>);
  r.onOp("GreaterOrEqual", 12, importBinary<GreaterOrEqualOp>);
  r.onOp("Less", 1, importBinary<LessOp>);
  r.onOp("LessOrEqual", 12, importBinary<LessOrEqualOp>);
  r.onOp("Where", 9, importWhere);
}
