// RUN: nn-opt %s -split-input-file -convert-nn-to-kernels=claim=preferred | FileCheck %s

// Preferred to oneDNN; the weight is packed to KH x KW x C, with the epilogue inside.
// CHECK-LABEL: func.func @main(
// CHECK: nn.constant {{.*}} : tensor<3x3x16xf32>
// CHECK: nn.call_kernel @kernel_depthwise_conv_0
// CHECK: func.func private @kernel_depthwise_conv_0
// CHECK: scf.for {{.*}} iter_args
// CHECK: vector.fma
// CHECK: arith.maximumf
// CHECK: vector.store
func.func @main(%x: tensor<1x9x30x16xf32>) -> tensor<1x9x30x16xf32> {
  %w = nn.constant dense<0.5> : tensor<16x1x3x3xf32>
  %0 = nn.fusion (%a = %x : tensor<1x9x30x16xf32>, %b = %w : tensor<16x1x3x3xf32>) -> (tensor<1x9x30x16xf32>) {
    %1 = nn.conv %a, %b {group = 16 : i64, layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x9x30x16xf32>, tensor<16x1x3x3xf32>) -> tensor<1x9x30x16xf32>
    %2 = nn.relu %1 : (tensor<1x9x30x16xf32>) -> tensor<1x9x30x16xf32>
    nn.yield %2 : tensor<1x9x30x16xf32>
  }
  return %0 : tensor<1x9x30x16xf32>
}

// -----

// Other convolutions are left to oneDNN.
// CHECK-LABEL: func.func @main(
// CHECK: nn.conv
// CHECK-NOT: nn.call_kernel
func.func @main(%x: tensor<1x9x30x16xf32>) -> tensor<1x9x30x8xf32> {
  %w = nn.constant dense<0.5> : tensor<8x16x1x1xf32>
  %0 = nn.conv %x, %w {layout = 1 : i32} : (tensor<1x9x30x16xf32>, tensor<8x16x1x1xf32>) -> tensor<1x9x30x8xf32>
  return %0 : tensor<1x9x30x8xf32>
}

// -----

// Integers are read as 8 bits, multiplied in f32, less the zero point since the padding
// is left out, and stored as 8 bits.
// CHECK-LABEL: func.func @main(
// CHECK: nn.call_kernel @kernel_depthwise_conv_0
// CHECK: func.func private @kernel_depthwise_conv_0
// CHECK: vector.load {{.*}} vector<16xi8>
// CHECK: arith.uitofp {{.*}} vector<16xi8> to vector<16xf32>
// CHECK: arith.subf
// CHECK: vector.fma
// CHECK: arith.fptosi {{.*}} to vector<16xi32>
// CHECK: vector.store {{.*}} vector<16xi8>
func.func @main(%x: tensor<1x9x30x16xui8>) -> tensor<1x9x30x16xui8> {
  %w = nn.constant dense<5> : tensor<16x1x3x3xi8>
  %0 = nn.fusion (%a = %x : tensor<1x9x30x16xui8>, %b = %w : tensor<16x1x3x3xi8>) -> (tensor<1x9x30x16xui8>) {
    %low = nn.constant dense<0.0> : tensor<f32>
    %high = nn.constant dense<255.0> : tensor<f32>
    %1 = nn.conv %a, %b {group = 16 : i64, input_zero_point = 7 : i64, layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x9x30x16xui8>, tensor<16x1x3x3xi8>) -> tensor<1x9x30x16xi32>
    %2 = nn.cast %1 {to = f32} : (tensor<1x9x30x16xi32>) -> tensor<1x9x30x16xf32>
    %3 = nn.clip %2 min %low max %high : (tensor<1x9x30x16xf32>, tensor<f32>, tensor<f32>) -> tensor<1x9x30x16xf32>
    %4 = nn.cast %3 {to = ui8} : (tensor<1x9x30x16xf32>) -> tensor<1x9x30x16xui8>
    nn.yield %4 : tensor<1x9x30x16xui8>
  }
  return %0 : tensor<1x9x30x16xui8>
}
