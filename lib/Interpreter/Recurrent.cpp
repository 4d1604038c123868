//===- Recurrent.cpp - recurrent layers, interpreted ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Elements.h"
#include "dialects/NN/IR/NNRecurrent.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

namespace {

double activate(StringRef name, double alpha, double beta, double x) {
  if (name == "Affine")
    return alpha * x + beta;
  if (name == "Elu")
    return x < 0 ? alpha * std::expm1(x) : x;
  if (name == "HardSigmoid")
    return std::max(0.0, std::min(1.0, alpha * x + beta));
  if (name == "LeakyRelu")
    return x < 0 ? alpha * x : x;
  if (name == "Relu")
    return x < 0 ? 0 : x;
  if (name == "ScaledTanh")
    return alpha * std::tanh(beta * x);
  if (name == "Sigmoid")
    return 1 / (1 + std::exp(-x));
  if (name == "Softplus")
    return std::log1p(std::exp(-std::fabs(x))) + std::max(x, 0.0);
  if (name == "Softsign")
    return x / (1 + std::fabs(x));
  if (name == "Tanh")
    return std::tanh(x);
  assert(name == "ThresholdedRelu" && "verified");
  return x >= alpha ? x : 0;
}

/// One layer: reads the operands and iterates over rows and steps.
template <typename OpT> class Layer {
public:
  Layer(OpT op, Call &call)
      : op(op), call(call), input(readDoubles(call[op.getInput()])),
        recurrence(readDoubles(call[op.getRecurrence()])) {
    ArrayRef<int64_t> dims = call[op.getInput()].getDims();
    steps = dims[0], batch = dims[1], inputs = dims[2];
    hidden = call[op.getRecurrence()].getDims()[op.getPrepared() ? 0 : 1];
    weight = readOptional(op.getWeight());
    bias = readOptional(op.getBias());
  }

  LogicalResult run() {
    if (failed(checkSizes()))
      return failure();
    Doubles initialH = readOptional(op.getInitialH()), initialC, lengths;
    if constexpr (std::is_same_v<OpT, LSTMOp>) {
      initialC = readOptional(op.getInitialC());
      peephole = readOptional(op.getPeephole());
    }
    if constexpr (std::is_same_v<OpT, GRUOp>)
      hiddenBias = readOptional(op.getHiddenBias());
    lengths = readOptional(op.getSequenceLens());

    Doubles states(steps * batch * hidden, 0.0), last, lastCell;
    for (int64_t row = 0; row < batch; ++row) {
      h = getRow(initialH, row);
      c = getRow(initialC, row);
      int64_t length = lengths.empty() ? steps : int64_t(lengths[row]);
      if (length < 0 || length > steps)
        return call.fail("sequence_lens has an entry " + Twine(length) +
                         ", there are " + Twine(steps) + " steps");
      for (int64_t i = 0; i < length; ++i) {
        int64_t step = op.getReverse() ? length - 1 - i : i;
        place = (step * batch + row) * inputs;
        advance();
        std::copy(h.begin(), h.end(),
                  states.begin() + (step * batch + row) * hidden);
      }
      last.insert(last.end(), h.begin(), h.end());
      lastCell.insert(lastCell.end(), c.begin(), c.end());
    }
    DataType type = call.getResultType();
    (void)call.give(makeTensor(type, {steps, batch, hidden}, states));
    (void)call.give(makeTensor(type, {batch, hidden}, last));
    if (std::is_same_v<OpT, LSTMOp>)
      (void)call.give(makeTensor(type, {batch, hidden}, lastCell));
    return success();
  }

private:
  /// What the verifier checks of sizes that it knows (recurrent_c1).
  LogicalResult checkSizes() {
    for (const RecurrentOperand<int64_t> &operand : getRecurrentOperands<int64_t>(
             op, steps, batch, inputs, hidden, [](int64_t size) { return size; }))
      if (ArrayRef<int64_t> dims = call[operand.value].getDims();
          dims != ArrayRef<int64_t>(operand.shape))
        return call.fail(operand.name + " has the shape " + formatDims(dims) +
                         " instead of " + formatDims(operand.shape) + " (" +
                         operand.meaning + ")");
    return success();
  }

  Doubles readOptional(Value value) {
    return value ? readDoubles(call[value]) : Doubles();
  }
  Doubles getRow(const Doubles &state, int64_t row) {
    if (state.empty())
      return Doubles(hidden, 0.0);
    return Doubles(state.begin() + row * hidden, state.begin() + (row + 1) * hidden);
  }

  /// x * W + b for a gate's unit, at the current step.
  double fromInput(int64_t gate, int64_t unit) {
    int64_t index = gate * hidden + unit;
    if (op.getPrepared())
      return input[place + index];
    double sum = bias.empty() ? 0 : bias[index];
    for (int64_t k = 0; k < inputs; ++k)
      sum += input[place + k] * weight[index * inputs + k];
    return sum;
  }
  /// state * R for a gate's unit.
  double fromState(int64_t gate, int64_t unit, const Doubles &state) {
    int64_t index = gate * hidden + unit;
    double sum = 0;
    for (int64_t k = 0; k < hidden; ++k)
      sum += state[k] * (op.getPrepared() ? recurrence[k * numGates<OpT> * hidden + index]
                                          : recurrence[index * hidden + k]);
    return sum;
  }
  double apply(int64_t activation, double x, bool mayClip = true) {
    double clip = op.getClip().convertToDouble();
    if (mayClip && clip > 0)
      x = std::max(-clip, std::min(clip, x));
    return activate(cast<StringAttr>(op.getActivations()[activation]).getValue(),
                    op.getAlpha()[activation], op.getBeta()[activation], x);
  }

  void advance() {
    Doubles next(hidden);
    if constexpr (std::is_same_v<OpT, LSTMOp>) {
      auto peep = [&](int64_t which, int64_t unit, double cell) {
        return peephole.empty() ? 0 : peephole[which * hidden + unit] * cell;
      };
      for (int64_t u = 0; u < hidden; ++u) {
        auto gate = [&](int64_t g) { return fromInput(g, u) + fromState(g, u, h); };
        double i = apply(0, gate(0) + peep(0, u, c[u]));
        double f = op.getInputForget() ? 1 - i : apply(0, gate(2) + peep(2, u, c[u]));
        c[u] = f * c[u] + i * apply(1, gate(3));
        double o = apply(0, gate(1) + peep(1, u, c[u]));
        next[u] = o * apply(2, c[u], /*mayClip=*/false);
      }
    } else if constexpr (std::is_same_v<OpT, GRUOp>) {
      Doubles reset(hidden), resetState(hidden);
      for (int64_t u = 0; u < hidden; ++u) {
        reset[u] = apply(0, fromInput(1, u) + fromState(1, u, h));
        resetState[u] = reset[u] * h[u];
      }
      for (int64_t u = 0; u < hidden; ++u) {
        double z = apply(0, fromInput(0, u) + fromState(0, u, h)), recurrent;
        if (op.getLinearBeforeReset())
          recurrent = reset[u] * (fromState(2, u, h) +
                                  (hiddenBias.empty() ? 0 : hiddenBias[u]));
        else
          recurrent = fromState(2, u, resetState);
        next[u] = (1 - z) * apply(1, fromInput(2, u) + recurrent) + z * h[u];
      }
    } else {
      for (int64_t u = 0; u < hidden; ++u)
        next[u] = apply(0, fromInput(0, u) + fromState(0, u, h));
    }
    h = std::move(next);
  }

  OpT op;
  Call &call;
  Doubles input, weight, recurrence, bias, peephole, hiddenBias;
  Doubles h, c; // of the current row
  int64_t steps, batch, inputs, hidden;
  int64_t place = 0; // of the current step's row in the input
};

template <typename OpT> void add(Registry &registry) {
  registry.add<OpT>([](OpT op, Call &call) { return Layer<OpT>(op, call).run(); });
}

} // namespace

void interpreter::registerRecurrent(Registry &registry) {
  add<LSTMOp>(registry);
  add<GRUOp>(registry);
  add<RNNOp>(registry);
}
