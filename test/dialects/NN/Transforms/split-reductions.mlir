// RUN: nn-opt %s --nn-split-reductions | FileCheck %s

// CHECK-LABEL: func.func @two_groups(
// CHECK-SAME: %[[X:.*]]: tensor<2x3x4x5xf32>
// CHECK: %[[LAST:.*]] = nn.reduce_mean %[[X]] {axes = array<i64: 2, 3>} : (tensor<2x3x4x5xf32>) -> tensor<2x3x1x1xf32>
// CHECK: %[[ALL:.*]] = nn.reduce_mean %[[LAST]] {axes = array<i64: 0, -1, 2>, keepdims = false} : (tensor<2x3x1x1xf32>) -> tensor<3xf32>
// CHECK: return %[[ALL]]
func.func @two_groups(%x: tensor<2x3x4x5xf32>) -> tensor<3xf32> {
  %0 = nn.reduce_mean %x {axes = array<i64: 0, -1, 2>, keepdims = false} : (tensor<2x3x4x5xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// CHECK-LABEL: func.func @three_groups(
// CHECK: nn.reduce_max %{{.*}} {axes = array<i64: 4>} : (tensor<2x3x4x5x?xi32>) -> tensor<2x3x4x5x1xi32>
// CHECK: nn.reduce_max %{{.*}} {axes = array<i64: 2>} : (tensor<2x3x4x5x1xi32>) -> tensor<2x3x1x5x1xi32>
// CHECK: nn.reduce_max %{{.*}} {axes = array<i64: 0, 2, 4>} : (tensor<2x3x1x5x1xi32>) -> tensor<1x3x1x5x1xi32>
func.func @three_groups(%x: tensor<2x3x4x5x?xi32>) -> tensor<1x3x1x5x1xi32> {
  %0 = nn.reduce_max %x {axes = array<i64: 0, 2, 4>} : (tensor<2x3x4x5x?xi32>) -> tensor<1x3x1x5x1xi32>
  return %0 : tensor<1x3x1x5x1xi32>
}

// Neighbours but for a dimension of size 1; and means of integers, which are rounded.
// CHECK-LABEL: func.func @kept(
// CHECK-COUNT-2: nn.reduce
// CHECK-NOT: nn.reduce
func.func @kept(%x: tensor<2x3x1x5xf32>, %y: tensor<2x3x4xi32>) -> (tensor<2x1x1x1xf32>, tensor<1x3x1xi32>) {
  %0 = nn.reduce_sum %x {axes = array<i64: 1, 3>} : (tensor<2x3x1x5xf32>) -> tensor<2x1x1x1xf32>
  %1 = nn.reduce_mean %y {axes = array<i64: 0, 2>} : (tensor<2x3x4xi32>) -> tensor<1x3x1xi32>
  return %0, %1 : tensor<2x1x1x1xf32>, tensor<1x3x1xi32>
}
