// RUN: nn-opt %s --nn-form-fusions --split-input-file | FileCheck %s

// An anchor with the elementwise operators after it; the splat moves inside.
// CHECK-LABEL: func.func @tail(
// CHECK-SAME: %[[X:.*]]: tensor<1x3x8x8xf32>, %[[W:.*]]: tensor<4x3x1x1xf32>)
// CHECK: %[[R:.*]] = nn.fusion (%[[A:.*]] = %[[X]] : tensor<1x3x8x8xf32>, %[[B:.*]] = %[[W]] : tensor<4x3x1x1xf32>) -> (tensor<1x4x8x8xf32>)
// CHECK-SAME: nn.origin<0, "y">
// CHECK-DAG: nn.constant dense<2.000000e+00> : tensor<f32>
// CHECK-DAG: %[[CONV:.*]] = nn.conv %[[A]], %[[B]]
// CHECK: nn.mul %[[CONV]]
// CHECK: %[[RELU:.*]] = nn.relu
// CHECK: nn.yield %[[RELU]]
// CHECK: return %[[R]]
func.func @tail(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32> {
  %two = nn.constant dense<2.0> : tensor<f32>
  %0 = nn.conv %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = nn.mul %0, %two : (tensor<1x4x8x8xf32>, tensor<f32>) -> tensor<1x4x8x8xf32>
  %2 = nn.relu %1 {nn.origin = [#nn.origin<0, "y">]} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return %2 : tensor<1x4x8x8xf32>
}

// -----

// A value with users outside is computed outside: here, the convolution's.
// CHECK-LABEL: func.func @used_twice(
// CHECK: %[[CONV:.*]] = nn.conv
// CHECK-NOT: nn.conv
// CHECK: return %{{.*}}, %[[CONV]]
func.func @used_twice(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x1x1xf32>) -> (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) {
  %0 = nn.conv %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = nn.relu %0 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return %1, %0 : tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>
}

// -----

// Elementwise operators of one shape.
// CHECK-LABEL: func.func @elementwise(
// CHECK: nn.fusion
// CHECK: nn.add
// CHECK-NEXT: nn.exp
// CHECK-NEXT: nn.yield
func.func @elementwise(%x: tensor<?x8xf32>, %y: tensor<8xf32>) -> tensor<?x8xf32> {
  %0 = nn.add %x, %y : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %1 = nn.exp %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

// A single operator needs no group; neither do operators that move data.
// CHECK-LABEL: func.func @alone(
// CHECK-NOT: nn.fusion
func.func @alone(%x: tensor<4x8xf32>) -> tensor<8x4xf32> {
  %0 = nn.relu %x : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = nn.transpose %0 {perm = array<i64: 1, 0>} : (tensor<4x8xf32>) -> tensor<8x4xf32>
  return %1 : tensor<8x4xf32>
}
