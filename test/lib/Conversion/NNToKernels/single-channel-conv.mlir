// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v3 -nn-place=only=kernels,onednn | FileCheck %s
// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v4 -nn-place=only=kernels,onednn | FileCheck %s --check-prefix=WIDE

// The input under a box of outputs is copied with its padding. Vectors lie along rows; the
// taps are loops around a tile of them.
// CHECK-LABEL: func.func @main(
// CHECK: nn.constant {{.*}} : tensor<15xf32>
// CHECK: rt.launch @kernel_single_channel_conv_0
// CHECK: func.func private @kernel_single_channel_conv_0
// CHECK-COUNT-2: memref.alloca() {alignment = 64 : i64} : memref<{{.*}}xf32>
// CHECK: vector.store {{.*}} vector<8xf32>
// CHECK-COUNT-8: vector.fma
// CHECK: arith.maximumf
// CHECK: vector.store

// WIDE-LABEL: func.func private @kernel_single_channel_conv_0
// WIDE: vector.store {{.*}} vector<16xf32>
// WIDE-COUNT-8: vector.fma
func.func @main(%x: tensor<1x1x64x64xf32>) -> tensor<1x1x64x64xf32> {
  %w = nn.constant dense<0.5> : tensor<1x1x3x5xf32>
  %0 = nn.fusion (%a = %x : tensor<1x1x64x64xf32>, %b = %w : tensor<1x1x3x5xf32>) -> (tensor<1x1x64x64xf32>) {
    %1 = nn.conv %a, %b {pads = array<i64: 1, 2, 1, 2>} : (tensor<1x1x64x64xf32>, tensor<1x1x3x5xf32>) -> tensor<1x1x64x64xf32>
    %2 = nn.relu %1 : (tensor<1x1x64x64xf32>) -> tensor<1x1x64x64xf32>
    nn.yield %2 : tensor<1x1x64x64xf32>
  }
  return %0 : tensor<1x1x64x64xf32>
}

// -----

// 8-bit integers become f32, less the zero point, when they are copied.
// CHECK-LABEL: func.func @integers(
// CHECK: rt.launch @kernel_single_channel_conv_0
// CHECK: func.func private @kernel_single_channel_conv_0
// CHECK: arith.uitofp {{.*}} vector<8xi8> to vector<8xf32>
// CHECK: arith.subf
// CHECK: vector.fma
// CHECK: arith.fptosi {{.*}} to vector<8xi32>
func.func @integers(%x: tensor<1x?x64x1xui8>) -> tensor<1x?x64x1xi32> {
  %w = nn.constant dense<5> : tensor<1x1x3x3xi8>
  %0 = nn.conv %x, %w {input_zero_point = 7 : i64, layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x?x64x1xui8>, tensor<1x1x3x3xi8>) -> tensor<1x?x64x1xi32>
  return %0 : tensor<1x?x64x1xi32>
}

// -----

// Strides, and windows too large to be copied, are left to oneDNN.
// CHECK-LABEL: func.func @strides(
// CHECK-NOT: rt.launch
func.func @strides(%x: tensor<1x1x64x64xf32>, %z: tensor<1x1x300x300xf32>) -> (tensor<1x1x62x31xf32>, tensor<1x1x101x101xf32>) {
  %w = nn.constant dense<0.5> : tensor<1x1x3x3xf32>
  %0 = nn.conv %x, %w {strides = array<i64: 1, 2>} : (tensor<1x1x64x64xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x62x31xf32>
  %v = nn.constant dense<0.5> : tensor<1x1x200x200xf32>
  %1 = nn.conv %z, %v : (tensor<1x1x300x300xf32>, tensor<1x1x200x200xf32>) -> tensor<1x1x101x101xf32>
  return %0, %1 : tensor<1x1x62x31xf32>, tensor<1x1x101x101xf32>
}
