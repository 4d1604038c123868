// Result types that are less precise than what can be inferred are refined: the shape
// functions of all families, with static and with unknown sizes.
//
// RUN: nn-opt %s --nn-infer-shapes | FileCheck %s

// CHECK-LABEL: func.func @elementwise(
// CHECK-SAME: -> tensor<?x4x8xf32>
func.func @elementwise(%x: tensor<?x1x8xf32>, %y: tensor<4x1xf32>) -> tensor<?x?x?xf32> {
  %0 = nn.add %x, %y : (tensor<?x1x8xf32>, tensor<4x1xf32>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}
// CHECK-LABEL: func.func @contraction(
// CHECK-SAME: -> tensor<?x2x5xf32>
func.func @contraction(%x: tensor<?x2x3xf32>, %y: tensor<3x5xf32>) -> tensor<?x?x?xf32> {
  %0 = nn.matmul %x, %y : (tensor<?x2x3xf32>, tensor<3x5xf32>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}
// CHECK-LABEL: func.func @conv(
// CHECK-SAME: -> (tensor<?x4x?x5xf32>, tensor<?x8x17x4xf32>)
func.func @conv(%x: tensor<?x3x?x9xf32>, %w: tensor<4x3x3x3xf32>, %y: tensor<?x8x8x3xf32>, %v: tensor<3x4x3x3xf32>) -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) {
  %0 = nn.conv %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>} : (tensor<?x3x?x9xf32>, tensor<4x3x3x3xf32>) -> tensor<?x?x?x?xf32>
  %1 = nn.conv_transpose %y, %v {strides = array<i64: 1, 2>, pads = array<i64: 1, 0, 1, 0>, layout = 1 : i32} : (tensor<?x8x8x3xf32>, tensor<3x4x3x3xf32>) -> tensor<?x?x?x?xf32>
  return %0, %1 : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>
}
// CHECK-LABEL: func.func @pool(
// CHECK-SAME: -> (tensor<1x3x4x4xf32>, tensor<1x3x3x3xf32>)
func.func @pool(%x: tensor<1x3x7x7xf32>) -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) {
  %0 = nn.max_pool %x {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>, ceil_mode = true} : (tensor<1x3x7x7xf32>) -> tensor<?x?x?x?xf32>
  %1 = nn.average_pool %x {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x3x7x7xf32>) -> tensor<?x?x?x?xf32>
  return %0, %1 : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>
}
// CHECK-LABEL: func.func @reduction(
// CHECK-SAME: -> (tensor<?x1x5xf32>, tensor<?xi64>)
func.func @reduction(%x: tensor<?x4x5xf32>, %y: tensor<?x4xf32>) -> (tensor<?x?x?xf32>, tensor<?xi64>) {
  %0 = nn.reduce_max %x {axes = array<i64: -2>} : (tensor<?x4x5xf32>) -> tensor<?x?x?xf32>
  %1 = nn.argmax %y {axis = 1 : i64, keepdims = false} : (tensor<?x4xf32>) -> tensor<?xi64>
  return %0, %1 : tensor<?x?x?xf32>, tensor<?xi64>
}
// CHECK-LABEL: func.func @shape(
// CHECK-SAME: -> (tensor<?x8xf32>, tensor<4x?xf32>, tensor<?x12xf32>)
func.func @shape(%x: tensor<?x4xf32>) -> (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) {
  %0 = nn.concat %x, %x {axis = 1 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x?xf32>
  %1 = nn.transpose %x {perm = array<i64: 1, 0>} : (tensor<?x4xf32>) -> tensor<?x?xf32>
  %n = nn.constant dense<[1, 3]> : tensor<2xi64>
  %2 = nn.tile %x, %n : (tensor<?x4xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0, %1, %2 : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>
}
