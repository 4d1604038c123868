// RUN: nn-opt %s --split-input-file --nn-remove-dead-channels --nn-canonicalize | FileCheck %s

// The first channel is 0, as its weights and its bias are; the third is multiplied by 0 only. What
// has lost channels is no tensor of the model.
// CHECK-LABEL: func.func @products(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<1x1x4x4xf32>
// CHECK-DAG: %[[W:.*]] = nn.constant dense<2.000000e+00> : tensor<1x1x1x1xf32>
// CHECK-DAG: %[[B:.*]] = nn.constant dense<5.000000e-01> : tensor<1xf32>
// CHECK-DAG: %[[V:.*]] = nn.constant dense<{{\[\[\[\[4.000000e\+00\]\]\], \[\[\[7.000000e\+00\]\]\]\]}}> : tensor<2x1x1x1xf32>
// CHECK: %[[CONV:.*]] = nn.conv %[[X]], %[[W]], %[[B]] : (tensor<1x1x4x4xf32>,
// CHECK: %[[RELU:.*]] = nn.relu %[[CONV]] : (tensor<1x1x4x4xf32>)
// CHECK: nn.conv %[[RELU]], %[[V]] {nn.origin = [#nn.origin<0, "y">]}
func.func @products(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = nn.constant dense<[[[[0.0]]], [[[2.0]]], [[[3.0]]]]> : tensor<3x1x1x1xf32>
  %b = nn.constant dense<[-0.0, 0.5, 0.25]> : tensor<3xf32>
  %v = nn.constant dense<[[[[3.0]], [[4.0]], [[0.0]]], [[[6.0]], [[7.0]], [[-0.0]]]]> : tensor<2x3x1x1xf32>
  %0 = nn.conv %x, %w, %b {nn.origin = [#nn.origin<0, "hidden">]} : (tensor<1x1x4x4xf32>, tensor<3x1x1x1xf32>, tensor<3xf32>) -> tensor<1x3x4x4xf32>
  %1 = nn.relu %0 {nn.origin = [#nn.origin<0, "active">]} : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  %2 = nn.conv %1, %v {nn.origin = [#nn.origin<0, "y">]} : (tensor<1x3x4x4xf32>, tensor<2x3x1x1xf32>) -> tensor<1x2x4x4xf32>
  return %2 : tensor<1x2x4x4xf32>
}

// -----

// A channel of a sum goes if it is 0 in both operands (the first, not the second); that of a
// depthwise convolution goes with its input's.
// CHECK-LABEL: func.func @sum(
// CHECK: nn.conv {{.*}} -> tensor<1x2x4x4xf32>
// CHECK: nn.conv {{.*}} -> tensor<1x2x4x4xf32>
// CHECK: nn.add {{.*}} -> tensor<1x2x4x4xf32>
// CHECK: nn.conv {{.*}} {group = 2 : i64} : (tensor<1x2x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
// CHECK: nn.conv {{.*}} -> tensor<1x1x4x4xf32>
func.func @sum(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %w = nn.constant dense<[[[[0.0]]], [[[0.0]]], [[[3.0]]]]> : tensor<3x1x1x1xf32>
  %u = nn.constant dense<[[[[0.0]]], [[[5.0]]], [[[4.0]]]]> : tensor<3x1x1x1xf32>
  %d = nn.constant dense<[[[[1.0]]], [[[2.0]]], [[[3.0]]]]> : tensor<3x1x1x1xf32>
  %v = nn.constant dense<[[[[3.0]], [[4.0]], [[5.0]]]]> : tensor<1x3x1x1xf32>
  %0 = nn.conv %x, %w : (tensor<1x1x4x4xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x4x4xf32>
  %1 = nn.conv %x, %u : (tensor<1x1x4x4xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x4x4xf32>
  %2 = nn.add %0, %1 : (tensor<1x3x4x4xf32>, tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  %3 = nn.conv %2, %d {group = 3 : i64} : (tensor<1x3x4x4xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x4x4xf32>
  %4 = nn.conv %3, %v : (tensor<1x3x4x4xf32>, tensor<1x3x1x1xf32>) -> tensor<1x1x4x4xf32>
  return %4 : tensor<1x1x4x4xf32>
}

// -----

// Outputs stay whole, and so does what anything unknown reads, or all channels of another tensor.
// CHECK-LABEL: func.func @pinned(
// CHECK: nn.conv {{.*}} -> tensor<1x2x4x4xf32>
// CHECK: nn.conv {{.*}} -> tensor<1x1x4x4xf32>
// CHECK: nn.mul {{.*}} -> tensor<1x2x4x4xf32>
// CHECK: nn.softmax {{.*}} -> tensor<1x2x4x4xf32>
func.func @pinned(%x: tensor<1x1x4x4xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) {
  %w = nn.constant dense<[[[[0.0]]], [[[2.0]]]]> : tensor<2x1x1x1xf32>
  %v = nn.constant dense<[[[[2.0]]]]> : tensor<1x1x1x1xf32>
  %0 = nn.conv %x, %w : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = nn.conv %x, %v : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %2 = nn.mul %0, %1 : (tensor<1x2x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32>
  %3 = nn.softmax %2 {axis = 1 : i64} : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %0, %3 : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
}

// -----

// Channels through a concatenation, a pool, a mean over pixels and a flattening, to a matrix product.
// CHECK-LABEL: func.func @classifier(
// CHECK-DAG: %[[SHAPE:.*]] = nn.constant dense<[-1, 2]>
// CHECK-DAG: nn.conv {{.*}} -> tensor<?x1x4x4xf32>
// CHECK: nn.concat {{.*}} -> tensor<?x2x4x4xf32>
// CHECK: nn.max_pool {{.*}} -> tensor<?x2x2x2xf32>
// CHECK: nn.reduce_mean {{.*}} -> tensor<?x2x1x1xf32>
// CHECK: nn.reshape %{{.*}}, %[[SHAPE]] {{.*}} -> tensor<?x2xf32>
// CHECK: nn.matmul {{.*}} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
func.func @classifier(%x: tensor<?x1x4x4xf32>) -> tensor<?x2xf32> {
  %w = nn.constant dense<[[[[0.0]]], [[[2.0]]]]> : tensor<2x1x1x1xf32>
  %m = nn.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %s = nn.constant dense<[-1, 3]> : tensor<2xi64>
  %0 = nn.conv %x, %w : (tensor<?x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<?x2x4x4xf32>
  %1 = nn.concat %0, %x {axis = 1 : i64} : (tensor<?x2x4x4xf32>, tensor<?x1x4x4xf32>) -> tensor<?x3x4x4xf32>
  %2 = nn.max_pool %1 {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<?x3x4x4xf32>) -> tensor<?x3x2x2xf32>
  %3 = nn.reduce_mean %2 {axes = array<i64: 2, 3>} : (tensor<?x3x2x2xf32>) -> tensor<?x3x1x1xf32>
  %4 = nn.reshape %3, %s : (tensor<?x3x1x1xf32>, tensor<2xi64>) -> tensor<?x3xf32>
  %5 = nn.matmul %4, %m : (tensor<?x3xf32>, tensor<3x2xf32>) -> tensor<?x2xf32>
  return %5 : tensor<?x2xf32>
}
