//===- Recurrent.cpp - recurrent layers to linalg -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A loop over the steps, of a layer in the prepared form:
//
//   for t                                          (backward if `reverse`)
//     sums[row, gate, unit] = sum of h[row, k] * R[k, gate, unit]
//     c, h = functions of x[t], sums, c, h         where t < sequence_lens[row]
//     states[t] = h                                or 0
//
//===----------------------------------------------------------------------===//

#include "TensorEmitter.h"
#include "dialects/NN/IR/NNRecurrent.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::nn;

namespace {

template <typename OpT> class Layer {
public:
  Layer(OpT op, TensorEmitter &e)
      : op(op), e(e), type(TensorEmitter::getElement(op.getInput())),
        hidden(cast<RankedTensorType>(op.getRecurrence().getType()).getDimSize(0)) {}
  LogicalResult lower();

private:
  static constexpr int64_t gates = numGates<OpT>;
  /// States of a step: h, and c of an LSTM.
  using States = SmallVector<Value>;

  void checkSizes();
  Value getInitial(Value initial);
  /// state * R for `count` gates from `first` on: rows x count x hidden.
  Value multiply(Value state, int64_t first, int64_t count);
  States advance(Value input, States states);
  /// An operation on rows and units. The body gets one element of an operand, or one for
  /// each of the gates `of` that it has before its units. What has no rows is that of each.
  struct Operand {
    Value tensor;
    SmallVector<int64_t> of = {};
  };
  Value forUnits(ArrayRef<Operand> operands, ElementBody body);
  /// Keeps states of rows that have ended.
  States keepEnded(const States &next, const States &before);
  Value isActive(OpBuilder &b, Location l, Value row);

  Value activate(OpBuilder &b, Location l, int64_t index, Value x, bool mayClip = true) {
    return emitRecurrentActivation(b, l, x, cast<StringAttr>(op.getActivations()[index]),
                                   op.getAlpha()[index], op.getBeta()[index],
                                   mayClip ? op.getClip().convertToDouble() : 0);
  }

  OpT op;
  TensorEmitter &e;
  Type type;
  int64_t hidden;
  Size steps, batch;
  Value step; // of the loop
};

Value add(OpBuilder &b, Location l, Value x, Value y) {
  return arith::AddFOp::create(b, l, x, y);
}
Value sub(OpBuilder &b, Location l, Value x, Value y) {
  return arith::SubFOp::create(b, l, x, y);
}
Value mul(OpBuilder &b, Location l, Value x, Value y) {
  return arith::MulFOp::create(b, l, x, y);
}

} // namespace

/// What the verifier could not, as the sizes are known only at run time (recurrent_c1).
template <typename OpT> void Layer<OpT>::checkSizes() {
  auto makeSize = [&](int64_t size) { return e.size(size); };
  for (const RecurrentOperand<Size> &operand :
       getRecurrentOperands<Size>(op, steps, batch, Size(), hidden, makeSize))
    for (auto [dim, size] : llvm::enumerate(operand.shape))
      e.checkEqual(e.getDim(operand.value, dim), size,
                   operand.name + " does not have the shape " + operand.meaning);
}

template <typename OpT> Value Layer<OpT>::getInitial(Value initial) {
  return initial ? initial : e.filled({batch, e.size(hidden)}, type, 0);
}

template <typename OpT>
Value Layer<OpT>::multiply(Value state, int64_t first, int64_t count) {
  Value matrix = e.splitDim(op.getRecurrence(), 1, e.size(gates), e.size(hidden));
  if (count != gates)
    matrix = e.extractSlice(matrix, {e.size(0), e.size(first), e.size(0)},
                            {e.size(hidden), e.size(count), e.size(hidden)},
                            {e.size(1), e.size(1), e.size(1)});
  using utils::IteratorType;
  IteratorType parallel = IteratorType::parallel;
  // Row, gate, unit, and the unit of the state.
  return e.reduce(e.filled({batch, e.size(count), e.size(hidden)}, type, 0),
                  {state, matrix},
                  {e.select(4, {0, 3}), e.select(4, {3, 1, 2}), e.select(4, {0, 1, 2})},
                  {parallel, parallel, parallel, IteratorType::reduction},
                  [](OpBuilder &b, Location l, ValueRange args) {
                    return add(b, l, args[2], mul(b, l, args[0], args[1]));
                  });
}

template <typename OpT>
Value Layer<OpT>::forUnits(ArrayRef<Operand> operands, ElementBody body) {
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  AffineExpr row = e.rewriter.getAffineDimExpr(0), unit = e.rewriter.getAffineDimExpr(1);
  for (const Operand &operand : operands) {
    int64_t rank = cast<RankedTensorType>(operand.tensor.getType()).getRank();
    auto addInput = [&](ArrayRef<AffineExpr> gate) {
      SmallVector<AffineExpr> place(gate);
      place.push_back(unit);
      if (rank > int64_t(place.size()))
        place.insert(place.begin(), row);
      inputs.push_back(operand.tensor);
      maps.push_back(e.affineMap(2, place));
    };
    if (operand.of.empty())
      addInput({});
    for (int64_t gate : operand.of)
      addInput(e.rewriter.getAffineConstantExpr(gate));
  }
  return e.map({batch, e.size(hidden)}, type, inputs, maps, body);
}

template <typename OpT> Value Layer<OpT>::isActive(OpBuilder &b, Location l, Value row) {
  Value length = tensor::ExtractOp::create(b, l, op.getSequenceLens(), row);
  length = arith::IndexCastOp::create(b, l, b.getIndexType(), length);
  return arith::CmpIOp::create(b, l, arith::CmpIPredicate::slt, step, length);
}

template <typename OpT>
typename Layer<OpT>::States Layer<OpT>::keepEnded(const States &next, const States &before) {
  if (!op.getSequenceLens())
    return next;
  States kept;
  for (auto [value, old] : llvm::zip(next, before))
    kept.push_back(forUnits({{value}, {old}}, [&](OpBuilder &b, Location l, ValueRange args) {
      Value active = isActive(b, l, linalg::IndexOp::create(b, l, 0));
      return arith::SelectOp::create(b, l, active, args[0], args[1]);
    }));
  return kept;
}

template <typename OpT>
typename Layer<OpT>::States Layer<OpT>::advance(Value input, States states) {
  Value h = states[0];
  if constexpr (std::is_same_v<OpT, LSTMOp>) {
    Value sums = multiply(h, 0, gates);
    Value peephole;
    if (op.getPeephole())
      peephole = e.splitDim(op.getPeephole(), 0, e.size(3), e.size(hidden));
    // The gates `of` see the cell through the peepholes `peepOf`, if there are any.
    auto apply = [&](ArrayRef<int64_t> of, ArrayRef<int64_t> peepOf, Value cell,
                     function_ref<Value(OpBuilder &, Location, ArrayRef<Value>, Value)>
                         compute) {
      SmallVector<int64_t> ofBoth(of);
      SmallVector<Operand> operands{{input, ofBoth}, {sums, ofBoth}, {cell}};
      if (peephole)
        operands.push_back({peephole, SmallVector<int64_t>(peepOf)});
      return forUnits(operands, [&](OpBuilder &b, Location l, ValueRange args) {
        SmallVector<Value> gate;
        size_t count = of.size();
        Value cell = args[2 * count];
        for (size_t i = 0; i < count; ++i)
          gate.push_back(add(b, l, args[i], args[count + i]));
        if (peephole)
          for (size_t i = 0; i < peepOf.size(); ++i)
            gate[i] = add(b, l, gate[i], mul(b, l, args[2 * count + 1 + i], cell));
        return compute(b, l, gate, cell);
      });
    };
    // Gates i, f, c, of which the first two see the old cell.
    Value cell = apply({0, 2, 3}, {0, 2}, states[1],
                       [&](OpBuilder &b, Location l, ArrayRef<Value> gate, Value old) {
                         Value i = activate(b, l, 0, gate[0]);
                         Value one = emitConstant(b, l, type, 1);
                         Value f = op.getInputForget() ? sub(b, l, one, i)
                                                       : activate(b, l, 0, gate[1]);
                         return add(b, l, mul(b, l, f, old),
                                    mul(b, l, i, activate(b, l, 1, gate[2])));
                       });
    Value next = apply({1}, {1}, cell,
                       [&](OpBuilder &b, Location l, ArrayRef<Value> gate, Value now) {
                         return mul(b, l, activate(b, l, 0, gate[0]),
                                    activate(b, l, 2, now, /*mayClip=*/false));
                       });
    return {next, cell};
  } else if constexpr (std::is_same_v<OpT, GRUOp>) {
    bool linear = op.getLinearBeforeReset();
    Value sums = multiply(h, 0, linear ? 3 : 2), reset, ofReset;
    if (!linear) {
      reset = forUnits({{input, {1}}, {sums, {1}}, {h}},
                       [&](OpBuilder &b, Location l, ValueRange args) {
                         return mul(b, l, activate(b, l, 0, add(b, l, args[0], args[1])),
                                    args[2]);
                       });
      ofReset = multiply(reset, 2, 1);
    }
    Value bias = op.getHiddenBias();
    if (linear && bias) {
      Value biased =
          forUnits({{sums, {2}}, {bias}}, [](OpBuilder &b, Location l, ValueRange args) {
            return add(b, l, args[0], args[1]);
          });
      ofReset = e.insertUnitDims(biased, {1});
    } else if (linear) {
      ofReset = e.extractSlice(sums, {e.size(0), e.size(2), e.size(0)},
                               {batch, e.size(1), e.size(hidden)},
                               {e.size(1), e.size(1), e.size(1)});
    }
    Value next = forUnits({{input, {0, 1, 2}}, {sums, {0, 1}}, {ofReset, {0}}, {h}},
                          [&](OpBuilder &b, Location l, ValueRange args) {
                            Value z = activate(b, l, 0, add(b, l, args[0], args[3]));
                            Value fromState = args[5];
                            if (linear) {
                              Value r = activate(b, l, 0, add(b, l, args[1], args[4]));
                              fromState = mul(b, l, r, fromState);
                            }
                            Value now = activate(b, l, 1, add(b, l, args[2], fromState));
                            return add(b, l, mul(b, l, z, sub(b, l, args[6], now)), now);
                          });
    return {next};
  } else {
    return {forUnits({{input, {0}}, {multiply(h, 0, 1), {0}}},
                     [&](OpBuilder &b, Location l, ValueRange args) {
                       return activate(b, l, 0, add(b, l, args[0], args[1]));
                     })};
  }
}

template <typename OpT> LogicalResult Layer<OpT>::lower() {
  steps = e.getDim(op.getInput(), 0);
  batch = e.getDim(op.getInput(), 1);
  checkSizes();
  Size one = e.size(1), zero = e.size(0), units = e.size(hidden);
  SmallVector<Value> carried = {e.filled({steps, batch, units}, type, 0),
                                getInitial(op.getInitialH())};
  if constexpr (std::is_same_v<OpT, LSTMOp>)
    carried.push_back(getInitial(op.getInitialC()));
  Value last;
  if (op.getReverse())
    last = e.asValue(e.sub(steps, one));
  carried = e.loops({steps}, carried, [&](OpBuilder &b, Location l, ValueRange indices,
                                          ValueRange values) {
    OpBuilder::InsertionGuard guard(e.rewriter);
    e.rewriter.setInsertionPoint(b.getInsertionBlock(), b.getInsertionPoint());
    step = indices[0];
    if (last)
      step = arith::SubIOp::create(e.rewriter, l, last, step);
    Value input = e.extractSlice(op.getInput(), {step, zero, zero},
                                 {one, batch, e.size(gates * hidden)}, {one, one, one});
    input = e.splitDim(e.dropUnitDims(input, {0}), 1, e.size(gates), units);
    States before(values.drop_front());
    States next = keepEnded(advance(input, before), before);
    Value state = next[0];
    if (op.getSequenceLens())
      state = forUnits({{state}}, [&](OpBuilder &b, Location l, ValueRange args) {
        Value active = isActive(b, l, linalg::IndexOp::create(b, l, 0));
        return arith::SelectOp::create(b, l, active, args[0], emitConstant(b, l, type, 0));
      });
    SmallVector<Value> result = {
        e.insertSlice(e.insertUnitDims(state, {0}), values[0], {step, zero, zero})};
    llvm::append_range(result, next);
    b.setInsertionPointToEnd(e.rewriter.getInsertionBlock());
    return result;
  });
  return e.replace(carried);
}

namespace {
template <typename OpT> struct RecurrentLowering : LinalgPattern<OpT> {
  using LinalgPattern<OpT>::LinalgPattern;
  LogicalResult lower(OpT op, TensorEmitter &e) const override {
    return Layer<OpT>(op, e).lower();
  }
};
} // namespace

void nn::populateRecurrentToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols) {
  patterns.add<RecurrentLowering<LSTMOp>, RecurrentLowering<GRUOp>, RecurrentLowering<RNNOp>>(
      patterns.getContext(), symbols);
}
