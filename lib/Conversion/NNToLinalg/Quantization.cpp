//===- Quantization.cpp - quantization to linalg --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorEmitter.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::nn;

namespace {
/// Reads the scale or zero point of the current element, per tensor, axis or block.
struct Parameter {
  Parameter(TensorEmitter &e, Value parameter, Value input, int64_t axis,
            int64_t blockSize)
      : tensor(e.signless(parameter)), axis(axis), blockSize(blockSize) {
    int64_t rank = TensorEmitter::getRank(input);
    int64_t own = TensorEmitter::getRank(parameter);
    isBlocked = blockSize > 0 && own == rank && own > 0;
    if (isBlocked) {
      Size blocks = e.ceilDiv(e.getDim(input, axis), e.size(blockSize));
      e.checkEqual(e.getDim(parameter, axis), blocks,
                   "scales do not fit the blocks");
      return;
    }
    if (own == 1)
      e.checkSameDim(parameter, 0, input, axis, "scales do not fit the axis");
    map = own == 1 ? e.select(rank, {axis}) : e.select(rank, {});
  }

  /// The element: an argument of the body, or read from its block.
  Value read(OpBuilder &b, Location l, ValueRange arguments, int64_t index,
             int64_t rank) const {
    if (!isBlocked)
      return arguments[index];
    SmallVector<Value> indices;
    for (int64_t i = 0; i < rank; ++i) {
      Value at = linalg::IndexOp::create(b, l, i);
      if (i == axis)
        at = arith::DivUIOp::create(
            b, l, at, arith::ConstantIndexOp::create(b, l, blockSize));
      indices.push_back(at);
    }
    return tensor::ExtractOp::create(b, l, tensor, indices);
  }

  Value tensor;
  int64_t axis, blockSize;
  bool isBlocked = false;
  AffineMap map;
};

/// The inputs of a linalg operation for data, scale and zero point.
struct Operands {
  template <typename OpTy> Operands(TensorEmitter &e, OpTy op) {
    Value input = op.getInput();
    rank = TensorEmitter::getRank(input);
    int64_t axis = normalizeAxis(op.getAxis(), rank);
    int64_t blockSize = op.getBlockSize();
    inputs.push_back(e.signless(input));
    maps.push_back(e.identity(rank));
    for (Value parameter : {Value(op.getScale()), Value(op.getZeroPoint())}) {
      if (!parameter)
        continue;
      places.push_back(inputs.size());
      parameters.emplace_back(e, parameter, input, axis, blockSize);
      if (parameters.back().isBlocked)
        continue;
      inputs.push_back(parameters.back().tensor);
      maps.push_back(parameters.back().map);
    }
  }
  /// 0: scale, 1: zero point.
  Value read(OpBuilder &b, Location l, ValueRange arguments, int64_t which) {
    return parameters[which].read(b, l, arguments, places[which], rank);
  }
  bool hasZeroPoint() const { return parameters.size() > 1; }

  int64_t rank;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  SmallVector<Parameter> parameters;
  SmallVector<int64_t> places;
};

struct LowerQuantize : LinalgPattern<QuantizeOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(QuantizeOp op, TensorEmitter &e) const override {
    Operands operands(e, op);
    auto to = cast<IntegerType>(TensorEmitter::getElement(op.getResult()));
    bool toUnsigned = TensorEmitter::isUnsigned(op.getResult());
    bool fromUnsigned = TensorEmitter::isUnsigned(op.getInput());
    // The limits of 32-bit integers cannot be represented in f32.
    bool isWide =
        to.getWidth() > 16 || TensorEmitter::getElement(op.getScale()).isF64();
    Type type = isWide ? Type(e.rewriter.getF64Type()) : Type(e.rewriter.getF32Type());
    unsigned width = to.getWidth();
    double low = toUnsigned ? 0 : -std::ldexp(1.0, width - 1);
    double high = std::ldexp(1.0, toUnsigned ? width : width - 1) - 1;
    Value result = e.map(
        e.getDims(operands.inputs[0]), to, operands.inputs, operands.maps,
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value x = emitCast(b, l, args[0], type, fromUnsigned, false);
          Value scale = operands.read(b, l, args, 0);
          scale = emitCast(b, l, scale, type, false, false);
          x = math::RoundEvenOp::create(b, l,
                                        arith::DivFOp::create(b, l, x, scale));
          if (operands.hasZeroPoint()) {
            Value zero = operands.read(b, l, args, 1);
            x = arith::AddFOp::create(
                b, l, x, emitCast(b, l, zero, type, toUnsigned, false));
          }
          // NaN becomes the lowest number.
          x = arith::MaxNumFOp::create(b, l, x, emitConstant(b, l, type, low));
          x = arith::MinNumFOp::create(b, l, x, emitConstant(b, l, type, high));
          return emitCast(b, l, x, to, false, toUnsigned);
        });
    return e.replace({result});
  }
};

struct LowerDequantize : LinalgPattern<DequantizeOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(DequantizeOp op, TensorEmitter &e) const override {
    Operands operands(e, op);
    bool isUnsigned = TensorEmitter::isUnsigned(op.getInput());
    Type elementType = TensorEmitter::getElement(op.getResult());
    Type type = getComputeType(elementType);
    // The difference is exact in a wider integer.
    unsigned width = TensorEmitter::getElement(op.getInput()).getIntOrFloatBitWidth();
    Type wide = e.rewriter.getIntegerType(width < 32 ? 32 : 64);
    Value result = e.map(
        e.getDims(operands.inputs[0]), elementType, operands.inputs,
        operands.maps, [&](OpBuilder &b, Location l, ValueRange args) {
          Value x = emitCast(b, l, args[0], wide, isUnsigned, false);
          if (operands.hasZeroPoint()) {
            Value zero = operands.read(b, l, args, 1);
            x = arith::SubIOp::create(
                b, l, x, emitCast(b, l, zero, wide, isUnsigned, false));
          }
          Value real = emitCast(b, l, x, type, false, false);
          Value scale = operands.read(b, l, args, 0);
          scale = emitCast(b, l, scale, type, false, false);
          return emitCast(b, l, arith::MulFOp::create(b, l, real, scale),
                          elementType, false, false);
        });
    return e.replace({result});
  }
};
} // namespace

void nn::populateQuantizationToLinalg(RewritePatternSet &patterns,
                                      SymbolicDims &symbols) {
  patterns.add<LowerQuantize, LowerDequantize>(patterns.getContext(), symbols);
}
