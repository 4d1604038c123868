//===- NNConvOps.td - convolutions ----------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_CONV_OPS_TD
#define NN_CONV_OPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_ConvOp : NN_Op<"conv", [NN_ContractionOpInterface, NN_SpatialOpInterface,
                               NN_FusionAnchorOpInterface]> {
  let summary = "Convolution";
  let description = [{
    ONNX Conv: `input` is N x C x D1 x ... x Dk (`channels_last`: N x D1 x ... x
    Dk x C), `weight` is M x C/group x K1 x ... x Kk in both layouts, `bias` has
    M elements. `pads` holds k begins, then k ends. The size of result dimension i is
    `floor((Di + begin_i + end_i - dilation_i * (Ki - 1) - 1) / stride_i) + 1`.
    `auto_pad` other than `notset` determines the pads as in ONNX.

    Input and weight may also be 8-bit integers, signed or unsigned, possibly of
    different types (ONNX ConvInteger). Result and bias are then i32: the exact sums
    of `(input - input_zero_point) * weight`, plus the bias. The padding adds nothing,
    as if it held `input_zero_point`.

    Constraints:
     - `conv_c1`: input and weight have the same rank >= 3; they (and the bias) have the
       same float type, or they are 8-bit integers (and the bias is i32);
     - `conv_c2`: `strides`, `dilations` have k entries or none, `pads` 2k or none;
     - `conv_c3`: strides and dilations are positive;
     - `conv_c4`: C = group * weight's dimension 1, and M is a multiple of group;
     - `conv_c5`: the bias has M elements;
     - `conv_c6`: the kernel fits into the padded input;
     - `conv_c7`: `input_zero_point` is a value of the input's type, and 0 for floats.

    ```mlir
    %0 = nn.conv %x, %w {input_zero_point = 7 : i64, pads = array<i64: 1, 1, 1, 1>} :
        (tensor<1x3x8x8xui8>, tensor<4x3x3x3xi8>) -> tensor<1x4x8x8xi32>
    ```
  }];
  let arguments = (ins NN_NumericTensor:$input, NN_NumericTensor:$weight,
                       Optional<NN_NumericTensor>:$bias,
                       NN_I64List:$strides, NN_I64List:$dilations,
                       NN_I64List:$pads, NN_DefaultI64<"1">:$group,
                       NN_AutoPadAttr:$auto_pad, NN_LayoutAttr:$layout,
                       NN_DefaultI64<"0">:$input_zero_point);
  let results = (outs NN_NumericTensor:$result);
  let extraDeclaration = NN_HasWork;
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def NN_ConvTransposeOp : NN_Op<"conv_transpose", [NN_ContractionOpInterface,
                                                  NN_SpatialOpInterface,
                                                  NN_FusionAnchorOpInterface]> {
  let summary = "Transposed convolution";
  let description = [{
    ONNX ConvTranspose: `weight` is C x M/group x K1 x ... x Kk. The size of
    result dimension i is `stride_i * (Di - 1) + output_padding_i +
    dilation_i * (Ki - 1) + 1 - begin_i - end_i`, or `output_shape[i]` if that is
    given (it then determines the pads).

    Constraints: as `nn.conv`, with weight's dimension 0 equal to C, and
     - `conv_transpose_c1`: `output_padding`, `output_shape` have k entries or none.
  }];
  let arguments = (ins NN_FloatTensor:$input, NN_FloatTensor:$weight,
                       Optional<NN_FloatTensor>:$bias,
                       NN_I64List:$strides, NN_I64List:$dilations,
                       NN_I64List:$pads, NN_I64List:$output_padding,
                       NN_I64List:$output_shape, NN_DefaultI64<"1">:$group,
                       NN_AutoPadAttr:$auto_pad, NN_LayoutAttr:$layout);
  let results = (outs NN_FloatTensor:$result);
  let extraDeclaration = NN_HasWork;
  let hasVerifier = 1;
}

#endif // NN_CONV_OPS_TD
