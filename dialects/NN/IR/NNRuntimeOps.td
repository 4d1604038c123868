//===- NNRuntimeOps.td - what a bufferized model asks of the runtime ------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_RUNTIME_OPS_TD
#define NN_RUNTIME_OPS_TD

include "dialects/NN/IR/NNBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// These operations exist between bufferization and the lowering to LLVM, only in the
// model's main function. Its first argument is then the context (`!llvm.ptr`, see
// runtime/abi/nnrt_abi.h).

def NN_WeightOp : Op<NN_Dialect, "weight", [Pure]> {
  let summary = "A constant in the mapped weights section";
  let description = [{
    A view of the weights section at byte `offset`. Before the pass
    `nn-lay-out-weights`, the operation has a `value` and no offset. Afterwards it has
    only the offset, and the module's attribute `nn.weights` lists the value.
  }];
  let arguments = (ins OptionalAttr<ElementsAttr>:$value, OptionalAttr<NN_I64Attr>:$offset);
  let results = (outs AnyStaticShapeMemRef:$result);
  let assemblyFormat = "(`at` $offset^)? ($value^)? attr-dict `:` type($result)";
}

def NN_OutputOp : Op<NN_Dialect, "output", [
    MemoryEffects<[MemAlloc<DefaultResource>]>]> {
  let summary = "The buffer of an output of the model";
  let description = [{
    Asks the runtime for the buffer of output number `index`, with the result's
    shape. It is the caller's or the session's.
  }];
  let arguments = (ins NN_I64Attr:$index, Variadic<Index>:$sizes);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$index `(` $sizes `)` attr-dict `:` type($result)";
}

def NN_ArenaOp : Op<NN_Dialect, "arena", [
    MemoryEffects<[MemAlloc<DefaultResource>]>]> {
  let summary = "The block of memory that holds all intermediate buffers";
  let arguments = (ins Index:$bytes);
  let results = (outs MemRefOf<[I8]>:$result);
  let assemblyFormat = "$bytes attr-dict `:` type($result)";
}

def NN_AllocateOp : Op<NN_Dialect, "allocate", [
    MemoryEffects<[MemAlloc<DefaultResource>]>]> {
  let summary = "A buffer whose size is not known when the run starts";
  let description = "Freed by the runtime after the run, or by `nn.release`.";
  let arguments = (ins Variadic<Index>:$sizes);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "`(` $sizes `)` attr-dict `:` type($result)";
}

def NN_MarkOp : Op<NN_Dialect, "mark", [
    MemoryEffects<[MemRead<DefaultResource>, MemWrite<DefaultResource>]>]> {
  let summary = "The number of buffers that `nn.allocate` has returned so far";
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def NN_ReleaseOp : Op<NN_Dialect, "release", [
    MemoryEffects<[MemRead<DefaultResource>, MemWrite<DefaultResource>]>]> {
  let summary = "Frees the buffers of `nn.allocate` since `mark`, except for those in `kept`";
  let description = [{
    Used at the end of an iteration, when buffers that were allocated since the loop
    began and are not carried on can no longer be reached. `kept` may be views of buffers.
  }];
  let arguments = (ins Index:$mark, Variadic<AnyMemRef>:$kept);
  let assemblyFormat = "$mark (`keep` $kept^ `:` type($kept))? attr-dict";
}

class NN_KernelMarkOp<string mnemonic> : Op<NN_Dialect, mnemonic, [
    MemoryEffects<[MemRead<DefaultResource>, MemWrite<DefaultResource>]>]> {
  let arguments = (ins NN_I64Attr:$kernel);
  let assemblyFormat = "$kernel attr-dict";
}
def NN_KernelBeginOp : NN_KernelMarkOp<"kernel_begin"> {
  let summary = "Before kernel number `kernel` of the manifest's table";
}
def NN_KernelEndOp : NN_KernelMarkOp<"kernel_end"> {
  let summary = "After kernel number `kernel` of the manifest's table";
}

#endif // NN_RUNTIME_OPS_TD
