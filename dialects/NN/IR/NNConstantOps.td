//===- NNConstantOps.td - constants ---------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_CONSTANT_OPS_TD
#define NN_CONSTANT_OPS_TD

include "dialects/NN/IR/NNBase.td"

def NN_ConstantOp : NN_Op<"constant", [ConstantLike]> {
  let summary = "A constant tensor";
  let description = [{
    Splats and tensors of up to 32 elements are dense elements attributes. All others
    are resource blobs, with a hash of the content as the key.
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs NN_Tensor:$result);
  let contentsFunction = NN_HasContents;
  let hasFolder = 1;
  let assemblyFormat = "attr-dict $value";
}

def NN_ConstantOfShapeOp : NN_Op<"constant_of_shape"> {
  let summary = "A tensor of a run-time shape, filled with one value";
  let description = [{
    Constraints:
     - `constant_of_shape_c1`: `value` has one element;
     - `constant_of_shape_c2`: the length of `shape` is known at compile time.
  }];
  let arguments = (ins NN_IndexList:$shape, ElementsAttr:$value);
  let results = (outs NN_Tensor:$result);
  let contentsFunction = NN_HasContents;
}

#endif // NN_CONSTANT_OPS_TD
