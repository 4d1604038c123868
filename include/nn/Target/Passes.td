//===- Passes.td - from bufferized models to code -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TARGET_PASSES_TD
#define NN_TARGET_PASSES_TD

include "mlir/Pass/PassBase.td"

def PrepareBufferization : Pass<"nn-prepare-bufferization", "::mlir::ModuleOp"> {
  let summary = "Make the model's main function safe to bufferize";
  let description = [{
    Marks the arguments of `@main` as not writable, so that inputs are never overwritten,
    and inserts the context as its first argument:

    ```mlir
    func.func @main(%x: tensor<4xf32>)
    // becomes
    func.func @main(%ctx: !llvm.ptr, %x: tensor<4xf32> {bufferization.writable = false})
    ```

    Each use of a `tensor.empty` gets one of its own, so that bufferization doesn't compare
    all that is written to one, and selects between sizes become arithmetic, for the same
    reason. States of loops that are handed on get copies (`CarryInPlace.h`).
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::bufferization::BufferizationDialect"];
}

def EliminateEmptyTensors
    : Pass<"nn-eliminate-empty-tensors", "::mlir::ModuleOp"> {
  let summary = "Compute values where they will lie";
  let description = [{
    MLIR's `-eliminate-empty-tensors`: an empty tensor whose contents are inserted into
    another tensor later becomes a part of that tensor. The buffer of a loop's state is
    written so only when all that reads the state has run, since its next value must be
    written in place:

    ```mlir
    %e = tensor.empty() : tensor<4xf32>
    %y = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    %next = bufferization.materialize_in_destination %y in %state
    // becomes
    %y = linalg.exp ins(%x : tensor<4xf32>) outs(%state : tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
}

def MaterializeOutputs : Pass<"nn-materialize-outputs", "::mlir::ModuleOp"> {
  let summary = "Write results into the buffers of the model's outputs";
  let description = [{
    A buffer that `@main` returns is allocated by `rt.output` instead, or, if that is not
    possible (an input, a weight, a view, a result returned twice), copied there. The
    function then returns only a status (i32).
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect",
                           "::mlir::nn::rt::RTDialect"];
  let statistics = [
    Statistic<"numDirect", "direct", "Outputs written in place">,
    Statistic<"numCopied", "copied", "Outputs copied">];
}

def ResolveDims : Pass<"nn-resolve-dims", "::mlir::ModuleOp"> {
  let summary = "Compute sizes of views from their sources";
  let description = [{
    Replaces `memref.dim` of casts, subviews and reshapes in `@main` by the sizes that
    these were made with. This reveals which buffer sizes follow from the inputs' shapes:

    ```mlir
    %c = memref.collapse_shape %x [[0, 1], [2]] : memref<?x?x4xf32> into memref<?x4xf32>
    %rows = memref.dim %c, %c0 : memref<?x4xf32>
    // becomes
    %n = memref.dim %x, %c0 : memref<?x?x4xf32>
    %m = memref.dim %x, %c1 : memref<?x?x4xf32>
    %rows = arith.muli %n, %m : index
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def PlaceBuffers : Pass<"nn-place-buffers", "::mlir::ModuleOp"> {
  let summary = "Decide which buffers lie on the device";
  let description = [{
    For targets with a device. A buffer that a kernel uses lies there, as does everything
    that may be the same buffer (views, what loops carry). All others stay with the host,
    which computes sizes and conditions. Inputs are copied to the device at the start,
    outputs from it at the end, and what the host needs in between where it needs it:

    ```mlir
    %y = memref.load %x[%c0] : memref<4xf32>
    // becomes
    %element = memref.subview %x[%c0] [1] [1] : memref<4xf32, 1> to memref<f32, ..., 1>
    %host = memref.alloc() : memref<f32>
    rt.copy %element to %host : ...
    %y = memref.load %host[] : memref<f32>
    ```
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::nn::rt::RTDialect"];
  let statistics = [
    Statistic<"numOnDevice", "on-device", "Buffers on the device">,
    Statistic<"numCopies", "copies", "Copies between host and device">];
}

def OutlineDeviceCode : Pass<"nn-outline-device-code", "::mlir::ModuleOp"> {
  let summary = "Move kernels into a module for the device";
  let description = [{
    For targets with a device. The kernels of `rt.launch` move into the `gpu.module`
    `@device`, each with an entry that has a thread compute one iteration:

    ```mlir
    rt.launch @loops_0 ins(%x : memref<8xf32, 1>) outs(%y : memref<8xf32, 1>) scalars()
      count(%c8)
    // becomes
    rt.launch_device "loops_0_threads" (%x, %y : memref<8xf32, 1>, memref<8xf32, 1>)
      count(%c8)
    gpu.module @device {
      func.func @loops_0(...)
      gpu.func @loops_0_threads(%x: ..., %y: ..., %count: index) kernel {
        %i = <block_id * block_dim + thread_id>
        %is_used = arith.cmpi ult, %i, %count : index
        scf.if %is_used {
          %end = arith.addi %i, %c1 : index
          func.call @loops_0(%x, %y, %i, %end)
        }
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::gpu::GPUDialect", "::mlir::nn::rt::RTDialect",
                           "::mlir::scf::SCFDialect"];
}

def ConvertDeviceCode : Pass<"nn-convert-device-code", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Convert a module for the device to the LLVM and NVVM dialects";
  let description = [{
    The same conversion that kernels for the host go through, so that results are the same,
    with NVVM's intrinsics for the `gpu` dialect.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

def PlanArena : Pass<"nn-plan-arena", "::mlir::ModuleOp"> {
  let summary = "Place all intermediate buffers in one arena";
  let description = [{
    Replaces the allocations of `@main` by views of one `rt.arena` for each memory, the
    host's and the device's. Buffers that are not
    live at the same time share memory. A buffer of static size gets an offset. Buffers
    whose size depends on the inputs' shapes share slots, each as large as its largest
    buffer, so that the arena's size is a formula of the inputs' dimensions. Buffers whose
    size depends on data come from `rt.allocate`.

    The module's attribute `nn.arena_bytes` (for the device, `nn.device_arena_bytes`) is the
    formula as text (SizeFormula.h), and `nn.data_dependent_buffers` the number of buffers that are not in it.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect",
                           "::mlir::nn::rt::RTDialect"];
  let statistics = [
    Statistic<"numStatic", "static", "Buffers of static size">,
    Statistic<"numSymbolic", "symbolic", "Buffers of symbolic size">,
    Statistic<"numDataDependent", "data-dependent", "Buffers of data-dependent size">,
    Statistic<"staticBytes", "static-bytes", "Bytes of the arena's static part">];
}

def CheckSizes : Pass<"nn-check-sizes", "::mlir::ModuleOp"> {
  let summary = "Have a run fail whose sizes overflow";
  let description = [{
    Every size that `@main` computes for a buffer or a kernel is accompanied by a flag
    that says whether a step of its arithmetic overflowed 64 bits. Dimensions of inputs
    are at most 2^48, which the runtime checks, and products that need a check at most
    2^56; most steps then cannot overflow.

    ```mlir
    %area = arith.muli %h, %w : index
    %product = arith.mulf %h_float, %w_float : f64
    %fails = arith.cmpf ogt, %product, %most : f64
    %bytes = arith.muli %area, %c400 : index
    %fits = arith.xori %fails, %true : i1
    cf.assert %fits, "the values of the model would be larger than any memory"
    %arena = rt.arena %bytes : memref<?xi8>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect"];
  let statistics = [Statistic<"numChecked", "checked", "Operations whose sizes are checked">];
}

def LayOutWeights : Pass<"nn-lay-out-weights", "::mlir::ModuleOp"> {
  let summary = "Assign every constant an offset in the weights section";
  let description = [{
    Equal constants share an offset. The module's attribute `nn.weights` lists values and
    offsets, in ascending order.
  }];
  let statistics = [Statistic<"bytes", "bytes", "Size of the weights section">];
}

def MarkKernels : Pass<"nn-mark-kernels", "::mlir::ModuleOp"> {
  let summary = "Number the kernels and bracket them for the profiler";
  let description = [{
    Puts every operation of `@main` that computes something between `rt.kernel_begin` and
    `rt.kernel_end`. The module's attribute `nn.kernels` lists kinds and ONNX nodes.
  }];
  let dependentDialects = ["::mlir::nn::rt::RTDialect"];
}

def SetTarget : Pass<"nn-set-target", "::mlir::ModuleOp"> {
  let summary = "Say what the module is compiled for";
  let description = [{
    Gives the module the attribute `nn.target`, which later passes obey.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"cpu\"",
           "`cpu` (portable code), `cpu:<processor>,...` with LLVM's names or native, `cuda`, or "
           "`cuda:sm_80,...`">,
    Option<"ifMissing", "if-missing", "bool", "false", "Leave a target that there is">];
  let dependentDialects = ["::mlir::nn::NNDialect"];
}

def ConvertToLLVM : Pass<"nn-convert-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Convert a bufferized model to the LLVM dialect";
  let description = [{
    One conversion for everything that is left: upstream's dialects, `onednn`, and the
    `nn` operations that call the runtime. Adds the entry point
    `nnrt_model_run_<processor>` (see runtime/abi/nnrt_abi.h), for the first processor of
    `nn.target`.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::nn::NNDialect"];
}

def VerifyLegality : Pass<"nn-verify-legality", "ModuleOp"> {
  let summary = "Check that a phase has done its work";
  let description = [{
    Fails if the module is not valid, since the compiler does not verify after each pass, or
    if an operation is left that may not be at the end of a phase. After `legalize` and
    `fuse`, every operator of nn has the types and the form that a back end of the target
    computes; after `place`, of nn only constants are left; after `bufferize`, no tensors, and
    the host uses no buffer of the device;
    after `emit`, only LLVM's dialect.
  }];
  let options = [Option<"phase", "phase", "std::string", "\"place\"", "The phase's name">];
}

#endif // NN_TARGET_PASSES_TD
