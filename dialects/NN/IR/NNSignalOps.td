//===- NNSignalOps.td - discrete Fourier transforms -----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SIGNAL_OPS_TD
#define NN_SIGNAL_OPS_TD

include "dialects/NN/IR/NNBase.td"

/// Samples or frequencies. The last dimension is 1 if they are real, 2 if they are complex:
/// real part, imaginary part.
def NN_SignalTensor : NN_TensorOf<[F32, F64]>;
def NN_LengthTensor : 0DTensorOf<[I64]>;

def NN_DFTOp : NN_Op<"dft"> {
  let summary = "Discrete Fourier transform along an axis";
  let description = [{
    `result[k] = sum over n of input[n] * exp(-2 pi i k n / N)`; with `inverse` the
    exponent is positive, and the sum is divided by N. N is `dft_length`, or else the size of
    the axis; the input is cut to N elements, or extended with zeros.

    With `onesided`, a forward transform gives only the frequencies 0 to N / 2, from which
    the others follow if the input is real. An inverse one takes those frequencies and gives N
    real numbers; without `dft_length`, N is 2 * (size - 1).
    Source: ONNX operator DFT, version 20.

    Constraints:
     - `dft_c1`: the input's rank is 2 or more, and its last dimension is 1 or 2;
     - `dft_c2`: -rank <= axis < rank, and axis is not the last dimension;
     - `dft_c3`: dft_length is positive (checked at run time if it is not constant).
  }];
  let arguments = (ins NN_SignalTensor:$input, Optional<NN_LengthTensor>:$dft_length,
                       NN_DefaultI64<"-2">:$axis, NN_DefaultBool<"false">:$inverse,
                       NN_DefaultBool<"false">:$onesided);
  let results = (outs NN_SignalTensor:$result);
}

def NN_STFTOp : NN_Op<"stft", [AttrSizedOperandSegments]> {
  let summary = "Fourier transforms of overlapping frames of a signal";
  let description = [{
    The signal is batch x length x 1 or 2. Frame f holds its elements from
    `f * frame_step` on, `frame_length` of them (default: the length of the window), each
    times the window's. The result is batch x frames x frequencies x 2, where only the
    frequencies 0 to `frame_length / 2` are given with `onesided`. Only whole frames count:
    `(length - frame_length) / frame_step + 1`.
    Source: ONNX operator STFT, version 17.

    Constraints:
     - `stft_c1`: the signal has rank 3, and its last dimension is 1 or 2;
     - `stft_c2`: there is a window or a frame_length; a window has rank 1, frame_length
       elements, and the signal's element type;
     - `stft_c3`: frame_step and frame_length are positive, and the signal is not shorter
       than a frame (checked at run time if it is not known).
  }];
  let arguments = (ins NN_SignalTensor:$signal, NN_LengthTensor:$frame_step,
                       Optional<NN_SignalTensor>:$window,
                       Optional<NN_LengthTensor>:$frame_length,
                       NN_DefaultBool<"true">:$onesided);
  let results = (outs NN_SignalTensor:$result);
  let assemblyFormat = [{
    $signal `step` $frame_step (`window` $window^)? (`length` $frame_length^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

#endif // NN_SIGNAL_OPS_TD
