// Every operator parses what it prints, on tensors and on buffers.
//
// RUN: nn-opt %s | nn-opt | FileCheck %s

// CHECK-LABEL: func.func @tensors(
func.func @tensors(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<4xf32>,
                   %a: tensor<1x4x1x1xf32>, %d: tensor<1x4x8x8xf32>, %m: tensor<2x3xf32>,
                   %k: tensor<3x4xf32>, %p: tensor<2x4xf32>) {
  // CHECK: onednn.convolution src({{.*}}) weights({{.*}}) bias({{.*}}) post_op_args({{.*}}) dst({{.*}}) {pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>, post_ops = [#onednn.binary<add, 0>, #onednn.eltwise<relu, 0.000000e+00, 0.000000e+00>]} -> tensor<1x4x8x8xf32>
  %0 = onednn.convolution src(%x : tensor<1x3x8x8xf32>) weights(%w : tensor<4x3x3x3xf32>) bias(%b : tensor<4xf32>) post_op_args(%a : tensor<1x4x1x1xf32>) dst(%d : tensor<1x4x8x8xf32>) {pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>, post_ops = [#onednn.binary<add, 0>, #onednn.eltwise<relu, 0.0, 0.0>]} -> tensor<1x4x8x8xf32>
  // CHECK: onednn.matmul src({{.*}}) weights({{.*}}) dst({{.*}}) {constant_weights} -> tensor<2x4xf32>
  %1 = onednn.matmul src(%m : tensor<2x3xf32>) weights(%k : tensor<3x4xf32>) dst(%p : tensor<2x4xf32>) {constant_weights} -> tensor<2x4xf32>
  // CHECK: onednn.softmax log src({{.*}}) dst({{.*}}) {axis = 1 : i64} -> tensor<2x4xf32>
  %2 = onednn.softmax log src(%1 : tensor<2x4xf32>) dst(%p : tensor<2x4xf32>) {axis = 1 : i64} -> tensor<2x4xf32>
  return
}

// CHECK-LABEL: func.func @integers(
func.func @integers(%x: tensor<1x8x8x4xui8>, %w: tensor<6x4x1x1xi8>, %b: tensor<6xi32>, %d: tensor<1x8x8x6xi8>) {
  // CHECK: onednn.convolution src({{.*}}) weights({{.*}}) bias({{.*}}) dst({{.*}}) {layout = 1 : i32, src_zero_point = 7 : i64} -> tensor<1x8x8x6xi8>
  %0 = onednn.convolution src(%x : tensor<1x8x8x4xui8>) weights(%w : tensor<6x4x1x1xi8>) bias(%b : tensor<6xi32>) dst(%d : tensor<1x8x8x6xi8>) {layout = 1 : i32, src_zero_point = 7 : i64} -> tensor<1x8x8x6xi8>
  return
}

// CHECK-LABEL: func.func @buffers(
func.func @buffers(%x: memref<?x3x8x8xf32>, %d: memref<?x3x4x4xf32>) {
  // CHECK: onednn.pooling max src({{.*}} : memref<?x3x8x8xf32>) dst({{.*}} : memref<?x3x4x4xf32>) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
  onednn.pooling max src(%x : memref<?x3x8x8xf32>) dst(%d : memref<?x3x4x4xf32>) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
  return
}
