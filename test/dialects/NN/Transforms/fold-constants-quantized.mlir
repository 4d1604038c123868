// Weights stay quantized if they are to, and only they.
// RUN: nn-opt %s --nn-fold-constants=keep-quantized | FileCheck %s
// RUN: nn-opt %s --nn-fold-constants | FileCheck %s --check-prefix=FOLD

// CHECK-LABEL: @main
// CHECK: %[[W:.*]] = nn.dequantize
// CHECK: %[[R:.*]] = nn.constant dense<5.000000e-01>
// CHECK: return %[[W]], %[[R]]
// FOLD-LABEL: @main
// FOLD-NOT: nn.dequantize
// FOLD: return
func.func @main() -> (tensor<2xf32>, tensor<f32>) {
  %q = nn.constant dense<[1, 2]> : tensor<2xi8>
  %s = nn.constant dense<2.0> : tensor<f32>
  %0 = nn.dequantize %q, %s : (tensor<2xi8>, tensor<f32>) -> tensor<2xf32>
  %1 = nn.reciprocal %s : (tensor<f32>) -> tensor<f32>
  return %0, %1 : tensor<2xf32>, tensor<f32>
}
