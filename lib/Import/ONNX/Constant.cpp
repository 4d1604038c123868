//===- Constant.cpp - import of constants and of operators that vanish ----===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Registry.h"
#include "ShapeMath.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// The canonical constant of a few values in memory.
template <typename T>
static ElementsAttr makeList(ArrayRef<int64_t> dims, ArrayRef<T> values, Type type) {
  AsmResourceBlob blob = HeapAsmResourceBlob::allocate(
      std::max<size_t>(values.size() * sizeof(T), 1), 64);
  std::copy(values.begin(), values.end(),
            reinterpret_cast<T *>(blob.getMutableData().data()));
  ArrayRef<char> data(blob.getData().data(), values.size() * sizeof(T));
  auto owner = std::make_shared<AsmResourceBlob>(std::move(blob));
  return makeConstantAttr(RankedTensorType::get(dims, type),
                          AsmResourceBlob(data, 16,
                                          [owner](void *, size_t, size_t) {}, false));
}

static LogicalResult importConstant(NodeBinder &node) {
  if (node.hasAttr("value_string")) {
    std::string value;
    if (node.attr("value_string", value, "").failed())
      return failure();
    return node.setOutput(node.constantString(value));
  }
  if (node.hasAttr("value_strings")) {
    SmallVector<std::string> values;
    if (node.attr("value_strings", values).failed())
      return failure();
    return node.setOutput(node.constantStrings(values));
  }
  Builder builder(node.getContext());
  Type f32 = builder.getF32Type(), i64 = builder.getI64Type();
  if (node.hasAttr("value_float")) {
    float value;
    if (node.attr("value_float", value, 0).failed())
      return failure();
    return node.setOutput(node.constant(makeList<float>({}, {value}, f32)));
  }
  if (node.hasAttr("value_int")) {
    int64_t value;
    if (node.attr("value_int", value, 0).failed())
      return failure();
    return node.setOutput(node.constant(makeList<int64_t>({}, {value}, i64)));
  }
  if (node.hasAttr("value_floats")) {
    SmallVector<float> values;
    if (node.attr("value_floats", values).failed())
      return failure();
    return node.setOutput(
        node.constant(makeList<float>({int64_t(values.size())}, values, f32)));
  }
  if (node.hasAttr("value_ints")) {
    SmallVector<int64_t> values;
    if (node.attr("value_ints", values).failed())
      return failure();
    return node.setOutput(
        node.constant(makeList<int64_t>({int64_t(values.size())}, values, i64)));
  }
  ElementsAttr value;
  if (node.hasAttr("sparse_value")) {
    if (node.sparseTensorAttr("sparse_value", value).failed())
      return failure();
    return node.setOutput(node.constant(value));
  }
  if (node.require(node.hasAttr("value"), "the constant has a value", "none", "")
          .tensorAttr("value", value).failed())
    return failure();
  return node.setOutput(node.constant(value));
}

static LogicalResult importConstantOfShape(NodeBinder &node) {
  Value shape;
  ElementsAttr value;
  if (node.operand("input", shape).tensorAttr("value", value).failed())
    return failure();
  if (!value)
    value = makeList<float>({1}, {0.0f}, Builder(node.getContext()).getF32Type());
  if (node.require(value.getNumElements() == 1, "attribute 'value' has one element",
                   Twine(value.getNumElements()), "1").failed())
    return failure();
  return node.replaceWith<ConstantOfShapeOp>(shape, value);
}

static LogicalResult importIdentity(NodeBinder &node) {
  Value input;
  if (node.anyOperand(input).require(bool(input), "the operand is given", "none", "").failed())
    return failure();
  return node.setOutput(input);
}

/// Column - row of the matrices in the last two dimensions.
static Value makeDiagonals(NodeBinder &node, Value matrices) {
  int64_t rank = cast<RankedTensorType>(matrices.getType()).getRank();
  Value rows = makeIota(node, matrices, rank - 2, 0, 2);
  Value columns = makeIota(node, matrices, rank - 1, 1, 2);
  return node.create<SubOp>(columns, rows);
}

static LogicalResult importEyeLike(NodeBinder &node) {
  Value input;
  int64_t k, dtype;
  if (node.onlyOperand(input).attr("k", k, 0).attr("dtype", dtype, 0).failed())
    return failure();
  auto type = cast<RankedTensorType>(input.getType());
  Type elementType = dtype ? getTensorElementType(node.getContext(), dtype)
                           : type.getElementType();
  if (node.require(type.getRank() == 2, "the input is a matrix",
                   "rank " + Twine(type.getRank()), "rank 2")
          .require(bool(elementType), "attribute 'dtype' is a supported type",
                   getDataTypeName(dtype), "", Remedy::ConvertType).failed())
    return failure();
  Value diagonals = makeDiagonals(node, input);
  Value isOne = node.create<EqualOp>(
      diagonals, node.constantScalar(double(k), IntegerType::get(node.getContext(), 64)));
  return elementType.isInteger(1) ? node.setOutput(isOne)
                                  : node.replaceWith<CastOp>(isOne, elementType);
}

/// The upper or lower triangle of matrices.
static LogicalResult importTrilu(NodeBinder &node) {
  Value input, k;
  bool upper;
  if (node.operand("input", input).optionalOperand("k", k)
          .attr("upper", upper, true).failed())
    return failure();
  auto type = cast<RankedTensorType>(input.getType());
  if (node.require(type.getRank() >= 2, "the input holds matrices",
                   "rank " + Twine(type.getRank()), "rank 2 or more").failed())
    return failure();
  k = k ? node.asScalar(k)
        : node.constantScalar(0, IntegerType::get(node.getContext(), 64));
  Value diagonals = makeDiagonals(node, input);
  Value isKept = upper ? node.create<GreaterOrEqualOp>(diagonals, k)
                       : node.create<LessOrEqualOp>(diagonals, k);
  Value zero = node.constantScalar(0, type.getElementType());
  return node.replaceWith<WhereOp>(isKept, input, zero);
}

void importer::registerConstant(Registry &r) {
  r.onOp("Constant", 1, importConstant);
  r.onOp("ConstantOfShape", 9, importConstantOfShape);
  r.onOp("EyeLike", 9, importEyeLike);
  r.onOp("Trilu", 14, importTrilu);
  r.onOp("Identity", 1, importIdentity);
}
