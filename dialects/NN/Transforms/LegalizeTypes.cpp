//===- LegalizeTypes.cpp - compute in f32 what is stored narrower ---------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "nn/Analysis/Provenance.h"

namespace mlir::nn {
#define GEN_PASS_DEF_LEGALIZETYPES
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
struct LegalizeTypes : nn::impl::LegalizeTypesBase<LegalizeTypes> {
  using LegalizeTypesBase::LegalizeTypesBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    SmallVector<std::string> names(storageTypes.begin(), storageTypes.end());
    if (names.empty())
      names = {"f16", "bf16"};
    narrow.clear();
    for (const std::string &name : names) {
      if (name == "f16")
        narrow.push_back(Float16Type::get(&getContext()));
      else if (name == "bf16")
        narrow.push_back(BFloat16Type::get(&getContext()));
      else {
        function.emitError("unknown storage type '")
            << name << "' (known: f16, bf16)";
        return signalPassFailure();
      }
    }
    OpBuilder builder(&getContext());

    // Everything that a region gets from outside and everything computed is f32.
    SmallVector<Operation *> ops;
    DenseMap<Operation *, Type> readAs;
    function.walk([&](Operation *op) {
      ops.push_back(op);
      if (auto bitcast = dyn_cast<BitcastOp>(op))
        readAs[op] = getElementTypeOrSelf(bitcast.getInput().getType());
    });
    for (Operation *op : ops) {
      if (op == function)
        continue;
      if (auto constant = dyn_cast<ConstantOp>(op)) {
        if (getWide(constant.getType())) {
          builder.setInsertionPointAfter(constant);
          widen(builder, constant.getResult());
        }
        continue;
      }
      if (auto cast = dyn_cast<CastOp>(op); cast && rounds(cast)) {
        builder.setInsertionPointAfter(cast);
        copyOrigins(cast, widen(builder, cast.getResult()));
        continue;
      }
      if (auto bitcast = dyn_cast<BitcastOp>(op)) {
        // Its bits are those of the narrow type.
        builder.setInsertionPoint(bitcast);
        if (llvm::is_contained(narrow, readAs[op]))
          bitcast.getInputMutable().assign(
              CastOp::create(builder, op->getLoc(), bitcast.getInput(), readAs[op]));
        builder.setInsertionPointAfter(bitcast);
        if (getWide(bitcast.getType()))
          copyOrigins(bitcast, widen(builder, bitcast.getResult()));
        continue;
      }
      for (Region &region : op->getRegions())
        for (BlockArgument argument : region.getArguments())
          if (Type type = getWide(argument.getType()))
            argument.setType(type);
      bool changed = false;
      for (Value result : op->getResults())
        if (Type type = getWide(result.getType())) {
          result.setType(type);
          changed = true;
        }
      if (!changed)
        continue;
      ++numWidened;
      if (auto cast = dyn_cast<CastOp>(op))
        cast.setTo(builder.getF32Type());
      else if (auto fill = dyn_cast<ConstantOfShapeOp>(op))
        fill.setValueAttr(widenElement(fill.getValue()));
    }

    builder.setInsertionPointToStart(&function.front());
    for (BlockArgument argument : function.getArguments())
      if (getWide(argument.getType()))
        widen(builder, argument);

    // The signature is unchanged.
    function.walk([&](func::ReturnOp terminator) {
      builder.setInsertionPoint(terminator);
      for (auto [index, type] :
           llvm::enumerate(function.getFunctionType().getResults())) {
        Value value = terminator.getOperand(index);
        auto ranked = dyn_cast<RankedTensorType>(type);
        if (!ranked || !getWide(type) ||
            cast<RankedTensorType>(value.getType()).getElementType() ==
                ranked.getElementType())
          continue;
        if (Value moved = moveNarrow(builder, value, ranked.getElementType())) {
          terminator.setOperand(index, moved);
          continue;
        }
        auto narrowed = CastOp::create(builder, value.getLoc(), value,
                                       ranked.getElementType());
        copyOrigins(value, narrowed);
        terminator.setOperand(index, narrowed);
      }
    });
  }

  /// The type with f32 elements; null if it need not change.
  Type getWide(Type type) {
    auto ranked = dyn_cast<RankedTensorType>(type);
    if (!ranked || !llvm::is_contained(narrow, ranked.getElementType()))
      return {};
    return ranked.clone(Float32Type::get(&getContext()));
  }

  /// Whether the model asks for rounding: to a narrow type from a more precise one.
  bool rounds(CastOp cast) {
    Type from = getElementTypeOrSelf(cast.getInput().getType());
    return getWide(cast.getType()) &&
           !(isa<IntegerType>(from) && from.getIntOrFloatBitWidth() <= 8);
  }

  CastOp widen(OpBuilder &builder, Value value) {
    auto wide = CastOp::create(builder, value.getLoc(), value,
                               Float32Type::get(&getContext()));
    value.replaceAllUsesExcept(wide, wide);
    return wide;
  }

  /// `value` in the narrow type, if nothing but moves of elements happened to it since it was
  /// widened; else null.
  Value moveNarrow(OpBuilder &builder, Value value, Type type) {
    Operation *op = value.getDefiningOp();
    if (auto cast = dyn_cast_or_null<CastOp>(op))
      return getElementTypeOrSelf(cast.getInput()) == type ? cast.getInput() : Value();
    if (!isa_and_nonnull<ReshapeOp, TransposeOp, SqueezeOp, UnsqueezeOp, SliceOp, ExpandOp,
                         DepthToSpaceOp, SpaceToDepthOp>(op))
      return {};
    Value input = moveNarrow(builder, op->getOperand(0), type);
    if (!input)
      return {};
    Operation *moved = builder.clone(*op);
    moved->setOperand(0, input);
    moved->getResult(0).setType(cast<RankedTensorType>(value.getType()).clone(type));
    return moved->getResult(0);
  }

  ElementsAttr widenElement(ElementsAttr attr) {
    APFloat number = *attr.value_begin<APFloat>();
    bool losesInfo;
    number.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
    return DenseElementsAttr::get(
        cast<ShapedType>(getWide(attr.getType())), number);
  }

  /// The narrowed value is also the ONNX tensor.
  static void copyOrigins(Value from, CastOp to) {
    SmallVector<OriginAttr> copies;
    for (OriginAttr origin : getOrigins(from))
      copies.push_back(OriginAttr::get(to.getContext(), 0, origin.getTensor(),
                                       origin.getPermutation()));
    setOrigins(to, copies);
  }

  SmallVector<Type> narrow;
};
} // namespace
