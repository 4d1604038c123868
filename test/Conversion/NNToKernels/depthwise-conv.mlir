// RUN: nn-opt %s -split-input-file -convert-nn-to-kernels=claim=preferred | FileCheck %s

// Preferred to the library; the weight is packed to KH x KW x C, the tail inside.
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

// Other convolutions are the library's.
// CHECK-LABEL: func.func @main(
// CHECK: nn.conv
// CHECK-NOT: nn.call_kernel
func.func @main(%x: tensor<1x9x30x16xf32>) -> tensor<1x9x30x8xf32> {
  %w = nn.constant dense<0.5> : tensor<8x16x1x1xf32>
  %0 = nn.conv %x, %w {layout = 1 : i32} : (tensor<1x9x30x16xf32>, tensor<8x16x1x1xf32>) -> tensor<1x9x30x8xf32>
  return %0 : tensor<1x9x30x8xf32>
}
