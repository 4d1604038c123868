//===- NNPoolOps.td - pooling ---------------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_POOL_OPS_TD
#define NN_POOL_OPS_TD

include "dialects/NN/IR/NNBase.td"

class NN_PoolOp<string mnemonic, string what>
    : NN_Op<mnemonic, [NN_SpatialOpInterface, NN_FusionAnchorOpInterface]> {
  let summary = what # " over windows";
  let description = what # [{ over windows of `kernel_shape`, of an input
    N x C x D1 x ... x Dk (`channels_last`: N x D1 x ... x Dk x C). `pads` holds k
    begins, then k ends. Result dimension i has
    `floor((Di + begin_i + end_i - dilation_i * (Ki - 1) - 1) / stride_i) + 1`
    entries; with `ceil_mode` the division rounds up, and a window that would
    start in the end padding is dropped. (Global pooling is `nn.reduce_mean` or
    `nn.reduce_max`.)

    Constraints:
     - `pool_c1`: the input has rank >= 3; `kernel_shape` has k entries;
     - `pool_c2`: `strides`, `dilations` have k entries or none, `pads` 2k or none;
       pads are not negative, all others positive.
  }];
  dag parameters = (ins NN_NumericTensor:$input, DenseI64ArrayAttr:$kernel_shape,
                        NN_I64List:$strides, NN_I64List:$dilations,
                        NN_I64List:$pads, NN_DefaultBool<"false">:$ceil_mode,
                        NN_AutoPadAttr:$auto_pad, NN_LayoutAttr:$layout);
  let arguments = parameters;
  let results = (outs NN_NumericTensor:$result);
  let extraDeclaration = [{
    ::mlir::nn::Dim getWorkPerElement(::mlir::nn::ShapeEnv &env) {
      int64_t taps = 1;
      for (int64_t size : getKernelShape())
        taps *= size;
      return env.constant(taps);
    }
  }];
  let hasVerifier = 1;
}

/// Padding is never the maximum.
def NN_MaxPoolOp : NN_PoolOp<"max_pool", "The maximum">;

/// Divides by the number of elements in the window: only those in the input, or with
/// `count_include_pad` also those in the padding.
def NN_AveragePoolOp : NN_PoolOp<"average_pool", "The mean"> {
  let arguments = !con(parameters, (ins NN_DefaultBool<"false">:$count_include_pad));
}

def NN_MaxPoolIndicesOp : NN_PoolOp<"max_pool_indices", "The index of the maximum"> {
  let description = [{
    Where `nn.max_pool` with the same attributes finds each element: its index in
    the input, flattened in row-major order (with `column_major`, the spatial dimensions
    are flattened in reverse order). If elements are equal, the first counts.
    Constraints are those of `nn.max_pool`.
  }];
  let arguments = !con(parameters, (ins NN_DefaultBool<"false">:$column_major));
  let results = (outs NN_TensorOf<[I64]>:$result);
}

def NN_LpPoolOp : NN_PoolOp<"lp_pool", "The p-norm"> {
  let arguments = !con(parameters, (ins NN_DefaultI64<"2">:$p));
}

#endif // NN_POOL_OPS_TD
