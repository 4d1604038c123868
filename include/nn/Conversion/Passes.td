//===- Passes.td - conversions between levels -----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_CONVERSION_PASSES_TD
#define NN_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// Place
//===----------------------------------------------------------------------===//

def Place : Pass<"nn-place", "ModuleOp"> {
  let summary = "Choose what computes each group of operators";
  let description = [{
    Asks each back end of the target what it offers for a fusion or a single operator, and
    takes the cheapest offer, by the estimates of the target's cost model. A back end that
    computes only a part of a fusion splits off the rest as fusions, which are placed in
    turn. What nobody offers to compute is left alone; back ends that take the rest lower
    it in passes of their own.

    - `onednn` replaces convolutions, products and pools, alone or as the anchors of fusions,
      by oneDNN primitives, if its capability table
      (lib/Conversion/NNToOneDNN/Capabilities.cpp) allows it. The elementwise operators after
      an anchor become post-ops; an addition of one constant per channel right after it
      becomes the bias. Operators before the anchor, and those that cannot be post-ops, are
      split off.
    - `kernels` replaces what has a kernel template (lib/Kernels) by an `rt.launch` of a
      private function, which consists of vector, scf, memref, arith and math operations on
      identity-layout memrefs. Equal kernels are emitted once.

    A transposition of an operand or of the result of a matrix product is read or stored
    through where that is possible, and otherwise computed on its own.

    Remarks say what was placed where, for how many nanoseconds, and the group's key in tuning
    files (`place`), and what a back end did not claim or split off, and why (category: its
    name).

    ```mlir
    // Before:
    %0 = nn.fusion (%a = %x : tensor<1x3x8x8xf32>, %b = %w : tensor<4x3x1x1xf32>) -> (tensor<1x4x8x8xf32>) {
      %1 = nn.conv %a, %b : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
      %2 = nn.relu %1 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
      nn.yield %2 : tensor<1x4x8x8xf32>
    }
    %1 = nn.softmax %y : (tensor<4x64xf32>) -> tensor<4x64xf32>
    // After:
    %2 = tensor.empty() : tensor<1x4x8x8xf32>
    %0 = onednn.convolution src(%x : tensor<1x3x8x8xf32>)
        weights(%w : tensor<4x3x1x1xf32>) dst(%2 : tensor<1x4x8x8xf32>)
        {post_ops = [#onednn.eltwise<relu, 0.0, 0.0>]} -> tensor<1x4x8x8xf32>
    %3 = tensor.empty() : tensor<4x64xf32>
    %1 = rt.launch @kernel_softmax_0 ins(%y ...) outs(%3 ...) ...
    ```
  }];
  let options = [
    ListOption<"only", "only", "std::string",
               "The names of back ends that may offer; default: all that the target allows">,
    Option<"prefer", "prefer", "std::string", "",
           "The name of a back end whose offers are taken even if others are cheaper">,
    Option<"tuning", "tuning", "std::string", "",
           "A file of measured times, which replace estimates: lines of a group's key, a "
           "back end's name and nanoseconds; and of thresholds (Thresholds.def): lines of "
           "'threshold', a name and a number">];
  let statistics = [
    Statistic<"numPlaced", "placed", "Groups that a back end's offer was taken for">,
    Statistic<"numSplit", "split", "Groups of which a part was split off">];
  let dependentDialects = ["::mlir::nn::NNDialect"];
}

//===----------------------------------------------------------------------===//
// NNToKernels
//===----------------------------------------------------------------------===//

def ExpandMath : Pass<"nn-expand-math"> {
  let summary = "Compute functions of the math dialect by arithmetic";
  let description = [{
    Replaces exp, tanh, erf, log and their like, of scalars and vectors, by
    polynomials and arithmetic, so that compiled models call no library. What
    stays has an instruction (sqrt, floor, fma, ...). Functions of f32 are within
    4 ulp for every argument, those of f64 within 8, without tables; f16 and bf16
    are computed in f32. Divisions of sizes that round up or down become divisions
    and comparisons.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

//===----------------------------------------------------------------------===//
// NNToLinalg
//===----------------------------------------------------------------------===//

def FuseLoops : Pass<"nn-fuse-loops", "::mlir::func::FuncOp"> {
  let summary = "Compute chains of elementwise operations on linalg as one";
  let description = [{
    For targets with a device, where each operation on linalg is a kernel. An elementwise
    operation is computed in the one that uses it, if it has no other use and each of its
    elements is used once:

    ```mlir
    %s = linalg.generic {...} ins(%x, %y) { arith.addf }
    %r = linalg.generic {...} ins(%s) { arith.maximumf }
    // becomes
    %r = linalg.generic {...} ins(%x, %y) { arith.addf; arith.maximumf }
    ```
  }];
  let statistics = [Statistic<"numFused", "fused", "Operations computed in others">];
}

def ConvertNNToLinalg : Pass<"convert-nn-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Lower the remaining nn operators to linalg";
  let description = [{
    The general path: any nn operator, of any type and shape that it accepts, becomes
    linalg, tensor, arith and math operations in destination-passing style. Fusions are
    dissolved first. Only `nn.constant` and calls of kernels and of the runtime remain.

    Below nn, unsigned integers are signless: a `tensor.bitcast` converts values of
    unsigned types where they enter or leave.

    What is known only at run time is checked by a `cf.assert`, whose message names the
    ONNX node: dimensions that must agree or broadcast, and the number of elements of a
    reshape. Indices of gathers are clamped instead.

    Before:
    ```mlir
    %0 = nn.relu %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
    ```
    After:
    ```mlir
    %c0 = arith.constant 0 : index
    %dim = tensor.dim %x, %c0 : tensor<?x8xf32>
    %empty = tensor.empty(%dim) : tensor<?x8xf32>
    %0 = linalg.generic {...} ins(%x : tensor<?x8xf32>) outs(%empty : tensor<?x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %zero = arith.constant 0.000000e+00 : f32
      %max = arith.maximumf %in, %zero : f32
      linalg.yield %max : f32
    } -> tensor<?x8xf32>
    ```
  }];
  let options = [
    Option<"lowerConstants", "lower-constants", "bool", "false",
           "turn nn.constant into arith.constant, for use with upstream passes">];
  let statistics = [
    Statistic<"numLowered", "lowered", "Operators lowered">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::nn::NNDialect", "::mlir::nn::rt::RTDialect", "::mlir::tensor::TensorDialect",
    "::mlir::vector::VectorDialect"];
}

//===----------------------------------------------------------------------===//
// LinalgToKernels
//===----------------------------------------------------------------------===//

def ConvertCopies : Pass<"nn-convert-copies", "::mlir::ModuleOp"> {
  let summary = "Turn strided copies of buffers into calls of kernels";
  let description = [{
    A `memref.copy` between buffers that are not both contiguous (parts of a
    concatenation, the inside of a padded tensor) becomes a call of a kernel, which all
    copies of that rank and element type share. The lowering to LLVM would call a function
    `memrefCopy`, which compiled models do not have. Other copies stay, and become one
    memcpy; those of unknown sizes copy lists, whose strides are known. A copy of a buffer
    to itself is removed.

    Before:
    ```mlir
    memref.copy %x, %part : memref<2x3xf32> to memref<2x3xf32, strided<[5, 1]>>
    ```
    After:
    ```mlir
    rt.launch @copy ins(%x_cast : memref<?x?xf32, strided<[?, 1], offset: ?>>)
      outs(%part_cast : ...) scalars() count(%c2)
    ```
  }];
  let options = [Option<"tuning", "tuning", "std::string", "",
                       "A file with thresholds, as for nn-place">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::nn::rt::RTDialect", "::mlir::scf::SCFDialect"];
}

def ConvertLinalgToKernels
    : Pass<"convert-linalg-to-kernels", "::mlir::ModuleOp"> {
  let summary = "Turn linalg operations on buffers into kernels";
  let description = [{
    Each linalg operation outside of kernels is outlined as loops in a function, which an
    `rt.launch` calls. Outer parallel loops become the range of the call; inner loops
    stay loops, which LLVM vectorizes. A nest that starts with a reduction runs as a whole;
    so do sequential loops that only load, compute and store, as those of a scatter.
    Operations on single elements become plain code in place, and so do nests that use a
    scalar of a type that kernels cannot take.

    Transpositions that move the innermost dimension become kernels that transpose blocks in
    registers, unless rows or columns are known to be shorter than 128 bits.

    A kernel whose outputs cannot share memory with any other buffer gets the attribute
    `nn.disjoint`, which lets LLVM vectorize loops that read through tables.

    Before:
    ```mlir
    linalg.generic {...} ins(%x : memref<8x4096xf32>) outs(%y : memref<8x4096xf32>)
    ```
    After:
    ```mlir
    rt.launch @loops_0 ins(%x : ...) outs(%y : ...) scalars() count(%c8)

    func.func private @loops_0(%x, %y, %begin: index, %end: index)
        attributes {nn.kernel = "linalg.generic"} {
      scf.for %i = %begin to %end step %c1 {
        scf.for %j = %c0 to %c4096 step %c1 {
    ```
  }];
  let options = [Option<"tuning", "tuning", "std::string", "",
                       "A file with thresholds, as for nn-place">];
  let statistics = [Statistic<"numKernels", "kernels", "Kernels made">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::nn::rt::RTDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

//===----------------------------------------------------------------------===//
// OneDNNToLLVM
//===----------------------------------------------------------------------===//

def ConvertOneDNNToLLVM : Pass<"convert-onednn-to-llvm", "ModuleOp"> {
  let summary = "Call oneDNN through the runtime's table";
  let description = [{
    Replaces primitives on memrefs by calls of the table's entry `onednn`. Everything
    that does not depend on the run becomes a constant `nnrt_abi_onednn_site`; the tensors
    become an array of `nnrt_abi_tensor` on the stack. If a call fails, the function
    returns its status at once. All other operations are converted by upstream's patterns.

    Works on functions whose argument 0 is the context (`!llvm.ptr`) and whose result is
    an `i32`. Only for tests: the pipeline uses `populateOneDNNToLLVMPatterns` together
    with all other patterns.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // NN_CONVERSION_PASSES_TD
