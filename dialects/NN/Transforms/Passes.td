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

def FoldConstants : NN_FunctionPass<"nn-fold-constants"> {
  let summary = "Evaluate operators whose operands are constants";
  let description = [{
    The reference interpreter computes the result. An operator whose result is
    larger than its operands, and than `max-growth-bytes`, stays, unless it is a
    cast of half floats to f32 or an `nn.dequantize`, which each run would repeat.

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
           "Results may be this large whatever the operands are">];
  let statistics = [
    Statistic<"numFolded", "folded", "Operators evaluated">,
    Statistic<"numTooLarge", "too-large", "Operators left for their result's size">];
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

def RecognizePatterns : NN_FunctionPass<"nn-recognize-patterns"> {
  let summary = "Find operators that exporters took apart";
  let description = [{
    Hard swish (by clip or by hard sigmoid), hard sigmoid by clip, swish, gelu (erf
    and tanh forms) and layer normalization, with constants in any order; powers
    of 2, 1, 1/2 and -1; pools with a single window, which are reductions; division by a
    constant becomes multiplication where the reciprocal is exact, that is for powers
    of two only.

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
    The product of the input and its weight does not depend on the steps before:
    one large product takes the place of many small ones. What is left in
    `nn.lstm`, `nn.gru` and `nn.rnn` is the recurrence, with its weight transposed
    so that kernels read it in order.

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

def DecomposeQuantization : NN_FunctionPass<"nn-decompose-quantization"> {
  let summary = "Write quantization as elementwise arithmetic";
  let description = [{
    `nn.quantize` and `nn.dequantize` with parameters per tensor or per axis
    become elementwise operators on f32, which are fused with those around them.
    What is quantized and dequantized at once is never stored as integers, the
    scales of a product of integers and of its quantization become one factor, and
    rectifiers that the limits of the integers imply go. Blocked
    parameters stay (but not those of floats of 8 bits or less and of integers of 4
    and 2, which are expanded), and so do integers of more than 16 bits, as f32 is not
    exact for them.

    ```mlir
    // Before:
    %0 = nn.quantize %x, %scale {to = i8} : (tensor<4xf32>, tensor<f32>) -> tensor<4xi8>
    %1 = nn.dequantize %0, %scale : (tensor<4xi8>, tensor<f32>) -> tensor<4xf32>
    // After:
    %0 = nn.div %x, %scale : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
    %1 = nn.round %0 : (tensor<4xf32>) -> tensor<4xf32>
    %2 = nn.clip %1 min %low max %high : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
    %3 = nn.mul %2, %scale : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
    ```
  }];
  let statistics = [Statistic<"numDecomposed", "decomposed", "Operators decomposed">];
}

def StoreSmallTypes : NN_FunctionPass<"nn-store-small-types"> {
  let summary = "Hold floats of 8 bits or less, and integers of 4 and 2 bits, in bytes";
  let description = [{
    From here on no value has a small type. Signed integers are in i8, unsigned ones
    in ui8, floats as their bits in ui8. Casts from floats become `nn.decode_float`,
    casts to them `nn.encode_float`, both of which fuse with their neighbours;
    integers wrap where they are made; whatever only moves elements moves bytes. What
    an argument or result of the model was is its attribute `nn.stored_type`.

    ```mlir
    // Before:
    %0 = nn.cast %x {to = i4} : (tensor<4xf8E5M2>) -> tensor<4xi4>
    // After (%x is tensor<4xui8>, %four a splat of 4):
    %0 = nn.decode_float %x {format = f8E5M2} : (tensor<4xui8>) -> tensor<4xf32>
    %1 = nn.cast %0 {to = i8} : (tensor<4xf32>) -> tensor<4xi8>
    %2 = nn.bit_shift %1, %four {left = true} : (tensor<4xi8>, tensor<i8>) -> tensor<4xi8>
    %3 = nn.bit_shift %2, %four {left = false} : (tensor<4xi8>, tensor<i8>) -> tensor<4xi8>
    ```

    Quantization of these types must be decomposed before.
  }];
  let statistics = [Statistic<"numStored", "stored", "Values held in bytes">];
}

def SimplifyQuantization : NN_FunctionPass<"nn-simplify-quantization"> {
  let summary = "Move data and compare it as integers";
  let description = [{
    Of tensors of 8 bits with one known scale and zero point: a dequantization goes
    behind operators that only move elements (reshapes, transpositions, slices,
    concatenations of tensors quantized alike) and behind `nn.max_pool`; a quantization
    goes before such operators, to what computed their operands; a tensor that
    is quantized as it was before is that tensor; and signed integers that only
    dequantizations read become unsigned ones, whose zero point is greater by 128:
    products want their first operand so, and after rectifiers that zero point is 0.

    ```mlir
    // Before:
    %0 = nn.dequantize %q, %s, %z : (tensor<1x4x8x8xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x4x8x8xf32>
    %1 = nn.max_pool %0 {kernel_shape = array<i64: 2, 2>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
    %2 = nn.quantize %1, %s, %z {to = ui8} : (tensor<1x4x7x7xf32>, tensor<f32>, tensor<ui8>) -> tensor<1x4x7x7xui8>
    // After:
    %0 = nn.max_pool %q {kernel_shape = array<i64: 2, 2>} : (tensor<1x4x8x8xui8>) -> tensor<1x4x7x7xui8>
    ```
  }];
  let statistics = [
    Statistic<"numMoved", "moved", "Operators that work on integers">,
    Statistic<"numUnsigned", "unsigned", "Quantizations made unsigned">,
    Statistic<"numCancelled", "cancelled", "Quantizations that do nothing">];
}

def ExposeIntegers : NN_FunctionPass<"nn-expose-integers"> {
  let summary = "Compute products of quantized tensors on their integers";
  let description = [{
    A convolution or matrix product of dequantized integers of 8 bits becomes one of
    the integers, whose result the product of the scales multiplies. A bias that was
    quantized with that product is one more term of the sums. Sums and means of
    dequantized integers are those of the integers, too.

    With constant weights that, less their zero points, fit in i8, the product is
    one on the integers as they are stored, with sums in i32. The zero point of the
    other operand goes into the bias, or, where the window is padded, into
    `input_zero_point`.

    ```mlir
    // Before:
    %0 = nn.dequantize %x, %sx, %zx : (tensor<2x3xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x3xf32>
    %1 = nn.dequantize %w, %sw : (tensor<3x4xi8>, tensor<f32>) -> tensor<3x4xf32>
    %2 = nn.matmul %0, %1 : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
    // After:
    %s = nn.mul %sx, %sw : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %0 = nn.matmul %x, %w : (tensor<2x3xui8>, tensor<3x4xi8>) -> tensor<2x4xi32>
    %1 = nn.add %0, %correction : (tensor<2x4xi32>, tensor<4xi32>) -> tensor<2x4xi32>
    %2 = nn.cast %1 {nn.exact_integers, to = f32} : (tensor<2x4xi32>) -> tensor<2x4xf32>
    %3 = nn.mul %2, %s : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
    ```

    Else the operands are the integers, less their zero points, as f32: sums of their
    products are exact in f32 up to 2^24, in whatever order they are added. `nn.exact_integers`
    keeps other passes from folding anything into them.

    ```mlir
    // Before:
    %0 = nn.dequantize %x, %sx : (tensor<2x3xi8>, tensor<f32>) -> tensor<2x3xf32>
    %1 = nn.dequantize %w, %sw : (tensor<3x4xi8>, tensor<f32>) -> tensor<3x4xf32>
    %2 = nn.matmul %0, %1 : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
    // After:
    %0 = nn.dequantize %x, %one : (tensor<2x3xi8>, tensor<f32>) -> tensor<2x3xf32>
    %1 = nn.dequantize %w, %one : (tensor<3x4xi8>, tensor<f32>) -> tensor<3x4xf32>
    %s = nn.mul %sx, %sw : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %2 = nn.matmul %0, %1 {nn.exact_integers} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
    %3 = nn.mul %2, %s : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
    ```
  }];
  let statistics = [Statistic<"numExposed", "exposed", "Operators that compute on integers">];
}

def NarrowProducts : NN_FunctionPass<"nn-narrow-products"> {
  let summary = "Multiply integers of 8 bits as such";
  let description = [{
    What ONNX's MatMulInteger and ConvInteger are after import: products whose first
    operand was widened from 8 bits, maybe less a zero point, and whose second one is a
    constant that fits in i8, become products of 8 bits. A matrix product's zero
    point, which may be known at run time only, is taken off the sums.

    ```mlir
    // Before:
    %0 = nn.cast %x {to = i32} : (tensor<2x3xui8>) -> tensor<2x3xi32>
    %1 = nn.sub %0, %zero : (tensor<2x3xi32>, tensor<i32>) -> tensor<2x3xi32>
    %2 = nn.matmul %1, %w : (tensor<2x3xi32>, tensor<3x4xi32>) -> tensor<2x4xi32>
    // After:
    %0 = nn.matmul %x, %w8 : (tensor<2x3xui8>, tensor<3x4xi8>) -> tensor<2x4xi32>
    %1 = nn.mul %columns, %zero : (tensor<4xi32>, tensor<i32>) -> tensor<4xi32>
    %2 = nn.sub %0, %1 : (tensor<2x4xi32>, tensor<4xi32>) -> tensor<2x4xi32>
    ```
  }];
  let statistics = [Statistic<"numNarrowed", "narrowed", "Products of 8 bits">];
}

def FoldBatchNorm : NN_FunctionPass<"nn-fold-batch-norm"> {
  let summary = "Fold normalization, scales and biases into weights";
  let description = [{
    Batch normalization with constant parameters becomes a multiplication and an
    addition per channel. Multiplications, divisions, additions and subtractions of constants per
    channel, or of one number, after `nn.conv`, `nn.conv_transpose` and
    `nn.matmul` with constant weights go into weights and bias; those before an
    `nn.conv` too, additions only where nothing is padded. Chains of them
    elsewhere become one multiplication and one addition. New weights are written as
    operators on constants, which `nn-fold-constants` evaluates.

    ```mlir
    // Before:
    %0 = nn.conv %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    %1 = nn.mul %0, %scale : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8x8xf32>
    // After:
    %0 = nn.reshape %scale, %shape : (tensor<4x1x1xf32>, tensor<4xi64>) -> tensor<4x1x1x1xf32>
    %1 = nn.mul %w, %0 : (tensor<4x3x1x1xf32>, tensor<4x1x1x1xf32>) -> tensor<4x3x1x1xf32>
    %2 = nn.conv %x, %1 : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    ```
  }];
}

def LegalizeTypes : NN_FunctionPass<"nn-legalize-types"> {
  let summary = "Compute in f32 what is stored in narrower floats";
  let description = [{
    All values of the storage types become f32, but for the function's arguments
    and results, where casts stand, and constants, whose casts fold. Rounding
    between operators disappears with the narrow type: results are closer to
    exact arithmetic than the model's, and what would have overflowed does not.

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
  let statistics = [Statistic<"numWidened", "widened", "Operations that compute in f32 now">];
}

def AssignLayout : NN_FunctionPass<"nn-assign-layout"> {
  let summary = "Compute spatial operators channels-last";
  let description = [{
    Chooses for each operator over N x C x spatial tensors whether it works on
    them as N x spatial x C. Convolutions and other spatial operators prefer that; what
    lies between them (elementwise operators, concatenation, slices, reductions,
    reshapes of spatial dimensions, channel shuffles ...) takes part if that
    moves fewer elements in all: the choice is a minimum cut of the whole graph.
    Transposes that the model holds cancel, constants are permuted (and fold later),
    and what moves only dimensions of size 1 is a reshape.

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
    Statistic<"numSwitched", "switched", "Operators that are channels-last now">,
    Statistic<"numTransposes", "transposes", "Transposes inserted">];
}

def CheckWindows : NN_FunctionPass<"nn-check-windows"> {
  let summary = "Check at run time that windows fit into their inputs";
  let description = [{
    A convolution or pool without padding needs an input as large as its window. On
    a smaller one its result would be empty, and the mean of that NaN. Where the
    type does not tell, the run ends with an error that names the node.

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
  let summary = "Group operators that one kernel shall compute";
  let description = [{
    Makes `nn.fusion` groups: an anchor (convolution, product, pool, reduction,
    normalization) with the elementwise operators that follow it one by one, and
    elementwise operators of one shape with each other. A value with users
    outside stays outside; constants that are splats move into the body.

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

def VerifyProvenance : Pass<"nn-verify-provenance", "::mlir::ModuleOp"> {
  let summary = "Check that everything can be traced back to the ONNX model";
  let description = [{
    At the end of a phase that works on tensors:
     - the location of each operation with a tensor result that is no constant
       names an ONNX node (or, in a module written by hand, a place in its file);
     - each output of the model, and each contraction, has an `nn.origin`, or else
       there is a remark (category `provenance`) that says what it computes.

    A location that names nothing is an error, or with `strict=false` a remark: a
    lost name does not make a compiled model wrong.

    ```mlir
    // error: 'nn.relu' op has a location that names no ONNX node
    %0 = nn.relu %x : (tensor<4xf32>) -> tensor<4xf32> loc(unknown)
    ```
  }];
  let options = [
    Option<"strict", "strict", "bool", "true",
           "Locations that name nothing are errors">,
    Option<"phase", "phase", "std::string", "\"\"",
           "The phase that ended, for messages">];
}

#endif // NN_TRANSFORMS_PASSES_TD
