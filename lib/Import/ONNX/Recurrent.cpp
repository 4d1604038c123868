//===- Recurrent.cpp - import of recurrent layers -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// ONNX's layers may have two directions and a batch-first layout; nn's operators have
// one direction with time first. Handlers split a layer and combine the results.
//
//===----------------------------------------------------------------------===//

#include "Registry.h"
#include "ShapeMath.h"
#include "dialects/NN/IR/NNRecurrent.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

static RankedTensorType getType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
/// ONNX's definition of an activation: whether alpha and beta apply, and their default
/// values.
struct ActivationInfo {
  StringLiteral name;
  std::optional<float> alpha, beta;
};
constexpr ActivationInfo activationInfos[] = {
    {"Affine", 1.0f, 0.0f},     {"Elu", 1.0f, std::nullopt},
    {"HardSigmoid", 0.2f, 0.5f}, {"LeakyRelu", 0.01f, std::nullopt},
    {"Relu", {}, {}},           {"ScaledTanh", 1.0f, 1.0f},
    {"Sigmoid", {}, {}},        {"Softplus", {}, {}},
    {"Softsign", {}, {}},       {"Tanh", {}, {}},
    {"ThresholdedRelu", 1.0f, std::nullopt}};

/// The operands and attributes that all recurrent layers have.
struct Layer {
  Value x, w, r, b, sequenceLens, initialH;
  std::string direction;
  int64_t hiddenSize = 0, layout = 0, gates = 0;
  bool outputSequence = false;
  float clip = 0;
  SmallVector<Attribute> activations;
  SmallVector<float> alpha, beta;
  size_t activationsOfOne = 0;

  int64_t getNumDirections() const { return direction == "bidirectional" ? 2 : 1; }
  bool isReverse(int64_t index) const { return direction == "reverse" || index == 1; }

  ArrayAttr getActivations(NodeBinder &node, int64_t index) const {
    return ArrayAttr::get(node.getContext(),
                          ArrayRef(activations)
                              .slice(index * activationsOfOne, activationsOfOne));
  }
  ArrayRef<float> getAlpha(int64_t index) const {
    return ArrayRef(alpha).slice(index * activationsOfOne, activationsOfOne);
  }
  ArrayRef<float> getBeta(int64_t index) const {
    return ArrayRef(beta).slice(index * activationsOfOne, activationsOfOne);
  }
};
} // namespace

/// Reads names and parameters; `defaults` are those of one direction.
static LogicalResult readActivations(NodeBinder &node, Layer &layer,
                                     ArrayRef<StringRef> defaults) {
  SmallVector<std::string> names;
  SmallVector<float> alphas, betas;
  if (node.attr("activations", names).attr("activation_alpha", alphas)
          .attr("activation_beta", betas).failed())
    return failure();
  layer.activationsOfOne = defaults.size();
  size_t count = defaults.size() * layer.getNumDirections();
  if (names.empty())
    for (int64_t i = 0; i < layer.getNumDirections(); ++i)
      names.append(defaults.begin(), defaults.end());
  if (node.require(names.size() == count,
                   "attribute 'activations' has one entry for each function and "
                   "direction",
                   Twine(names.size()), Twine(count))
          .failed())
    return failure();
  size_t nextAlpha = 0, nextBeta = 0;
  auto take = [](ArrayRef<float> list, size_t &next, std::optional<float> otherwise) {
    if (!otherwise)
      return 0.0f; // The function has no such parameter.
    return next < list.size() ? list[next++] : *otherwise;
  };
  for (StringRef name : names) {
    const ActivationInfo *info =
        llvm::find_if(activationInfos, [&](const ActivationInfo &candidate) {
          return candidate.name.equals_insensitive(name);
        });
    if (node.require(info != std::end(activationInfos), "activations are supported",
                     "'" + name + "'",
                     llvm::join(llvm::map_range(activationInfos,
                                                [](const ActivationInfo &known) {
                                                  return known.name.str();
                                                }),
                                ", "),
                     Remedy::ReplaceOp)
            .failed())
      return failure();
    layer.activations.push_back(StringAttr::get(node.getContext(), info->name));
    layer.alpha.push_back(take(alphas, nextAlpha, info->alpha));
    layer.beta.push_back(take(betas, nextBeta, info->beta));
  }
  return success();
}

static LogicalResult readLayer(NodeBinder &node, Layer &layer, int64_t gates,
                               ArrayRef<StringRef> activations) {
  layer.gates = gates;
  int64_t outputSequence;
  if (node.operand("X", layer.x).operand("W", layer.w).operand("R", layer.r)
          .optionalOperand("B", layer.b)
          .optionalOperand("sequence_lens", layer.sequenceLens)
          .optionalOperand("initial_h", layer.initialH)
          .attr("direction", layer.direction, "forward",
                {"forward", "reverse", "bidirectional"})
          .attr("hidden_size", layer.hiddenSize, 0).attr("layout", layer.layout, 0)
          .attr("clip", layer.clip, 0.0f)
          .attr("output_sequence", outputSequence, 0).failed())
    return failure();
  auto r = getType(layer.r);
  int64_t directions = layer.getNumDirections();
  // The attributes say what the shape of R may not.
  if (r.getRank() == 3) {
    int64_t hidden = layer.hiddenSize > 0 ? layer.hiddenSize : r.getDimSize(2);
    int64_t rows = ShapedType::isDynamic(hidden) ? hidden : gates * hidden;
    layer.r = fixDims(node, layer.r, {directions, rows, hidden}, [](int64_t dim) {
      return "gets an R with another size than its attributes say along dimension " +
             std::to_string(dim);
    });
    if (!layer.r)
      return failure();
    r = getType(layer.r);
  }
  if (node.require(getType(layer.x).getRank() == 3, "X has rank 3",
                   Twine(getType(layer.x).getRank()), "3")
          .require(r.getRank() == 3 && !r.isDynamicDim(2),
                   "R has rank 3 and a known number of hidden units", "another shape",
                   "directions x " + Twine(gates) + "*hidden_size x hidden_size",
                   Remedy::GiveShape)
          .failed())
    return failure();
  if (node.require(r.getDimSize(0) == directions, "R has an entry for each direction",
                   Twine(r.getDimSize(0)), Twine(directions))
          .require(layer.hiddenSize == 0 || layer.hiddenSize == r.getDimSize(2),
                   "hidden_size is the size of R", Twine(layer.hiddenSize),
                   Twine(r.getDimSize(2)))
          .require(layer.layout == 0 || layer.layout == 1,
                   "attribute 'layout' is 0 or 1", Twine(layer.layout), "0, 1")
          .failed())
    return failure();
  layer.hiddenSize = r.getDimSize(2);
  return readActivations(node, layer, activations);
}

/// Entry `index` of the leading dimension, which is removed.
static Value pick(NodeBinder &node, Value value, int64_t index) {
  if (!value)
    return {};
  Value number =
      node.constantScalar(index, IntegerType::get(node.getContext(), 64));
  return node.create<GatherOp>(value, number, int64_t(0));
}

/// Elements [from, to) of a list.
static Value slice(NodeBinder &node, Value value, int64_t from, int64_t to) {
  Value starts = node.constantList({from}), ends = node.constantList({to});
  return node.create<SliceOp>(value, starts, ends, ArrayRef<int64_t>{0},
                              ArrayRef<int64_t>{1});
}

/// States come as D x B x H or, batch first, as B x D x H.
static Value pickState(NodeBinder &node, const Layer &layer, Value state,
                       int64_t index) {
  if (state && layer.layout == 1)
    state = node.create<TransposeOp>(state, ArrayRef<int64_t>{1, 0, 2});
  return pick(node, state, index);
}

/// Makes each direction with `build` (first result: all states; then the last ones) and
/// sets the node's outputs.
static LogicalResult
buildLayer(NodeBinder &node, Layer &layer, size_t numResults,
           function_ref<SmallVector<Value>(Value input, int64_t direction)> build) {
  Value input = layer.x;
  if (layer.layout == 1)
    input = node.create<TransposeOp>(input, ArrayRef<int64_t>{1, 0, 2});
  SmallVector<SmallVector<Value>> parts(numResults);
  for (int64_t d = 0; d < layer.getNumDirections(); ++d) {
    SmallVector<Value> results = build(input, d);
    if (results.empty())
      return failure();
    for (size_t i = 0; i < numResults; ++i)
      parts[i].push_back(results[i]);
  }
  for (size_t i = 0; i < numResults; ++i) {
    // All states: T x B x H to T x D x B x H, or B x T x D x H. Last ones: B x H
    // to D x B x H, or B x D x H.
    if (i > 0 && !node.hasOutput(i))
      continue;
    int64_t axis = i == 0 ? (layer.layout ? 2 : 1) : (layer.layout ? 1 : 0);
    SmallVector<Value> pieces;
    for (Value part : parts[i]) {
      if (i == 0 && layer.layout)
        part = node.create<TransposeOp>(part, ArrayRef<int64_t>{1, 0, 2});
      pieces.push_back(node.create<UnsqueezeOp>(part, ArrayRef<int64_t>{axis}));
    }
    Value whole =
        pieces.size() == 1 ? pieces[0] : node.create<ConcatOp>(pieces, axis);
    if (node.failed() || (int64_t(i) < node.getNumOutputs() && failed(node.setOutput(whole, i))))
      return failure();
  }
  return success();
}

/// The sum of input and recurrent biases, G*H.
static Value getBias(NodeBinder &node, const Layer &layer, int64_t direction) {
  Value both = pick(node, layer.b, direction);
  if (!both)
    return {};
  int64_t size = layer.gates * layer.hiddenSize;
  Value input = slice(node, both, 0, size), recurrent = slice(node, both, size, 2 * size);
  return node.create<AddOp>(input, recurrent);
}

static LogicalResult importLSTM(NodeBinder &node) {
  Layer layer;
  Value initialC, peephole;
  bool inputForget;
  if (failed(readLayer(node, layer, 4, {"Sigmoid", "Tanh", "Tanh"})) ||
      node.optionalOperand("initial_c", initialC).optionalOperand("P", peephole)
          .attr("input_forget", inputForget, false).failed())
    return failure();
  return buildLayer(node, layer, 3, [&](Value input, int64_t d) {
    Value w = pick(node, layer.w, d), r = pick(node, layer.r, d);
    Value bias = getBias(node, layer, d);
    Value h = pickState(node, layer, layer.initialH, d);
    Value c = pickState(node, layer, initialC, d), p = pick(node, peephole, d);
    return node.createMany<LSTMOp>(
        3, input, w, r, bias, layer.sequenceLens, h, c, p,
        layer.getActivations(node, d), layer.getAlpha(d), layer.getBeta(d),
        llvm::APFloat(layer.clip),
        layer.isReverse(d), /*prepared=*/false, inputForget);
  });
}

static LogicalResult importGRU(NodeBinder &node) {
  Layer layer;
  bool linearBeforeReset;
  if (failed(readLayer(node, layer, 3, {"Sigmoid", "Tanh"})) ||
      node.attr("linear_before_reset", linearBeforeReset, false).failed())
    return failure();
  return buildLayer(node, layer, 2, [&](Value input, int64_t d) {
    Value w = pick(node, layer.w, d), r = pick(node, layer.r, d), bias, hiddenBias;
    if (layer.b && !linearBeforeReset) {
      bias = getBias(node, layer, d);
    } else if (layer.b) {
      // The hidden gate's recurrent bias is added before the reset.
      int64_t h = layer.hiddenSize;
      Value both = pick(node, layer.b, d);
      Value inputZR = slice(node, both, 0, 2 * h), hidden = slice(node, both, 2 * h, 3 * h);
      Value recurrentZR = slice(node, both, 3 * h, 5 * h);
      hiddenBias = slice(node, both, 5 * h, 6 * h);
      Value sum = node.create<AddOp>(inputZR, recurrentZR);
      bias = node.create<ConcatOp>(ValueRange{sum, hidden}, int64_t(0));
    }
    Value h = pickState(node, layer, layer.initialH, d);
    return node.createMany<GRUOp>(
        2, input, w, r, bias, layer.sequenceLens, h, hiddenBias,
        layer.getActivations(node, d), layer.getAlpha(d), layer.getBeta(d),
        llvm::APFloat(layer.clip),
        layer.isReverse(d), /*prepared=*/false, linearBeforeReset);
  });
}

static LogicalResult importRNN(NodeBinder &node) {
  Layer layer;
  if (failed(readLayer(node, layer, 1, {"Tanh"})))
    return failure();
  return buildLayer(node, layer, 2, [&](Value input, int64_t d) {
    Value w = pick(node, layer.w, d), r = pick(node, layer.r, d);
    Value bias = getBias(node, layer, d);
    Value h = pickState(node, layer, layer.initialH, d);
    return node.createMany<RNNOp>(
        2, input, w, r, bias, layer.sequenceLens, h, layer.getActivations(node, d),
        layer.getAlpha(d), layer.getBeta(d), llvm::APFloat(layer.clip), layer.isReverse(d),
        /*prepared=*/false);
  });
}

void importer::registerRecurrent(Registry &r) {
  r.onOp("LSTM", 1, importLSTM);
  r.onOp("GRU", 3, importGRU);
  r.onOp("RNN", 1, importRNN);
}
