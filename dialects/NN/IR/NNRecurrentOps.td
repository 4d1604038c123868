//===- NNRecurrentOps.td - recurrent layers -------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_RECURRENT_OPS_TD
#define NN_RECURRENT_OPS_TD

include "dialects/NN/IR/NNBase.td"

/// One direction of one layer. The import replaces ONNX's `layout` and `bidirectional`:
/// time comes first, and a bidirectional layer is two operations.
///
/// Sizes: T steps, B rows of the batch, I inputs, H hidden units, G gates.
class NN_RecurrentOp<string mnemonic, list<Trait> traits = []>
    : NN_Op<mnemonic, !listconcat([AttrSizedOperandSegments], traits)> {
  let hasVerifier = 1;
  let assemblyFormat = [{
    `(` operands `)` attr-dict `:` functional-type(operands, results)
  }];
}

/// What the descriptions share.
defvar NN_RecurrentDescription = [{
    Operands:
     - `input` T x B x I;
     - `weight` G*H x I, `recurrence` G*H x H, the gates one after another in
       ONNX's order; `bias` G*H is the sum of ONNX's input and recurrent biases;
     - `sequence_lens` B: the number of steps of each row; later steps are not computed,
       and are zero in the first result. If absent, T for all rows;
     - `initial_h` (and `initial_c`) B x H; zero if absent.

    Results: the hidden state after each step, T x B x H, and after the last step,
    B x H. With `reverse`, steps go from the last to the first.

    `activations` are ONNX's names; `alpha` and `beta` have an entry for each. With
    `clip` > 0, the arguments of the gates' activations are clamped to +-clip.

    In the `prepared` form, which `nn-prepare-recurrent` makes, `input` is already
    multiplied by the weight, with the bias added (T x B x G*H), `recurrence` is
    transposed (H x G*H), and `weight` and `bias` are absent.

    Constraints:
     - `recurrent_c1`: shapes are as above, and H is known at compile time;
     - `recurrent_c2`: `weight` is present, unless the form is prepared;
     - `recurrent_c3`: there are as many activations as the operator has, all of them known.
}];

defvar NN_RecurrentOperands = (ins
    NN_FloatTensor:$input, Optional<NN_FloatTensor>:$weight,
    NN_FloatTensor:$recurrence, Optional<NN_FloatTensor>:$bias,
    Optional<NN_TensorOf<[I32]>>:$sequence_lens, Optional<NN_FloatTensor>:$initial_h);
defvar NN_RecurrentAttributes = (ins
    StrArrayAttr:$activations, DenseF32ArrayAttr:$alpha, DenseF32ArrayAttr:$beta,
    NN_DefaultF32<"0.0f">:$clip, UnitAttr:$reverse, UnitAttr:$prepared);

def NN_LSTMOp : NN_RecurrentOp<"lstm"> {
  let summary = "Long short-term memory";
  let description = NN_RecurrentDescription # [{
    Gates i, o, f, c; activations f, g, h:

        i = f(x*Wi + H*Ri + bi + pi.C)   f = f(x*Wf + H*Rf + bf + pf.C)
        c = g(x*Wc + H*Rc + bc)          C = f.C + i.c
        o = f(x*Wo + H*Ro + bo + po.C)   H = o.h(C)

    `peephole` 3*H holds pi, po, pf. With `input_forget` the gate f is 1 - i.
    The third result is C after the last step.
    Source: ONNX operator LSTM, version 14.
  }];
  let arguments = !con(NN_RecurrentOperands,
                       (ins Optional<NN_FloatTensor>:$initial_c,
                            Optional<NN_FloatTensor>:$peephole),
                       NN_RecurrentAttributes, (ins UnitAttr:$input_forget));
  let results = (outs NN_FloatTensor:$states, NN_FloatTensor:$last,
                      NN_FloatTensor:$last_cell);
}

def NN_GRUOp : NN_RecurrentOp<"gru"> {
  let summary = "Gated recurrent unit";
  let description = NN_RecurrentDescription # [{
    Gates z, r, h; activations f, g:

        z = f(x*Wz + H*Rz + bz)    r = f(x*Wr + H*Rr + br)
        h = g(x*Wh + (r.H)*Rh + bh)           without `linear_before_reset`
        h = g(x*Wh + r.(H*Rh + hb) + bh)      with it
        H = (1 - z).h + z.H

    `hidden_bias` hb (H elements) is present only with `linear_before_reset`; bh is
    then just ONNX's input bias.
    Source: ONNX operator GRU, version 14.
  }];
  let arguments = !con(NN_RecurrentOperands,
                       (ins Optional<NN_FloatTensor>:$hidden_bias),
                       NN_RecurrentAttributes, (ins UnitAttr:$linear_before_reset));
  let results = (outs NN_FloatTensor:$states, NN_FloatTensor:$last);
}

def NN_RNNOp : NN_RecurrentOp<"rnn"> {
  let summary = "Simple recurrent layer";
  let description = NN_RecurrentDescription # [{
    One gate and one activation: `H = f(x*W + H*R + b)`.
    Source: ONNX operator RNN, version 14.
  }];
  let arguments = !con(NN_RecurrentOperands, NN_RecurrentAttributes);
  let results = (outs NN_FloatTensor:$states, NN_FloatTensor:$last);
}

#endif // NN_RECURRENT_OPS_TD
