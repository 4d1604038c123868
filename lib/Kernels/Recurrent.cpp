//===- Recurrent.cpp - kernels of recurrent layers ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A layer in the prepared form, all steps in one kernel. Rows of the batch are
// independent. A step of a row is a product of a vector with the recurrence matrix and
// some elementwise arithmetic, which is too little work for a library call each.
//
//   for row in [begin, end)                    (several at a time, if there are)
//     h = initial_h[row], c = initial_c[row]   in the buffers of the results
//     for step
//       for units, a vector at a time
//         gates = x[step, row, gate, units]
//         for k: gates += h[k] * R[k, gate, units]   all gates in registers
//         states[step, row, units] = ...
//       h = states[step, row]
//
// A constant recurrence matrix is stored in the order in which this reads it.
//
// A GRU that resets before the product makes two passes over the units in a step.
//
//===----------------------------------------------------------------------===//

#include "dialects/NN/IR/NNRecurrent.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Conversion/ElementwiseToArith.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/Templates.h"
#include "nn/Support/Constants.h"

using namespace mlir;
using namespace mlir::nn;

namespace {

/// Some units of some rows, which are in registers at the same time.
struct Tile {
  SmallVector<Value> rows; // numbers of rows
  Value unit;              // the first unit
  Value mask;              // of the units; null if the vector is full
};

template <typename OpT> class RecurrentKernel {
public:
  RecurrentKernel(KernelSite &site, OpT op) : site(site), op(op) {}
  LogicalResult emit();

private:
  KernelEmitter &e() { return site.getEmitter(); }
  void checkSizes();
  void emitRows(ArrayRef<Value> rows);
  void emitStep(ArrayRef<Value> rows, Value step);
  void forTiles(ArrayRef<Value> rows, function_ref<void(const Tile &)> body);
  /// The recurrence matrix as [vector of units][k][gate][unit], if it is a constant.
  void pack();
  Value loadWeights(const Tile &tile, Value k, int64_t gate);
  /// For each row and gate: `initial` plus state[row] * R[gate], where
  /// the state of a row begins at `stateOffset` of the array.
  SmallVector<Value> multiply(const Tile &tile, ArrayRef<int64_t> gates,
                              const Array &state,
                              function_ref<Value(size_t row)> stateOffset,
                              ArrayRef<Value> initial);

  // Places.
  Value rowOffset(Value row) { return e().mul(row, hidden); }
  Value stateOffset(Value step, Value row) {
    return e().mul(e().add(e().mul(step, batch), row), hidden);
  }
  Value fromInput(const Tile &tile, Value step, size_t row, int64_t gate) {
    Value place = e().add(e().mul(step, batch), tile.rows[row]);
    Value offset = e().add(e().mul(place, gates * hidden), gate * hidden);
    return load(site.getInput(op.getInput()),
                e().add(offset, tile.unit), tile.mask);
  }
  Value load(const Array &array, Value offset, Value mask) {
    return e().load(array, offset, lanes, mask);
  }
  /// Units of a vector of `hidden` elements, beginning at `base`.
  Value fromList(Value list, const Tile &tile, int64_t base = 0) {
    return load(site.getInput(list), e().add(tile.unit, base), tile.mask);
  }

  // Arithmetic.
  template <typename BinaryOp> Value make(Value x, Value y) {
    return BinaryOp::create(e().b, e().loc, x, y);
  }
  Value add(Value x, Value y) { return make<arith::AddFOp>(x, y); }
  Value sub(Value x, Value y) { return make<arith::SubFOp>(x, y); }
  Value mul(Value x, Value y) { return make<arith::MulFOp>(x, y); }
  Value number(double value) { return e().constant(e().vector(type, lanes), value); }
  Value activate(int64_t index, Value x, bool mayClip = true);

  void emitLSTM(const Tile &tile, Value step);
  void emitReset(const Tile &tile, Value step);
  void emitGRU(const Tile &tile, Value step);
  void emitRNN(const Tile &tile, Value step);
  /// An array of H elements for each row, on the stack.
  Array makeScratch(int64_t rows);

  KernelSite &site;
  OpT op;
  Type type;
  static constexpr int64_t gates = numGates<OpT>;
  int64_t hidden = 0, lanes = 0;
  Value steps, batch;
  /// Of a GRU that resets before the product: z, and r.H, of the rows at work.
  std::optional<Array> update, reset;
  std::optional<unsigned> packed; // the recurrence matrix, see pack
};

} // namespace

//===----------------------------------------------------------------------===//
// The frame
//===----------------------------------------------------------------------===//

template <typename OpT> LogicalResult RecurrentKernel<OpT>::emit() {
  if (!op.getPrepared() || site.view.root != op)
    return failure();
  type = cast<RankedTensorType>(op.getInput().getType()).getElementType();
  auto recurrence = cast<RankedTensorType>(op.getRecurrence().getType());
  if (!type.isF32() && !type.isF64())
    return failure();
  hidden = recurrence.getDimSize(0);
  lanes = site.getVectorBits() / type.getIntOrFloatBitWidth();
  pack();
  for (Value operand : op->getOperands())
    if (!packed || operand != op.getRecurrence())
      site.addInput(operand);
  checkSizes();
  if (failed(site.begin("recurrent")))
    return failure();
  Value input = site.getInputMemref(op.getInput());
  steps = e().size(input, 0);
  batch = e().size(input, 1);

  // Rows share loads of the recurrence matrix. Rows that end at different steps are
  // computed one by one.
  int64_t together = e().vectorBits == 512 ? 4 : 2;
  std::optional<int64_t> known = getConstantIntValue(batch);
  if (op.getSequenceLens() || (known && *known < together))
    together = 1;
  if (std::is_same_v<OpT, GRUOp>) {
    update = makeScratch(together);
    reset = makeScratch(together);
  }
  Value begin = site.getBegin(), end = site.getEnd();
  Value singles = begin;
  if (together > 1) {
    Value count = e().sub(end, begin);
    singles = e().sub(end, e().rem(count, e().index(together)));
    e().loop(begin, singles, together, [&](Value row) {
      SmallVector<Value> rows;
      for (int64_t i = 0; i < together; ++i)
        rows.push_back(e().add(row, i));
      emitRows(rows);
    });
  }
  e().loop(singles, end, 1, [&](Value row) { emitRows(row); });

  Value rows = site.hostSize(op.getInput(), 1);
  int64_t length = cast<RankedTensorType>(op.getInput().getType()).getDimSize(0);
  int64_t work = (ShapedType::isDynamic(length) ? 16 : length) * gates * hidden * hidden / 8;
  site.finish(rows, std::max(together, site.chooseGrain(work)));
  return success();
}

/// What the verifier could not, as the sizes are known only at run time (recurrent_c1).
template <typename OpT> void RecurrentKernel<OpT>::checkSizes() {
  Value input = site.view.getOuter(op.getInput());
  Value steps = site.hostSize(input, 0), batch = site.hostSize(input, 1);
  auto makeSize = [&](int64_t size) { return site.hostIndex(size); };
  for (const RecurrentOperand<Value> &operand :
       getRecurrentOperands<Value>(op, steps, batch, Value(), hidden, makeSize))
    for (auto [dim, size] : llvm::enumerate(operand.shape))
      site.checkSize(site.view.getOuter(operand.value), dim, size,
                     operand.name + " does not have the shape " + operand.meaning);
}

template <typename OpT> Array RecurrentKernel<OpT>::makeScratch(int64_t rows) {
  auto memref = MemRefType::get({rows * hidden}, type);
  return e().array(memref::AllocaOp::create(e().b, e().loc, memref));
}

template <typename OpT>
void RecurrentKernel<OpT>::emitRows(ArrayRef<Value> rows) {
  auto initialize = [&](Value initial, const Array &target, Value row) {
    e().vectorLoop(e().index(hidden), lanes, 1, [&](Value unit, Value mask) {
      Value offset = e().add(rowOffset(row), unit);
      Value value = initial ? load(site.getInput(initial), offset, mask) : number(0);
      e().store(value, target, offset, mask);
    });
  };
  for (Value row : rows) {
    initialize(op.getInitialH(), site.getOutput(1), row);
    if constexpr (std::is_same_v<OpT, LSTMOp>)
      initialize(op.getInitialC(), site.getOutput(2), row);
  }

  Value length = steps;
  if (op.getSequenceLens()) {
    // Whatever the value is, nothing outside the tensors is accessed.
    Value entry = e().load(site.getInput(op.getSequenceLens()), rows[0], 1);
    entry = arith::IndexCastOp::create(e().b, e().loc, e().b.getIndexType(), entry);
    length = e().max(e().min(entry, steps), e().index(0));
  }
  e().loop(e().index(0), length, 1, [&](Value i) {
    Value step = i;
    if (op.getReverse())
      step = e().sub(e().sub(length, e().index(1)), i);
    emitStep(rows, step);
    for (Value row : rows)
      e().vectorLoop(e().index(hidden), lanes, 4, [&](Value unit, Value mask) {
        Value next = load(site.getOutput(0), e().add(stateOffset(step, row), unit), mask);
        e().store(next, site.getOutput(1), e().add(rowOffset(row), unit), mask);
      });
  });
  if (op.getSequenceLens())
    e().loop(length, steps, 1, [&](Value step) {
      e().vectorLoop(e().index(hidden), lanes, 1, [&](Value unit, Value mask) {
        e().store(number(0), site.getOutput(0),
                  e().add(stateOffset(step, rows[0]), unit), mask);
      });
    });
}

template <typename OpT>
void RecurrentKernel<OpT>::forTiles(ArrayRef<Value> rows,
                                    function_ref<void(const Tile &)> body) {
  int64_t full = hidden / lanes * lanes;
  Tile tile;
  tile.rows.assign(rows.begin(), rows.end());
  e().loop(e().index(0), e().index(full), lanes, [&](Value unit) {
    tile.unit = unit;
    body(tile);
  });
  if (full == hidden)
    return;
  tile.unit = e().index(full);
  tile.mask = e().mask(e().index(hidden - full), lanes);
  body(tile);
}

template <typename OpT> void RecurrentKernel<OpT>::pack() {
  FailureOr<HostTensor> matrix = site.view.readConstant(op.getRecurrence());
  if (failed(matrix))
    return;
  int64_t vectors = llvm::divideCeil(hidden, lanes);
  HostTensor result =
      HostTensor::allocate(matrix->getType(), {vectors, hidden, gates, lanes});
  auto fill = [&](auto zero) {
    using T = decltype(zero);
    ArrayRef<T> from = matrix->template get<T>();
    T *to = result.template getMutable<T>().data();
    for (int64_t vector = 0; vector < vectors; ++vector)
      for (int64_t row = 0; row < hidden * gates; ++row)
        for (int64_t unit = vector * lanes, lane = 0; lane < lanes; ++lane, ++unit)
          *to++ = unit < hidden ? from[row * hidden + unit] : zero;
  };
  if (type.isF64())
    fill(0.0);
  else
    fill(0.0f);
  packed = site.addConstant(makeConstantAttr(op.getContext(), result, type));
}

template <typename OpT>
Value RecurrentKernel<OpT>::loadWeights(const Tile &tile, Value k, int64_t gate) {
  if (!packed) {
    Value offset = e().add(e().mul(k, gates * hidden), gate * hidden);
    return load(site.getInput(op.getRecurrence()), e().add(offset, tile.unit),
                tile.mask);
  }
  // Each unit before the tile has gates * hidden elements.
  Value offset = e().add(e().mul(tile.unit, gates * hidden),
                         e().mul(k, gates * lanes));
  return load(site.getInput(*packed), e().add(offset, gate * lanes), Value());
}

template <typename OpT>
SmallVector<Value> RecurrentKernel<OpT>::multiply(
    const Tile &tile, ArrayRef<int64_t> wanted, const Array &state,
    function_ref<Value(size_t)> stateOffset, ArrayRef<Value> initial) {
  SmallVector<Value> offsets;
  for (size_t row = 0; row < tile.rows.size(); ++row)
    offsets.push_back(stateOffset(row));
  // Several sets of sums where one has too few to hide the latency of FMAs.
  size_t width = initial.size(), numSets = 1;
  while (int64_t(numSets * width) < kMinIndependentAccumulators &&
         int64_t(numSets) * 2 <= hidden)
    numSets *= 2;
  SmallVector<Value> sums(initial);
  sums.resize(numSets * width, number(0));
  auto step = [&](Value k, MutableArrayRef<Value> set) {
    SmallVector<Value> weights;
    for (int64_t gate : wanted)
      weights.push_back(loadWeights(tile, k, gate));
    for (auto [row, offset] : llvm::enumerate(offsets)) {
      Value factor = e().loadSplat(state, e().add(offset, k), lanes);
      for (auto [i, weight] : llvm::enumerate(weights)) {
        Value &sum = set[row * weights.size() + i];
        sum = e().fma(factor, weight, sum);
      }
    }
  };
  int64_t whole = hidden - hidden % numSets;
  sums = e().loop(e().index(0), e().index(whole), numSets, sums,
                  [&](Value k, ValueRange carried) {
                    SmallVector<Value> next(carried);
                    for (size_t i = 0; i < numSets; ++i)
                      step(e().add(k, i), MutableArrayRef(next).slice(i * width, width));
                    return next;
                  });
  for (int64_t k = whole; k < hidden; ++k)
    step(e().index(k), MutableArrayRef(sums).slice((k - whole) * width, width));
  for (; numSets > 1; numSets /= 2)
    for (size_t i = 0; i < numSets / 2 * width; ++i)
      sums[i] = add(sums[i], sums[i + numSets / 2 * width]);
  sums.resize(width);
  return sums;
}

template <typename OpT>
Value RecurrentKernel<OpT>::activate(int64_t index, Value x, bool mayClip) {
  return emitRecurrentActivation(e().b, e().loc, x, cast<StringAttr>(op.getActivations()[index]),
                                 op.getAlpha()[index], op.getBeta()[index],
                                 mayClip ? op.getClip().convertToDouble() : 0);
}

//===----------------------------------------------------------------------===//
// The layers
//===----------------------------------------------------------------------===//

template <typename OpT>
void RecurrentKernel<OpT>::emitStep(ArrayRef<Value> rows, Value step) {
  if constexpr (std::is_same_v<OpT, LSTMOp>) {
    forTiles(rows, [&](const Tile &tile) { emitLSTM(tile, step); });
  } else if constexpr (std::is_same_v<OpT, GRUOp>) {
    if (!op.getLinearBeforeReset())
      forTiles(rows, [&](const Tile &tile) { emitReset(tile, step); });
    forTiles(rows, [&](const Tile &tile) { emitGRU(tile, step); });
  } else {
    forTiles(rows, [&](const Tile &tile) { emitRNN(tile, step); });
  }
}

template <typename OpT>
void RecurrentKernel<OpT>::emitLSTM(const Tile &tile, Value step) {
  if constexpr (std::is_same_v<OpT, LSTMOp>) {
    SmallVector<Value> initial;
    for (size_t row = 0; row < tile.rows.size(); ++row)
      for (int64_t gate = 0; gate < 4; ++gate)
        initial.push_back(fromInput(tile, step, row, gate));
    SmallVector<Value> sums =
        multiply(tile, {0, 1, 2, 3}, site.getOutput(1),
                 [&](size_t row) { return rowOffset(tile.rows[row]); }, initial);
    for (size_t row = 0; row < tile.rows.size(); ++row) {
      ArrayRef<Value> gate = ArrayRef(sums).slice(row * 4, 4);
      Value unit = tile.unit;
      Value cellOffset = e().add(rowOffset(tile.rows[row]), unit);
      Value cell = load(site.getOutput(2), cellOffset, tile.mask);
      auto peep = [&](Value x, int64_t which) {
        if (!op.getPeephole())
          return x;
        return e().fma(fromList(op.getPeephole(), tile, which * hidden), cell, x);
      };
      Value i = activate(0, peep(gate[0], 0));
      Value f = op.getInputForget() ? sub(number(1), i) : activate(0, peep(gate[2], 2));
      cell = e().fma(f, cell, mul(i, activate(1, gate[3])));
      Value o = activate(0, peep(gate[1], 1));
      Value next = mul(o, activate(2, cell, /*mayClip=*/false));
      e().store(cell, site.getOutput(2), cellOffset, tile.mask);
      e().store(next, site.getOutput(0),
                e().add(stateOffset(step, tile.rows[row]), unit), tile.mask);
    }
  }
}

/// z and r.H of all units; the product of the hidden gate needs them.
template <typename OpT>
void RecurrentKernel<OpT>::emitReset(const Tile &tile, Value step) {
  SmallVector<Value> initial;
  for (size_t row = 0; row < tile.rows.size(); ++row)
    for (int64_t gate : {0, 1})
      initial.push_back(fromInput(tile, step, row, gate));
  SmallVector<Value> sums =
      multiply(tile, {0, 1}, site.getOutput(1),
               [&](size_t row) { return rowOffset(tile.rows[row]); }, initial);
  for (size_t row = 0; row < tile.rows.size(); ++row) {
    ArrayRef<Value> gate = ArrayRef(sums).slice(row * 2, 2);
    Value unit = tile.unit;
    Value place = e().add(unit, row * hidden);
    Value before = load(site.getOutput(1),
                        e().add(rowOffset(tile.rows[row]), unit), tile.mask);
    e().store(activate(0, gate[0]), *update, place, tile.mask);
    e().store(mul(activate(0, gate[1]), before), *reset, place, tile.mask);
  }
}

template <typename OpT>
void RecurrentKernel<OpT>::emitGRU(const Tile &tile, Value step) {
  if constexpr (std::is_same_v<OpT, GRUOp>) {
    bool linear = op.getLinearBeforeReset();
    SmallVector<Value> initial;
    for (size_t row = 0; row < tile.rows.size(); ++row) {
      if (!linear) {
        initial.push_back(fromInput(tile, step, row, 2));
        continue;
      }
      for (int64_t gate : {0, 1})
        initial.push_back(fromInput(tile, step, row, gate));
      initial.push_back(op.getHiddenBias() ? fromList(op.getHiddenBias(), tile)
                                           : number(0));
    }
    SmallVector<int64_t> wanted = linear ? SmallVector<int64_t>{0, 1, 2}
                                         : SmallVector<int64_t>{2};
    SmallVector<Value> sums = multiply(
        tile, wanted, linear ? site.getOutput(1) : *reset,
        [&](size_t row) {
          return linear ? rowOffset(tile.rows[row]) : e().index(row * hidden);
        },
        initial);
    for (size_t row = 0; row < tile.rows.size(); ++row) {
      ArrayRef<Value> gate =
          ArrayRef(sums).slice(row * wanted.size(), wanted.size());
      Value unit = tile.unit;
      Value before = load(site.getOutput(1),
                          e().add(rowOffset(tile.rows[row]), unit), tile.mask);
      Value z, h;
      if (linear) {
        z = activate(0, gate[0]);
        Value r = activate(0, gate[1]);
        h = e().fma(r, gate[2], fromInput(tile, step, row, 2));
      } else {
        z = load(*update, e().add(unit, row * hidden), tile.mask);
        h = gate[0];
      }
      h = activate(1, h);
      // (1 - z) * h + z * H
      Value next = e().fma(z, sub(before, h), h);
      e().store(next, site.getOutput(0),
                e().add(stateOffset(step, tile.rows[row]), unit), tile.mask);
    }
  }
}

template <typename OpT>
void RecurrentKernel<OpT>::emitRNN(const Tile &tile, Value step) {
  SmallVector<Value> initial;
  for (size_t row = 0; row < tile.rows.size(); ++row)
    initial.push_back(fromInput(tile, step, row, 0));
  SmallVector<Value> sums =
      multiply(tile, {0}, site.getOutput(1),
               [&](size_t row) { return rowOffset(tile.rows[row]); }, initial);
  for (size_t row = 0; row < tile.rows.size(); ++row)
    e().store(activate(0, sums[row]), site.getOutput(0),
              e().add(stateOffset(step, tile.rows[row]), tile.unit), tile.mask);
}

LogicalResult nn::emitRecurrentKernel(KernelSite &site) {
  Operation *anchor = site.view.anchor;
  if (auto lstm = dyn_cast_or_null<LSTMOp>(anchor))
    return RecurrentKernel(site, lstm).emit();
  if (auto gru = dyn_cast_or_null<GRUOp>(anchor))
    return RecurrentKernel(site, gru).emit();
  if (auto rnn = dyn_cast_or_null<RNNOp>(anchor))
    return RecurrentKernel(site, rnn).emit();
  return failure();
}
