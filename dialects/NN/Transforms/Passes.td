//===- Passes.td - passes within the nn dialect ---------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TRANSFORMS_PASSES_TD
#define NN_TRANSFORMS_PASSES_TD

include "dialects/NN/Transforms/PassBase.td"
include "dialects/NN/Transforms/QuantizationPasses.td"

def Canonicalize : NN_FunctionPass<"nn-canonicalize"> {
  let summary = "Canonicalize, keeping provenance";
  let description = [{
    Applies the canonicalization patterns and folders of all loaded dialects, like
    upstream's `canonicalize`, but operations that replace others take over their
    locations and their `nn.origin`.
  }];
}

def CSE : NN_FunctionPass<"nn-cse"> {
  let summary = "Eliminate common subexpressions, keeping provenance";
  let description = [{
    Like upstream's `cse`, but operations that differ only in `nn.origin` are equal,
    and the one that remains takes over the location and origins of the other.
  }];
  let statistics = [Statistic<"numRemoved", "removed", "Operations removed">];
}

def FoldConstants : NN_FunctionPass<"nn-fold-constants"> {
  let summary = "Evaluate operators whose operands are constants";
  let description = [{
    The reference interpreter computes the result. An operator is not folded if its
    result is larger than its operands and than `max-growth-bytes`. Casts of half floats
    to f32 and `nn.dequantize` are always folded, since each run would repeat them. What
    matrix products read of the latter is a `#nn.dequantized`: numbers that are still stored
    as integers.

    ```mlir
    // Before:
    %0 = nn.constant dense<2.0> : tensor<4xf32>
    %1 = nn.sqrt %0 : (tensor<4xf32>) -> tensor<4xf32>
    // After:
    %1 = nn.constant dense<1.41421354> : tensor<4xf32>
    ```
  }];
  let options = [
    Option<"maxGrowthBytes", "max-growth-bytes", "int64_t", "65536",
           "Results may be this large whatever the operands are">,
    Option<"keepQuantized", "keep-quantized", "bool", "false",
           "Leave nn.dequantize, so that weights stay quantized">];
  let statistics = [
    Statistic<"numFolded", "folded", "Operators evaluated">,
    Statistic<"numTooLarge", "too-large", "Operators not folded because of their result's size">];
}

def InferShapes : NN_FunctionPass<"nn-infer-shapes"> {
  let summary = "Make types as static as the inputs allow";
  let description = [{
    Infers shapes again, starting from the function's arguments and following sizes as
    expressions, and refines the types of results and of the function. Users outside
    the dialect that need the old type get a `tensor.cast`.

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
    arguments become constants if all elements are constant, else
    `tensor.from_elements` of index arithmetic on `tensor.dim`. The `nn.shape`,
    `nn.gather`, `nn.slice`, `nn.concat` and `nn.cast` that computed them become dead.
    `nn.reshape` gets a constant shape if possible, with 0 for sizes that it copies and
    -1 for the remaining one. `nn.flatten` and chains of reshapes become one
    `nn.reshape`. Expanding or slicing to the same shape is removed. `nn.resize` to a
    multiple of its input gets constant scales.

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
    Statistic<"numRemoved", "removed", "Operators removed that did not change the shape">];
}

def RecognizePatterns : NN_FunctionPass<"nn-recognize-patterns"> {
  let summary = "Recognize operators that exporters decomposed";
  let description = [{
    Recognizes hard swish (written with clip or hard sigmoid), hard sigmoid (with clip),
    swish, gelu (with erf or tanh) and layer normalization, with constants in any order;
    powers with exponents 2, 1, 1/2 and -1; and pools with a single window, which are
    reductions. Division by a constant becomes multiplication if the reciprocal is exact,
    that is, for powers of two.

    ```mlir
    // Before:
    %0 = nn.add %x, %three : (tensor<?x4xf32>, tensor<1xf32>) -> tensor<?x4xf32>
    %1 = nn.clip %0 min %zero max %six : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
    %2 = nn.mul %x, %1 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    %3 = nn.div %2, %sixes : (tensor<?x4xf32>, tensor<1xf32>) -> tensor<?x4xf32>
    // After:
    %3 = nn.hard_swish %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
  }];
}

def PrepareRecurrent : NN_FunctionPass<"nn-prepare-recurrent"> {
  let summary = "Multiply the inputs of all steps of a recurrent layer at once";
  let description = [{
    The product of the input and its weight does not depend on earlier steps, so one
    large product replaces many small ones. Only the recurrence is left in `nn.lstm`,
    `nn.gru` and `nn.rnn`, with its weight transposed so that kernels read it in order.

    ```mlir
    // Before:
    %y:2 = nn.rnn(%x, %w, %r) {...} : (tensor<7x1x3xf32>, tensor<4x3xf32>, tensor<4x4xf32>) -> (...)
    // After:
    %0 = nn.squeeze %x {axes = array<i64: 1>} : (tensor<7x1x3xf32>) -> tensor<7x3xf32>
    %1 = nn.matmul %0, %w {transpose_rhs} : (tensor<7x3xf32>, tensor<4x3xf32>) -> tensor<7x4xf32>
    %2 = nn.unsqueeze %1 {axes = array<i64: 1>} : (tensor<7x4xf32>) -> tensor<7x1x4xf32>
    %3 = nn.transpose %r {perm = array<i64: 1, 0>} : (tensor<4x4xf32>) -> tensor<4x4xf32>
    %y:2 = nn.rnn(%2, %3) {prepared, ...} : (tensor<7x1x4xf32>, tensor<4x4xf32>) -> (...)
    ```
  }];
  let statistics = [Statistic<"numPrepared", "prepared", "Layers prepared">];
}

def RemoveDeadChannels : NN_FunctionPass<"nn-remove-dead-channels"> {
  let summary = "Remove channels that nothing depends on";
  let description = [{
    Structured pruning leaves channels whose weights are 0. A channel of a product
    (`nn.conv`, also depthwise, and `nn.matmul` with constant weights) is removed if it is
    always 0, as its weights and its bias are, or if all that reads it multiplies it by 0.
    Channels that are the same ones by way of sums and other elementwise operators,
    concatenations, pools, means over pixels and depthwise convolutions go together or stay
    together; channels that anything else reads, or that are outputs, stay.

    Numbers of channels that are multiples of 16 stay so: kernels compute 16 at a time. What
    is multiplied by 0 is not looked at any more, also if it is infinite or NaN.

    ```mlir
    // Before: the second of 2 channels is 0.
    %w = nn.constant dense<[[[[1.0]]], [[[0.0]]]]> : tensor<2x1x1x1xf32>
    %v = nn.constant dense<[[[[3.0]], [[4.0]]]]> : tensor<1x2x1x1xf32>
    %0 = nn.conv %x, %w : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
    %1 = nn.conv %0, %v : (tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x4x4xf32>
    // After:
    %w = nn.constant dense<1.0> : tensor<1x1x1x1xf32>
    %v = nn.constant dense<3.0> : tensor<1x1x1x1xf32>
    %0 = nn.conv %x, %w : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
    %1 = nn.conv %0, %v : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
    ```
  }];
  let statistics = [Statistic<"numChannels", "channels", "Channels of products removed">];
}

def FoldBatchNorm : NN_FunctionPass<"nn-fold-batch-norm"> {
  let summary = "Fold normalization, scales and biases into weights";
  let description = [{
    Batch normalization with constant parameters becomes a multiplication and an
    addition per channel. If such operations (multiplication, division, addition or
    subtraction of one constant per channel or of a single number) follow an `nn.conv`,
    `nn.conv_transpose` or `nn.matmul` with constant weights, or a batch normalization,
    they are folded into weights and bias. A multiplication before an `nn.conv` is folded
    too, with the addition behind it if nothing is padded. New weights are operators on
    constants, which `nn-fold-constants` evaluates.

    Elsewhere, constants never move across each other. Two additions in a row stay
    (`x + 12582912 - 12582912` rounds x), and so do constants so large that folding them
    could overflow or hide an overflow.

    ```mlir
    // Before:
    %scale = nn.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
    %0 = nn.conv %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    %1 = nn.mul %0, %scale : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8x8xf32>
    // After:
    %0 = nn.constant dense<[[[[1.0]]], [[[2.0]]], [[[3.0]]], [[[4.0]]]]> : tensor<4x1x1x1xf32>
    %1 = nn.mul %w, %0 : (tensor<4x3x1x1xf32>, tensor<4x1x1x1xf32>) -> tensor<4x3x1x1xf32>
    %2 = nn.conv %x, %1 : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    ```
  }];
}

def LegalizeTypes : NN_FunctionPass<"nn-legalize-types"> {
  let summary = "Compute in f32 on values stored in narrower floats";
  let description = [{
    All values of the storage types become f32, except for the function's arguments and
    results, which are cast, and constants, whose casts fold. Rounding between operators
    disappears with the narrow type: results are closer to exact arithmetic than the
    model's, and intermediate values do not overflow.

    ```mlir
    // Before:
    %0 = nn.relu %x : (tensor<2xf16>) -> tensor<2xf16>
    // After:
    %0 = nn.cast %x {to = f32} : (tensor<2xf16>) -> tensor<2xf32>
    %1 = nn.relu %0 : (tensor<2xf32>) -> tensor<2xf32>
    %2 = nn.cast %1 {to = f16} : (tensor<2xf32>) -> tensor<2xf16>
    ```
  }];
  let options = [ListOption<"storageTypes", "storage", "std::string",
      "Storage types to compute in f32 (f16, bf16); default: both">];
  let statistics = [Statistic<"numWidened", "widened", "Operations that now compute in f32">];
}

def AssignLayout : NN_FunctionPass<"nn-assign-layout"> {
  let summary = "Compute spatial operators channels-last";
  let description = [{
    Decides for each operator on N x C x spatial tensors whether it uses the layout
    N x spatial x C, which convolutions and other spatial operators prefer. Operators
    between them (elementwise operators, concatenation, slices, reductions, reshapes of
    spatial dimensions, channel shuffles, ...) follow if that moves fewer elements in
    total: the choice is a minimum cut of the whole graph. Transposes in the model cancel,
    constants are permuted (and folded later), and a transpose that moves only dimensions
    of size 1 is a reshape.

    ```mlir
    // Before:
    %0 = nn.conv %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    // After:
    %0 = nn.transpose %x {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x3x8x8xf32>) -> tensor<1x8x8x3xf32>
    %1 = nn.conv %0, %w {layout = 1 : i32} : (tensor<1x8x8x3xf32>, tensor<4x3x1x1xf32>) -> tensor<1x8x8x4xf32>
    %2 = nn.transpose %1 {perm = array<i64: 0, 3, 1, 2>} : (tensor<1x8x8x4xf32>) -> tensor<1x4x8x8xf32>
    ```
  }];
  let statistics = [
    Statistic<"numSwitched", "switched", "Operators that became channels-last">,
    Statistic<"numTransposes", "transposes", "Transposes inserted">];
}

def CheckWindows : NN_FunctionPass<"nn-check-windows"> {
  let summary = "Check at run time that windows fit into their inputs";
  let description = [{
    A convolution or pool without padding needs an input at least as large as its window.
    With a smaller one, its result would be empty, and the mean of that NaN. If the size
    is known only at run time, it is checked then; the error names the node.

    ```mlir
    // Before:
    %y = nn.max_pool %x {kernel_shape = array<i64: 3>} : (tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
    // After:
    %c2 = arith.constant 2 : index
    %size = tensor.dim %x, %c2 : tensor<1x4x?xf32>
    %c3 = arith.constant 3 : index
    %fits = arith.cmpi sge, %size, %c3 : index
    cf.assert %fits, "node 'pool': the window does not fit into the padded input in spatial dimension 0, which needs 3 elements or more; give the model a larger input"
    %y = nn.max_pool %x {kernel_shape = array<i64: 3>} : (tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numChecked", "checked", "Sizes checked at run time">];
}

def FormFusions : NN_FunctionPass<"nn-form-fusions"> {
  let summary = "Group operators to be computed by one kernel";
  let description = [{
    Makes `nn.fusion` groups: an anchor (convolution, product, pool, reduction,
    normalization) with the elementwise operators of its shape that follow it, and, where an
    anchor can compute them while it reads, with those before it; and groups of elementwise
    operators of one shape. A matrix product is also joined by transpositions that only say
    where its operands lie, or where its result is stored. What has users outside of an
    anchor's group is one of its results. Splat constants move into the body. A remark
    (category `fuse`) says why an operator behind an anchor did not join its group.

    ```mlir
    // Before:
    %0 = nn.conv %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    %1 = nn.relu %0 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
    // After:
    %1 = nn.fusion (%a = %x : tensor<1x3x8x8xf32>, %b = %w : tensor<4x3x1x1xf32>) -> (tensor<1x4x8x8xf32>) {
      %2 = nn.conv %a, %b : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
      %3 = nn.relu %2 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
      nn.yield %3 : tensor<1x4x8x8xf32>
    }
    ```
  }];
  let statistics = [
    Statistic<"numFusions", "fusions", "Groups formed">,
    Statistic<"numFused", "fused", "Operators in them">];
}

def SplitReductions : Pass<"nn-split-reductions", "::mlir::func::FuncOp"> {
  let summary = "Reduce dimensions that are not neighbours one after the other";
  let description = [{
    Sums, means of floats, products, maxima and minima over several groups of neighbouring
    dimensions become reductions over one group each, the last group first. Kernels reduce
    neighbours, which lie in memory as one dimension.

    ```mlir
    %0 = nn.reduce_sum %x {axes = [0, 2]} : (tensor<2x3x4xf32>) -> tensor<1x3x1xf32>
    // After:
    %1 = nn.reduce_sum %x {axes = [2]} : (tensor<2x3x4xf32>) -> tensor<2x3x1xf32>
    %0 = nn.reduce_sum %1 {axes = [0, 2]} : (tensor<2x3x1xf32>) -> tensor<1x3x1xf32>
    ```
  }];
}

def VerifyProvenance : Pass<"nn-verify-provenance", "::mlir::ModuleOp"> {
  let summary = "Check that everything can be traced back to the ONNX model";
  let description = [{
    At the end of a phase that works on tensors:
     - the location of each operation with a tensor result, except for constants, must
       name an ONNX node (or, in a hand-written module, a place in its file);
     - each output of the model, and each contraction, should have an `nn.origin`;
       otherwise a remark (category `provenance`) says what it computes.

    A location without a name is an error, or with `strict=false` a remark: a lost name
    does not make a compiled model wrong.

    ```mlir
    // error: 'nn.relu' op has a location that names no ONNX node
    %0 = nn.relu %x : (tensor<4xf32>) -> tensor<4xf32> loc(unknown)
    ```
  }];
  let options = [
    Option<"strict", "strict", "bool", "true",
           "Locations without a name are errors">,
    Option<"phase", "phase", "std::string", "\"\"",
           "The phase that ended, for messages">];
}

#endif // NN_TRANSFORMS_PASSES_TD
