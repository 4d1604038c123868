//===- NNQuantizationOps.td - quantization --------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_QUANTIZATION_OPS_TD
#define NN_QUANTIZATION_OPS_TD

include "dialects/NN/IR/NNBase.td"

class NN_QuantizationOp<string mnemonic> : NN_Op<mnemonic, [
    DeclareOpInterfaceMethods<NN_LayoutOpInterface, ["getLayoutRule", "setChannelsLast"]>]> {
  let hasVerifier = 1;
}

def NN_QuantizeOp : NN_QuantizationOp<"quantize"> {
  let summary = "Linear quantization";
  let description = [{
    `result = saturate(round_to_even(x / scale) + zero_point)`; to floats,
    `x / scale + zero_point`, rounded as by `nn.cast`. Scale and zero point have rank 0
    (per tensor), rank 1 (one entry for each index of `axis`), or the input's rank
    (blocks of `block_size` along `axis`).

    Constraints:
     - `quantize_c1`: `zero_point`, if given, has the shape of `scale`;
     - `quantize_c2`: -rank <= axis < rank.
  }];
  let arguments = (ins NN_NumericTensor:$input, NN_FloatTensor:$scale,
                       Optional<NN_QuantizedTensor>:$zero_point, TypeAttr:$to,
                       NN_DefaultI64<"1">:$axis, NN_DefaultI64<"0">:$block_size,
                       NN_DefaultBool<"true">:$saturate);
  let results = (outs NN_QuantizedTensor:$result);
}

def NN_DequantizeOp : NN_QuantizationOp<"dequantize"> {
  let summary = "From linearly quantized to real numbers";
  let description = [{
    `result = (x - zero_point) * scale`; operands as in `nn.quantize`. The result
    has the scale's element type.
  }];
  let arguments = (ins NN_QuantizedTensor:$input, NN_FloatTensor:$scale,
                       Optional<NN_QuantizedTensor>:$zero_point,
                       NN_DefaultI64<"1">:$axis, NN_DefaultI64<"0">:$block_size);
  let results = (outs NN_FloatTensor:$result);
}

#endif // NN_QUANTIZATION_OPS_TD
