//===- QuantizationPasses.td - passes on quantized models -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TRANSFORMS_QUANTIZATIONPASSES_TD
#define NN_TRANSFORMS_QUANTIZATIONPASSES_TD

include "dialects/NN/Transforms/PassBase.td"

def DecomposeQuantization : NN_FunctionPass<"nn-decompose-quantization"> {
  let summary = "Write quantization as elementwise arithmetic";
  let description = [{
    `nn.quantize` and `nn.dequantize` with parameters per tensor or per axis become
    elementwise operators on f32, which fuse with those around them. A tensor that is
    quantized and immediately dequantized is never stored as integers. The scales of a
    product of integers and of its quantization become one factor, and a ReLU that the
    range of the integers implies is removed.

    Two kinds are not decomposed: blocked parameters, except for 8-bit floats and 4-bit
    and 2-bit integers, where they are expanded; and integers of more than 16 bits,
    because f32 is not exact for them.

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
  let summary = "Store floats of 8 bits or less, and integers of 4 and 2 bits, in bytes";
  let description = [{
    After this pass no value has a small type. Signed integers are stored in i8, unsigned
    ones in ui8, and floats as their bits in ui8. Casts from small floats become
    `nn.decode_float` and casts to them `nn.encode_float`, which fuse with their
    neighbours. Integers wrap where they are computed. Operators that only move elements
    move bytes. The attribute `nn.stored_type` records the original type of arguments and
    results of the model.

    ```mlir
    // Before:
    %0 = nn.cast %x {to = i4} : (tensor<4xf8E5M2>) -> tensor<4xi4>
    // After (%x is tensor<4xui8>, %four a splat of 4):
    %0 = nn.decode_float %x {format = f8E5M2} : (tensor<4xui8>) -> tensor<4xf32>
    %1 = nn.cast %0 {to = i8} : (tensor<4xf32>) -> tensor<4xi8>
    %2 = nn.bit_shift %1, %four {left = true} : (tensor<4xi8>, tensor<i8>) -> tensor<4xi8>
    %3 = nn.bit_shift %2, %four {left = false} : (tensor<4xi8>, tensor<i8>) -> tensor<4xi8>
    ```

    Quantization of these types must have been decomposed.
  }];
  let statistics = [Statistic<"numStored", "stored", "Values stored in bytes">];
}

def SimplifyQuantization : NN_FunctionPass<"nn-simplify-quantization"> {
  let summary = "Move and compare quantized data as integers";
  let description = [{
    For 8-bit tensors with one known scale and zero point:
     - a dequantization moves behind operators that only move elements (reshapes,
       transposes, slices, concatenations of tensors quantized alike) and behind
       `nn.max_pool`;
     - a quantization moves in front of such operators, to the operations that compute
       their operands;
     - a product whose second operand is a transposed dequantized matrix transposes it itself;
     - dequantizing a tensor and quantizing it in the same way is removed;
     - signed integers that are only dequantized become unsigned, with a zero point that
       is greater by 128. Products need an unsigned first operand, and after a ReLU the
       new zero point is 0.

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
    Statistic<"numCancelled", "cancelled", "Quantizations removed because they do nothing">];
}

def ExposeIntegers : NN_FunctionPass<"nn-expose-integers"> {
  let summary = "Compute products of quantized tensors on their integers";
  let description = [{
    A convolution or matrix product of dequantized 8-bit integers becomes one of the
    integers, and its result is multiplied by the product of the scales. A bias that was
    quantized with that product is added to the integer sums. Sums and means of
    dequantized integers are also computed on the integers.

    If the weights are constant and, minus their zero points, fit in i8, the product uses
    the integers as they are stored, with sums in i32. The zero point of the other
    operand goes into the bias or, if the window is padded, into `input_zero_point`.

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

    Otherwise the operands are the integers, minus their zero points, as f32. Sums of their
    products are exact in f32 up to 2^24, in any order. `nn.exact_integers` prevents other
    passes from folding anything into them.

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
  let statistics = [Statistic<"numExposed", "exposed", "Operators that now compute on integers">];
}

def NarrowProducts : NN_FunctionPass<"nn-narrow-products"> {
  let summary = "Multiply 8-bit integers without widening them";
  let description = [{
    ONNX's MatMulInteger and ConvInteger are imported as products of widened integers. If
    the first operand was widened from 8 bits, possibly minus a zero point, and the second
    is a constant that fits in i8, they become products of 8-bit integers. The zero point
    of a matrix product, which may be known only at run time, is subtracted from the sums.
    So is what is left of the zero point of unsigned weights: `x (w - z) = x (w - 128) -
    (z - 128) (the sum of x)`.

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
  let statistics = [Statistic<"numNarrowed", "narrowed", "Products that became 8 bits wide">];
}

#endif // NN_TRANSFORMS_QUANTIZATIONPASSES_TD
