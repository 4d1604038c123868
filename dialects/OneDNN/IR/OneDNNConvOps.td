//===- OneDNNConvOps.td - convolutions ------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef ONEDNN_CONV_OPS_TD
#define ONEDNN_CONV_OPS_TD

include "dialects/OneDNN/IR/OneDNNBase.td"

class OneDNN_ConvBase<string mnemonic>
    : OneDNN_Op<mnemonic, [AttrSizedOperandSegments, NN_ContractionOpInterface]> {
  let arguments = (ins OneDNN_Operand:$src, OneDNN_Operand:$weights,
                       Optional<OneDNN_Operand>:$bias,
                       Variadic<OneDNN_Operand>:$post_op_args,
                       OneDNN_Operand:$dst,
                       NN_I64List:$strides, NN_I64List:$dilations,
                       NN_I64List:$pads_begin, NN_I64List:$pads_end,
                       NN_AutoPadAttr:$auto_pad, NN_DefaultI64<"1">:$groups,
                       NN_LayoutAttr:$layout,
                       UnitAttr:$constant_weights,
                       NN_DefaultI64<"0">:$src_zero_point, OneDNN_PostOps:$post_ops);
  let assemblyFormat = [{
    `src` `(` $src `:` type($src) `)` `weights` `(` $weights `:` type($weights) `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`post_op_args` `(` $post_op_args^ `:` type($post_op_args) `)`)?
    `dst` `(` $dst `:` type($dst) `)` attr-dict (`->` type($result)^)?
  }];
  let extraDeclaration = OneDNN_PostOpDeclaration;
}

def OneDNN_ConvolutionOp : OneDNN_ConvBase<"convolution"> {
  let summary = "Convolution";
  let description = [{
    https://uxlfoundation.github.io/oneDNN/v3.2/dev_guide_convolution.html

    `src` and `dst` are N x C x spatial (`channels_last`: N x spatial x C),
    `weights` O x I/groups x kernel in both layouts, `bias` has O elements.
    Lists have an entry for each spatial dimension, or none for the default.
    `dilations` are ONNX's: 1 is dense. `constant_weights` says that weights and bias are
    constants of the model, so that they are packed only once.

    `dst_i = floor((src_i + begin_i + end_i - dilation_i * (k_i - 1) - 1) / stride_i) + 1`

    With sizes known only at run time, `pads_end` may not satisfy the formula exactly; the
    pads that fit dst are used. With `auto_pad` = `same_upper` or `same_lower`, all pads
    are computed from the shapes in this way.

    Constraints:
     - `conv_c1`: src, weights and dst have one rank >= 3;
     - `conv_c2`: strides, dilations, pads_begin and pads_end have rank-2 entries
       or none; strides and dilations are positive;
     - `conv_c3`: channels of src are `groups` times weights' dimension 1, and
       channels of dst are weights' dimension 0, a multiple of `groups`;
     - `conv_c4`: bias has rank 1 and dst's channels as its size;
     - `conv_c5`: without `auto_pad`, dst's spatial sizes follow from the formula;
     - `types_c1`: src, weights, bias and dst are floats; or src is an 8-bit integer,
       weights are i8, the bias i32 or f32, and dst is an 8-bit integer, i32 or f32;
     - `types_c2`: `src_zero_point` is a value of src's type, and 0 for floats;
     - `post_ops_c1`: a binary post-op names one of `post_op_args`, which has
       dst's rank and in each dimension dst's size or 1.

    ```mlir
    %0 = onednn.convolution src(%x : tensor<1x3x8x8xf32>)
        weights(%w : tensor<4x3x3x3xf32>) bias(%b : tensor<4xf32>)
        dst(%d : tensor<1x4x8x8xf32>)
        {pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>,
         post_ops = [#onednn.eltwise<relu, 0.0, 0.0>]} -> tensor<1x4x8x8xf32>

    // Integers, requantized to unsigned ones with the zero point 3.
    %1 = onednn.convolution src(%q : tensor<1x8x8x4xui8>)
        weights(%v : tensor<4x4x1x1xi8>) bias(%c : tensor<4xi32>)
        post_op_args(%s : tensor<1x1x1x4xf32>) dst(%e : tensor<1x8x8x4xui8>)
        {layout = 1 : i32, src_zero_point = 7 : i64,
         post_ops = [#onednn.binary<mul, 0>, #onednn.eltwise<round, 0.0, 0.0>,
                     #onednn.eltwise<linear, 1.0, 3.0>]} -> tensor<1x8x8x4xui8>
    ```
  }];
}

def OneDNN_DeconvolutionOp : OneDNN_ConvBase<"deconvolution"> {
  let summary = "Transposed convolution";
  let description = [{
    https://uxlfoundation.github.io/oneDNN/v3.2/dev_guide_convolution.html#deconvolution

    As `onednn.convolution`, but `weights` are as ONNX has them, I x O/groups x
    kernel, and

    `dst_i = (src_i - 1) * stride_i + dilation_i * (k_i - 1) + 1 - begin_i - end_i`

    (an output padding is a smaller, possibly negative `pads_end`).

    Constraints: as for `onednn.convolution`, with weights' dimension 0 as the
    channels of src and `groups` times its dimension 1 as those of dst.
  }];
}

#endif // ONEDNN_CONV_OPS_TD
