//===- RT.td - the rt dialect: what a model asks of the runtime -----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef RT_TD
#define RT_TD

include "dialects/NN/IR/NNBase.td"
include "dialects/RT/IR/RTEnums.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def RT_Dialect : Dialect {
  let name = "rt";
  let cppNamespace = "::mlir::nn::rt";
  let summary = "What a compiled model asks of the runtime";
  let description = [{
    Kernels, memory, outputs and profiling: what becomes calls of the runtime's table
    (runtime/abi/nnrt_abi.h). Kernels are launched on tensors from `place` on. The other
    operations are on buffers, between bufferization and the lowering to LLVM, and only in
    the model's function, whose first argument is then the context (`!llvm.ptr`).

    Buffers have a memory space: none for the host's memory, `#gpu.address_space<global>`
    for that of the device.
  }];
}

class RT_Op<string mnemonic, list<Trait> traits = []> : Op<RT_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

def RT_LaunchOp : RT_Op<"launch", [
    AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Runs a generated kernel";
  let description = [{
    Calls the function `kernel`, whose parameters are memrefs for `inputs`, then
    for `outputs`, then `scalars` (index), then two indices that bound its
    iterations. The kernel's iterations 0 ... `count`-1 are independent; they are
    split among threads in ranges of at least `grain`.

    The results are the outputs after the call; before bufferization the
    operation is a destination-passing operation on tensors.

    Constraints:
     - `launch_c1`: `kernel` names a function with such parameters.
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

def RT_LaunchDeviceOp : RT_Op<"launch_device"> {
  let summary = "Runs a kernel on the device";
  let description = [{
    Runs `count` threads of the kernel that bears the name in the device code of the model.
    Its parameters are the fields of the descriptors of the memrefs in `arguments` (address,
    address, offset, sizes, strides), its indices, and `count`, each of 64 bits.

    Launches run in their order, and after the copies before them; the host does not wait.
  }];
  let arguments = (ins StrAttr:$kernel, Variadic<AnyTypeOf<[AnyMemRef, Index]>>:$arguments,
                       Index:$count);
  let assemblyFormat = [{
    $kernel `(` ($arguments^ `:` type($arguments))? `)` `count` `(` $count `)` attr-dict
  }];
}

def RT_CallOp : RT_Op<"call", [
    AttrSizedOperandSegments, DestinationStyleOpInterface]> {
  let summary = "Calls a reference kernel of the runtime";
  let description = [{
    For the few operators that sort, that transform, or whose result sizes depend on data.
    The kernel takes the inputs, the outputs and `parameters` (nnrt_abi_kernel in
    runtime/abi/nnrt_abi.h describes them for each kernel). An output whose size is
    known only afterwards has its maximum size, and another output says how much of it
    is used.

    Of an `nn.custom`, `custom` has its attributes `function`, `library` and `parameters`. The
    first parameter is the place of such a dictionary in the module's `nn.custom_operators`,
    and -1 before the pass `nn-mark-kernels`.

    The results are the outputs after the call; before bufferization the
    operation is a destination-passing operation on tensors.
  }];
  let arguments = (ins RT_RuntimeKernel:$kernel,
                       Variadic<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$inputs,
                       Variadic<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$outputs,
                       NN_I64List:$parameters, OptionalAttr<DictionaryAttr>:$custom);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kernel `ins` `(` ($inputs^ `:` type($inputs))? `)`
    `outs` `(` $outputs `:` type($outputs) `)` attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutputsMutable(); }
  }];
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

def RT_WeightOp : RT_Op<"weight", [Pure]> {
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

def RT_OutputOp : RT_Op<"output", [
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

def RT_ArenaOp : RT_Op<"arena", [
    MemoryEffects<[MemAlloc<DefaultResource>]>]> {
  let summary = "The block of memory that holds all intermediate buffers";
  let arguments = (ins Index:$bytes);
  let results = (outs MemRefOf<[I8]>:$result);
  let assemblyFormat = "$bytes attr-dict `:` type($result)";
}

def RT_AllocateOp : RT_Op<"allocate", [
    MemoryEffects<[MemAlloc<DefaultResource>]>]> {
  let summary = "A buffer whose size is not known when the run starts";
  let description = "Freed by the runtime after the run, or by `rt.release`.";
  let arguments = (ins Variadic<Index>:$sizes);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "`(` $sizes `)` attr-dict `:` type($result)";
}

def RT_MarkOp : RT_Op<"mark", [
    MemoryEffects<[MemRead<DefaultResource>, MemWrite<DefaultResource>]>]> {
  let summary = "The number of buffers that `rt.allocate` has returned so far";
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def RT_ReleaseOp : RT_Op<"release", [
    MemoryEffects<[MemRead<DefaultResource>, MemWrite<DefaultResource>]>]> {
  let summary = "Frees the buffers of `rt.allocate` since `mark`, except for those in `kept`";
  let description = [{
    Used at the end of an iteration, when buffers that were allocated since the loop
    began and are not carried on can no longer be reached. `kept` may be views of buffers.
  }];
  let arguments = (ins Index:$mark, Variadic<AnyMemRef>:$kept);
  let assemblyFormat = "$mark (`keep` $kept^ `:` type($kept))? attr-dict";
}

def RT_CopyOp : RT_Op<"copy"> {
  let summary = "Copies a buffer between the host and the device, or within the device";
  let description = [{
    Both are contiguous, or single elements. When the operation ends, a target on the host
    has the contents; one on the device has them before the next launch.
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$source,
                       Arg<AnyMemRef, "", [MemWrite]>:$target);
  let assemblyFormat = "$source `to` $target attr-dict `:` type($source) `to` type($target)";
}

//===----------------------------------------------------------------------===//
// Profiling
//===----------------------------------------------------------------------===//

class RT_KernelMarkOp<string mnemonic> : RT_Op<mnemonic, [
    MemoryEffects<[MemRead<DefaultResource>, MemWrite<DefaultResource>]>]> {
  let arguments = (ins NN_I64Attr:$kernel);
  let assemblyFormat = "$kernel attr-dict";
}
def RT_KernelBeginOp : RT_KernelMarkOp<"kernel_begin"> {
  let summary = "Before kernel number `kernel` of the manifest's table";
}
def RT_KernelEndOp : RT_KernelMarkOp<"kernel_end"> {
  let summary = "After kernel number `kernel` of the manifest's table";
}

#endif // RT_TD
