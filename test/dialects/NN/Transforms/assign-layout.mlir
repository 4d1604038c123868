// RUN: nn-opt %s --nn-assign-layout --nn-canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func @conv
// CHECK: %[[IN:.*]] = nn.transpose %arg0 {perm = array<i64: 0, 2, 3, 1>}
// CHECK: %[[CONV:.*]] = nn.conv %[[IN]], %arg1 {layout = 1 : i32, nn.origin = [#nn.origin<0, "y", [0, 2, 3, 1]>]} : (tensor<1x8x8x3xf32>, tensor<4x3x1x1xf32>) -> tensor<1x8x8x4xf32>
// CHECK: %[[OUT:.*]] = nn.transpose %[[CONV]] {nn.origin = [#nn.origin<0, "y">], perm = array<i64: 0, 3, 1, 2>}
// CHECK: return %[[OUT]]
func.func @conv(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32> {
  %0 = nn.conv %x, %w {nn.origin = [#nn.origin<0, "y">]} : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  return %0 : tensor<1x4x8x8xf32>
}

// -----

// What follows a convolution is computed with it, before the order is restored.
// CHECK-LABEL: func @tail
// CHECK: nn.conv
// CHECK-NEXT: nn.relu
// CHECK-NEXT: %[[OUT:.*]] = nn.transpose
// CHECK-NEXT: return %[[OUT]]
func.func @tail(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32> {
  %0 = nn.conv %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = nn.relu %0 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return %1 : tensor<1x4x8x8xf32>
}

// -----

// A residual block with sizes known at run time: one transpose in, one out. The
// single channel of the input is only reshaped, as is the pooled tensor.
// CHECK-LABEL: func @residual
// CHECK-NOT: nn.transpose
// CHECK: nn.squeeze %arg0 {axes = array<i64: 1>}
// CHECK: nn.unsqueeze {{.*}} -> tensor<?x?x?x1xf32>
// CHECK-NOT: nn.transpose
// CHECK: nn.conv {{.*}}layout = 1
// CHECK: nn.add {{.*}} : (tensor<?x?x?x4xf32>, tensor<1x1x1x4xf32>)
// CHECK: nn.relu
// CHECK: nn.conv {{.*}}layout = 1
// CHECK: nn.add {{.*}} : (tensor<?x?x?x4xf32>, tensor<?x?x?x4xf32>)
// CHECK: nn.concat {{.*}} {axis = 3 : i64}
// CHECK: nn.reduce_mean {{.*}} {axes = array<i64: 1, 2>} : (tensor<?x?x?x8xf32>) -> tensor<?x1x1x8xf32>
// CHECK: nn.reshape {{.*}} -> tensor<?x8xf32>
// CHECK: return
func.func @residual(%x: tensor<?x1x?x?xf32>, %w: tensor<4x1x1x1xf32>, %w2: tensor<4x4x1x1xf32>) -> tensor<?x8xf32> {
  %bias = nn.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %shape = nn.constant dense<[0, 8]> : tensor<2xi64>
  %0 = nn.conv %x, %w : (tensor<?x1x?x?xf32>, tensor<4x1x1x1xf32>) -> tensor<?x4x?x?xf32>
  %1 = nn.add %0, %bias : (tensor<?x4x?x?xf32>, tensor<4x1x1xf32>) -> tensor<?x4x?x?xf32>
  %2 = nn.relu %1 : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %3 = nn.conv %2, %w2 : (tensor<?x4x?x?xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x?x?xf32>
  %4 = nn.add %3, %2 : (tensor<?x4x?x?xf32>, tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %5 = nn.concat %4, %2 {axis = 1 : i64} : (tensor<?x4x?x?xf32>, tensor<?x4x?x?xf32>) -> tensor<?x8x?x?xf32>
  %6 = nn.reduce_mean %5 {axes = array<i64: 2, 3>} : (tensor<?x8x?x?xf32>) -> tensor<?x8x1x1xf32>
  %7 = nn.reshape %6, %shape : (tensor<?x8x1x1xf32>, tensor<2xi64>) -> tensor<?x8xf32>
  return %7 : tensor<?x8xf32>
}

// -----

// The model's own transpose gives what the convolution computes anyway.
// CHECK-LABEL: func @own_transpose
// CHECK: %[[CONV:.*]] = nn.conv
// CHECK-NEXT: return %[[CONV]]
func.func @own_transpose(%x: tensor<1x1x8x8xf32>, %w: tensor<4x1x1x1xf32>) -> tensor<1x8x8x4xf32> {
  %0 = nn.conv %x, %w : (tensor<1x1x8x8xf32>, tensor<4x1x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = nn.transpose %0 {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x4x8x8xf32>) -> tensor<1x8x8x4xf32>
  return %1 : tensor<1x8x8x4xf32>
}

// -----

// To a sequence for a transformer and back.
// CHECK-LABEL: func @sequence
// CHECK-NOT: nn.transpose
// CHECK: nn.conv
// CHECK: nn.reshape {{.*}} -> tensor<?x?x4xf32>
// CHECK: nn.softmax
// CHECK: nn.reshape {{.*}} -> tensor<?x1x?x4xf32>
// CHECK: nn.conv
// CHECK-NOT: nn.transpose {{.*}}0, 2, 1
func.func @sequence(%x: tensor<?x1x1x?xf32>, %w: tensor<4x1x1x1xf32>, %w2: tensor<1x4x1x1xf32>) -> tensor<?x1x1x?xf32> {
  %flat = nn.constant dense<[0, 4, -1]> : tensor<3xi64>
  %image = nn.constant dense<[0, 1, -1, 4]> : tensor<4xi64>
  %0 = nn.conv %x, %w : (tensor<?x1x1x?xf32>, tensor<4x1x1x1xf32>) -> tensor<?x4x1x?xf32>
  %1 = nn.reshape %0, %flat : (tensor<?x4x1x?xf32>, tensor<3xi64>) -> tensor<?x4x?xf32>
  %2 = nn.transpose %1 {perm = array<i64: 0, 2, 1>} : (tensor<?x4x?xf32>) -> tensor<?x?x4xf32>
  %3 = nn.softmax %2 : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %4 = nn.reshape %3, %image : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x1x?x4xf32>
  %5 = nn.transpose %4 {perm = array<i64: 0, 3, 1, 2>} : (tensor<?x1x?x4xf32>) -> tensor<?x4x1x?xf32>
  %6 = nn.conv %5, %w2 : (tensor<?x4x1x?xf32>, tensor<1x4x1x1xf32>) -> tensor<?x1x1x?xf32>
  return %6 : tensor<?x1x1x?xf32>
}

// -----

// CHECK-LABEL: func @channel_shuffle
// CHECK: nn.conv
// CHECK: nn.reshape {{.*}} -> tensor<1x8x8x2x3xf32>
// CHECK: nn.transpose {{.*}} {perm = array<i64: 0, 1, 2, 4, 3>}
// CHECK: nn.reshape {{.*}} -> tensor<1x8x8x6xf32>
// CHECK: nn.conv
func.func @channel_shuffle(%x: tensor<1x6x8x8xf32>, %w: tensor<6x6x1x1xf32>) -> tensor<1x6x8x8xf32> {
  %split = nn.constant dense<[1, 2, 3, 8, 8]> : tensor<5xi64>
  %merge = nn.constant dense<[1, 6, 8, 8]> : tensor<4xi64>
  %0 = nn.conv %x, %w : (tensor<1x6x8x8xf32>, tensor<6x6x1x1xf32>) -> tensor<1x6x8x8xf32>
  %1 = nn.reshape %0, %split : (tensor<1x6x8x8xf32>, tensor<5xi64>) -> tensor<1x2x3x8x8xf32>
  %2 = nn.transpose %1 {perm = array<i64: 0, 2, 1, 3, 4>} : (tensor<1x2x3x8x8xf32>) -> tensor<1x3x2x8x8xf32>
  %3 = nn.reshape %2, %merge : (tensor<1x3x2x8x8xf32>, tensor<4xi64>) -> tensor<1x6x8x8xf32>
  %4 = nn.conv %3, %w : (tensor<1x6x8x8xf32>, tensor<6x6x1x1xf32>) -> tensor<1x6x8x8xf32>
  return %4 : tensor<1x6x8x8xf32>
}

// -----

// CHECK-LABEL: func @axes
// CHECK: nn.conv
// CHECK: nn.slice {{.*}} {axes = array<i64: 1, 3>, steps = array<i64: 1, 1>}
// CHECK: nn.pad {{.*}} {axes = array<i64: 0, 3, 1, 2>}
// CHECK: nn.softmax {{.*}} {axis = 3 : i64}
// CHECK: nn.squeeze {{.*}} {axes = array<i64: 2>} : (tensor<1x?x?x2xf32>) -> tensor<1x?x2xf32>
// CHECK: nn.argmax {{.*}} {axis = 2 : i64, keepdims = false} : (tensor<1x?x2xf32>) -> tensor<1x?xi64>
func.func @axes(%x: tensor<1x1x?x?xf32>, %w: tensor<4x1x1x1xf32>, %starts: tensor<2xi64>, %ends: tensor<2xi64>) -> tensor<1x?xi64> {
  %pads = nn.constant dense<0> : tensor<8xi64>
  %0 = nn.conv %x, %w : (tensor<1x1x?x?xf32>, tensor<4x1x1x1xf32>) -> tensor<1x4x?x?xf32>
  %1 = nn.slice %0, %starts, %ends {axes = array<i64: -2, 1>, steps = array<i64: 1, 1>} : (tensor<1x4x?x?xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<1x2x?x?xf32>
  %2 = nn.pad %1, %pads : (tensor<1x2x?x?xf32>, tensor<8xi64>) -> tensor<1x2x?x?xf32>
  %3 = nn.softmax %2 {axis = 1 : i64} : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  %4 = nn.squeeze %3 {axes = array<i64: 3>} : (tensor<1x2x?x?xf32>) -> tensor<1x2x?xf32>
  %5 = nn.argmax %4 {axis = 1 : i64, keepdims = false} : (tensor<1x2x?xf32>) -> tensor<1x?xi64>
  return %5 : tensor<1x?xi64>
}

// -----

// Without convolutions nothing moves.
// CHECK-LABEL: func @nothing
// CHECK-NOT: transpose
func.func @nothing(%x: tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32> {
  %0 = nn.max_pool %x {kernel_shape = array<i64: 1, 1>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  return %0 : tensor<1x3x8x8xf32>
}
