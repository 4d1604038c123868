//===- NNFusionOps.td - groups of operators that run as one kernel --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_FUSION_OPS_TD
#define NN_FUSION_OPS_TD

include "dialects/NN/IR/NNBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def NN_FusionOp : Op<NN_Dialect, "fusion", [
    Pure, IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "Operators to be computed by one kernel";
  let description = [{
    A group of at most one anchor (contraction, convolution, pooling, reduction,
    normalization) and elementwise operators before or after it; a matrix product may have
    transpositions of its operands and of its only result. Attention has three anchors: a
    matrix product, a softmax of it along the last dimension, and a product with that. The arguments of the
    body are the operands. The group says what is computed together, not where: each back
    end claims the groups that it can run as one kernel, and splits the others.

    Constraints:
     - `fusion_c1`: the body's arguments have the operands' types, and the values
       yielded the results' types.
  }];
  let arguments = (ins Variadic<NN_Tensor>:$inputs);
  let results = (outs Variadic<NN_Tensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasVerifier = 1;
  let hasCustomAssemblyFormat = 1;
}

def NN_YieldOp : Op<NN_Dialect, "yield", [Pure, Terminator, ReturnLike, HasParent<"FusionOp">]> {
  let summary = "Ends the body of a fusion";
  let arguments = (ins Variadic<NN_Tensor>:$values);
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange{}); }]>];
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif // NN_FUSION_OPS_TD
