// RUN: nn-opt %s --nn-prepare-recurrent | FileCheck %s

// One row: the product is of matrices of rank 2.
// CHECK-LABEL: func.func @one_row(
// CHECK-SAME: %[[X:.*]]: tensor<7x1x3xf32>, %[[W:.*]]: tensor<4x3xf32>, %[[R:.*]]: tensor<4x4xf32>, %[[B:.*]]: tensor<4xf32>
// CHECK: %[[FLAT:.*]] = nn.squeeze %[[X]] {axes = array<i64: 1>}
// CHECK: %[[PRODUCT:.*]] = nn.matmul %[[FLAT]], %[[W]] {transpose_rhs}
// CHECK: %[[SUM:.*]] = nn.add %[[PRODUCT]], %[[B]]
// CHECK: %[[ROWS:.*]] = nn.unsqueeze %[[SUM]] {axes = array<i64: 1>}
// CHECK: %[[T:.*]] = nn.transpose %[[R]] {perm = array<i64: 1, 0>}
// CHECK: nn.rnn(%[[ROWS]], %[[T]]) {{{.*}}prepared{{.*}}} : (tensor<7x1x4xf32>, tensor<4x4xf32>)
func.func @one_row(%x: tensor<7x1x3xf32>, %w: tensor<4x3xf32>, %r: tensor<4x4xf32>, %b: tensor<4xf32>) -> tensor<1x4xf32> {
  %y:2 = nn.rnn(%x, %w, %r, %b) {activations = ["Tanh"], alpha = array<f32: 0.0>, beta = array<f32: 0.0>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>} : (tensor<7x1x3xf32>, tensor<4x3xf32>, tensor<4x4xf32>, tensor<4xf32>) -> (tensor<7x1x4xf32>, tensor<1x4xf32>)
  return %y#1 : tensor<1x4xf32>
}

// CHECK-LABEL: func.func @unknown_sizes(
// CHECK-NOT: nn.squeeze
// CHECK: nn.matmul {{.*}} : (tensor<?x?x3xf32>, tensor<4x3xf32>) -> tensor<?x?x4xf32>
// CHECK: nn.rnn(
func.func @unknown_sizes(%x: tensor<?x?x3xf32>, %w: tensor<4x3xf32>, %r: tensor<4x4xf32>) -> tensor<?x4xf32> {
  %y:2 = nn.rnn(%x, %w, %r) {activations = ["Tanh"], alpha = array<f32: 0.0>, beta = array<f32: 0.0>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>} : (tensor<?x?x3xf32>, tensor<4x3xf32>, tensor<4x4xf32>) -> (tensor<?x?x4xf32>, tensor<?x4xf32>)
  return %y#1 : tensor<?x4xf32>
}

// Prepared layers are left alone.
// CHECK-LABEL: func.func @prepared(
// CHECK-NEXT: nn.rnn(
func.func @prepared(%x: tensor<5x2x4xf32>, %r: tensor<4x4xf32>) -> tensor<2x4xf32> {
  %y:2 = nn.rnn(%x, %r) {activations = ["Relu"], alpha = array<f32: 0.0>, beta = array<f32: 0.0>, prepared, operandSegmentSizes = array<i32: 1, 0, 1, 0, 0, 0>} : (tensor<5x2x4xf32>, tensor<4x4xf32>) -> (tensor<5x2x4xf32>, tensor<2x4xf32>)
  return %y#1 : tensor<2x4xf32>
}
