//===- OneDNNPoolOps.td - pooling -----------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef ONEDNN_POOL_OPS_TD
#define ONEDNN_POOL_OPS_TD

include "dialects/OneDNN/IR/OneDNNBase.td"

def OneDNN_PoolingOp : OneDNN_Op<"pooling"> {
  let summary = "Pooling over windows";
  let description = [{
    https://uxlfoundation.github.io/oneDNN/v3.2/dev_guide_pooling.html

    Layout, lists and the sizes of dst are those of `onednn.convolution`, with
    `kernel` as the window. `avg_include_padding` divides by the size of the
    window, `avg_exclude_padding` by the number of its elements inside of src.
    src and dst have one element type.

    Constraints:
     - `pool_c1`: src and dst have one rank >= 3, the same batch and channels;
     - `pool_c2`: `kernel` has rank-2 entries, the other lists rank-2 or none;
       kernel, strides and dilations are positive;
     - `pool_c3`: without `auto_pad`, dst's spatial sizes follow from
       convolution's formula;
     - `post_ops_c1` as for `onednn.convolution`.

    ```mlir
    %0 = onednn.pooling max src(%x : tensor<1x3x8x8xf32>)
        dst(%d : tensor<1x3x4x4xf32>) {kernel = array<i64: 2, 2>,
        strides = array<i64: 2, 2>} -> tensor<1x3x4x4xf32>
    ```
  }];
  let arguments = (ins OneDNN_PoolingAlgorithm:$algorithm,
                       OneDNN_Operand:$src,
                       Variadic<OneDNN_Operand>:$post_op_args,
                       OneDNN_Operand:$dst,
                       DenseI64ArrayAttr:$kernel, NN_I64List:$strides,
                       NN_I64List:$dilations, NN_I64List:$pads_begin,
                       NN_I64List:$pads_end, NN_AutoPadAttr:$auto_pad,
                       NN_LayoutAttr:$layout,
                       OneDNN_PostOps:$post_ops);
  let assemblyFormat = [{
    $algorithm `src` `(` $src `:` type($src) `)`
    (`post_op_args` `(` $post_op_args^ `:` type($post_op_args) `)`)?
    `dst` `(` $dst `:` type($dst) `)` attr-dict (`->` type($result)^)?
  }];
  let extraDeclaration = OneDNN_PostOpDeclaration;
}

#endif // ONEDNN_POOL_OPS_TD
