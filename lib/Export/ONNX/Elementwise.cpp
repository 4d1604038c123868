//===- Elementwise.cpp - elementwise operators in ONNX --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "dialects/NN/IR/NN.h"
#include "nn/Support/SmallFloat.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static LogicalResult writeBitShift(BitShiftOp op, NodeWriter &w) {
  std::string direction = op.getLeft() ? "LEFT" : "RIGHT";
  return w.replaceWith("BitShift", w.getOperands(), {MakeAttribute("direction", direction)});
}

/// The numbers of all bytes, as a table.
static LogicalResult writeDecodeFloat(DecodeFloatOp op, NodeWriter &w) {
  HostTensor table = HostTensor::allocate(DataType::Float32, {256});
  DataType format = *getDataType(op.getFormat());
  for (int64_t bits = 0; bits < 256; ++bits)
    table.setDouble(bits, decodeSmallFloat(format, uint8_t(bits)));
  Name places = w.convert(w.get(op.getInput()), IntegerType::get(op.getContext(), 32));
  return w.replaceWith("Gather", {w.constant(table), places});
}

static LogicalResult writeEncodeFloat(EncodeFloatOp op, NodeWriter &w) {
  DataType format = *getDataType(op.getFormat());
  if (isPacked(format))
    return w.fail("ONNX has no bytes of " + getName(format).str() +
                  "; write the module as it is before the phase 'legalize'");
  Attributes attributes;
  w.addAttribute(attributes, "to", op.getFormatAttr());
  w.addAttribute(attributes, "saturate", op.getSaturateAttr());
  w.addAttribute(attributes, "round_mode", op.getRoundModeAttr());
  Name small = w.create("Cast", {w.get(op.getInput())}, attributes);
  return w.replaceWith("BitCast", {small},
                       {MakeAttribute("to", int64_t(DataType::UInt8))});
}

/// ONNX broadcasts the slope to the input, but not the input to the slope.
static LogicalResult writePRelu(PReluOp op, NodeWriter &w) {
  Name input = w.get(op.getLhs());
  if (getType(op.getLhs()).getShape() != getType(op.getResult()).getShape())
    return w.fail("the slope is larger than the input");
  return w.replaceWith("PRelu", {input, w.get(op.getRhs())});
}

void exporter::registerElementwise(Registry &r) {
  r.onOp<AbsOp>("Abs");
  r.onOp<AcosOp>("Acos");
  r.onOp<AcoshOp>("Acosh");
  r.onOp<AddOp>("Add");
  r.onOp<AndOp>("And");
  r.onOp<AsinOp>("Asin");
  r.onOp<AsinhOp>("Asinh");
  r.onOp<AtanOp>("Atan");
  r.onOp<AtanhOp>("Atanh");
  r.onOp<BitShiftOp>("BitShift", writeBitShift);
  r.onOp<BitcastOp>("BitCast");
  r.onOp<BitwiseAndOp>("BitwiseAnd");
  r.onOp<BitwiseNotOp>("BitwiseNot");
  r.onOp<BitwiseOrOp>("BitwiseOr");
  r.onOp<BitwiseXorOp>("BitwiseXor");
  r.onOp<CastOp>("Cast");
  r.onOp<CeilOp>("Ceil");
  r.onOp<CeluOp>("Celu");
  r.onOp<ClipOp>("Clip");
  r.onOp<CosOp>("Cos");
  r.onOp<CoshOp>("Cosh");
  r.onOp<DecodeFloatOp>("Cast, Gather", writeDecodeFloat);
  r.onOp<DivOp>("Div");
  r.onOp<EluOp>("Elu");
  r.onOp<EncodeFloatOp>("Cast, BitCast", writeEncodeFloat);
  r.onOp<EqualOp>("Equal");
  r.onOp<ErfOp>("Erf");
  r.onOp<ExpOp>("Exp");
  r.onOp<FloorOp>("Floor");
  r.onOp<GeluOp>("Gelu");
  r.onOp<GreaterOp>("Greater");
  r.onOp<GreaterOrEqualOp>("GreaterOrEqual");
  r.onOp<HardSigmoidOp>("HardSigmoid");
  r.onOp<HardSwishOp>("HardSwish");
  r.onOp<IsInfOp>("IsInf");
  r.onOp<IsNaNOp>("IsNaN");
  r.onOp<LeakyReluOp>("LeakyRelu");
  r.onOp<LessOp>("Less");
  r.onOp<LessOrEqualOp>("LessOrEqual");
  r.onOp<LogOp>("Log");
  r.onOp<MaxOp>("Max");
  r.onOp<MinOp>("Min");
  r.onOp<MishOp>("Mish");
  r.onOp<ModOp>("Mod");
  r.onOp<MulOp>("Mul");
  r.onOp<NegOp>("Neg");
  r.onOp<NotOp>("Not");
  r.onOp<OrOp>("Or");
  r.onOp<PReluOp>("PRelu", writePRelu);
  r.onOp<PowOp>("Pow");
  r.onOp<ReciprocalOp>("Reciprocal");
  r.onOp<ReluOp>("Relu");
  r.onOp<RoundOp>("Round");
  r.onOp<SeluOp>("Selu");
  r.onOp<SigmoidOp>("Sigmoid");
  r.onOp<SignOp>("Sign");
  r.onOp<SinOp>("Sin");
  r.onOp<SinhOp>("Sinh");
  r.onOp<SoftplusOp>("Softplus");
  r.onOp<SoftsignOp>("Softsign");
  r.onOp<SqrtOp>("Sqrt");
  r.onOp<SubOp>("Sub");
  r.onOp<SwishOp>("Swish");
  r.onOp<TanOp>("Tan");
  r.onOp<TanhOp>("Tanh");
  r.onOp<ThresholdedReluOp>("ThresholdedRelu");
  r.onOp<WhereOp>("Where");
  r.onOp<XorOp>("Xor");
}
