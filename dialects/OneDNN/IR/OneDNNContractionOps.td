//===- OneDNNContractionOps.td - matrix products --------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef ONEDNN_CONTRACTION_OPS_TD
#define ONEDNN_CONTRACTION_OPS_TD

include "dialects/OneDNN/IR/OneDNNBase.td"

def OneDNN_MatMulOp : OneDNN_Op<"matmul", [AttrSizedOperandSegments,
                                              NN_ContractionOpInterface]> {
  let summary = "Matrix product with batch dimensions";
  let description = [{
    https://uxlfoundation.github.io/oneDNN/v3.2/dev_guide_matmul.html

    `dst = src * weights + bias` over the last two dimensions. The dimensions before are
    batch dimensions, in which src and weights have dst's size or 1. The primitive sees
    `src`, `weights` and `dst` through their permutations: its dimension i is dimension
    `permutation[i]` of the operand (if empty, dimension i). No data moves, since the
    permutation becomes strides.

    Constraints:
     - `matmul_c1`: src, weights and dst have one rank >= 2;
     - `matmul_c2`: permutations have `rank` entries, each dimension once;
     - `matmul_c3`: src, permuted, ends in M x K, weights in K x N, dst in M x N;
     - `matmul_c4`: batch dimensions are dst's or 1;
     - `matmul_c5`: bias has N as its last size, and before that only ones, at
       most `rank` dimensions;
     - `types_c1`, `post_ops_c1` as for `onednn.convolution`.

    ```mlir
    %0 = onednn.matmul src(%a : tensor<4x8xf32>) weights(%b : tensor<5x8xf32>)
        dst(%d : tensor<4x5xf32>) {weights_permutation = array<i64: 1, 0>}
        -> tensor<4x5xf32>
    ```
  }];
  let arguments = (ins OneDNN_Operand:$src, OneDNN_Operand:$weights,
                       Optional<OneDNN_Operand>:$bias,
                       Variadic<OneDNN_Operand>:$post_op_args,
                       OneDNN_Operand:$dst,
                       NN_I64List:$src_permutation,
                       NN_I64List:$weights_permutation,
                       NN_I64List:$dst_permutation,
                       UnitAttr:$constant_weights, OneDNN_PostOps:$post_ops);
  let assemblyFormat = [{
    `src` `(` $src `:` type($src) `)` `weights` `(` $weights `:` type($weights) `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`post_op_args` `(` $post_op_args^ `:` type($post_op_args) `)`)?
    `dst` `(` $dst `:` type($dst) `)` attr-dict (`->` type($result)^)?
  }];
  let extraDeclaration = OneDNN_PostOpDeclaration;
}

#endif // ONEDNN_CONTRACTION_OPS_TD
