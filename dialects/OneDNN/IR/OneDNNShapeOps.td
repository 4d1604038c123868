//===- OneDNNShapeOps.td - moving data ------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef ONEDNN_SHAPE_OPS_TD
#define ONEDNN_SHAPE_OPS_TD

include "dialects/OneDNN/IR/OneDNNBase.td"

def OneDNN_ReorderOp : OneDNN_Op<"reorder"> {
  let summary = "Copies between layouts and element types";
  let description = [{
    https://uxlfoundation.github.io/oneDNN/v3.2/dev_guide_reorder.html

    Dimension i of dst is dimension `permutation[i]` of src (none: the same),
    converted to dst's element type.

    Constraints:
     - `reorder_c1`: `permutation` has `rank` entries, each dimension once, or none;
     - `reorder_c2`: dst has the permuted shape of src.
  }];
  let arguments = (ins OneDNN_Operand:$src, OneDNN_Operand:$dst,
                       NN_I64List:$permutation);
  let assemblyFormat = [{
    `src` `(` $src `:` type($src) `)` `dst` `(` $dst `:` type($dst) `)`
    attr-dict (`->` type($result)^)?
  }];
}

#endif // ONEDNN_SHAPE_OPS_TD
