// RUN: nn-opt %s | nn-opt | FileCheck %s

// CHECK-LABEL: func.func @lstm(
// CHECK: nn.lstm(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {{.*}} : (tensor<?x?x3xf32>, tensor<16x3xf32>, tensor<16x4xf32>, tensor<?x4xf32>) -> (tensor<?x?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
func.func @lstm(%x: tensor<?x?x3xf32>, %w: tensor<16x3xf32>, %r: tensor<16x4xf32>, %h: tensor<?x4xf32>) -> tensor<?x?x4xf32> {
  %y:3 = nn.lstm(%x, %w, %r, %h) {activations = ["Sigmoid", "Tanh", "Tanh"], alpha = array<f32: 0.0, 0.0, 0.0>, beta = array<f32: 0.0, 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>} : (tensor<?x?x3xf32>, tensor<16x3xf32>, tensor<16x4xf32>, tensor<?x4xf32>) -> (tensor<?x?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
  return %y#0 : tensor<?x?x4xf32>
}

// CHECK-LABEL: func.func @gru(
// CHECK: nn.gru({{.*}} linear_before_reset, {{.*}} reverse}
func.func @gru(%x: tensor<5x2x3xf32>, %w: tensor<12x3xf32>, %r: tensor<12x4xf32>) -> tensor<2x4xf32> {
  %y:2 = nn.gru(%x, %w, %r) {activations = ["Sigmoid", "Tanh"], alpha = array<f32: 0.0, 0.0>, beta = array<f32: 0.0, 0.0>, linear_before_reset, reverse, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0>} : (tensor<5x2x3xf32>, tensor<12x3xf32>, tensor<12x4xf32>) -> (tensor<5x2x4xf32>, tensor<2x4xf32>)
  return %y#1 : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @prepared_rnn(
// CHECK: nn.rnn({{.*}} prepared}
func.func @prepared_rnn(%x: tensor<5x2x4xf32>, %r: tensor<4x4xf32>) -> tensor<2x4xf32> {
  %y:2 = nn.rnn(%x, %r) {activations = ["Relu"], alpha = array<f32: 0.0>, beta = array<f32: 0.0>, prepared, operandSegmentSizes = array<i32: 1, 0, 1, 0, 0, 0>} : (tensor<5x2x4xf32>, tensor<4x4xf32>) -> (tensor<5x2x4xf32>, tensor<2x4xf32>)
  return %y#1 : tensor<2x4xf32>
}
