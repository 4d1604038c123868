//===- StoreSmallTypes.cpp - small element types as bytes -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Support/Constants.h"

namespace mlir::nn {
#define GEN_PASS_DEF_STORESMALLTYPES
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

static bool isSmall(Type elementType) { return bool(getStorageOfSmallType(elementType)); }

/// The tensor type that stores a tensor of a small type in bytes; null for other types.
static Type getStored(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  Type storage = tensor ? getStorageOfSmallType(tensor.getElementType()) : Type();
  return storage ? tensor.clone(storage) : Type();
}

/// The bytes of a constant.
static ElementsAttr getStored(ElementsAttr value) {
  Type storage = getStorageOfSmallType(value.getElementType());
  FailureOr<HostTensor> tensor = toHostTensor(value);
  if (failed(tensor))
    return {};
  return makeConstantAttr(value.getContext(),
                          tensor->withType(getStorageType(tensor->getType())), storage);
}

namespace {
/// Makes what replaces a conversion, at its place, from bytes to bytes; `from` and
/// `to` are the types that it had.
struct Conversion {
  Conversion(Operation *op, Type from, Type to)
      : builder(op), loc(op->getLoc()), from(from), to(to) {}

  static Type getElement(Value value) { return getElementTypeOrSelf(value.getType()); }

  Value castTo(Value value, Type type) {
    return getElement(value) == type ? value
                                     : CastOp::create(builder, loc, value, type);
  }

  Value number(int64_t value, Type type) {
    auto attr = DenseElementsAttr::get(RankedTensorType::get({}, type),
                                       APInt(8, uint64_t(value)));
    return ConstantOp::create(builder, loc, attr);
  }

  /// The lowest bits of bytes, as a sign-extended integer of that width.
  Value wrap(Value value) {
    unsigned width = to.getIntOrFloatBitWidth();
    Type type = getElement(value);
    if (to.isUnsignedInteger() || isa<FloatType>(to))
      return BitwiseAndOp::create(builder, loc, value, number((1 << width) - 1, type));
    Value unused = number(8 - width, type);
    value = BitShiftOp::create(builder, loc, value, unused, /*left=*/true);
    return BitShiftOp::create(builder, loc, value, unused, /*left=*/false);
  }

  Value convert(CastOp op) {
    Value value = op.getInput();
    if (isSmall(from) && isa<FloatType>(from))
      value = DecodeFloatOp::create(builder, loc, value, from);
    if (!isSmall(to))
      return castTo(value, to);
    if (isa<FloatType>(to)) {
      if (!isa<FloatType>(getElement(value)))
        value = castTo(value, builder.getF32Type());
      return EncodeFloatOp::create(builder, loc, value, to, op.getSaturate(),
                                   op.getRoundMode());
    }
    value = castTo(value, getStorageOfSmallType(to));
    return from.isInteger(1) ? value : wrap(value);
  }

  Value convert(BitcastOp op) {
    Type storage = isSmall(to) ? getStorageOfSmallType(to) : to;
    Value value = op.getInput();
    if (getElement(value) != storage)
      value = BitcastOp::create(builder, loc, value, storage);
    // Some types store small integers sign-extended, others do not.
    return to.getIntOrFloatBitWidth() < 8 && from != to ? wrap(value) : value;
  }

  OpBuilder builder;
  Location loc;
  Type from, to;
};

struct StoreSmallTypes : nn::impl::StoreSmallTypesBase<StoreSmallTypes> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    // The types of conversions, before any is rewritten.
    SmallVector<std::pair<Operation *, Conversion>> conversions;
    WalkResult walk = function.walk([&](Operation *op) {
      bool converts = isa<CastOp, BitcastOp>(op);
      if (!converts && !isa<QuantizeOp, DequantizeOp>(op))
        return WalkResult::advance();
      Type from = getElementTypeOrSelf(op->getOperand(0).getType());
      Type to = getElementTypeOrSelf(op->getResult(0).getType());
      if (!isSmall(from) && !isSmall(to))
        return WalkResult::advance();
      if (!converts) {
        op->emitOpError("of ") << (isSmall(to) ? to : from)
                               << " is left; run nn-decompose-quantization before";
        return WalkResult::interrupt();
      }
      conversions.push_back({op, Conversion(op, from, to)});
      return WalkResult::advance();
    });
    if (walk.wasInterrupted() || failed(storeValues(function)))
      return signalPassFailure();
    for (auto &[op, conversion] : conversions) {
      auto bitcast = dyn_cast<BitcastOp>(op);
      Value result = bitcast ? conversion.convert(bitcast)
                             : conversion.convert(cast<CastOp>(op));
      inheritProvenance(op, result);
      op->getResult(0).replaceAllUsesWith(result);
      op->erase();
    }
    storeSignature(function);
  }

  template <typename OpT> static bool storeValue(OpT op) {
    if (!isSmall(op.getValue().getElementType()))
      return true;
    ElementsAttr bytes = getStored(op.getValue());
    if (bytes)
      op.setValueAttr(bytes);
    return bool(bytes);
  }

  LogicalResult storeValues(func::FuncOp function) {
    auto store = [&](Value value) {
      Type type = getStored(value.getType());
      if (!type)
        return;
      value.setType(type);
      ++numStored;
    };
    WalkResult walk = function.walk([&](Operation *op) {
      for (Region &region : op->getRegions())
        for (BlockArgument argument : region.getArguments())
          store(argument);
      bool stored = true;
      if (auto constant = dyn_cast<ConstantOp>(op))
        stored = storeValue(constant);
      else if (auto fill = dyn_cast<ConstantOfShapeOp>(op))
        stored = storeValue(fill);
      if (!stored) {
        op->emitOpError("has a value that was released");
        return WalkResult::interrupt();
      }
      for (Value result : op->getResults())
        store(result);
      return WalkResult::advance();
    });
    return failure(walk.wasInterrupted());
  }

  void storeSignature(func::FuncOp function) {
    FunctionType type = function.getFunctionType();
    SmallVector<Type> inputs(type.getInputs()), results(type.getResults());
    StringRef name = "nn.stored_type";
    for (auto [i, input] : llvm::enumerate(inputs))
      if (Type stored = getStored(input)) {
        function.setArgAttr(i, name, TypeAttr::get(getElementTypeOrSelf(input)));
        input = stored;
      }
    for (auto [i, result] : llvm::enumerate(results))
      if (Type stored = getStored(result)) {
        function.setResultAttr(i, name, TypeAttr::get(getElementTypeOrSelf(result)));
        result = stored;
      }
    function.setFunctionType(FunctionType::get(&getContext(), inputs, results));
  }
};
} // namespace
