//===- SimplifyQuantization.cpp - what moves data works on integers -------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "mlir/IR/Matchers.h"
#include "nn/Analysis/Provenance.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::nn {
#define GEN_PASS_DEF_SIMPLIFYQUANTIZATION
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

static RankedTensorType getTensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Operators that only select or move elements of their first operand.
static bool isMovement(Operation *op) {
  return isa<ReshapeOp, TransposeOp, SqueezeOp, UnsqueezeOp, SliceOp, ExpandOp>(op);
}

static DenseElementsAttr getSplat(Value value) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
    return {};
  return elements;
}

namespace {
/// The integers of one zero point and one scale, both known.
struct Parameters {
  double scale = 0;
  int64_t zeroPoint = 0;
  bool operator==(const Parameters &other) const {
    return scale == other.scale && zeroPoint == other.zeroPoint;
  }
};

struct SimplifyQuantization
    : nn::impl::SimplifyQuantizationBase<SimplifyQuantization> {
  void runOnOperation() override {
    moveDown();
    absorbTransposes();
    moveUp();
    getOperation().walk([&](QuantizeOp op) { makeUnsigned(op); });
    cancel();
  }

private:
  /// For 8-bit tensors with per-tensor quantization.
  template <typename OpT>
  static std::optional<Parameters> getParameters(OpT op, Value integers) {
    if (op.getBlockSize() != 0 ||
        !getTensorType(integers).getElementType().isInteger(8) ||
        getTensorType(op.getScale()).getRank() > 1 ||
        !getTensorType(op.getScale()).getElementType().isF32())
      return std::nullopt;
    DenseElementsAttr scale = getSplat(op.getScale());
    if (!scale || scale.getNumElements() != 1)
      return std::nullopt;
    Parameters parameters{double(scale.getSplatValue<float>())};
    if (!(parameters.scale > 0))
      return std::nullopt;
    if (!op.getZeroPoint())
      return parameters;
    DenseElementsAttr zero = getSplat(op.getZeroPoint());
    if (!zero)
      return std::nullopt;
    APInt number = zero.getSplatValue<APInt>();
    parameters.zeroPoint = zero.getElementType().isUnsignedInteger()
                               ? int64_t(number.getZExtValue())
                               : number.getSExtValue();
    return parameters;
  }

  /// A dequantization with known parameters.
  static DequantizeOp matchDequantize(Value value, Parameters &parameters) {
    auto op = value.getDefiningOp<DequantizeOp>();
    auto found = op ? getParameters(op, op.getInput()) : std::nullopt;
    if (!found || getTensorType(value).getRank() == 0)
      return {};
    parameters = *found;
    return op;
  }

  /// Dequantizations move behind operators that only move or compare elements.
  void moveDown() {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isMovement(op) || isa<MaxPoolOp, ConcatOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      Parameters parameters;
      DequantizeOp first = matchDequantize(op->getOperand(0), parameters);
      if (!first || getTensorType(op->getResult(0)).getRank() == 0)
        continue;
      SmallVector<Value> operands(op->getOperands());
      operands[0] = first.getInput();
      bool isSame = true;
      if (isa<ConcatOp>(op))
        for (Value &operand : operands) {
          Parameters own;
          if (operand == first.getInput())
            continue;
          DequantizeOp other = matchDequantize(operand, own);
          isSame &= other && own == parameters &&
                    getTensorType(other.getInput()).getElementType() ==
                        getTensorType(first.getInput()).getElementType();
          if (isSame)
            operand = other.getInput();
        }
      if (!isSame)
        continue;
      OpBuilder builder(op);
      Operation *moved = builder.clone(*op);
      moved->removeAttr(originAttrName);
      moved->setOperands(operands);
      Type element = getTensorType(first.getInput()).getElementType();
      Value integers = moved->getResult(0);
      integers.setType(getTensorType(integers).clone(element));
      Value result = DequantizeOp::create(builder, op->getLoc(), integers,
                                          first.getScale(), first.getZeroPoint(),
                                          /*axis=*/0, /*block_size=*/0);
      if (result.getType() != op->getResult(0).getType()) {
        result.getDefiningOp()->erase();
        moved->erase();
        continue;
      }
      inheritProvenance(op, result);
      op->replaceAllUsesWith(ValueRange(result));
      op->erase();
      ++numMoved;
    }
  }

  /// Products read dequantized matrices as they are, rather than transposed: transposed
  /// scales would not be those of columns any more.
  void absorbTransposes() {
    getOperation().walk([&](MatMulOp op) {
      auto transpose = op.getRhs().getDefiningOp<TransposeOp>();
      if (!transpose || transpose.getPerm() != ArrayRef<int64_t>{1, 0} ||
          !transpose.getInput().getDefiningOp<DequantizeOp>())
        return;
      op.getRhsMutable().assign(transpose.getInput());
      op.setTransposeRhs(!op.getTransposeRhs());
      ++numMoved;
    });
  }

  /// Quantizations of whole tensors go before what only joins or moves elements, or
  /// compares them: to what computed them, whose last step they can be.
  void moveUp() {
    SmallVector<QuantizeOp> ops;
    getOperation().walk([&](QuantizeOp op) { ops.push_back(op); });
    while (!ops.empty()) {
      QuantizeOp op = ops.pop_back_val();
      Operation *source = op.getInput().getDefiningOp();
      if (!isa_and_nonnull<ConcatOp, MaxPoolOp, ReshapeOp, TransposeOp, SqueezeOp,
                           UnsqueezeOp>(source) ||
          !source->hasOneUse() || source->getBlock() != op->getBlock() ||
          getTensorType(source->getOperand(0)).getRank() == 0 ||
          !getParameters(op, op.getResult()))
        continue;
      OpBuilder builder(source);
      // Constants may come later in the block.
      auto copy = [&](Value constant) {
        return constant ? builder.clone(*constant.getDefiningOp())->getResult(0) : Value();
      };
      Value scale = copy(op.getScale()), zeroPoint = copy(op.getZeroPoint());
      Operation *moved = source->clone();
      size_t numData = isa<ConcatOp>(source) ? source->getNumOperands() : 1;
      for (size_t i = 0; i < numData; ++i) {
        auto quantized = QuantizeOp::create(builder, op.getLoc(), source->getOperand(i),
                                            scale, zeroPoint, op.getTo(), /*axis=*/0,
                                            /*block_size=*/0);
        moved->setOperand(i, quantized);
        ops.push_back(quantized);
      }
      builder.insert(moved);
      moved->removeAttr(originAttrName);
      moved->getResult(0).setType(op.getType());
      inheritProvenance(op, moved->getResult(0));
      op.getResult().replaceAllUsesWith(moved->getResult(0));
      op.erase();
      source->erase();
      ++numMoved;
    }
  }

  /// The dequantizations that the integers reach through operators that move elements;
  /// false if anything else uses them.
  static bool collectUsers(Value integers, SmallVector<Value> &tensors,
                           llvm::SetVector<Operation *> &dequantizations) {
    tensors.push_back(integers);
    return llvm::all_of(integers.getUsers(), [&](Operation *user) {
      if (auto op = dyn_cast<DequantizeOp>(user))
        return dequantizations.insert(op), getParameters(op, integers).has_value();
      return (isMovement(user) || isa<MaxPoolOp>(user)) &&
             collectUsers(user->getResult(0), tensors, dequantizations);
    });
  }

  /// i8 with a zero point z is ui8 with z + 128. Products need an unsigned first
  /// operand, and after a ReLU the new zero point is often 0.
  void makeUnsigned(QuantizeOp op) {
    if (!getTensorType(op).getElementType().isSignlessInteger(8) ||
        !getParameters(op, op.getResult()))
      return;
    SmallVector<Value> tensors;
    llvm::SetVector<Operation *> dequantizations;
    if (!collectUsers(op.getResult(), tensors, dequantizations) ||
        dequantizations.empty())
      return;
    auto setZeroPoint = [&](auto user, Parameters parameters) {
      OpBuilder builder(user);
      auto type = RankedTensorType::get(getTensorType(user.getScale()).getShape(),
                                        builder.getIntegerType(8, /*isSigned=*/false));
      Value zero = ConstantOp::create(
          builder, user.getLoc(),
          DenseElementsAttr::get(type, APInt(8, parameters.zeroPoint + 128)));
      user.getZeroPointMutable().assign(zero);
    };
    setZeroPoint(op, *getParameters(op, op.getResult()));
    for (Operation *user : dequantizations) {
      auto dequantize = cast<DequantizeOp>(user);
      setZeroPoint(dequantize, *getParameters(dequantize, dequantize.getInput()));
    }
    Type ui8 = IntegerType::get(&getContext(), 8, IntegerType::Unsigned);
    op.setTo(ui8);
    for (Value tensor : tensors) {
      tensor.setType(getTensorType(tensor).clone(ui8));
      // The value is no longer the ONNX tensor.
      tensor.getDefiningOp()->removeAttr(originAttrName);
    }
    ++numUnsigned;
  }

  /// Dequantizing and quantizing again with the same parameters is the identity.
  void cancel() {
    SmallVector<QuantizeOp> ops;
    getOperation().walk([&](QuantizeOp op) { ops.push_back(op); });
    for (QuantizeOp op : ops) {
      Parameters before;
      DequantizeOp dequantize = matchDequantize(op.getInput(), before);
      std::optional<Parameters> own = getParameters(op, op.getResult());
      if (!dequantize || !own || !(*own == before) ||
          dequantize.getInput().getType() != op.getType())
        continue;
      op.getResult().replaceAllUsesWith(dequantize.getInput());
      op.erase();
      ++numCancelled;
    }
  }
};
} // namespace
