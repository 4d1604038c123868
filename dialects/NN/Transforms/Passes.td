//===- Passes.td - passes that stay in the nn dialect ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TRANSFORMS_PASSES_TD
#define NN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

/// A pass over one function of the model.
class NN_FunctionPass<string flag> : Pass<flag, "::mlir::func::FuncOp"> {
  let dependentDialects = ["::mlir::nn::NNDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def Canonicalize : NN_FunctionPass<"nn-canonicalize"> {
  let summary = "Canonicalize, keeping provenance";
  let description = [{
    The canonicalization patterns and folders of all loaded dialects, as upstream
    `canonicalize`, but operations that replace others take over their locations
    and their `nn.origin`.
  }];
}

def CSE : NN_FunctionPass<"nn-cse"> {
  let summary = "Eliminate common subexpressions, keeping provenance";
  let description = [{
    As upstream `cse`, but operations that differ in `nn.origin` only are equal,
    and the one that stays takes over location and origins of the other.
  }];
  let statistics = [Statistic<"numRemoved", "removed", "Operations removed">];
}

def InferShapes : NN_FunctionPass<"nn-infer-shapes"> {
  let summary = "Make types as static as the inputs allow";
  let description = [{
    Infers shapes again, from the function's arguments on, following sizes as
    expressions, and refines the types of results and of the function. Users
    outside the dialect that need the old type get a `tensor.cast`.

    ```mlir
    // Before: the sizes were folded after the reshape was imported.
    %1 = nn.reshape %0, %shape : (tensor<1x4x4xf32>, tensor<2xi64>) -> tensor<?x?xf32>
    // After:
    %1 = nn.reshape %0, %shape : (tensor<1x4x4xf32>, tensor<2xi64>) -> tensor<1x16xf32>
    ```
  }];
  let statistics = [Statistic<"numRefined", "refined", "Result types refined">];
}

def FoldShapes : NN_FunctionPass<"nn-fold-shapes"> {
  let summary = "Replace shape arithmetic by constants and index arithmetic";
  let description = [{
    Integer tensors whose elements are expressions of the sizes of the function's
    arguments become constants or, where they are not, `tensor.from_elements` of
    index arithmetic on `tensor.dim`; the `nn.shape`, `nn.gather`, `nn.slice`,
    `nn.concat` and `nn.cast` that computed them die. `nn.reshape` gets a constant
    shape by writing 0 for sizes that it copies and -1 for one that remains,
    `nn.flatten` and chains of reshapes become one `nn.reshape`; expanding and
    slicing to the same shape is removed; `nn.resize` to a multiple of its input
    gets constant scales.

    ```mlir
    // Before: x.reshape(x.shape[0], -1)
    %s = nn.shape %x : (tensor<?x4x?xf32>) -> tensor<3xi64>
    %n = nn.gather %s, %zero : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
    %t = nn.concat %n, %minus_one {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
    %y = nn.reshape %x, %t : (tensor<?x4x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
    // After:
    %t = nn.constant dense<[0, -1]> : tensor<2xi64>
    %y = nn.reshape %x, %t : (tensor<?x4x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
    ```
  }];
  let statistics = [
    Statistic<"numFolded", "folded", "Shape tensors replaced">,
    Statistic<"numRemoved", "removed", "Operators removed that keep the shape">];
}

#endif // NN_TRANSFORMS_PASSES_TD
