//===- NNRecurrent.h - recurrent layers of the nn dialect -------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Not part of NN.h, which all files include, because few files need this family.
//
//===----------------------------------------------------------------------===//

#ifndef NN_DIALECTS_NN_IR_NNRECURRENT_H
#define NN_DIALECTS_NN_IR_NNRECURRENT_H

#include "dialects/NN/IR/NN.h"

#define GET_OP_CLASSES
#include "dialects/NN/IR/NNRecurrentOps.h.inc"

namespace mlir::nn {

/// Matrices of gates in a layer: i, o, f, c of an LSTM; z, r, h of a GRU; one of an RNN.
template <typename OpT>
constexpr int64_t numGates = std::is_same_v<OpT, LSTMOp>  ? 4
                             : std::is_same_v<OpT, GRUOp> ? 3
                                                          : 1;

/// An operand of a recurrent layer and the shape that it must have (recurrent_c1).
template <typename SizeT> struct RecurrentOperand {
  StringRef name; // as ODS names it
  Value value;
  SmallVector<SizeT, 3> shape;
  StringRef meaning; // of the shape, for messages
};

/// Operands that `op` has and whose shapes follow from others. `steps`, `batch` and
/// `inputs` are the sizes of the input; `makeSize` makes a SizeT of a known size.
template <typename SizeT, typename OpT, typename MakeT>
SmallVector<RecurrentOperand<SizeT>>
getRecurrentOperands(OpT op, SizeT steps, SizeT batch, SizeT inputs, int64_t hidden,
                     MakeT makeSize) {
  SmallVector<RecurrentOperand<SizeT>> operands;
  auto add = [&](StringRef name, Value value, SmallVector<SizeT, 3> shape,
                 StringRef meaning) {
    if (value)
      operands.push_back({name, value, std::move(shape), meaning});
  };
  SizeT units = makeSize(hidden), all = makeSize(numGates<OpT> * hidden);
  if (op.getPrepared()) {
    add("input", op.getInput(), {steps, batch, all}, "steps x batch x gates*hidden_size");
    add("recurrence", op.getRecurrence(), {units, all}, "hidden_size x gates*hidden_size");
  } else {
    add("recurrence", op.getRecurrence(), {all, units}, "gates*hidden_size x hidden_size");
    add("weight", op.getWeight(), {all, inputs}, "gates*hidden_size x input_size");
    add("bias", op.getBias(), {all}, "gates*hidden_size");
  }
  add("sequence_lens", op.getSequenceLens(), {batch}, "batch");
  add("initial_h", op.getInitialH(), {batch, units}, "batch x hidden_size");
  if constexpr (std::is_same_v<OpT, LSTMOp>) {
    add("initial_c", op.getInitialC(), {batch, units}, "batch x hidden_size");
    add("peephole", op.getPeephole(), {makeSize(3 * hidden)}, "3*hidden_size");
  }
  if constexpr (std::is_same_v<OpT, GRUOp>)
    add("hidden_bias", op.getHiddenBias(), {units}, "hidden_size");
  return operands;
}

} // namespace mlir::nn

#endif // NN_DIALECTS_NN_IR_NNRECURRENT_H
