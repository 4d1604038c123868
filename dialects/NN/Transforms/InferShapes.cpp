//===- InferShapes.cpp - make types as static as the inputs allow ---------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "nn/Analysis/SymbolicDims.h"
#include "nn/Support/Sizes.h"

namespace mlir::nn {
#define GEN_PASS_DEF_INFERSHAPES
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

/// The type with the sizes that are known; null if it holds them already, or would be
/// of an impossible size, which the run finds out.
static RankedTensorType getRefinedType(SymbolicDims &env, Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.hasStaticShape())
    return {};
  SmallVector<int64_t> shape(type.getShape());
  for (auto [size, dim] : llvm::zip(shape, env.getDims(value)))
    if (auto known = dyn_cast<AffineConstantExpr>(dim);
        known && ShapedType::isDynamic(size) && known.getValue() >= 0)
      size = known.getValue();
  return shape == type.getShape() || !isReasonableShape(shape)
             ? RankedTensorType()
             : type.clone(shape);
}

namespace {
struct InferShapes : nn::impl::InferShapesBase<InferShapes> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    SymbolicDims env(function);
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      // The results of a fusion follow from its body, so infer the body's arguments
      // first.
      if (auto fusion = dyn_cast<FusionOp>(op))
        for (auto [argument, input] : llvm::zip(
                 fusion.getBody().getArguments(), fusion.getInputs()))
          argument.setType(input.getType());
      if (!isa<ShapeOpInterface, FusionOp>(op))
        return;
      for (Value result : op->getResults())
        if (RankedTensorType type = getRefinedType(env, result))
          refine(result, type);
    });
    updateFunctionType(function);
  }

  /// True if the operation accepts a more static operand.
  static bool acceptsRefined(Operation *user) {
    return isa<NNDialect>(user->getDialect()) ||
           isa<tensor::DimOp, tensor::ExtractOp, func::ReturnOp>(user);
  }

  void refine(Value value, RankedTensorType type) {
    ++numRefined;
    Type old = value.getType();
    value.setType(type);
    if (llvm::all_of(value.getUsers(), acceptsRefined))
      return;
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(value);
    auto cast = tensor::CastOp::create(builder, value.getLoc(), old, value);
    value.replaceUsesWithIf(cast.getResult(), [&](OpOperand &use) {
      return use.getOwner() != cast && !acceptsRefined(use.getOwner());
    });
  }

  void updateFunctionType(func::FuncOp function) {
    if (function.getBody().getBlocks().size() != 1)
      return;
    auto terminator =
        dyn_cast<func::ReturnOp>(function.getBody().front().getTerminator());
    if (terminator)
      function.setType(
          FunctionType::get(&getContext(), function.getArgumentTypes(),
                            terminator.getOperandTypes()));
  }
};
} // namespace
