//===- NNIndexingOps.td - operators that pick elements by index -----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_INDEXING_OPS_TD
#define NN_INDEXING_OPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_GatherOp : NN_Op<"gather"> {
  let summary = "Picks slices along an axis";
  let description = [{
    `result[i.., j.., k..] = input[i.., indices[j..], k..]`; negative indices
    count from the end.

    Constraints:
     - `gather_c1`: -rank <= axis < rank.
  }];
  let arguments = (ins NN_Tensor:$input, NN_IndexTensor:$indices,
                       NN_DefaultI64<"0">:$axis);
  let results = (outs NN_Tensor:$result);
  let contentsFunction = NN_HasContents;
}

#endif // NN_INDEXING_OPS_TD
