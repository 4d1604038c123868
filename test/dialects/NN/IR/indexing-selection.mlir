// Shapes of operators that pick by index.
// RUN: nn-opt %s --nn-infer-shapes --split-input-file | FileCheck %s

// CHECK-LABEL: func @gather
func.func @gather(%x: tensor<2x3x4xf32>, %i: tensor<2x5x4xi64>, %t: tensor<2x7x2xi64>)
    -> (tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?x?xf32>) {
  // CHECK: nn.gather_elements {{.*}} -> tensor<2x5x4xf32>
  %0 = nn.gather_elements %x, %i {axis = 1 : i64} : (tensor<2x3x4xf32>, tensor<2x5x4xi64>) -> tensor<?x?x?xf32>
  // The batch dimension, the tuples' places; nothing of the input is left.
  // CHECK: nn.gather_nd {{.*}} -> tensor<2x7xf32>
  %1 = nn.gather_nd %x, %t {batch_dims = 1 : i64} : (tensor<2x3x4xf32>, tensor<2x7x2xi64>) -> tensor<?x?xf32>
  // CHECK: nn.gather_nd {{.*}} -> tensor<2x7x4xf32>
  %2 = nn.gather_nd %x, %t : (tensor<2x3x4xf32>, tensor<2x7x2xi64>) -> tensor<?x?x?xf32>
  return %0, %1, %2 : tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?x?xf32>
}

// -----

// CHECK-LABEL: func @range
func.func @range(%n: tensor<i64>) -> (tensor<?xi64>, tensor<?xf32>, tensor<?xi64>) {
  %one = nn.constant dense<1> : tensor<i64>
  %ten = nn.constant dense<10> : tensor<i64>
  %three = nn.constant dense<-3> : tensor<i64>
  // CHECK: nn.range {{.*}} -> tensor<3xi64>
  %0 = nn.range %ten, %one, %three : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %zero = nn.constant dense<0.0> : tensor<f32>
  %end = nn.constant dense<1.0> : tensor<f32>
  %step = nn.constant dense<0.3> : tensor<f32>
  // CHECK: nn.range {{.*}} -> tensor<4xf32>
  %1 = nn.range %zero, %end, %step : (tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<?xf32>
  // CHECK: nn.range {{.*}} -> tensor<?xi64>
  %2 = nn.range %one, %n, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return %0, %1, %2 : tensor<?xi64>, tensor<?xf32>, tensor<?xi64>
}

// -----

// CHECK-LABEL: func @selection
func.func @selection(%x: tensor<3x8xf32>, %boxes: tensor<1x6x4xf32>, %scores: tensor<1x2x6xf32>)
    -> (tensor<?x?xf32>, tensor<?x?xi64>, tensor<?x?xi64>, tensor<?xi64>, tensor<?x?xi64>) {
  %k = nn.constant dense<2> : tensor<1xi64>
  // CHECK: nn.topk {{.*}} -> (tensor<3x2xf32>, tensor<3x2xi64>)
  %0:2 = nn.topk %x, %k : (tensor<3x8xf32>, tensor<1xi64>) -> (tensor<?x?xf32>, tensor<?x?xi64>)
  // CHECK: nn.nonzero {{.*}} -> tensor<2x?xi64>
  %1 = nn.nonzero %x : (tensor<3x8xf32>) -> tensor<?x?xi64>
  // CHECK: nn.unique {{.*}} -> (tensor<3x?xf32>, tensor<?xi64>, tensor<8xi64>, tensor<?xi64>)
  %2:4 = nn.unique %x {axis = 1 : i64} : (tensor<3x8xf32>) -> (tensor<?x?xf32>, tensor<?xi64>, tensor<?xi64>, tensor<?xi64>)
  // CHECK: nn.non_max_suppression {{.*}} -> tensor<?x3xi64>
  %3 = "nn.non_max_suppression"(%boxes, %scores) <{operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>}> : (tensor<1x6x4xf32>, tensor<1x2x6xf32>) -> tensor<?x?xi64>
  return %0#0, %0#1, %1, %2#2, %3 : tensor<?x?xf32>, tensor<?x?xi64>, tensor<?x?xi64>, tensor<?xi64>, tensor<?x?xi64>
}

// -----

// CHECK-LABEL: func @sampling
func.func @sampling(%x: tensor<2x3x8x9xf32>, %g: tensor<2x4x5x2xf32>, %r: tensor<7x4xf32>, %b: tensor<7xi64>)
    -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) {
  // CHECK: nn.grid_sample {{.*}} -> tensor<2x3x4x5xf32>
  %0 = nn.grid_sample %x, %g : (tensor<2x3x8x9xf32>, tensor<2x4x5x2xf32>) -> tensor<?x?x?x?xf32>
  // CHECK: nn.roi_align {{.*}} -> tensor<7x3x5x6xf32>
  %1 = nn.roi_align %x, %r, %b {output_height = 5 : i64, output_width = 6 : i64} : (tensor<2x3x8x9xf32>, tensor<7x4xf32>, tensor<7xi64>) -> tensor<?x?x?x?xf32>
  return %0, %1 : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>
}
