//===- NNRecurrentOps.cpp - recurrent layers ------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NNRecurrent.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::nn;

#define GET_OP_CLASSES
#include "dialects/NN/IR/NNRecurrentOps.cpp.inc"

/// ONNX's names for activations of recurrent layers.
static constexpr llvm::StringLiteral knownActivations[] = {
    "Affine", "Elu",         "HardSigmoid", "LeakyRelu", "Relu",            "ScaledTanh",
    "Sigmoid", "Softplus",   "Softsign",    "Tanh",      "ThresholdedRelu"};

/// Y, Y_h and (for `numStates` 2) Y_c.
template <typename AdaptorT>
static LogicalResult inferRecurrent(ShapeEnv &env, AdaptorT adaptor,
                                    unsigned numStates,
                                    SmallVectorImpl<InferredTensor> &results) {
  Dims input = env.getDims(adaptor.getInput());
  Dims recurrence = env.getDims(adaptor.getRecurrence());
  // recurrent_c1, as far as types need it.
  if (input.size() != 3)
    return env.fail("input must have rank 3 (steps x batch x inputs), has " +
                    Twine(input.size()));
  if (recurrence.size() != 2)
    return env.fail("recurrence must have rank 2, has " + Twine(recurrence.size()));
  Dim hidden = recurrence[adaptor.getPrepared() ? 0 : 1];
  Type type = cast<ShapedType>(adaptor.getInput().getType()).getElementType();
  results.push_back({{input[0], input[1], hidden}, type});
  for (unsigned i = 0; i < numStates; ++i)
    results.push_back({{input[1], hidden}, type});
  return success();
}

LogicalResult LSTMOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                  SmallVectorImpl<InferredTensor> &results) {
  return inferRecurrent(env, adaptor, 2, results);
}

LogicalResult GRUOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                 SmallVectorImpl<InferredTensor> &results) {
  return inferRecurrent(env, adaptor, 1, results);
}

LogicalResult RNNOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                 SmallVectorImpl<InferredTensor> &results) {
  return inferRecurrent(env, adaptor, 1, results);
}

template <typename OpT>
static LogicalResult verifyRecurrent(OpT op, size_t numActivations) {
  auto input = cast<RankedTensorType>(op.getInput().getType());
  auto recurrence = cast<RankedTensorType>(op.getRecurrence().getType());
  int64_t hidden = recurrence.getDimSize(op.getPrepared() ? 0 : 1);
  if (ShapedType::isDynamic(hidden))
    return op.emitOpError("the number of hidden units must be known, recurrence is ")
           << recurrence;

  // recurrent_c1
  for (const RecurrentOperand<int64_t> &operand : getRecurrentOperands<int64_t>(
           op, input.getDimSize(0), input.getDimSize(1), input.getDimSize(2), hidden,
           [](int64_t size) { return size; })) {
    auto type = cast<RankedTensorType>(operand.value.getType());
    if (failed(verifyCompatibleShape(type.getShape(), operand.shape)))
      return op.emitOpError(operand.name)
             << " is " << type << ", must have the shape "
             << llvm::join(llvm::map_range(operand.shape,
                                           [](int64_t size) {
                                             return ShapedType::isDynamic(size)
                                                        ? std::string("?")
                                                        : std::to_string(size);
                                           }),
                           "x");
  }
  if constexpr (std::is_same_v<OpT, GRUOp>)
    if (op.getHiddenBias() && !op.getLinearBeforeReset())
      return op.emitOpError("hidden_bias is only for linear_before_reset");
  for (Value operand : op->getOperands())
    if (operand != op.getSequenceLens() &&
        cast<ShapedType>(operand.getType()).getElementType() != input.getElementType())
      return op.emitOpError("operands have different element types");

  // recurrent_c2
  if (op.getPrepared() == bool(op.getWeight()) || (op.getPrepared() && op.getBias()))
    return op.emitOpError("weight is given, or the form is prepared and has "
                          "neither weight nor bias");

  // recurrent_c3
  size_t count = op.getActivations().size();
  if (count != numActivations || op.getAlpha().size() != count ||
      op.getBeta().size() != count)
    return op.emitOpError("has ")
           << count << " activations, " << op.getAlpha().size() << " alphas and "
           << op.getBeta().size() << " betas, must have " << numActivations
           << " of each";
  for (Attribute activation : op.getActivations()) {
    StringRef name = cast<StringAttr>(activation).getValue();
    if (!llvm::is_contained(knownActivations, name))
      return op.emitOpError("activation '")
             << name << "' is unknown (known: " << llvm::join(ArrayRef(knownActivations), ", ")
             << ")";
  }
  return success();
}

LogicalResult LSTMOp::verify() { return verifyRecurrent(*this, 3); }
LogicalResult GRUOp::verify() { return verifyRecurrent(*this, 2); }
LogicalResult RNNOp::verify() { return verifyRecurrent(*this, 1); }
