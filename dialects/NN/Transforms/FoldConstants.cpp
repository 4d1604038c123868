//===- FoldConstants.cpp - evaluate operators on constants ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Interpreter/Interpreter.h"
#include "nn/Support/Activity.h"
#include "nn/Support/Constants.h"

namespace mlir::nn {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {

int64_t getNumBytes(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  Type element = tensor.getElementType();
  unsigned bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  return tensor.getNumElements() * llvm::divideCeil(bits, 8);
}

struct FoldConstantsPass : nn::impl::FoldConstantsBase<FoldConstantsPass> {
  using FoldConstantsBase::FoldConstantsBase;

  void runOnOperation() override {
    // One pass in program order folds operands before their users.
    getOperation()->walk([&](Operation *op) { fold(op); });
  }

  /// True for an elementwise operator on splats only: its result is a splat, determined
  /// by one element.
  static bool isSplatOnly(Operation *op, ArrayRef<ElementsAttr> constants) {
    return isa<ElementwiseOpInterface>(op) &&
           llvm::all_of(constants, [](ElementsAttr constant) {
             return constant.isSplat();
           });
  }

  /// Interprets an elementwise operator on one element.
  static LogicalResult interpretElement(Operation *op, ArrayRef<HostTensor> operands,
                                        HostTensors &results, std::string &error) {
    Operation *scalar = op->clone();
    for (Value result : scalar->getResults())
      result.setType(cast<RankedTensorType>(result.getType()).clone(ArrayRef<int64_t>{}));
    LogicalResult outcome = interpretOp(scalar, operands, results, error);
    scalar->erase();
    return outcome;
  }

  /// True for a cast of half floats to f32, their compute type, and for
  /// dequantizations: larger weights cost less than a conversion in each run.
  static bool isWidening(Operation *op) {
    if (isa<DequantizeOp>(op))
      return true;
    auto cast = dyn_cast<CastOp>(op);
    return cast && cast.getType().getElementType().isF32() &&
           isa<Float16Type, BFloat16Type>(cast.getInput().getType().getElementType());
  }

  void replace(Operation *op, ValueRange replacements) {
    inheritProvenance(op, replacements);
    op->replaceAllUsesWith(replacements);
    // Its constants may be large and now unused; canonicalization erases them.
    op->erase();
    ++numFolded;
  }

  /// Matrices that products read stay integers: there are kernels that compute with those.
  static bool staysInteger(Operation *op) {
    auto dequantize = dyn_cast<DequantizeOp>(op);
    if (!dequantize)
      return false;
    RankedTensorType type = dequantize.getType(), integers = dequantize.getInput().getType();
    return type.getRank() == 2 && type.getNumElements() > maxDenseElements &&
           isa<IntegerType>(integers.getElementType()) &&
           integers.getElementTypeBitWidth() <= 8 &&
           llvm::all_of(op->getUses(), [](OpOperand &use) {
             return isa<MatMulOp>(use.getOwner()) && use.getOperandNumber() == 1;
           });
  }

  ElementsAttr makeDequantized(DequantizeOp op, ArrayRef<ElementsAttr> constants) {
    RankedTensorType type = op.getType();
    int64_t axis = op.getScale().getType().getRank() == 0
                       ? 0
                       : shapes::normalizeAxis(op.getAxis(), type.getRank());
    return DequantizedAttr::getChecked(
        [] { return InFlightDiagnostic(); }, &getContext(), cast<ShapedType>(type),
        constants[0], constants[1], op.getZeroPoint() ? constants[2] : ElementsAttr(), axis,
        int64_t(op.getBlockSize()));
  }

  void fold(Operation *op) {
    if (!isa_and_nonnull<NNDialect>(op->getDialect()) ||
        isa<ConstantOp>(op) || (keepQuantized && isa<DequantizeOp>(op)) ||
        op->getNumResults() == 0 ||
        op->getNumRegions() != 0 || !canInterpret(op))
      return;
    SmallVector<ElementsAttr> constants;
    int64_t inputBytes = 0, outputBytes = 0;
    for (Value operand : op->getOperands()) {
      auto constant = operand.getDefiningOp<ConstantOp>();
      if (!constant)
        return;
      constants.push_back(constant.getValue());
      inputBytes += getNumBytes(operand.getType());
    }
    for (Type type : op->getResultTypes()) {
      if (!cast<RankedTensorType>(type).hasStaticShape())
        return;
      outputBytes += getNumBytes(type);
    }
    bool splat = isSplatOnly(op, constants);
    OpBuilder builder(op);
    if (staysInteger(op)) {
      // Of half floats, once these have become f32.
      Type element = getElementTypeOrSelf(op->getResult(0));
      if (element.isF16() || element.isBF16())
        return;
      if (ElementsAttr value = makeDequantized(cast<DequantizeOp>(op), constants))
        return replace(op, ConstantOp::create(builder, op->getLoc(), value)->getResults());
    }
    // Results that are larger are better computed at run time.
    if (!splat && !isWidening(op) && outputBytes > std::max<int64_t>(inputBytes, maxGrowthBytes)) {
      ++numTooLarge;
      return;
    }
    HostTensors operands, results;
    for (ElementsAttr constant : constants) {
      FailureOr<HostTensor> tensor =
          splat ? toHostTensor(DenseElementsAttr::get(
                      RankedTensorType::get({}, constant.getElementType()),
                      constant.getSplatValue<Attribute>()))
                : toHostTensor(constant);
      if (failed(tensor))
        return;
      operands.push_back(*tensor);
    }
    setCurrentNode(op->getLoc());
    std::string error;
    if (failed(splat ? interpretElement(op, operands, results, error)
                     : interpretOp(op, operands, results, error)))
      return;
    SmallVector<Value> replacements;
    for (auto [result, tensor] : llvm::zip(op->getResults(), results)) {
      auto type = cast<RankedTensorType>(result.getType());
      ElementsAttr value = makeConstantAttr(&getContext(), tensor, type.getElementType());
      if (splat)
        value = DenseElementsAttr::get(type, value.getSplatValue<Attribute>());
      if (value.getShapedType() != type)
        return;
      replacements.push_back(ConstantOp::create(builder, op->getLoc(), value));
    }
    replace(op, replacements);
  }
};
} // namespace
