//===- OneDNNNormalizationOps.td - LRN and softmax ------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef ONEDNN_NORMALIZATION_OPS_TD
#define ONEDNN_NORMALIZATION_OPS_TD

include "dialects/OneDNN/IR/OneDNNBase.td"

def OneDNN_LRNOp : OneDNN_Op<"lrn"> {
  let summary = "Local response normalization across channels";
  let description = [{
    https://uxlfoundation.github.io/oneDNN/v3.2/dev_guide_lrn.html

    `dst = src * (k + alpha / local_size * sum)^-beta`, where `sum` is the sum of squares
    over the `local_size` channels around the element's, as far as they exist.

    Constraints:
     - `lrn_c1`: src and dst have one shape of rank >= 3;
     - `lrn_c2`: `local_size` is positive and odd (the window has a middle).
  }];
  let arguments = (ins OneDNN_Operand:$src, OneDNN_Operand:$dst,
                       NN_I64Attr:$local_size, F32Attr:$alpha, F32Attr:$beta,
                       F32Attr:$k, NN_LayoutAttr:$layout);
  let assemblyFormat = [{
    `src` `(` $src `:` type($src) `)` `dst` `(` $dst `:` type($dst) `)`
    attr-dict (`->` type($result)^)?
  }];
}

def OneDNN_SoftmaxOp : OneDNN_Op<"softmax"> {
  let summary = "Softmax or its logarithm along an axis";
  let description = [{
    https://uxlfoundation.github.io/oneDNN/v3.2/dev_guide_softmax.html

    Constraints:
     - `softmax_c1`: src and dst have one shape;
     - `softmax_c2`: `axis` lies in [0, rank).
  }];
  let arguments = (ins OneDNN_SoftmaxAlgorithm:$algorithm, OneDNN_Operand:$src,
                       OneDNN_Operand:$dst, NN_I64Attr:$axis);
  let assemblyFormat = [{
    $algorithm `src` `(` $src `:` type($src) `)` `dst` `(` $dst `:` type($dst) `)`
    attr-dict (`->` type($result)^)?
  }];
}

#endif // ONEDNN_NORMALIZATION_OPS_TD
