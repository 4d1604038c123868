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

// A matrix that products read stays integers: they may be computed with.
// FOLD-LABEL: @product
// FOLD: %[[W:.*]] = nn.constant #nn.dequantized<dense<3> : tensor<8x6xi8>, scale = dense<5.000000e-01> : tensor<6xf32>, axis = 1, block_size = 0> : tensor<8x6xf32>
// FOLD: nn.matmul %{{.*}}, %[[W]]
func.func @product(%x: tensor<?x8xf32>) -> tensor<?x6xf32> {
  %q = nn.constant dense<3> : tensor<8x6xi8>
  %s = nn.constant dense<0.5> : tensor<6xf32>
  %0 = nn.dequantize %q, %s {axis = -1} : (tensor<8x6xi8>, tensor<6xf32>) -> tensor<8x6xf32>
  %1 = nn.matmul %x, %0 : (tensor<?x8xf32>, tensor<8x6xf32>) -> tensor<?x6xf32>
  return %1 : tensor<?x6xf32>
}

// What others read becomes f32, as does what is computed of the integers.
// FOLD-LABEL: @others
// FOLD-NOT: #nn.dequantized
// FOLD: nn.matmul
func.func @others(%x: tensor<?x8xf32>) -> (tensor<?x6xf32>, tensor<8x6xf32>) {
  %q = nn.constant dense<3> : tensor<8x6xi8>
  %s = nn.constant dense<0.5> : tensor<f32>
  %0 = nn.dequantize %q, %s : (tensor<8x6xi8>, tensor<f32>) -> tensor<8x6xf32>
  %1 = nn.matmul %x, %0 : (tensor<?x8xf32>, tensor<8x6xf32>) -> tensor<?x6xf32>
  return %1, %0 : tensor<?x6xf32>, tensor<8x6xf32>
}

// FOLD-LABEL: @negative
// FOLD: nn.constant dense<-1.500000e+00> : tensor<8x6xf32>
func.func @negative() -> tensor<8x6xf32> {
  %w = nn.constant #nn.dequantized<dense<5> : tensor<8x6xui8>, scale = dense<0.5> : tensor<6xf32>, axis = 1, block_size = 0, zero_point = dense<2> : tensor<6xui8>> : tensor<8x6xf32>
  %0 = nn.neg %w : (tensor<8x6xf32>) -> tensor<8x6xf32>
  return %0 : tensor<8x6xf32>
}

// Weights of half floats, too, as soon as they have become f32.
// FOLD-LABEL: @half
// FOLD: nn.dequantize
// RUN: nn-opt %s --compile-to=legalize | FileCheck %s --check-prefix=HALF
// HALF-LABEL: @half
// HALF: nn.constant #nn.dequantized<dense<3> : tensor<8x6xi8>, scale = dense<5.000000e-01> : tensor<6xf32>
// HALF: nn.matmul
func.func @half(%x: tensor<?x8xf16>) -> tensor<?x6xf16> {
  %q = nn.constant dense<3> : tensor<8x6xi8>
  %s = nn.constant dense<0.5> : tensor<6xf16>
  %0 = nn.dequantize %q, %s : (tensor<8x6xi8>, tensor<6xf16>) -> tensor<8x6xf16>
  %1 = nn.matmul %x, %0 : (tensor<?x8xf16>, tensor<8x6xf16>) -> tensor<?x6xf16>
  return %1 : tensor<?x6xf16>
}
