//===- Scalars.cpp - index arithmetic and scalars in ONNX -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Indices are int64, and scalars are tensors of rank 0.
//
//===----------------------------------------------------------------------===//

#include "Registry.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

static LogicalResult writeScalarConstant(arith::ConstantOp op, NodeWriter &w) {
  Attribute value = op.getValue();
  if (auto elements = dyn_cast<ElementsAttr>(value))
    return w.setResult(w.constant(elements));
  HostTensor scalar = HostTensor::allocate(*getDataType(op.getType()), {});
  if (auto number = dyn_cast<FloatAttr>(value))
    scalar.setDouble(0, number.getValueAsDouble());
  else
    scalar.setInt(0, op.getType().isInteger(1) ? cast<BoolAttr>(value).getValue()
                                               : cast<IntegerAttr>(value).getInt());
  return w.setResult(w.constant(scalar));
}

/// Between integers; to and from indices, which are int64.
template <typename OpT> static LogicalResult writeConversion(OpT op, NodeWriter &w) {
  Name from = w.get(op.getIn());
  DataType to = *getDataType(getElementTypeOrSelf(op.getType()));
  if (getDataType(getElementTypeOrSelf(op.getIn().getType())) == to)
    return w.setResult(from);
  return w.replaceWith("Cast", {from}, {MakeAttribute("to", int64_t(to))});
}

/// Rounds down or up, where ONNX's Div of integers drops what is behind the point.
template <typename OpT> static LogicalResult writeRoundedDiv(OpT op, NodeWriter &w) {
  Name lhs = w.get(op.getLhs()), rhs = w.get(op.getRhs());
  constexpr bool isUp = std::is_same_v<OpT, arith::CeilDivSIOp>;
  if (isUp)
    lhs = w.create("Neg", {lhs});
  // Has the sign of the divisor.
  Name rest = w.create("Mod", {lhs, rhs});
  Name multiple = w.create("Sub", {lhs, rest});
  if (!isUp)
    return w.replaceWith("Div", {multiple, rhs});
  return w.replaceWith("Neg", {w.create("Div", {multiple, rhs})});
}

static LogicalResult writeRemainder(arith::RemSIOp op, NodeWriter &w) {
  return w.replaceWith("Mod", w.getOperands(), {MakeAttribute("fmod", int64_t(1))});
}

/// The logical operator for bools, else the one for bits.
template <typename OpT> static LogicalResult writeBits(OpT op, NodeWriter &w) {
  StringRef name = std::is_same_v<OpT, arith::AndIOp>  ? "And"
                   : std::is_same_v<OpT, arith::OrIOp> ? "Or"
                                                       : "Xor";
  bool isBool = getElementTypeOrSelf(op.getType()).isInteger(1);
  return w.replaceWith(isBool ? name.str() : "Bitwise" + name.str(), w.getOperands());
}

static LogicalResult writeComparison(arith::CmpIOp op, NodeWriter &w) {
  using Predicate = arith::CmpIPredicate;
  switch (op.getPredicate()) {
  case Predicate::eq:
    return w.replaceWith("Equal", w.getOperands());
  case Predicate::ne:
    return w.replaceWith("Not", {w.create("Equal", w.getOperands())});
  case Predicate::slt:
    return w.replaceWith("Less", w.getOperands());
  case Predicate::sle:
    return w.replaceWith("LessOrEqual", w.getOperands());
  case Predicate::sgt:
    return w.replaceWith("Greater", w.getOperands());
  case Predicate::sge:
    return w.replaceWith("GreaterOrEqual", w.getOperands());
  default:
    return w.fail("ONNX's signed integers are not compared as unsigned ones");
  }
}

/// ONNX broadcasts, so that tensors of unknown sizes could become larger.
static LogicalResult writeSelect(arith::SelectOp op, NodeWriter &w) {
  auto type = dyn_cast<RankedTensorType>(op.getType());
  if (type && !type.hasStaticShape())
    return w.fail("it chooses between tensors of unknown sizes");
  if (getElementTypeOrSelf(op.getType()).isInteger(1)) {
    // ONNX Runtime has no Where of bools.
    SmallVector<Name> operands = w.getOperands();
    Name first = w.create("And", {operands[0], operands[1]});
    Name second = w.create("And", {w.create("Not", {operands[0]}), operands[2]});
    return w.replaceWith("Or", {first, second});
  }
  return w.replaceWith("Where", w.getOperands());
}

//===----------------------------------------------------------------------===//
// Scalars and tensors
//===----------------------------------------------------------------------===//

static LogicalResult writeTensorCast(tensor::CastOp op, NodeWriter &w) {
  return w.setResult(w.get(op.getSource()));
}

static LogicalResult writeDim(tensor::DimOp op, NodeWriter &w) {
  Name source = w.get(op.getSource());
  if (std::optional<int64_t> index = op.getConstantIndex()) {
    Name size = w.create("Shape", {source}, {MakeAttribute("start", *index),
                                             MakeAttribute("end", *index + 1)});
    return w.replaceWith("Squeeze", {size, w.list({0})});
  }
  Name shape = w.create("Shape", {source});
  return w.replaceWith("Gather", {shape, w.get(op.getIndex())});
}

/// Scalars as one list.
static Name makeList(NodeWriter &w, ValueRange scalars) {
  SmallVector<Name> parts;
  for (Value scalar : scalars)
    parts.push_back(w.create("Unsqueeze", {w.get(scalar), w.list({0})}));
  if (parts.size() == 1)
    return parts[0];
  return w.create("Concat", parts, {MakeAttribute("axis", int64_t(0))});
}

static LogicalResult writeExtract(tensor::ExtractOp op, NodeWriter &w) {
  Name source = w.get(op.getTensor());
  if (op.getIndices().empty())
    return w.setResult(source);
  if (op.getIndices().size() == 1)
    return w.replaceWith("Gather", {source, w.get(op.getIndices()[0])});
  return w.replaceWith("GatherND", {source, makeList(w, op.getIndices())});
}

static LogicalResult writeFromElements(tensor::FromElementsOp op, NodeWriter &w) {
  ArrayRef<int64_t> shape = getType(op.getResult()).getShape();
  if (shape.empty())
    return w.setResult(w.get(op.getElements()[0]));
  if (op.getElements().empty())
    return w.setResult(w.constant(HostTensor::allocate(
        *getDataType(getType(op.getResult()).getElementType()), shape)));
  if (shape.size() == 1 && shape[0] == 1)
    return w.replaceWith("Unsqueeze", {w.get(op.getElements()[0]), w.list({0})});
  return w.replaceWith("Reshape", {makeList(w, op.getElements()), w.list(shape)});
}

/// Sizes, of which some are values.
static Name makeSizes(NodeWriter &w, ArrayRef<OpFoldResult> sizes) {
  SmallVector<Name> parts;
  for (OpFoldResult size : sizes) {
    if (std::optional<int64_t> known = getConstantIntValue(size))
      parts.push_back(w.list({*known}));
    else
      parts.push_back(w.create("Unsqueeze", {w.get(cast<Value>(size)), w.list({0})}));
  }
  if (parts.empty())
    return w.list({});
  if (parts.size() == 1)
    return parts[0];
  return w.create("Concat", parts, {MakeAttribute("axis", int64_t(0))});
}

/// Zeros, as good as any content.
static LogicalResult writeEmpty(tensor::EmptyOp op, NodeWriter &w) {
  onnx::TensorProto zero;
  DataType type = *getDataType(op.getType().getElementType());
  zero.set_data_type(int32_t(type));
  zero.add_dims(1);
  zero.set_raw_data(std::string(getPackedBytes(type, 1), '\0'));
  return w.replaceWith("ConstantOfShape", {makeSizes(w, op.getMixedSizes())},
                       {MakeAttribute("value", zero)});
}

/// One entry of the leading dimension, as loops put in what they collect.
static LogicalResult writeInsertSlice(tensor::InsertSliceOp op, NodeWriter &w) {
  RankedTensorType source = op.getSourceType(), to = op.getDestType();
  auto isZero = [](OpFoldResult offset) { return getConstantIntValue(offset) == 0; };
  auto isOne = [](OpFoldResult stride) { return getConstantIntValue(stride) == 1; };
  bool isEntry = source.getRank() + 1 == to.getRank() &&
                 source.getShape() == to.getShape().drop_front() &&
                 source.hasStaticShape() && isOne(op.getMixedSizes().front()) &&
                 llvm::all_of(op.getMixedOffsets(), [&](OpFoldResult offset) {
                   return isZero(offset) || offset == op.getMixedOffsets().front();
                 }) &&
                 llvm::all_of(op.getMixedStrides(), isOne);
  if (!isEntry)
    return w.fail("it does not put in one entry of the leading dimension");
  Name place = makeSizes(w, op.getMixedOffsets().front());
  Name entry = w.create("Unsqueeze", {w.get(op.getSource()), w.list({0})});
  return w.replaceWith("ScatterND", {w.get(op.getDest()), w.reshape(place, {1, 1}), entry});
}

void exporter::registerScalars(Registry &r) {
  r.onOp<arith::AddIOp>("Add", [](arith::AddIOp op, NodeWriter &w) {
    return w.replaceWith("Add", w.getOperands());
  });
  r.onOp<arith::AndIOp>("And, BitwiseAnd", writeBits<arith::AndIOp>);
  r.onOp<arith::CeilDivSIOp>("Mod, Div, Neg", writeRoundedDiv<arith::CeilDivSIOp>);
  r.onOp<arith::CmpIOp>("Equal, Less, Greater, ...", writeComparison);
  r.onOp<arith::ConstantOp>("an initializer", writeScalarConstant);
  r.onOp<arith::DivSIOp>("Div");
  r.onOp<arith::ExtSIOp>("Cast", writeConversion<arith::ExtSIOp>);
  r.onOp<arith::ExtUIOp>("Cast", writeConversion<arith::ExtUIOp>);
  r.onOp<arith::FloorDivSIOp>("Mod, Div", writeRoundedDiv<arith::FloorDivSIOp>);
  r.onOp<arith::IndexCastOp>("Cast", writeConversion<arith::IndexCastOp>);
  r.onOp<arith::IndexCastUIOp>("Cast", writeConversion<arith::IndexCastUIOp>);
  r.onOp<arith::MaxSIOp>("Max");
  r.onOp<arith::MinSIOp>("Min");
  r.onOp<arith::MulIOp>("Mul", [](arith::MulIOp op, NodeWriter &w) {
    return w.replaceWith("Mul", w.getOperands());
  });
  r.onOp<arith::OrIOp>("Or, BitwiseOr", writeBits<arith::OrIOp>);
  r.onOp<arith::RemSIOp>("Mod", writeRemainder);
  r.onOp<arith::SelectOp>("Where", writeSelect);
  r.onOp<arith::SubIOp>("Sub", [](arith::SubIOp op, NodeWriter &w) {
    return w.replaceWith("Sub", w.getOperands());
  });
  r.onOp<arith::TruncIOp>("Cast", writeConversion<arith::TruncIOp>);
  r.onOp<arith::XOrIOp>("Xor, BitwiseXor", writeBits<arith::XOrIOp>);
  r.onOp<tensor::CastOp>("nothing", writeTensorCast);
  r.onOp<tensor::DimOp>("Shape", writeDim);
  r.onOp<tensor::EmptyOp>("ConstantOfShape", writeEmpty);
  r.onOp<tensor::ExtractOp>("Gather, GatherND", writeExtract);
  r.onOp<tensor::FromElementsOp>("Concat, Reshape", writeFromElements);
  r.onOp<tensor::InsertSliceOp>("ScatterND", writeInsertSlice);
}
