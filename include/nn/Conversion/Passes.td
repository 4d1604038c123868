//===- Passes.td - conversions between levels -----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_CONVERSION_PASSES_TD
#define NN_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// NNToKernels
//===----------------------------------------------------------------------===//

def ConvertNNToKernels : Pass<"convert-nn-to-kernels", "ModuleOp"> {
  let summary = "Generate kernels for operators and fusions";
  let description = [{
    Replaces nn operators and fusions for which there is a kernel template by a
    `nn.call_kernel` of a private function of vector, scf, memref, arith and math
    operations over identity-layout memrefs. What has no template stays. Kernels
    that are the same are emitted once.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
      %0 = nn.relu %x : (tensor<4x64xf32>) -> tensor<4x64xf32>
      return %0 : tensor<4x64xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
      %0 = tensor.empty() : tensor<4x64xf32>
      %1 = nn.call_kernel @kernel_elementwise_0 ins(%x ...) outs(%0 ...) ...
      return %1 : tensor<4x64xf32>
    }
    func.func private @kernel_elementwise_0(%in: memref<4x64xf32>,
        %out: memref<4x64xf32>, %begin: index, %end: index) { ... }
    ```
  }];
  let options = [
    Option<"claim", "claim", "std::string", "\"all\"",
           "`preferred`: only what generated code is better at than the library; "
           "`all`: everything that has a template">,
    Option<"vectorBits", "vector-bits", "int64_t", "512",
           "the size of the target's vector registers: 512 or 256">];
  let statistics = [
    Statistic<"numCalls", "calls", "Operators replaced by calls of kernels">,
    Statistic<"numKernels", "kernels", "Kernels emitted">];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::cf::ControlFlowDialect", "::mlir::func::FuncDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::mlir::vector::VectorDialect"];
}

def ExpandMath : Pass<"nn-expand-math"> {
  let summary = "Compute functions of the math dialect by arithmetic";
  let description = [{
    Replaces exp, tanh, erf, log and their like, of scalars and vectors, by
    polynomials and arithmetic, so that compiled models call no library. What
    stays has an instruction (sqrt, floor, fma, ...). f16 and bf16 are computed
    in f32. MLIR has no polynomials for f64, whose functions stay.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

//===----------------------------------------------------------------------===//
// NNToLinalg
//===----------------------------------------------------------------------===//

def ConvertNNToLinalg : Pass<"convert-nn-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Lower what is left of the nn dialect to linalg";
  let description = [{
    The general road: any nn operator, of any type and shape that it accepts,
    becomes linalg, tensor, arith and math operations in destination-passing
    style. Fusions are dissolved first. What stays are `nn.constant`, calls of
    kernels and of the runtime.

    Unsigned integers are signless below: a `tensor.bitcast` stands where a value
    of an unsigned type enters or leaves.

    What can be known at run time only is checked by `cf.assert`, whose message
    names the ONNX node: dimensions that must agree or broadcast, and the number
    of elements of a reshape. Indices of gathers are clamped instead.

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
    "::mlir::nn::NNDialect", "::mlir::tensor::TensorDialect",
    "::mlir::vector::VectorDialect"];
}

def ConvertCopies : Pass<"nn-convert-copies", "::mlir::func::FuncOp"> {
  let summary = "Turn strided copies of buffers into linalg";
  let description = [{
    `memref.copy` between buffers that are not both contiguous (parts of a
    concatenation, the inside of a padded tensor) becomes a `linalg.generic`,
    hence loops; the others stay, as one memcpy. Otherwise LLVM lowering calls a
    function `memrefCopy` that compiled models do not have.

    Before:
    ```mlir
    memref.copy %x, %part : memref<2x3xf32> to memref<2x3xf32, strided<[5, 1]>>
    ```
    After:
    ```mlir
    linalg.generic {...} ins(%x : memref<2x3xf32>)
                         outs(%part : memref<2x3xf32, strided<[5, 1]>>)
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

//===----------------------------------------------------------------------===//
// NNToOneDNN, OneDNNToLLVM
//===----------------------------------------------------------------------===//

#endif // NN_CONVERSION_PASSES_TD
