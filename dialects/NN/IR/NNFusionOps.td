//===- NNFusionOps.td - groups of operators that run as one kernel --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_FUSION_OPS_TD
#define NN_FUSION_OPS_TD

include "dialects/NN/IR/NNBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def NN_FusionOp : Op<NN_Dialect, "fusion", [
    Pure, IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "Operators to be computed by one kernel";
  let description = [{
    A group of at most one anchor (contraction, convolution, pooling, reduction,
    normalization) and elementwise operators before or after it. The arguments of the
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
  let extraClassDeclaration = [{
    /// The operation of the body that is neither elementwise nor a constant; null
    /// for an elementwise group.
    ::mlir::Operation *getAnchor();
  }];
}

def NN_YieldOp : Op<NN_Dialect, "yield", [Pure, Terminator, ReturnLike, HasParent<"FusionOp">]> {
  let summary = "Ends the body of a fusion";
  let arguments = (ins Variadic<NN_Tensor>:$values);
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange{}); }]>];
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def NN_CallKernelOp : Op<NN_Dialect, "call_kernel", [
    AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Calls a generated kernel";
  let description = [{
    Calls the function `kernel`, whose parameters are memrefs for `inputs`, then
    for `outputs`, then `scalars` (index), then two indices that bound its
    iterations. The kernel's iterations 0 ... `count`-1 are independent; they are
    split among threads in ranges of at least `grain`.

    The results are the outputs after the call; before bufferization the
    operation is a destination-passing operation on tensors.

    Constraints:
     - `call_kernel_c1`: `kernel` names a function with such parameters.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel,
                       Variadic<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$inputs,
                       Variadic<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$outputs,
                       Variadic<Index>:$scalars, Index:$count,
                       NN_DefaultI64<"1">:$grain);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kernel `ins` `(` ($inputs^ `:` type($inputs))? `)`
    `outs` `(` $outputs `:` type($outputs) `)`
    `scalars` `(` $scalars `)` `count` `(` $count `)` attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutputsMutable(); }
  }];
}

def NN_RuntimeKernel : I32EnumAttr<"RuntimeKernel", "a reference kernel of the runtime", [
    I32EnumAttrCase<"NonMaxSuppression", 0, "non_max_suppression">,
    I32EnumAttrCase<"NonZero", 1, "nonzero">,
    I32EnumAttrCase<"RoiAlign", 2, "roi_align">,
    I32EnumAttrCase<"TopK", 3, "topk">,
    I32EnumAttrCase<"Unique", 4, "unique">,
    I32EnumAttrCase<"DFT", 5, "dft">,
    I32EnumAttrCase<"STFT", 6, "stft">]> {
  let cppNamespace = "::mlir::nn";
}

def NN_CallRuntimeOp : Op<NN_Dialect, "call_runtime", [
    AttrSizedOperandSegments, DestinationStyleOpInterface]> {
  let summary = "Calls a reference kernel of the runtime";
  let description = [{
    For the few operators that sort, that transform, or whose result sizes depend on data.
    The kernel takes the inputs, the outputs and `parameters` (nnrt_abi_kernel in
    runtime/abi/nnrt_abi.h describes them for each kernel). An output whose size is
    known only afterwards has its maximum size, and another output says how much of it
    is used.

    The results are the outputs after the call; before bufferization the
    operation is a destination-passing operation on tensors.
  }];
  let arguments = (ins NN_RuntimeKernel:$kernel,
                       Variadic<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$inputs,
                       Variadic<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$outputs,
                       NN_I64List:$parameters);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kernel `ins` `(` ($inputs^ `:` type($inputs))? `)`
    `outs` `(` $outputs `:` type($outputs) `)` attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutputsMutable(); }
  }];
}

#endif // NN_FUSION_OPS_TD
