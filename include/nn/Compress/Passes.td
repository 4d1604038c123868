//===- Passes.td - compression --------------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_COMPRESS_PASSES_TD
#define NN_COMPRESS_PASSES_TD

include "mlir/Pass/PassBase.td"

def ApplyPlan : Pass<"nn-apply-plan", "ModuleOp"> {
  let summary = "Quantize what a plan says";
  let description = [{
    Reads a plan (include/nn/Compress/Plan.h, as `nn-compress` writes it) and quantizes the
    regions that it names: products with constant weights, with their bias and the
    elementwise operators on their results.

    - `int8`: weights become `i8` with a scale for each channel of the result, and activations
      `ui8` with one scale and zero point each. Activations are quantized once, where they
      arise, for all their users but the model's outputs; also between regions, through
      additions, pools and operators that move data. A bias becomes `i32`, in the scale of
      the sums, less what the rounding of the weights adds to the results on the average.
      Channels of inputs that are much larger than others are divided by a number, where the
      plan says so, and the weights are multiplied with it. The product before divides, if only
      operators like ReLU are between.
    - `int8-weights`: weights only. `int4-weights`: also, with a scale for each 32 of a column.
      Weights that the model stores in 8 bits or fewer stay what they are. Tables whose rows are looked up (`nn.gather`) get a scale
      for each row, which is looked up, too, whatever the precision.

    The result is in QDQ form: quantized tensors are dequantized in front of operators, which
    later passes make operators on integers. The module's list `nn.approximations` says that the model
    computes something else now. Remarks say what a plan names but the model does
    not have.

    ```mlir
    // Before:
    %0 = nn.conv %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    // After (%w8, %sw: constants):
    %0 = nn.quantize %x, %s, %z {to = ui8} : (tensor<1x3x8x8xf32>, tensor<f32>, tensor<ui8>) -> tensor<1x3x8x8xui8>
    %1 = nn.dequantize %0, %s, %z : (tensor<1x3x8x8xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x3x8x8xf32>
    %2 = nn.dequantize %w8, %sw {axis = 0} : (tensor<4x3x1x1xi8>, tensor<4xf32>) -> tensor<4x3x1x1xf32>
    %3 = nn.conv %1, %2 : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    ```
  }];
  let options = [Option<"plan", "plan", "std::string", "\"\"", "The plan's file">];
  let statistics = [
    Statistic<"numRegions", "regions", "Regions quantized">,
    Statistic<"numActivations", "activations", "Activations quantized">];
}

#endif // NN_COMPRESS_PASSES_TD
