//===- Recurrent.cpp - recurrent layers in ONNX ---------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Exporter.h"
#include "Registry.h"
#include "dialects/NN/IR/NNRecurrent.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

/// Whether ONNX's activation has parameters, which lists hold for those that do.
static bool hasAlpha(StringRef activation) {
  return llvm::is_contained({"Affine", "Elu", "HardSigmoid", "LeakyRelu", "ScaledTanh",
                             "ThresholdedRelu"},
                            activation);
}
static bool hasBeta(StringRef activation) {
  return llvm::is_contained({"Affine", "HardSigmoid", "ScaledTanh"}, activation);
}

template <typename OpT> static Attributes getAttributes(OpT op, NodeWriter &w) {
  std::vector<std::string> names;
  std::vector<float> alphas, betas;
  ArrayAttr activations = op.getActivations();
  for (auto [name, alpha, beta] : llvm::zip(activations.getAsRange<StringAttr>(),
                                            op.getAlpha(), op.getBeta())) {
    names.push_back(name.str());
    if (hasAlpha(name))
      alphas.push_back(alpha);
    if (hasBeta(name))
      betas.push_back(beta);
  }
  int64_t hidden = cast<RankedTensorType>(op.getRecurrence().getType()).getDimSize(1);
  Attributes attributes{MakeAttribute("hidden_size", hidden),
                        MakeAttribute("activations", names)};
  if (!alphas.empty())
    attributes.push_back(MakeAttribute("activation_alpha", alphas));
  if (!betas.empty())
    attributes.push_back(MakeAttribute("activation_beta", betas));
  if (op.getReverse())
    attributes.push_back(MakeAttribute("direction", std::string("reverse")));
  if (op.getClip().convertToFloat() > 0)
    w.addAttribute(attributes, "clip", op.getClipAttr());
  return attributes;
}

/// ONNX's biases of the input and of the recurrence, one after the other, of which nn has
/// the sum; that of a GRU's hidden gate is apart.
static Name getBias(NodeWriter &w, Value bias, Value hiddenBias, int64_t size) {
  if (!bias && !hiddenBias)
    return "";
  auto type = cast<RankedTensorType>((bias ? bias : hiddenBias).getType());
  DataType element = *getDataType(type.getElementType());
  auto zeros = [&](int64_t count) {
    return w.constant(HostTensor::allocate(element, {count}));
  };
  SmallVector<Name> parts{bias ? w.get(bias) : zeros(size)};
  if (hiddenBias) {
    int64_t hidden = size / 3;
    parts.push_back(zeros(2 * hidden));
    parts.push_back(w.get(hiddenBias));
  } else {
    parts.push_back(zeros(size));
  }
  Name both = w.create("Concat", parts, {MakeAttribute("axis", int64_t(0))});
  return w.reshape(both, {1, 2 * size});
}

/// Operands have a leading dimension for directions in ONNX, and results have one, too.
template <typename OpT>
static LogicalResult writeLayer(OpT op, NodeWriter &w, StringRef onnx,
                                ArrayRef<Value> furtherOperands, Value hiddenBias,
                                Attributes further) {
  if (op.getPrepared())
    return w.fail("ONNX has no layer whose input was multiplied before; write the module as "
                  "it is before the phase 'legalize'");
  int64_t size = cast<RankedTensorType>(op.getRecurrence().getType()).getDimSize(0);
  SmallVector<Name> operands{w.get(op.getInput()),
                             w.unsqueeze(op.getWeight(), {0}),
                             w.unsqueeze(op.getRecurrence(), {0}),
                             getBias(w, op.getBias(), hiddenBias, size),
                             w.get(op.getSequenceLens()),
                             w.unsqueeze(op.getInitialH(), {0})};
  for (Value operand : furtherOperands)
    operands.push_back(w.unsqueeze(operand, {0}));
  Attributes attributes = getAttributes(op, w);
  llvm::append_range(attributes, further);
  Exporter &exporter = w.getExporter();
  SmallVector<Name> results;
  for (OpResult result : op->getResults())
    results.push_back(result.use_empty() ? "" : exporter.makeName(op, onnx));
  if (!exporter.addNode(op, onnx, operands, results, attributes, /*isMain=*/true))
    return failure();
  for (auto [result, whole] : llvm::zip(op->getResults(), results)) {
    // All states: steps x directions x batch x hidden; last ones: directions x ...
    int64_t axis = result.getResultNumber() == 0 ? 1 : 0;
    if (!whole.empty() &&
        !exporter.addNode(op, "Squeeze", {whole, w.list({axis})}, {exporter.makeName(result)},
                          {}, /*isMain=*/false))
      return failure();
  }
  return success();
}

static LogicalResult writeLSTM(LSTMOp op, NodeWriter &w) {
  Attributes further;
  w.addAttribute(further, "input_forget", op.getInputForgetAttr());
  return writeLayer(op, w, "LSTM", {op.getInitialC(), op.getPeephole()}, {}, further);
}

static LogicalResult writeGRU(GRUOp op, NodeWriter &w) {
  Attributes further;
  w.addAttribute(further, "linear_before_reset", op.getLinearBeforeResetAttr());
  return writeLayer(op, w, "GRU", {}, op.getHiddenBias(), further);
}

static LogicalResult writeRNN(RNNOp op, NodeWriter &w) {
  return writeLayer(op, w, "RNN", {}, {}, {});
}

void exporter::registerRecurrent(Registry &r) {
  r.onOp<GRUOp>("GRU", writeGRU);
  r.onOp<LSTMOp>("LSTM", writeLSTM);
  r.onOp<RNNOp>("RNN", writeRNN);
}
